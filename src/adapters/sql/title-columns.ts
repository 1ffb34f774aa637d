import { sql, type Transaction } from "kysely";
import { listOf } from "./number-list.ts";
import type { Database, Tables } from "./tables.ts";
import type { Candidates } from "./title-postings.ts";
import type { TitleRow } from "./title-rows.ts";

/**
 * What titles are sorted by, column by column: 1,024 titles' numbers in a row, eight bytes each. Where what a search
 * finds comes late in an order, the first titles of it are found here, however many come before them.
 */

const TITLES_IN_ROW = 1_024;
const ROW_BYTES = 8 * TITLES_IN_ROW;
const ROWS_READ = 500;
/** Bytes of a name that are kept: a number holds so many exactly. */
const NAME_BYTES = 6;

export type Column = "time" | "name" | "duration";
const PLACES: Readonly<Record<Column, number>> = { time: 0, name: 2 ** 40, duration: 2 ** 41 };

/** A sort key as a number, in the same order; different names may be the same number. */
export function numberOf(column: Column, key: string | number): number {
  if (column !== "name") return Number(key);
  const bytes = Buffer.from(String(key));
  let number = 0;
  for (let i = 0; i < NAME_BYTES; i++) number = 256 * number + (bytes[i] ?? 0);
  return number;
}

type Keys = Pick<TitleRow, "name_key" | "duration_ms">;

/** Keeps what these titles are sorted by. */
export async function putColumns(
  transaction: Transaction<Tables>,
  titles: readonly { readonly num: number; readonly seq: number; readonly row: Keys }[],
): Promise<void> {
  const written = new Map<number, { readonly num: number; readonly value: number }[]>();
  for (const { num, seq, row } of titles) {
    const values = { time: seq, name: numberOf("name", row.name_key), duration: row.duration_ms };
    for (const [column, value] of Object.entries(values)) {
      const id = PLACES[column as Column] + Math.floor(num / TITLES_IN_ROW);
      const known = written.get(id);
      if (known) known.push({ num, value });
      else written.set(id, [{ num, value }]);
    }
  }
  if (written.size === 0) return;
  const kept = await readRows(transaction, [...written.keys()]);
  for (const [id, changes] of written) {
    const values = kept.get(id) ?? new Float64Array(TITLES_IN_ROW);
    for (const { num, value } of changes) values[num % TITLES_IN_ROW] = value;
    const bytes = Buffer.from(values.buffer);
    await sql`replace into title_columns (id, bytes) values (${id}, ${bytes})`.execute(transaction);
  }
}

async function readRows(database: Database | Transaction<Tables>, ids: readonly number[]) {
  const found = new Map<number, Float64Array>();
  for (let from = 0; from < ids.length; from += ROWS_READ) {
    const { rows } = await sql<{ id: number; bytes: Uint8Array }>`select id, bytes from title_columns
      where id in (${listOf(ids.slice(from, from + ROWS_READ))})`.execute(database);
    for (const { id, bytes } of rows) {
      const values = new Float64Array(TITLES_IN_ROW);
      new Uint8Array(values.buffer).set(bytes.subarray(0, ROW_BYTES));
      found.set(Number(id), values);
    }
  }
  return found;
}

export interface FirstOf {
  readonly column: Column;
  readonly isDescending: boolean;
  /** The number of the place after which they come; null for the order's beginning. */
  readonly after: number | null;
  readonly count: number;
}

/**
 * Numbers of titles among which are the first `count` candidates of an order, after a place; more of them where sort keys are the
 * same number. `isAll` when no others come later.
 */
export async function firstOf(
  database: Database,
  candidates: Candidates,
  { column, isDescending, after, count }: FirstOf,
): Promise<{ readonly nums: number[]; readonly isAll: boolean }> {
  const nums = candidates.nums();
  const blocks = [...new Set(nums.map((num) => Math.floor(num / TITLES_IN_ROW)))];
  const rows = await readRows(
    database,
    blocks.map((block) => PLACES[column] + block),
  );
  const sign = isDescending ? -1 : 1;
  const least = after === null ? Number.NEGATIVE_INFINITY : sign * after;
  const keys = new Float64Array(nums.length);
  const first = new Smallest(count);
  for (let i = 0; i < nums.length; i++) {
    const num = nums[i] ?? 0;
    const key = sign * (rows.get(PLACES[column] + Math.floor(num / TITLES_IN_ROW))?.[num % TITLES_IN_ROW] ?? 0);
    keys[i] = key;
    // Those with the very key of the place may come before it or after it.
    if (key > least) first.add(key);
  }
  const most = first.isFull ? first.largest : Number.POSITIVE_INFINITY;
  return { nums: nums.filter((_, i) => (keys[i] ?? 0) >= least && (keys[i] ?? 0) <= most), isAll: !first.isFull };
}

/** The smallest of many numbers, so many of them: a heap with the largest of them on top. */
class Smallest {
  readonly #heap: Float64Array;
  #size = 0;

  constructor(count: number) {
    this.#heap = new Float64Array(count);
  }

  get isFull(): boolean {
    return this.#size === this.#heap.length;
  }

  get largest(): number {
    return this.#heap[0] ?? 0;
  }

  add(key: number): void {
    if (!this.isFull) {
      this.#rise(this.#size++, key);
    } else if (key < this.largest) this.#sink(key);
  }

  #rise(from: number, key: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above >= key) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = key;
  }

  #sink(key: number): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] ?? 0) > (heap[child] ?? 0)) child++;
      const below = heap[child] ?? 0;
      if (below <= key) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = key;
  }
}
