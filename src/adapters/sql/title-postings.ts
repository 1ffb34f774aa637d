import { sql, type Transaction } from "kysely";
import { isSqlite } from "./column-types.ts";
import { listOf } from "./number-list.ts";
import {
  addKept,
  CHUNK,
  countOf,
  forEach,
  hasBit,
  keepCommon,
  newChunk,
  setBit,
  takeOut,
  toKept,
} from "./posting-bits.ts";
import type { Database, Tables } from "./tables.ts";
import { TERM_LIMIT, type Term } from "./title-terms.ts";

/**
 * Which titles have which terms, in any database. A title has a number, in the order in which titles came; rows of
 * `title_postings` hold the numbers of 8,192 titles for one term (`posting-bits.ts`), and lie together by these: new titles change
 * the table's end only, and a search of a million titles reads 123 rows for each of its terms.
 */

/** The row that is locked by who writes, so that none is written twice at once; it is no term's. */
export const LOCK_ROW = 0;

/** Rows that one statement reads or writes. */
const ROWS_READ = 2_000;
const ROWS_WRITTEN = 100;

const rowOf = (chunk: number, term: Term) => chunk * TERM_LIMIT + term;

/** Titles by number that a search may find. */
export class Candidates {
  /** Numbers below this are told apart. */
  readonly size: number;
  readonly #bits: Uint32Array;
  readonly count: number;

  constructor(bits: Uint32Array) {
    this.#bits = bits;
    this.size = 32 * bits.length;
    this.count = countOf(bits);
  }

  has(num: number): boolean {
    return num < this.size && hasBit(this.#bits, num);
  }

  nums(): number[] {
    const nums: number[] = [];
    forEach(this.#bits, (num) => nums.push(num));
    return nums;
  }

  /** Those that are among these; `without`: those that are not. */
  only(nums: Iterable<number>): Candidates {
    const bits = new Uint32Array(this.#bits.length);
    for (const num of nums) if (this.has(num)) setBit(bits, num, true);
    return new Candidates(bits);
  }

  without(others: Candidates): Candidates {
    const bits = this.#bits.slice();
    takeOut(bits, others.#bits);
    return new Candidates(bits);
  }
}

/** What a search asks of the postings: of each group a title must have one term, and of `none` nothing. */
export interface Asked {
  /** Those first of which the fewest titles may be expected. */
  readonly groups: readonly (readonly Term[])[];
  readonly none: readonly Term[];
}

type Reader = Database | Transaction<Tables>;

/** The titles that have what is asked for, of all that there are. */
export async function findCandidates(database: Reader, { groups, none }: Asked): Promise<Candidates> {
  const last = await database
    .selectFrom("title_keys")
    .select(({ fn }) => fn.max("num").as("num"))
    .executeTakeFirst();
  const chunks = last?.num == null ? 0 : Math.floor(Number(last.num) / CHUNK) + 1;
  const bits = new Uint32Array((chunks * CHUNK) / 32);
  const chunkOf = (chunk: number) => bits.subarray((chunk * CHUNK) / 32, ((chunk + 1) * CHUNK) / 32);
  const [first = [], ...others] = groups;
  const all = Array.from({ length: chunks }, (_, chunk) => chunk);
  const begun = await readRows(database, all, first);
  const left = all.filter((chunk) => addTerms(chunkOf(chunk), begun, chunk, first));
  const rest = await readRows(database, left, [...new Set([...others.flat(), ...none])]);
  const group = newChunk();
  for (const chunk of left) {
    const here = chunkOf(chunk);
    for (const terms of others) {
      group.fill(0);
      addTerms(group, rest, chunk, terms);
      keepCommon(here, group);
    }
    group.fill(0);
    if (addTerms(group, rest, chunk, none)) takeOut(here, group);
  }
  return new Candidates(bits);
}

/** Adds what has any of the terms; whether there is a row of one. */
function addTerms(target: Uint32Array, rows: Rows, chunk: number, terms: readonly Term[]): boolean {
  let isThere = false;
  for (const term of terms) {
    const kept = rows.get(rowOf(chunk, term));
    if (!kept) continue;
    addKept(target, kept);
    isThere = true;
  }
  return isThere;
}

type Rows = Map<number, Uint8Array>;

async function readRows(database: Reader, chunks: readonly number[], terms: readonly Term[]): Promise<Rows> {
  const ids: number[] = [];
  for (const chunk of chunks) for (const term of terms) ids.push(rowOf(chunk, term));
  return readIds(database, ids);
}

async function readIds(database: Reader, ids: readonly number[]): Promise<Rows> {
  const found: Rows = new Map();
  for (let from = 0; from < ids.length; from += ROWS_READ) {
    const { rows } = await sql<{ id: number; bits: Uint8Array }>`select id, bits from title_postings
      where id in (${listOf(ids.slice(from, from + ROWS_READ))})`.execute(database);
    for (const { id, bits } of rows) found.set(Number(id), bits);
  }
  return found;
}

/** What becomes of one title's terms. */
export interface TermChange {
  readonly num: number;
  readonly before: ReadonlySet<Term>;
  readonly after: ReadonlySet<Term>;
}

/** Writes changes of terms, all of a transaction's at once where that can be: many of their rows are the same. */
export async function changePostings(transaction: Transaction<Tables>, changes: readonly TermChange[]): Promise<void> {
  const edits = new Map<number, { readonly offset: number; readonly isSet: boolean }[]>();
  const edit = (num: number, term: Term, isSet: boolean) => {
    const id = rowOf(Math.floor(num / CHUNK), term);
    const change = { offset: num % CHUNK, isSet };
    const known = edits.get(id);
    if (known) known.push(change);
    else edits.set(id, [change]);
  };
  for (const { num, before, after } of changes) {
    for (const term of before) if (!after.has(term)) edit(num, term, false);
    for (const term of after) if (!before.has(term)) edit(num, term, true);
  }
  if (edits.size === 0) return;
  if (!isSqlite(transaction))
    await transaction.selectFrom("title_postings").select("id").where("id", "=", LOCK_ROW).forUpdate().execute();
  const ids = [...edits.keys()].sort((a, b) => a - b);
  const kept = await readIds(transaction, ids);
  const written: [id: number, bits: Uint8Array][] = [];
  const emptied: number[] = [];
  const chunk = newChunk();
  for (const id of ids) {
    chunk.fill(0);
    const before = kept.get(id);
    if (before) addKept(chunk, before);
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
  await database.deleteFrom("title_postings").where("id", "!=", LOCK_ROW).execute();
  await database.deleteFrom("title_columns").execute();
  await database.deleteFrom("title_keys").execute();
}
