import { useEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { messageOf } from "../api.ts";
import { t } from "../i18n/i18n.ts";
import "../messages/en/manage.ts";
import { notify } from "../notices.tsx";
import type { Selection } from "./selection.ts";
import { findMore, LARGEST_PAGE } from "./title-search.ts";
import { asking, type TitleList } from "./use-titles.ts";

/** The most that are selected at once: a change to more would take minutes. */
const MOST = 10_000;

interface SelectAll {
  /** How many were found until now; null when it is not under way. */
  readonly found: number | null;
  /** The titles whose state is known: those of the list, and those that were read to be selected. */
  readonly known: readonly Title[];
  start(): void;
}

/** Selects everything that fits the list's search, also what is not in the list yet, page by page. */
export function useSelectAll(selection: Selection, list: TitleList): SelectAll {
  const [found, setFound] = useState<number | null>(null);
  const read = useRef<readonly Title[]>([]);
  const reading = useRef<AbortController | null>(null);
  const key = JSON.stringify(list.search);
  // Another search ends it, as does the end of selecting.
  useEffect(() => () => reading.current?.abort(), [key]);
  const selectAll = async () => {
    const controller = new AbortController();
    reading.current = controller;
    let all: Parameters<typeof findMore>[1] = list;
    try {
      while (all.next && all.items.length < MOST) {
        setFound(all.items.length);
        all = await findMore(list.search, all, asking(controller.signal), LARGEST_PAGE);
        if (controller.signal.aborted) return;
      }
      read.current = all.items.slice(0, MOST);
      selection.add(read.current.map(({ id }) => id));
      if (!all.next) list.counted(all.items.length);
      if (all.next || all.items.length > MOST) notify(t("manage.select-most", { count: MOST }));
    } catch (error) {
      if (!controller.signal.aborted) notify(messageOf(error), { kind: "error" });
    } finally {
      if (reading.current === controller) setFound(null);
    }
  };
  const shown = new Set(list.items.map(({ id }) => id));
  return {
    found,
    known: [...list.items, ...read.current.filter(({ id }) => !shown.has(id))],
    start: () => {
      if (found === null) void selectAll();
    },
  };
}
