import { type RawBuilder, sql } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";
import { inFolder } from "./sql-folders.ts";
import type { Database } from "./tables.ts";
import { filterConditions, flagsOf, isImpossible, isSet, tagConditions } from "./title-conditions.ts";
import { inRange, rangesOf, visibleTo } from "./title-ranges.ts";
import type { TitleRow } from "./title-rows.ts";
import type { TitleSearchIndex } from "./title-search-index.ts";

/**
 * Up to so many candidates are looked at one by one and sorted; where there are more, titles are read in the page's
 * order until it is full. Of a million titles, the one costs at most as much as the other at the square root of a
 * page's titles times all titles: some thousands.
 */
const SORTED_AT_ONCE = 3_000;

/** A title, and what the page's order goes by before its place in time; null when that is all. */
export type FoundRow = TitleRow & { readonly sort_key: string | number | null };

/** What titles are sorted by, of title `t`. */
interface Order {
  /** Null for time alone. */
  readonly key: RawBuilder<unknown> | null;
  /** The key where it is the same for all of a source, and nothing to sort them by. */
  readonly constant?: number;
  readonly isDescending: boolean;
}

/** A query of titles `t`: where they are read from, and under which conditions. */
interface Source {
  readonly from: RawBuilder<unknown>;
  readonly conditions: readonly RawBuilder<unknown>[];
  readonly order: Order;
  /** The column whose index gives the order. */
  readonly place: RawBuilder<unknown>;
  /** Where it begins; null at its beginning. */
  readonly after: TitleSearch["after"];
}

/** Rows of one page, and one more when there are more. */
export async function findTitleRows(
  database: Database,
  search: TitleSearch,
  audience: Audience,
  index: TitleSearchIndex,
): Promise<readonly FoundRow[]> {
  const sources = await sourcesOf(database, search, audience, index);
  if (sources.length === 0) return [];
  const page = sql`select seq, sort_key from (${sql.join(sources.map(pageOf(search)), sql` union `)}) as pages
    order by ${direction(sql`sort_key`, orderOf(search))}, ${direction(sql`seq`, orderOf(search))} limit ${search.limit + 1}`;
  const { rows } = await sql<FoundRow>`select t.*, p.sort_key from (${page}) as p
    inner join titles as t on t.seq = p.seq
    order by ${direction(sql`p.sort_key`, orderOf(search))}, ${direction(sql`p.seq`, orderOf(search))}`.execute(
    database,
  );
  return rows;
}

/** The places in time of what a search finds, the newest first, at most `search.limit` and one more. */
export async function findTitlePlaces(
  database: Database,
  search: TitleSearch,
  audience: Audience,
  index: TitleSearchIndex,
): Promise<number[]> {
  const sources = await sourcesOf(database, { ...search, sort: "newest", after: null }, audience, index);
  if (sources.length === 0) return [];
  const pages = sql.join(sources.map(pageOf({ ...search, sort: "newest", after: null })), sql` union `);
  const { rows } = await sql<{ seq: number }>`select seq from (${pages}) as pages
    order by seq desc limit ${search.limit + 1}`.execute(database);
  return rows.map(({ seq }) => seq);
}

/** Where the titles of a page come from, so that few others have to be looked at. */
async function sourcesOf(
  database: Database,
  search: TitleSearch,
  audience: Audience,
  index: TitleSearchIndex,
): Promise<Source[]> {
  if (isImpossible(search)) return [];
  const filters = filterConditions(search);
  const tested = [...filters, ...tagConditions(search), ...index.conditions(search)];
  if (search.collectionId !== null) {
    const from = sql`collection_titles as c cross join titles as t on t.seq = c.title_seq`;
    const inside = sql`c.collection_id = ${search.collectionId}`;
    return [gathered(search, from, [inside, visibleTo(audience), ...tested])];
  }
  const touched = touchedTitles(search);
  const few = touched && (await fewOf(database, [touched]));
  if (few) return [these(search, few, [visibleTo(audience), ...tested])];
  const matches = index.match(search, audience);
  if (matches) {
    const conditions = [visibleTo(audience), ...filters];
    if (isByTime(search)) return matches.map((match) => inTime(search, match, conditions));
    const found = await fewOf(database, matches);
    if (found) return [these(search, found, conditions)];
  }
  const inside = inFolder(search);
  if (inside) {
    const conditions = [visibleTo(audience), ...tested];
    if (isByTime(search)) return [inTime(search, inside, conditions)];
    const found = await fewOf(database, [inside]);
    if (found) return [these(search, found, conditions)];
  }
  return walked(search, audience, tested);
}

const isByTime = ({ sort }: TitleSearch) => sort === "newest" || sort === "oldest";

/** Titles that the viewer has done something with, where the search asks for that. */
function touchedTitles({ viewerId, state }: TitleSearch): RawBuilder<unknown> | null {
  const [flag, ...others] = flagsOf(state);
  if (flag === undefined || viewerId === null) return null;
  const conditions = [flag, ...others].map(isSet("v"));
  return sql`select v.title_seq as seq from title_states as v
    where v.user_id = ${viewerId} and ${sql.join(conditions, sql` and `)}`;
}

/** What these queries give together, when that is so little that all of it can be looked at; null otherwise. */
async function fewOf(database: Database, queries: readonly RawBuilder<unknown>[]): Promise<number[] | null> {
  const found = new Set<number>();
  for (const query of queries) {
    const { rows } = await sql<{ seq: number }>`select seq from (${query}) as q limit ${SORTED_AT_ONCE + 1}`.execute(
      database,
    );
    for (const { seq } of rows) found.add(seq);
    if (found.size > SORTED_AT_ONCE) return null;
  }
  return [...found];
}

/** Titles at these places, to be looked at one by one. */
function these(search: TitleSearch, seqs: readonly number[], conditions: readonly RawBuilder<unknown>[]): Source {
  // As text: thousands of parameters would have to be bound one by one.
  const list = sql.raw(seqs.length === 0 ? "null" : seqs.map((seq) => Math.trunc(Number(seq))).join(","));
  return gathered(search, sql`titles as t`, [sql`t.seq in (${list})`, ...conditions]);
}

/** What a query gives in the order of time, read as far as the page needs. */
function inTime(search: TitleSearch, query: RawBuilder<unknown>, conditions: readonly RawBuilder<unknown>[]): Source {
  const from = sql`(${query}) as s cross join titles as t on t.seq = s.seq`;
  return { ...gathered(search, from, conditions), place: sql`s.seq` };
}

/** A source that is read whole and then sorted (or read in the order of time). */
function gathered(search: TitleSearch, from: RawBuilder<unknown>, conditions: readonly RawBuilder<unknown>[]): Source {
  return { from, conditions, order: orderOf(search), place: sql`t.seq`, after: search.after };
}

/** Sources that are read in the page's order from the indexes, each as far as the page needs. */
function walked(search: TitleSearch, audience: Audience, conditions: readonly RawBuilder<unknown>[]): Source[] {
  if (search.sort === "last-watched") return walkedByWatching(search, audience, conditions);
  return rangesOf(search, audience).map((range) => ({
    ...gathered(search, sql`titles as t`, [inRange(range), ...conditions]),
  }));
}

/** What the viewer has watched, and after it all the rest, the newest first. */
function walkedByWatching(
  search: TitleSearch,
  audience: Audience,
  conditions: readonly RawBuilder<unknown>[],
): Source[] {
  const mine = sql`w.user_id = ${search.viewerId} and w.watched_at > 0`;
  const { after } = search;
  const watched: Source = {
    after,
    from: sql`title_states as w cross join titles as t on t.seq = w.title_seq`,
    conditions: [mine, visibleTo(audience), ...conditions],
    order: { key: sql`w.watched_at`, isDescending: true },
    place: sql`w.title_seq`,
  };
  const unwatched = sql`not exists (select 1 from title_states as w where w.title_seq = t.seq and ${mine})`;
  const isPastWatched = after !== null && after.key === 0;
  const others = rangesOf(search, audience).map(
    (range): Source => ({
      ...gathered(search, sql`titles as t`, [inRange(range), unwatched, ...conditions]),
      order: { key: null, constant: 0, isDescending: true },
      after: isPastWatched ? after : null,
    }),
  );
  return isPastWatched ? others : [watched, ...others];
}

function orderOf({ sort, viewerId, collectionId }: TitleSearch): Order {
  switch (sort) {
    case "newest":
      return { key: null, isDescending: true };
    case "oldest":
      return { key: null, isDescending: false };
    case "name":
      return { key: sql`t.name_key`, isDescending: false };
    case "longest":
      return { key: sql`t.duration_ms`, isDescending: true };
    case "position":
      return {
        key: sql`(select o.position from collection_titles as o
          where o.collection_id = ${collectionId} and o.title_seq = t.seq)`,
        isDescending: false,
      };
    case "last-watched":
      return {
        key: sql`coalesce((select o.watched_at from title_states as o
          where o.user_id = ${viewerId} and o.title_seq = t.seq), 0)`,
        isDescending: true,
      };
  }
}

const direction = (column: RawBuilder<unknown>, { isDescending }: Order) =>
  isDescending ? sql`${column} desc` : column;

/** The beginning of a source, as far as a page may need it. */
const pageOf =
  ({ limit }: TitleSearch) =>
  ({ from, conditions, order, place, after }: Source): RawBuilder<unknown> => {
    const key = order.key ?? sql`${sql.lit(order.constant ?? null)}`;
    const all = [...conditions, ...(after === null ? [] : [isAfter(after, order, place)])];
    const sorted = [...(order.key ? [direction(sql`sort_key`, order)] : []), direction(place, order)];
    return sql`select seq, sort_key from (select t.seq as seq, ${key} as sort_key from ${from}
      where ${sql.join(all, sql` and `)} order by ${sql.join(sorted)} limit ${limit + 1}) as page`;
  };

function isAfter(after: NonNullable<TitleSearch["after"]>, order: Order, place: RawBuilder<unknown>) {
  const beyond = order.isDescending ? sql`<` : sql`>`;
  const here = sql`${place} ${beyond} ${after.place}`;
  if (order.key === null) return here;
  const key = after.key ?? 0;
  // The first of the three says where in the index to begin.
  return sql`${order.key} ${beyond}= ${key} and (${order.key} ${beyond} ${key} or ${here})`;
}
