import type { Collection, Title, TitlePage } from "../../catalog/contract.ts";
import { call } from "../api.ts";
import { carrying } from "../grant.ts";

/** With a link, a refusal is not the end of a session. */
const anyone = (grant: string) => ({ anonymous: grant !== "" });

/** A collection, as its members or whoever has the link `grant` sees it. */
export function loadCollection(id: string, grant: string): Promise<Collection> {
  return call<Collection>(
    "GET",
    carrying(`/api/collections/${encodeURIComponent(id)}`, grant),
    undefined,
    anyone(grant),
  );
}

/** The most titles that one request adds. */
const AT_ONCE = 200;

/** Puts titles at the end of a collection. */
export async function addTitles(id: string, titleIds: readonly string[]): Promise<void> {
  for (let from = 0; from < titleIds.length; from += AT_ONCE)
    await call("POST", `/api/collections/${id}/titles`, { titleIds: titleIds.slice(from, from + AT_ONCE) });
}

/** All titles of a collection, in its order. */
export async function loadTitles(id: string, grant: string): Promise<Title[]> {
  const items: Title[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({
      collection: id,
      sort: "position",
      limit: "200",
      ...(cursor ? { cursor } : {}),
    });
    const path = carrying(`/api/titles?${query}`, grant);
    const page: TitlePage = await call<TitlePage>("GET", path, undefined, anyone(grant));
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return items;
}
