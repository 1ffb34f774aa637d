import type { TitleRecord, TitleRepository } from "../../catalog/title-repository.ts";
import type { Database } from "./tables.ts";
import { recordsOf } from "./title-wholes.ts";

// Titles that are deleted and can still be restored.

/** Ids of titles deleted at or before this time (ms). */
export async function listDeleted(database: Database, until: number): Promise<string[]> {
  const rows = await database.selectFrom("titles").select("id").where("deleted_at", "<=", until).execute();
  return rows.map(({ id }) => id);
}

/** Titles of one owner (and with `library` those of nobody) deleted after a time (ms), the last one first. */
export async function listRestorable(
  database: Database,
  { ownerId, library, after, limit }: Parameters<TitleRepository["listRestorable"]>[0],
): Promise<TitleRecord[]> {
  const rows = await database
    .selectFrom("titles")
    .selectAll()
    .where("deleted_at", ">", after)
    .where((where) => where.or([where("owner_id", "=", ownerId), ...(library ? [where("owner_id", "is", null)] : [])]))
    .orderBy("deleted_at", "desc")
    .limit(limit)
    .execute();
  return recordsOf(database, rows);
}

/** When the title that was deleted first was deleted; null when none is. */
export async function firstDeletion(database: Database): Promise<number | null> {
  const row = await database
    .selectFrom("titles")
    .select(({ fn }) => fn.min("deleted_at").as("first"))
    .where("deleted_at", "is not", null)
    .executeTakeFirst();
  return row?.first == null ? null : Number(row.first);
}
