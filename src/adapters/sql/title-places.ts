import type { Transaction } from "kysely";
import type { TitleWithSources } from "../../catalog/title-repository.ts";
import type { Tables } from "./tables.ts";

/** Titles that can be made in one millisecond before they count as made in the next. */
const PLACES_IN_A_MILLISECOND = 2_048;

/** The first free place in time at or after a moment (ms since 1970). */
export async function nextSeq(transaction: Transaction<Tables>, createdAtMs: number): Promise<number> {
  const first = createdAtMs * PLACES_IN_A_MILLISECOND;
  for (let start = first; ; start += PLACES_IN_A_MILLISECOND) {
    const row = await transaction
      .selectFrom("titles")
      .select(({ fn }) => fn.max("seq").as("last"))
      .where("seq", ">=", start)
      .where("seq", "<", start + PLACES_IN_A_MILLISECOND)
      .executeTakeFirst();
    if (row?.last == null) return start;
    const next = Number(row.last) + 1;
    if (next < start + PLACES_IN_A_MILLISECOND) return next;
  }
}

/** Whether an id is a title's, a source's or a tombstone's. */
export async function isTaken(transaction: Transaction<Tables>, id: string): Promise<boolean> {
  const title = await transaction.selectFrom("titles").select("id").where("id", "=", id).executeTakeFirst();
  const source = await transaction
    .selectFrom("title_sources")
    .select("source_id")
    .where("source_id", "=", id)
    .executeTakeFirst();
  const tombstone = await transaction
    .selectFrom("title_tombstones")
    .select("source_id")
    .where("source_id", "=", id)
    .executeTakeFirst();
  return title !== undefined || source !== undefined || tombstone !== undefined;
}

/** Leaves tombstones of a title's id and sources. */
export async function bury(transaction: Transaction<Tables>, title: TitleWithSources): Promise<void> {
  const purgedAt = new Date().toISOString();
  const sources = new Map(title.sources.map((source) => [source.sourceId, source]));
  const ids = new Set([title.id, ...sources.keys()]);
  const stones = [...ids].map((sourceId) => ({
    source_id: sourceId,
    origin: sources.get(sourceId)?.origin ?? title.origin,
    media_id: sources.get(sourceId)?.mediaId ?? title.mediaId,
    purged_at: purgedAt,
  }));
  await transaction.insertInto("title_tombstones").values(stones).execute();
}
