import { type RawBuilder, sql } from "kysely";
import type { Position, TitleSearch } from "../../catalog/title-repository.ts";
import { listOf } from "./number-list.ts";
import type { Database } from "./tables.ts";
import { type Column, numbersOfName } from "./title-columns.ts";

/** A title's number, its place in time, and what the page's order goes by before that; null when that is all. */
export interface Place {
  readonly num: number;
  readonly seq: number;
  readonly sort_key: string | number | null;
}

/** Where a page goes on after a title. */
export const positionOf = ({ seq, sort_key }: Pick<Place, "seq" | "sort_key">): Position => ({
  place: Number(seq),
  ...(sort_key === null ? {} : { key: sort_key }),
});

/** An order by columns, the second one where the first is the same. */
export interface ColumnOrder {
  readonly columns: readonly [Column, Column | null];
  readonly isDescending: boolean;
  /** What is said to be the key, where it is the same for all. */
  readonly constant?: number;
}

export const byTime = (isDescending: boolean): ColumnOrder => ({ columns: ["time", null], isDescending });
export const longestFirst: ColumnOrder = { columns: ["duration", "time"], isDescending: true };
/** Roughly by name: the columns hold the beginnings of names. */
export const byBeginningOfName: ColumnOrder = { columns: ["name", "name-on"], isDescending: false };

/** A place in an order as numbers of its columns. */
export function numbersOf({ columns: [column] }: ColumnOrder, { place, key }: Position): [number, number] {
  if (column === "time") return [place, 0];
  if (column !== "name") return [Number(key ?? 0), place];
  const { first, next } = numbersOfName(String(key ?? ""));
  return [first, next];
}

/** An order that titles are read in from a table, which has `k`, their row in `title_keys`, too. */
export interface TableOrder {
  readonly from: RawBuilder<unknown>;
  readonly conditions: readonly RawBuilder<unknown>[];
  readonly key: RawBuilder<unknown>;
  /** A title's place in time. */
  readonly place: RawBuilder<unknown>;
  /** Whether the key is a number: some databases tell them as text. */
  readonly isNumber: boolean;
  readonly isDescending: boolean;
  /** Titles in it, about. */
  readonly titles: number;
}

export const byName = (titles: number): TableOrder => ({
  from: sql`title_keys as k`,
  conditions: [],
  key: sql`k.name_key`,
  place: sql`k.seq`,
  isNumber: false,
  isDescending: false,
  titles,
});

/** Titles of a collection, in its order. */
export const byPosition = (collectionId: string | null): TableOrder => ({
  from: sql`collection_titles as c cross join title_keys as k on k.seq = c.title_seq`,
  conditions: [sql`c.collection_id = ${collectionId}`],
  key: sql`c.position`,
  place: sql`c.title_seq`,
  isNumber: true,
  isDescending: false,
  titles: 0,
});

/** Titles that somebody has watched, the last one first. */
export const lastPlayedFirst = (userId: string | null, titles: number): TableOrder => ({
  from: sql`title_states as w cross join title_keys as k on k.seq = w.title_seq`,
  conditions: [sql`w.user_id = ${userId}`, sql`w.watched_at > 0`],
  key: sql`w.watched_at`,
  place: sql`w.title_seq`,
  isNumber: true,
  isDescending: true,
  titles,
});

/** The next titles of an order after a place, at most so many; of these only, by place, when any are given. */
export async function readOrder(
  database: Database,
  order: TableOrder,
  after: TitleSearch["after"],
  count: number,
  only: readonly number[] | null,
): Promise<Place[]> {
  const { from, key, place, isDescending, isNumber } = order;
  const turned = (column: RawBuilder<unknown>) => (isDescending ? sql`${column} desc` : column);
  const among = only === null ? [] : [sql`${place} in (${listOf(only)})`];
  const conditions = [sql`1 = 1`, ...order.conditions, ...beyond(order, after, only === null), ...among];
  const { rows } = await sql<Place>`select k.num, ${place} as seq, ${key} as sort_key from ${from}
    where ${sql.join(conditions, sql` and `)}
    order by ${turned(key)}, ${turned(place)} limit ${count}`.execute(database);
  return rows.map(({ num, seq, sort_key }) => ({
    num: Number(num),
    seq: Number(seq),
    sort_key: isNumber ? Number(sort_key) : sort_key,
  }));
}

/** That a title comes after a place; `isBeginning`: the order's index is read from there on. */
function beyond(
  { key, place, isDescending }: TableOrder,
  after: TitleSearch["after"],
  isBeginning: boolean,
): RawBuilder<unknown>[] {
  if (after === null) return [];
  const than = isDescending ? sql`<` : sql`>`;
  const from = after.key ?? 0;
  const begin = isBeginning ? [sql`${key} ${than}= ${from}`] : [];
  return [...begin, sql`(${key} ${than} ${from} or (${key} = ${from} and ${place} ${than} ${after.place}))`];
}
