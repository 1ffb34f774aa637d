import { sql, type Transaction } from "kysely";
import { isSqlite } from "./column-types.ts";
import type { Database, Tables } from "./tables.ts";

/**
 * What of the text index has changed: a number for each 8,192 titles, another one whenever anything of theirs is written. It is
 * drawn at random and not counted up, so that a database that was put back to what it was does not come to a number it had.
 */

const VERSIONS = 2 ** 48;

/**
 * Says that what is known of the titles of these chunks changes with this transaction. Whoever writes the same titles' rows waits
 * from here on until it has ended, so rows are to be read after this.
 */
export async function touch(transaction: Transaction<Tables>, chunks: ReadonlySet<number>): Promise<void> {
  if (chunks.size === 0) return;
  // Always in the same order: two that write at once rarely wait for each other.
  const inOrder = [...chunks].sort((a, b) => a - b);
  const rows = inOrder.map((chunk) => ({ chunk, version: Math.floor(Math.random() * VERSIONS) }));
  const insert = transaction.insertInto("title_versions").values(rows);
  await (isSqlite(transaction)
    ? insert.onConflict((conflict) => conflict.column("chunk").doUpdateSet({ version: sql<number>`excluded.version` }))
    : insert.onDuplicateKeyUpdate({ version: sql<number>`values(version)` })
  ).execute();
}

/** The number of each chunk that has titles, by chunk. */
export async function readVersions(database: Database): Promise<Map<number, number>> {
  // As texts: many rows take longer.
  const { rows } = await sql<{ chunks: string | null; versions: string | null }>`
    select group_concat(chunk) as chunks, group_concat(version) as versions from title_versions`.execute(database);
  const numbers = (text: string | null | undefined) => (text ? text.split(",").map(Number) : []);
  const [row] = rows;
  const versions = numbers(row?.versions);
  return new Map(numbers(row?.chunks).map((chunk, i) => [chunk, versions[i] ?? 0]));
}
