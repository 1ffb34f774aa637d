import type { TitleSource, Tombstone } from "../../catalog/title-repository.ts";
import type { Database } from "./tables.ts";
import { takenIds } from "./title-places.ts";

// What is known of sources, for what streaming instances announce of them.

/** Of these sources those of which there is neither a title nor a tombstone, nor a library title of their content. */
export async function listUnknown(
  database: Database,
  sources: readonly Pick<TitleSource, "sourceId" | "mediaId">[],
): Promise<Set<string>> {
  if (sources.length === 0) return new Set();
  const ids = sources.map(({ sourceId }) => sourceId);
  const known = await takenIds(database, ids);
  const mediaIds = sources.flatMap(({ mediaId }) => mediaId ?? []);
  const twins = await database
    .selectFrom("titles")
    .select("media_id")
    .where("media_id", "in", mediaIds.length === 0 ? [""] : mediaIds)
    .where("origin", "=", "library")
    .where("deleted_at", "is", null)
    .execute();
  const twinned = new Set(twins.map(({ media_id }) => media_id));
  return new Set(
    sources.filter(({ sourceId, mediaId }) => !known.has(sourceId) && !twinned.has(mediaId)).map((one) => one.sourceId),
  );
}

/** The titles that sources belong to, by source. */
export async function listBySource(
  database: Database,
  sourceIds: readonly string[],
): Promise<Map<string, { readonly id: string; readonly mediaId: string | null }>> {
  if (sourceIds.length === 0) return new Map();
  const rows = await database
    .selectFrom("title_sources as s")
    .innerJoin("titles as t", "t.seq", "s.title_seq")
    .select(["s.source_id", "t.id", "t.media_id"])
    .where("s.source_id", "in", sourceIds)
    .execute();
  return new Map(rows.map(({ source_id, id, media_id }) => [source_id, { id, mediaId: media_id }]));
}

/** Instances that announced a title's sources as ready. */
export async function listProviders(database: Database, id: string): Promise<string[]> {
  const rows = await database
    .selectFrom("title_sources as s")
    .innerJoin("titles as t", "t.seq", "s.title_seq")
    .select("s.provider")
    .distinct()
    .where("t.id", "=", id)
    .where("s.availability", "=", "ready")
    .execute();
  return rows.map(({ provider }) => provider);
}

/** Of these announced sources those that were taken with the same fingerprint; their provider is kept. */
export async function takeUnchanged(
  database: Database,
  sources: readonly Pick<TitleSource, "sourceId" | "fingerprint" | "provider">[],
): Promise<Set<string>> {
  if (sources.length === 0) return new Set();
  const rows = await database
    .selectFrom("title_sources")
    .select(["source_id", "fingerprint", "provider"])
    .where(
      "source_id",
      "in",
      sources.map(({ sourceId }) => sourceId),
    )
    .execute();
  const known = new Map(rows.map((row) => [row.source_id, row]));
  const same = sources.filter(({ sourceId, fingerprint }) => known.get(sourceId)?.fingerprint === fingerprint);
  const moved = same.filter(({ sourceId, provider }) => known.get(sourceId)?.provider !== provider);
  for (const [provider, group] of Map.groupBy(moved, (source) => source.provider)) {
    const ids = group.map(({ sourceId }) => sourceId);
    await database.updateTable("title_sources").set({ provider }).where("source_id", "in", ids).execute();
  }
  return new Set(same.map(({ sourceId }) => sourceId));
}

/** The tombstone of a source, with its content's id updated when one is given. */
export async function getTombstone(
  database: Database,
  sourceId: string,
  mediaId: string | null,
): Promise<Tombstone | null> {
  const row = await database
    .selectFrom("title_tombstones")
    .selectAll()
    .where("source_id", "=", sourceId)
    .executeTakeFirst();
  if (!row) return null;
  if (mediaId !== null && mediaId !== row.media_id) {
    await database
      .updateTable("title_tombstones")
      .set({ media_id: mediaId })
      .where("source_id", "=", sourceId)
      .execute();
  }
  return { sourceId, origin: row.origin, mediaId: mediaId ?? row.media_id };
}

/** Purged uploads with this content, when no title has it any more; otherwise none. */
export async function listReleasable(database: Database, mediaId: string): Promise<string[]> {
  const used = await database
    .selectFrom("titles")
    .select("id")
    .where("media_id", "=", mediaId)
    .limit(1)
    .executeTakeFirst();
  if (used) return [];
  const rows = await database
    .selectFrom("title_tombstones")
    .select("source_id")
    .where("media_id", "=", mediaId)
    .where("origin", "=", "upload")
    .execute();
  return rows.map((row) => row.source_id);
}
