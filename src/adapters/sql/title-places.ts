import { sql, type Transaction } from "kysely";
import type { BuriedTitle, TitleWithSources } from "../../catalog/title-repository.ts";
import { listOf } from "./number-list.ts";
import type { Database, Tables } from "./tables.ts";

/** Titles that can be made in one millisecond before they count as made in the next. */
const PLACES_IN_A_MILLISECOND = 2_048;

/** Free places in time at or after these moments (ms since 1970), one for each. */
export async function freePlaces(transaction: Transaction<Tables>, moments: readonly number[]): Promise<number[]> {
  const wanted = moments.map((moment) => moment * PLACES_IN_A_MILLISECOND);
  const { rows } = await sql<{ seq: number }>`select seq from titles where seq in (${listOf(wanted)})`.execute(
    transaction,
  );
  const taken = new Set(rows.map(({ seq }) => Number(seq)));
  const given = new Map<number, number>();
  const places: number[] = [];
  for (const first of wanted) {
    const before = given.get(first);
    const isShared = before !== undefined || taken.has(first);
    const place = isShared ? await nextPlace(transaction, first, before) : first;
    given.set(first, place);
    places.push(place);
  }
  return places;
}

/** The first free place at or after one that is taken, and after one that was given already. */
async function nextPlace(transaction: Transaction<Tables>, first: number, given: number | undefined): Promise<number> {
  for (let start = first; ; start += PLACES_IN_A_MILLISECOND) {
    const row = await transaction
      .selectFrom("titles")
      .select(({ fn }) => fn.max("seq").as("last"))
      .where("seq", ">=", start)
      .where("seq", "<", start + PLACES_IN_A_MILLISECOND)
      .executeTakeFirst();
    const last = Math.max(row?.last == null ? start - 1 : Number(row.last), given ?? 0);
    if (last < start) return start;
    const next = last + 1;
    if (next < start + PLACES_IN_A_MILLISECOND) return next;
  }
}

/** Of these ids those that are a title's, a source's or a tombstone's. */
export async function takenIds(database: Database | Transaction<Tables>, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const titles = await database.selectFrom("titles").select("id").where("id", "in", ids).execute();
  const sources = await database
    .selectFrom("title_sources")
    .select("source_id as id")
    .where("source_id", "in", ids)
    .execute();
  const tombstones = await database
    .selectFrom("title_tombstones")
    .select("source_id as id")
    .where("source_id", "in", ids)
    .execute();
  return new Set([...titles, ...sources, ...tombstones].map(({ id }) => id));
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
    title_id: title.id,
    name: title.name,
  }));
  await transaction.insertInto("title_tombstones").values(stones).execute();
}

/** Purged library titles, the last one first: the tombstone of the title's own id stands for it. */
export async function listBuried(database: Database, limit: number): Promise<BuriedTitle[]> {
  const rows = await database
    .selectFrom("title_tombstones")
    .select(["source_id", "name", "purged_at"])
    .where("origin", "=", "library")
    .where((where) => where.or([where("title_id", "is", null), where("title_id", "=", where.ref("source_id"))]))
    .orderBy("purged_at", "desc")
    .orderBy("source_id")
    .limit(limit)
    .execute();
  return rows.map(({ source_id: id, name, purged_at: purgedAt }) => ({ id, name, purgedAt }));
}

/** Forgets the tombstones of a library title; the sources they were of. */
export async function unbury(transaction: Transaction<Tables>, id: string): Promise<string[]> {
  const rows = await transaction
    .selectFrom("title_tombstones")
    .select("source_id")
    .where("origin", "=", "library")
    .where((where) => where.or([where("source_id", "=", id), where("title_id", "=", id)]))
    .execute();
  const ids = rows.map(({ source_id }) => source_id);
  if (ids.length > 0) await transaction.deleteFrom("title_tombstones").where("source_id", "in", ids).execute();
  return ids;
}

/** Forgets the tombstones of library sources. */
export async function forgetTombstones(database: Database, sourceIds: readonly string[]): Promise<void> {
  if (sourceIds.length === 0) return;
  await database
    .deleteFrom("title_tombstones")
    .where("source_id", "in", sourceIds)
    .where("origin", "=", "library")
    .execute();
}
