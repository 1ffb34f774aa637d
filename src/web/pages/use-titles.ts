import { effect, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Title, TitlePage } from "../../catalog/contract.ts";
import { ApiError, call, messageOf } from "../api.ts";
import { savesSettled } from "../player/progress-saves.ts";
import { remembered } from "../router.ts";
import { user } from "../session.ts";
import { filterNames } from "./filter-terms.ts";
import { type Found, findMore, findTitles, PAGE, sorts, type TitleSearch } from "./title-search.ts";

/** How often a list with uploads under way is read again. */
const RECEIVING_POLL_MS = 2_000;

/** Grows whenever titles came or went by something done here. */
export const changes = signal(0);

/** Has the list on the page read itself again: titles came or went by something done here. */
export function titlesChanged(): void {
  changes.value++;
}

/**
 * The last lists as they were, to be there at once when one goes back to them; they are read anew all the same. By what
 * was searched.
 */
const kept = new Map<string, Found>();
/** As many as folders are deep. */
const KEPT_LISTS = 6;

effect(() => {
  if (!user.value) kept.clear();
});

function keep(key: string, { items, next }: Found): void {
  kept.delete(key);
  kept.set(key, { items, next });
  const [oldest] = kept.keys();
  if (oldest !== undefined && kept.size > KEPT_LISTS) kept.delete(oldest);
}

/** Shows titles in the lists one goes back to as `change` makes them; null for those that are gone. */
export function changeKept(change: (title: Title) => Title | null): void {
  for (const [key, { items, next }] of kept)
    kept.set(key, { items: items.map(change).filter((title) => title !== null), next });
}

export interface TitleList {
  readonly state: "loading" | "ready";
  /** Whether `items` are what this search has found; they are not while the first answer to it is awaited. */
  readonly isAnswered: boolean;
  readonly items: readonly Title[];
  readonly hasMore: boolean;
  readonly problem: string | null;
  /** What they were searched by. */
  readonly search: TitleSearch;
  /** Where the next ones begin; null when there are no more. */
  readonly next: Found["next"];
  /** How many there are, also those that are not read yet; null while that is not known. */
  readonly total: number | null;
  /** Tells that all were counted. */
  counted(total: number): void;
  more(): void;
  reload(): void;
  /** Shows some titles otherwise than the server said: it has been asked to make them so. */
  patch(change: (title: Title) => Title): void;
}

type State = Found & Pick<TitleList, "state" | "problem"> & { readonly answeredKey: string | null };

/**
 * The titles that fit the filters in the address; what is shown stays until the next answer is there. Begins with
 * `count` titles.
 */
export function useTitles(owner: "me" | null, query: URLSearchParams, count = PAGE): TitleList {
  return useSearch(searchOf(owner, query), count);
}

/** The titles that fit a search. */
export function useSearch(search: TitleSearch, count = PAGE): TitleList {
  const key = JSON.stringify(search);
  const [state, setState] = useState<State>(() => ({
    items: [],
    next: null,
    // Only on the way back there is something to be remembered.
    ...(remembered().shown === undefined ? null : kept.get(key)),
    state: "loading",
    problem: null,
    answeredKey: null,
  }));
  const [round, setRound] = useState(0);
  const [total, setTotal] = useState<number | null>(null);
  const fetching = useRef<AbortController | null>(null);
  /** Known at once, where the state is only after the next render. */
  const busy = useRef(false);
  const shown = useRef(count);
  const lastKey = useRef(key);

  const load = async (find: (signal: AbortSignal) => Promise<Found>) => {
    fetching.current?.abort();
    const controller = new AbortController();
    fetching.current = controller;
    busy.current = true;
    setState((before) => ({ ...before, state: "loading" }));
    try {
      // Each says how far it was watched.
      await savesSettled();
      const found = await find(controller.signal);
      if (controller.signal.aborted) return;
      busy.current = false;
      shown.current = Math.max(PAGE, found.items.length);
      keep(key, found);
      setState({ ...found, state: "ready", problem: null, answeredKey: key });
    } catch (error) {
      if (controller.signal.aborted) return;
      busy.current = false;
      setState((before) => ({ ...before, state: "ready", problem: messageOf(error) }));
    }
  };
  useEffect(() => {
    if (lastKey.current !== key) shown.current = PAGE;
    lastKey.current = key;
    setTotal(null);
    void load((signal) => findTitles(search, shown.current, asking(signal)));
    return () => fetching.current?.abort();
  }, [key, round, changes.value]);

  const receiving = state.items.some(({ availability }) => availability === "receiving");
  useEffect(() => {
    if (!receiving) return;
    const timer = setInterval(() => setRound((value) => value + 1), RECEIVING_POLL_MS);
    return () => clearInterval(timer);
  }, [receiving]);

  return {
    ...state,
    isAnswered: state.answeredKey === key,
    search,
    hasMore: state.next !== null,
    total,
    counted: setTotal,
    more: () => {
      // Reading on must not end a reading anew that has just begun: it would go on with what was there before.
      if (busy.current || state.state !== "ready" || state.next === null || state.problem !== null) return;
      void load((signal) => findMore(search, state, asking(signal)));
    },
    reload: () => setRound((value) => value + 1),
    patch: (change) => {
      changeKept(change);
      setState((before) => ({ ...before, items: before.items.map(change) }));
    },
  };
}

/** How the server is asked; ends with `signal`. */
export function asking(signal: AbortSignal) {
  return {
    page: (path: string) => call<TitlePage>("GET", path, undefined, { signal }),
    async one(path: string): Promise<Title | null> {
      try {
        return await call<Title>("GET", path, undefined, { signal });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  };
}

function searchOf(owner: "me" | null, query: URLSearchParams): TitleSearch {
  const sort = query.get("sort");
  const filters = filterNames
    .filter((name) => name !== "tag" && !(owner && name === "owner"))
    .flatMap((name) => query.getAll(name).map((value) => [name, value] as const));
  // As many as its name says: a folder may hold nothing but folders.
  const below = query.has("folder") ? ([["below", "true"]] as const) : [];
  return {
    owner,
    ownerId: user.value?.id ?? null,
    text: query.get("q")?.trim() ?? "",
    tags: query.getAll("tag"),
    sort: sorts.find((name) => name === sort) ?? "newest",
    ...(filters.length > 0 ? { filters: [...filters, ...below] } : {}),
  };
}
