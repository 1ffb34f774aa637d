import { sql, type Transaction } from "kysely";
import { isSqlite } from "./column-types.ts";
import { add, CHUNK, newChunk, setBit, toKept } from "./posting-bits.ts";
import type { Database, Tables } from "./tables.ts";
import { type ColumnChange, putColumns } from "./title-columns.ts";
import { chunkOfPosting, postingOf, readPostings } from "./title-memory.ts";
import type { Term } from "./title-terms.ts";
import { touch } from "./title-versions.ts";

/**
 * Which titles have which terms, in any database. A title has a number, in the order in which titles came; rows of
 * `title_postings` hold the numbers of 8,192 titles for one term (`posting-bits.ts`), and lie together by these: new titles change
 * the table's end only, and a search of a million titles goes by 123 rows for each of its terms.
 */

const ROWS_WRITTEN = 100;

/** What becomes of one title's terms. */
export interface TermChange {
  readonly num: number;
  readonly before: ReadonlySet<Term>;
  readonly after: ReadonlySet<Term>;
}

/**
 * Writes what titles are found by and sorted by, all of a transaction's at once where that can be: many of their rows are the
 * same.
 */
export async function changeIndex(
  transaction: Transaction<Tables>,
  terms: readonly TermChange[],
  columns: readonly ColumnChange[] = [],
): Promise<void> {
  const edits = editsOf(terms);
  const chunks = new Set(columns.map(({ num }) => Math.floor(num / CHUNK)));
  for (const id of edits.keys()) chunks.add(chunkOfPosting(id));
  await touch(transaction, chunks);
  await putColumns(transaction, columns);
  await writeEdits(transaction, edits);
}

type Edits = Map<number, { readonly offset: number; readonly isSet: boolean }[]>;

/** What changes in which row. */
function editsOf(changes: readonly TermChange[]): Edits {
  const edits: Edits = new Map();
  const edit = (num: number, term: Term, isSet: boolean) => {
    const id = postingOf(Math.floor(num / CHUNK), term);
    const change = { offset: num % CHUNK, isSet };
    const known = edits.get(id);
    if (known) known.push(change);
    else edits.set(id, [change]);
  };
  for (const { num, before, after } of changes) {
    for (const term of before) if (!after.has(term)) edit(num, term, false);
    for (const term of after) if (!before.has(term)) edit(num, term, true);
  }
  return edits;
}

async function writeEdits(transaction: Transaction<Tables>, edits: Edits): Promise<void> {
  if (edits.size === 0) return;
  const ids = [...edits.keys()].sort((a, b) => a - b);
  const kept = await readPostings(transaction, ids);
  const written: [id: number, bits: Uint8Array][] = [];
  const emptied: number[] = [];
  const chunk = newChunk();
  for (const id of ids) {
    chunk.fill(0);
    const before = kept.get(id);
    if (before) add(chunk, before);
    for (const { offset, isSet } of edits.get(id) ?? []) setBit(chunk, offset, isSet);
    const bits = toKept(chunk);
    if (bits) written.push([id, bits]);
    else if (before) emptied.push(id);
  }
  await writeRows(transaction, written);
  if (emptied.length > 0) await transaction.deleteFrom("title_postings").where("id", "in", emptied).execute();
}

async function writeRows(transaction: Transaction<Tables>, rows: readonly [id: number, bits: Uint8Array][]) {
  for (let from = 0; from < rows.length; from += ROWS_WRITTEN) {
    const values = rows.slice(from, from + ROWS_WRITTEN).map(([id, bits]) => sql`(${id}, ${Buffer.from(bits.buffer)})`);
    await sql`replace into title_postings (id, bits) values ${sql.join(values)}`.execute(transaction);
  }
}

/** Empties the text index: no title has a number, and there are no terms. */
export async function forgetPostings(database: Database): Promise<void> {
  for (const table of ["title_versions", "title_postings", "title_columns", "title_keys"] as const)
    await emptyTable(database, table);
}

/** Empties a table, however large: one statement that deletes a million rows may take longer than a statement is allowed to. */
export async function emptyTable(database: Database, table: keyof Tables): Promise<void> {
  await (isSqlite(database) ? database.deleteFrom(table) : sql`truncate table ${sql.table(table)}`).execute(database);
}
