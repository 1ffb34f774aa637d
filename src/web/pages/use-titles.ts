import { useEffect, useRef, useState } from "preact/hooks";
import type { Title, TitlePage } from "../../catalog/contract.ts";
import { call, messageOf } from "../api.ts";

/** How often a list with uploads under way is read again. */
const RECEIVING_POLL_MS = 2_000;

export interface TitleList {
  readonly state: "loading" | "ready";
  readonly items: readonly Title[];
  readonly hasMore: boolean;
  readonly problem: string | null;
  more(): void;
  reload(): void;
}

type Pages = Pick<TitleList, "state" | "items" | "problem"> & { readonly cursor: string | null };

/** The titles that fit the filters in the address; what is shown stays until the next answer is there. */
export function useTitles(owner: "me" | null, query: URLSearchParams): TitleList {
  const [pages, setPages] = useState<Pages>({ state: "loading", items: [], cursor: null, problem: null });
  const [round, setRound] = useState(0);
  const fetching = useRef<AbortController | null>(null);
  const search = searchOf(owner, query);

  const load = async (cursor: string | null) => {
    fetching.current?.abort();
    const controller = new AbortController();
    fetching.current = controller;
    setPages((before) => ({ ...before, state: "loading" }));
    try {
      const address = `/api/titles?${search}${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
      const page = await call<TitlePage>("GET", address, undefined, { signal: controller.signal });
      setPages((before) => ({
        state: "ready",
        items: cursor === null ? page.items : [...before.items, ...page.items],
        cursor: page.nextCursor,
        problem: null,
      }));
    } catch (error) {
      if (controller.signal.aborted) return;
      setPages((before) => ({ ...before, state: "ready", problem: messageOf(error) }));
    }
  };
  useEffect(() => {
    void load(null);
    return () => fetching.current?.abort();
  }, [search, round]);

  const receiving = pages.items.some(({ availability }) => availability === "receiving");
  useEffect(() => {
    if (!receiving) return;
    const timer = setInterval(() => setRound((value) => value + 1), RECEIVING_POLL_MS);
    return () => clearInterval(timer);
  }, [receiving]);

  return {
    ...pages,
    hasMore: pages.cursor !== null,
    more: () => {
      if (pages.state === "ready" && pages.cursor !== null && pages.problem === null) void load(pages.cursor);
    },
    reload: () => setRound((value) => value + 1),
  };
}

function searchOf(owner: "me" | null, query: URLSearchParams): string {
  const search = new URLSearchParams();
  const text = query.get("q")?.trim();
  if (text) search.set("q", text);
  for (const tag of query.getAll("tag")) search.append("tag", tag);
  const sort = query.get("sort");
  if (sort === "oldest" || sort === "name") search.set("sort", sort);
  if (owner) search.set("owner", owner);
  return search.toString();
}
