import { type RawBuilder, sql } from "kysely";
import type { Audience, TitleIndexOf, TitleSearch } from "../../catalog/title-repository.ts";
import { listOf } from "./number-list.ts";
import type { Database } from "./tables.ts";
import { type Column, firstOf, numberOf } from "./title-columns.ts";
import { keyConditions, looksRight } from "./title-conditions.ts";
import { beyond, first, type Order, orderOf, playedOrder } from "./title-orders.ts";
import { planOf } from "./title-plan.ts";
import { type Candidates, findCandidates } from "./title-postings.ts";
import { termOf } from "./title-terms.ts";

/** What reading one title more of an order costs, where looking one up costs 1. */
const READING = 0.05;
/** So few are always looked up. */
const FEWEST = 400;
/** Titles that are read of an order at once. */
const READ_AT_ONCE = 32_000;
/** An order is left when this share of it was read: what is looked for comes late, and picking costs no more by then. */
const PATIENCE = 1 / 16;
/** How many times more are picked when the first ones were not what was looked for. */
const PICKED_MORE = 8;
/** Titles whose text is looked at together. */
const LOOKED_AT = 400;

/** A title's place in time, and what the page's order goes by before that; null when that is all. */
export interface Place {
  readonly seq: number;
  readonly sort_key: string | number | null;
}

type NumberedPlace = Place & { readonly num: number };

/** Places of one page, and one more when there are more. */
export async function findPlaces(
  database: Database,
  search: TitleSearch,
  audience: Audience,
  indexOf: TitleIndexOf,
): Promise<Place[]> {
  const plan = planOf(search, audience);
  if (plan === null) return [];
  const candidates = await findCandidates(database, plan.asked);
  const fits = async (places: readonly Place[]) => looksRight(database, search, plan.looksAt, places, indexOf);
  const wanted = search.limit + 1;
  const found: Place[] = [];
  for await (const places of inOrder(database, search, await narrowed(database, search, candidates), wanted)) {
    found.push(...(await fits(places)));
    if (found.length >= wanted) break;
  }
  return found.slice(0, wanted);
}

/** What of the candidates is in the collection, or in a range of durations that few titles are in. */
async function narrowed(database: Database, search: TitleSearch, candidates: Candidates): Promise<Candidates> {
  if (search.collectionId !== null) {
    const { rows } = await sql<{ num: number }>`select k.num from collection_titles as c
      cross join title_keys as k on k.seq = c.title_seq where c.collection_id = ${search.collectionId}`.execute(
      database,
    );
    return candidates.only(rows.map(({ num }) => Number(num)));
  }
  const { min, max } = search.durationMs;
  const most = lookedUpAtMost(candidates.size, search.limit);
  if ((min === null && max === null) || candidates.count <= most) return candidates;
  const nums = await readNums(
    database,
    sql`select num from title_keys
      where duration_ms >= ${min ?? 0} ${max === null ? sql`` : sql`and duration_ms <= ${max}`} limit ${most + 1}`,
  );
  return nums.length > most ? candidates : candidates.only(nums);
}

/** Candidates in the page's order from its beginning on, some at a time. */
async function* inOrder(
  database: Database,
  search: TitleSearch,
  candidates: Candidates,
  wanted: number,
): AsyncGenerator<NumberedPlace[]> {
  if (search.sort !== "last-watched") {
    const order = { ...orderOf(search), titles: candidates.size };
    yield* placesOf(database, search, candidates, order, wanted, search.after);
    return;
  }
  // What the caller has never watched comes after the rest, the newest first.
  const { after, viewerId } = search;
  const groups = [[termOf("played", viewerId ?? "")]];
  const everPlayed = await findCandidates(database, { groups, none: [] });
  const played = candidates.only(everPlayed.nums());
  const isPast = after?.key === 0;
  const byPlaying = { ...playedOrder(viewerId), titles: everPlayed.count };
  if (!isPast) yield* placesOf(database, search, played, byPlaying, wanted, after);
  const unplayed = candidates.without(played);
  const newest = { ...orderOf({ ...search, sort: "newest" }), constant: 0, titles: candidates.size };
  yield* placesOf(database, search, unplayed, newest, wanted, isPast && after ? { place: after.place } : null);
}

/** Of so few candidates looking all of them up costs less than reading an order of so many titles until a page is full. */
const lookedUpAtMost = (titles: number, page: number) =>
  Math.max(FEWEST, Math.floor(Math.sqrt(READING * page * titles)));

type Sized = Order & { readonly titles: number };

/** Few are looked up and sorted; of many, titles are read in the page's order until it is full. */
async function* placesOf(
  database: Database,
  search: TitleSearch,
  candidates: Candidates,
  order: Sized,
  wanted: number,
  from: TitleSearch["after"],
): AsyncGenerator<NumberedPlace[]> {
  if (candidates.count === 0) return;
  let after = from;
  const expected = Math.ceil((1.2 * wanted * order.titles) / candidates.count) + 20;
  const isMany = candidates.count > lookedUpAtMost(order.titles, wanted);
  // Of those some do not fit when their keys are looked at.
  const together = keyConditions(search).length > 0 ? Math.max(wanted, LOOKED_AT) : wanted;
  let atOnce = expected;
  for (let read = 0; isMany && (order.column === null || read < PATIENCE * order.titles); atOnce *= 2) {
    const step = await readOrder(database, order, after, Math.min(READ_AT_ONCE, atOnce));
    const nums = step.nums.filter((num) => candidates.has(num));
    for (let at = 0; at < nums.length; at += together)
      yield await lookUp(database, search, nums.slice(at, at + together), order, null, together);
    if (step.last === null) return;
    after = step.last;
    read += step.nums.length;
  }
  if (isMany && order.column !== null)
    yield* picked(database, search, candidates, { ...order, column: order.column }, wanted, after);
  else yield* sorted(database, search, candidates, order, wanted, after);
}

/** All candidates looked up and sorted. */
async function* sorted(
  database: Database,
  search: TitleSearch,
  candidates: Candidates,
  order: Order,
  wanted: number,
  from: TitleSearch["after"],
): AsyncGenerator<NumberedPlace[]> {
  const nums = candidates.nums();
  let after = from;
  for (let some = wanted; ; some = LOOKED_AT) {
    const places = await lookUp(database, search, nums, order, after, some);
    yield places;
    const last = places.at(-1);
    if (places.length < some || !last) return;
    after = positionOf(last);
  }
}

/** The first candidates of the order, picked by what all of them are sorted by. */
async function* picked(
  database: Database,
  search: TitleSearch,
  candidates: Candidates,
  order: Order & { readonly column: Column },
  wanted: number,
  from: TitleSearch["after"],
): AsyncGenerator<NumberedPlace[]> {
  const { column, isDescending } = order;
  let after = from;
  for (let count = wanted; ; count *= PICKED_MORE) {
    const number = after && numberOf(column, column === "time" ? after.place : (after.key ?? 0));
    const { nums, isAll } = await firstOf(database, candidates, { column, isDescending, after: number, count });
    const places = await lookUp(database, search, nums, order, after, nums.length);
    yield places;
    if (isAll) return;
    const last = places.at(-1);
    if (last) after = positionOf(last);
  }
}

const positionOf = ({ seq, sort_key }: Place) => ({
  place: Number(seq),
  ...(sort_key === null ? {} : { key: sort_key }),
});

/** The next titles of an order, and the place of the last one when there may be more. */
async function readOrder(database: Database, order: Order, after: TitleSearch["after"], count: number) {
  const from = order.reading?.from ?? sql`title_keys as k`;
  const by = { key: order.reading?.key ?? order.key, isDescending: order.isDescending };
  const place = order.reading?.place ?? SEQ;
  const conditions = [sql`1 = 1`, ...(order.reading?.conditions ?? []), ...beyond(by, place, after)];
  const nums = await readNums(
    database,
    sql`select k.num from ${from} where ${sql.join(conditions, sql` and `)} ${first(by, place, count)}`,
  );
  const end = nums.at(-1);
  if (nums.length < count || end === undefined) return { nums, last: null };
  const found = await sql<NumberedPlace>`select ${columns(order)} from title_keys as k where k.num = ${end}`.execute(
    database,
  );
  const [last] = found.rows;
  return { nums, last: last ? positionOf(last) : null };
}

/** The numbers that a query gives, in its order: as one text, which takes a third of the time that rows take. */
async function readNums(database: Database, query: RawBuilder<unknown>): Promise<number[]> {
  const { rows } = await sql<{ nums: string | null }>`select group_concat(num) as nums from (${query}) as q`.execute(
    database,
  );
  return JSON.parse(`[${rows[0]?.nums ?? ""}]`) as number[];
}

const SEQ = sql`k.seq`;
const columns = ({ key }: Order) => sql`k.num, k.seq, ${key ?? sql`null`} as sort_key`;

/** The first of these titles in an order, after a place in it. */
async function lookUp(
  database: Database,
  search: TitleSearch,
  nums: readonly number[],
  order: Order,
  after: TitleSearch["after"],
  count: number,
): Promise<NumberedPlace[]> {
  const conditions = [sql`k.num in (${listOf(nums)})`, ...keyConditions(search), ...beyond(order, SEQ, after)];
  const { rows } = await sql<NumberedPlace>`select ${columns(order)} from title_keys as k
    where ${sql.join(conditions, sql` and `)} ${first(order, SEQ, count)}`.execute(database);
  return rows.map((row) => ({ ...row, sort_key: order.constant ?? keyOf(row.sort_key, search) }));
}

/** Numbers may come as text from some databases. */
const keyOf = (key: string | number | null, { sort }: TitleSearch) =>
  typeof key === "string" && sort !== "name" ? Number(key) : key;
