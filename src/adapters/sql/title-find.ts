import { sql } from "kysely";
import type { Audience, TitleIndexOf, TitleSearch } from "../../catalog/title-repository.ts";
import { CHUNK } from "./posting-bits.ts";
import { type Candidates, findCandidates } from "./title-candidates.ts";
import { looksRight } from "./title-conditions.ts";
import type { TitleMemory, TitleView } from "./title-memory.ts";
import {
  byBeginningOfName,
  byName,
  byPosition,
  byTime,
  type ColumnOrder,
  lastPlayedFirst,
  longestFirst,
  numbersOf,
  type Place,
  positionOf,
  readOrder,
  type TableOrder,
} from "./title-orders.ts";
import { pick } from "./title-pick.ts";
import { planOf } from "./title-plan.ts";
import { termOf } from "./title-terms.ts";

/** What reading one title more of an order costs, where looking one up costs 1. */
const READING = 0.05;
/** So few are always looked up. */
const FEWEST = 400;
/** Titles that are read of an order at once. */
const READ_AT_ONCE = 32_000;
/** The share of all titles from which on an index is read first, whatever the candidates are. */
const DENSE = 1 / 4;
/** How many times more are asked for when the first ones were not what was looked for. */
const MORE = 4;

/** What a search finds, in what it was found in. */
interface Found {
  readonly view: TitleView;
  readonly candidates: Candidates;
  /** Places to tell next; fewer and more may come. */
  readonly wanted: { next: number };
}

/** Places of one page, and one more when there are more, as the memory shows them now. */
export async function findPlaces(
  memory: TitleMemory,
  search: TitleSearch,
  audience: Audience,
  indexOf: TitleIndexOf,
): Promise<{ readonly view: TitleView; readonly places: readonly Place[] }> {
  const view = await memory.look();
  const plan = planOf(search, audience);
  if (plan === null) return { view, places: [] };
  const candidates = await narrowed(view, search, await findCandidates(view, plan.asked));
  const most = search.limit + 1;
  const wanted = { next: most };
  const found: Place[] = [];
  let looked = 0;
  for await (const places of inOrder({ view, candidates, wanted }, search)) {
    found.push(...(await looksRight(memory.database, search, plan.looksAt, places, indexOf)));
    if (found.length >= most) break;
    looked += places.length;
    // As many as will do if as many are right as were so far.
    const expected = Math.ceil((1.2 * (most - found.length) * looked) / Math.max(1, found.length)) + 10;
    wanted.next = Math.min(expected, MORE * Math.max(most, looked));
  }
  return { view, places: found.slice(0, most) };
}

/** What of the candidates is in the collection, and in the ranges of durations and heights. */
async function narrowed(view: TitleView, search: TitleSearch, candidates: Candidates): Promise<Candidates> {
  const { durationMs, height, collectionId } = search;
  let left = candidates;
  if (collectionId !== null) {
    const { rows } = await sql<{ num: number }>`select k.num from collection_titles as c
      cross join title_keys as k on k.seq = c.title_seq where c.collection_id = ${collectionId}`.execute(view.database);
    left = left.only(rows.map(({ num }) => Number(num)));
  }
  // What is not known is a duration of -1, and no picture a height of 0: in no range.
  if (durationMs.min !== null || durationMs.max !== null)
    left = await left.within(view, "duration", boundsOf(durationMs, 0));
  if (height.min !== null || height.max !== null) left = await left.within(view, "kind", boundsOf(height, 1));
  return left;
}

const boundsOf = ({ min, max }: TitleSearch["height"], known: number) =>
  [Math.max(min ?? known, known), max ?? Number.POSITIVE_INFINITY] as const;

/** Candidates in the page's order from its beginning on, some at a time. */
async function* inOrder(found: Found, search: TitleSearch): AsyncGenerator<Place[]> {
  const { after, sort, collectionId } = search;
  switch (sort) {
    case "name":
      return yield* named(found, after);
    case "position":
      return yield* read(found, byPosition(collectionId), after);
    case "longest":
      return yield* picked(found, longestFirst, after);
    case "last-watched":
      return yield* lastWatched(found, search);
    default:
      return yield* picked(found, byTime(sort === "newest"), after);
  }
}

/** What the caller has never watched comes after the rest, the newest first. */
async function* lastWatched({ view, candidates, wanted }: Found, search: TitleSearch): AsyncGenerator<Place[]> {
  const { after, viewerId } = search;
  const everPlayed = await findCandidates(view, { groups: [[termOf("played", viewerId ?? "")]], none: [] });
  const unplayed = candidates.without(everPlayed);
  const isPast = after?.key === 0;
  if (!isPast) {
    const played = { view, candidates: candidates.without(unplayed), wanted };
    yield* read(played, lastPlayedFirst(viewerId, everPlayed.count), after);
  }
  const from = isPast && after ? { place: after.place } : null;
  yield* picked({ view, candidates: unplayed, wanted }, { ...byTime(true), constant: 0 }, from);
}

/** The first candidates of an order that the columns tell. */
async function* picked(
  { view, candidates, wanted }: Found,
  order: ColumnOrder,
  from: TitleSearch["after"],
): AsyncGenerator<Place[]> {
  for (let after = from; candidates.count > 0; ) {
    const position = after && numbersOf(order, after);
    const found = await pick(view, candidates, { ...order, after: position, count: wanted.next, isRough: false });
    const places = found?.nums.map((num) => placeOf(view, order, num)) ?? [];
    yield places;
    const last = places.at(-1);
    if (!last || found?.isAll) return;
    after = positionOf(last);
  }
}

/** A title's place in an order by columns that tell it all. */
function placeOf(view: TitleView, { columns, constant }: ColumnOrder, num: number): Place {
  const number = (column: "time" | "duration") =>
    view.column(column, Math.floor(num / CHUNK))?.values[num % CHUNK] ?? 0;
  return { num, seq: number("time"), sort_key: constant ?? (columns[0] === "duration" ? number("duration") : null) };
}

/** The first candidates by name: picked by their names' beginnings and then sorted by the rest. */
async function* named(found: Found, from: TitleSearch["after"]): AsyncGenerator<Place[]> {
  const { view, candidates, wanted } = found;
  const order = byName(candidates.size);
  let after = from;
  if (candidates.count > DENSE * candidates.size) {
    // Then a few hundred entries of the index of names have a page.
    const count = Math.ceil((1.2 * wanted.next * candidates.size) / candidates.count) + 20;
    const places = await readOrder(view.database, order, after, count, null);
    yield places.filter(({ num }) => candidates.has(num));
    const last = places.at(-1);
    if (places.length < count || !last) return;
    after = positionOf(last);
  }
  while (candidates.count > 0) {
    const position = after && numbersOf(byBeginningOfName, after);
    const picking = { ...byBeginningOfName, after: position, count: wanted.next, isRough: true };
    const some = await pick(view, candidates, picking);
    if (some === null) return yield* read(found, order, after);
    const seqs = await seqsOf(view, some.nums);
    const places = await readOrder(view.database, order, after, Math.max(1, seqs.length), seqs);
    yield places;
    const last = places.at(-1);
    if (!last || some.isAll) return;
    after = positionOf(last);
  }
}

/** Places in time of titles by their numbers. */
async function seqsOf(view: TitleView, nums: readonly number[]): Promise<number[]> {
  const chunkOf = (num: number) => Math.floor(num / CHUNK);
  await view.loadColumns(["time"], [...new Set(nums.map(chunkOf))]);
  return nums.map((num) => view.column("time", chunkOf(num))?.values[num % CHUNK] ?? 0);
}

/** Of so few candidates looking all of them up costs less than reading an order of so many titles until a page is full. */
const lookedUpAtMost = (titles: number, page: number) =>
  Math.max(FEWEST, Math.floor(Math.sqrt(READING * page * titles)));

/** Candidates as a table has them in order: few are looked up in it, for many it is read until the page is full. */
async function* read(
  { view, candidates, wanted }: Found,
  order: TableOrder,
  from: TitleSearch["after"],
): AsyncGenerator<Place[]> {
  if (candidates.count === 0) return;
  const isFew = candidates.count <= lookedUpAtMost(order.titles, wanted.next);
  const only = isFew ? await seqsOf(view, candidates.nums()) : null;
  const density = isFew ? 1 : Math.max(1, order.titles / candidates.count);
  let after = from;
  for (let factor = 1; ; factor *= 2) {
    const count = Math.min(READ_AT_ONCE, Math.ceil(1.2 * factor * density * wanted.next) + 20);
    const places = await readOrder(view.database, order, after, count, only);
    const fitting = places.filter(({ num }) => candidates.has(num));
    for (let at = 0; at < fitting.length; ) {
      const some = fitting.slice(at, at + wanted.next);
      at += some.length;
      yield some;
    }
    const last = places.at(-1);
    if (places.length < count || !last) return;
    after = positionOf(last);
  }
}
