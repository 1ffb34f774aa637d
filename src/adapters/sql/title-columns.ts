import { sql, type Transaction } from "kysely";
import { listOf } from "./number-list.ts";
import { CHUNK } from "./posting-bits.ts";
import type { Database, Tables } from "./tables.ts";
import type { TitleRow } from "./title-rows.ts";

/**
 * What titles are sorted and filtered by, column by column: 512 titles' numbers in a row, eight bytes each. The first titles of any order
 * are picked by these, however many come before them.
 */

const TITLES_IN_ROW = 512;
const ROW_BYTES = 8 * TITLES_IN_ROW;
const ROWS_IN_CHUNK = CHUNK / TITLES_IN_ROW;
const ROWS_READ = 1_000;
/** Bytes of a name in one number: so many it holds exactly. */
const NAME_BYTES = 6;

/** `kind` is the picture's height and what tells its codec. */
export type Column = "time" | "name" | "name-on" | "duration" | "kind";
const PLACES: Readonly<Record<Column, number>> = {
  time: 0,
  name: 2 ** 40,
  duration: 2 * 2 ** 40,
  "name-on": 3 * 2 ** 40,
  kind: 4 * 2 ** 40,
};

/** What comes first of a name's key, and what next, as numbers in the same order; different names may be the same numbers. */
export function numbersOfName(key: string): { readonly first: number; readonly next: number } {
  const bytes = Buffer.from(key.slice(0, 2 * NAME_BYTES));
  const number = (from: number) => {
    let sum = 0;
    for (let i = from; i < from + NAME_BYTES; i++) sum = 256 * sum + (bytes[i] ?? 0);
    return sum;
  };
  return { first: number(0), next: number(NAME_BYTES) };
}

const HEIGHTS = 2 ** 16;
const kindOf = (height: number, codec: string) => HEIGHTS * codecNumberOf(codec) + Math.min(height, HEIGHTS - 1);
// Not by `%`, which takes ten times as long for numbers of this size.
export const heightOf = (kind: number) => kind - HEIGHTS * codecOf(kind);
export const codecOf = (kind: number) => Math.floor(kind / HEIGHTS);

/** What stands for a codec in a title's `kind`; 0 for none. */
export const codecNumberOf = (codec: string) => (codec === "" ? 0 : Bun.hash.xxHash32(codec));

export type SortedBy = Pick<TitleRow, "name_key" | "duration_ms" | "height" | "codec">;

export interface ColumnChange {
  readonly num: number;
  readonly seq: number;
  readonly row: SortedBy;
}

const valuesOf = ({ seq, row }: ColumnChange): Record<Column, number> => {
  const { first, next } = numbersOfName(row.name_key);
  return { time: seq, name: first, "name-on": next, duration: row.duration_ms, kind: kindOf(row.height, row.codec) };
};

/** Keeps what these titles are sorted by. Their rows must be locked (`touch`). */
export async function putColumns(transaction: Transaction<Tables>, titles: readonly ColumnChange[]): Promise<void> {
  const written = new Map<number, { readonly offset: number; readonly value: number }[]>();
  for (const title of titles) {
    for (const [column, value] of Object.entries(valuesOf(title))) {
      const id = PLACES[column as Column] + Math.floor(title.num / TITLES_IN_ROW);
      const change = { offset: title.num % TITLES_IN_ROW, value };
      const known = written.get(id);
      if (known) known.push(change);
      else written.set(id, [change]);
    }
  }
  if (written.size === 0) return;
  const kept = await readRows(transaction, [...written.keys()]);
  const rows = [...written].map(([id, changes]) => {
    const values = kept.get(id) ?? new Float64Array(TITLES_IN_ROW);
    for (const { offset, value } of changes) values[offset] = value;
    return sql`(${id}, ${Buffer.from(values.buffer)})`;
  });
  await sql`replace into title_columns (id, bytes) values ${sql.join(rows)}`.execute(transaction);
}

async function readRows(database: Database | Transaction<Tables>, ids: readonly number[]) {
  const found = new Map<number, Float64Array<ArrayBuffer>>();
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

/** One column of the titles of one chunk, with the smallest and the largest of its numbers other than 0. */
export interface ColumnPart {
  readonly values: Float64Array;
  readonly least: number;
  readonly most: number;
}

/** One column of these chunks. */
export async function readColumn(
  database: Database,
  column: Column,
  chunks: readonly number[],
): Promise<Map<number, ColumnPart>> {
  const firstRow = (chunk: number) => PLACES[column] + chunk * ROWS_IN_CHUNK;
  const ids = chunks.flatMap((chunk) => Array.from({ length: ROWS_IN_CHUNK }, (_, i) => firstRow(chunk) + i));
  const rows = await readRows(database, ids);
  return new Map(
    chunks.map((chunk) => {
      const values = new Float64Array(CHUNK);
      for (let i = 0; i < ROWS_IN_CHUNK; i++) values.set(rows.get(firstRow(chunk) + i) ?? [], i * TITLES_IN_ROW);
      return [chunk, withBounds(values)];
    }),
  );
}

function withBounds(values: Float64Array): ColumnPart {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  const { length } = values;
  for (let i = 0; i < length; i++) {
    const value = values[i] ?? 0;
    if (value === 0) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { values, least, most };
}
