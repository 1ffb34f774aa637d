import type { Title, TitlePage } from "../../catalog/contract.ts";

/** What a list is narrowed to. */
export interface TitleSearch {
  /** `me` for only my own. */
  readonly owner: "me" | null;
  readonly ownerId: string | null;
  /** What was typed; may be an id. */
  readonly text: string;
  readonly tags: readonly string[];
  readonly sort: Sort;
  /** Further parameters of `GET /api/titles`. */
  readonly filters?: readonly (readonly [string, string])[];
}

export const sorts = ["newest", "oldest", "name", "longest", "last-watched"] as const;
export type Sort = (typeof sorts)[number] | "position";

/** Where the next page begins: first come titles with words like the text, then those with the text inside the name. */
interface Place {
  readonly by: "words" | "name";
  readonly cursor: string | null;
}

/** The titles found so far, in order, each once. */
export interface Found {
  readonly items: readonly Title[];
  /** Null when there are no more. */
  readonly next: Place | null;
}

/** How the search asks: the answer of `GET path`; for an id that nothing has, null. */
export interface Ask {
  page(path: string): Promise<TitlePage>;
  one(path: string): Promise<Title | null>;
}

export const PAGE = 50;
/** The most that one request may ask for. */
export const LARGEST_PAGE = 200;
const ID = /^(?:[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The beginning of a search: at least `count` titles when there are as many. */
export async function findTitles(search: TitleSearch, count: number, ask: Ask): Promise<Found> {
  const id = search.text.toLowerCase();
  const named = ID.test(id) ? await ask.one(`/api/titles/${id}`) : null;
  const fits = named !== null && (search.owner === null || named.owner?.id === search.ownerId);
  return findMore(search, { items: fits ? [named] : [], next: { by: "words", cursor: null } }, ask, count);
}

/** `count` titles more when there are as many. */
export async function findMore(search: TitleSearch, found: Found, ask: Ask, count = PAGE): Promise<Found> {
  let { items, next } = found;
  const enough = items.length + count;
  while (next && items.length < enough) {
    const page = await ask.page(addressOf(search, next, Math.min(Math.max(count, PAGE), LARGEST_PAGE)));
    const known = new Set(items.map(({ id }) => id));
    items = [...items, ...page.items.filter(({ id }) => !known.has(id))];
    next = placeAfter(search, next, page.nextCursor);
  }
  return { items, next };
}

function placeAfter({ text }: TitleSearch, { by }: Place, nextCursor: string | null): Place | null {
  if (nextCursor !== null) return { by, cursor: nextCursor };
  // Punctuation alone is found by words already, and white space or marks alone are in every name.
  return by === "words" && /[\p{L}\p{N}]/u.test(text) ? { by: "name", cursor: null } : null;
}

function addressOf(
  { owner, text, tags, sort, filters = [] }: TitleSearch,
  { by, cursor }: Place,
  limit: number,
): string {
  const query = new URLSearchParams();
  if (text) query.set(by === "words" ? "q" : "name", text);
  for (const tag of tags) query.append("tag", tag);
  for (const [name, value] of filters) query.append(name, value);
  if (sort !== "newest") query.set("sort", sort);
  if (owner) query.set("owner", owner);
  if (limit !== PAGE) query.set("limit", String(limit));
  if (cursor !== null) query.set("cursor", cursor);
  const search = query.toString();
  return search ? `/api/titles?${search}` : "/api/titles";
}
