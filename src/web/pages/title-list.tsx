import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Title } from "../../catalog/contract.ts";
import { t } from "../i18n/i18n.ts";
import type { Remembered } from "../router.ts";
import { usePressToSelect } from "./press-to-select.ts";
import type { Selection } from "./selection.ts";
import { TitleCard } from "./title-card.tsx";
import { TitleRow } from "./title-row.tsx";
import { type Measure, useWindow } from "./use-window.ts";

export type View = "list" | "grid";

/** What the items of a list can do. */
export interface TitleActions {
  choose(title: Title): void;
  play(title: Title): void;
  tag(tag: string): void;
  favourite(title: Title): void;
}

interface TitleListProps {
  readonly items: readonly Title[];
  readonly hasMore: boolean;
  readonly busy: boolean;
  readonly view: View;
  /** Whether the list holds only my own, so that the owner need not be named. */
  readonly owned: boolean;
  readonly chosenId: string | null;
  /** What is remembered of it, for going back to it. */
  readonly before: Remembered;
  readonly selection: Selection;
  readonly actions: TitleActions;
  readonly box: RefObject<HTMLFieldSetElement | null>;
  onNearEnd(): void;
  onReturned(): void;
}

/** Heights agree with `lists.css`: all items of a view have the same. */
const measures: Readonly<Record<View, Measure>> = {
  list: (width, rem) => ({ columns: 1, rowHeight: (width < 36 * rem ? 8.5 : 5.5) * rem }),
  grid: (width, rem) => {
    const gap = 1.25 * rem;
    const columns = Math.max(1, Math.floor((width + gap) / ((width < 36 * rem ? 9 : 17) * rem + gap)));
    const cell = (width - (columns - 1) * gap) / columns;
    // Where cards are narrow, what is said below a name takes two lines.
    const isNarrow = width < 36 * rem && columns > 1;
    return { columns, rowHeight: Math.round((cell * 9) / 16 + (isNarrow ? 7.25 : 6.25) * rem) };
  },
};

/** Rows before the end where the next page is asked for. */
const ROWS_AHEAD = 6;

/** Titles as rows to choose from or as cards to open. Only those near the screen are in the document. */
export function TitleList(props: TitleListProps) {
  const { items, hasMore, busy, view, owned, chosenId, selection, actions, box } = props;
  const grid = useWindow(box, items.length, measures[view], props.before.scrollY);
  const [activeId, setActiveId] = useState(props.before.leftId ?? null);
  const focusNext = useFocus(box, activeId);
  useReturn(box, props.before, props.onReturned);
  const presses = usePressToSelect(selection, items);
  const first = items[grid.from * grid.columns]?.id;
  const stopId =
    [activeId, chosenId].find((id) => id !== null && items.some((title) => title.id === id)) ?? first ?? null;
  const rows = Math.ceil(items.length / grid.columns);

  const nearEnd = hasMore && grid.to >= rows - ROWS_AHEAD;
  useEffect(() => {
    if (nearEnd && !busy) props.onNearEnd();
  }, [nearEnd, busy, items.length]);

  const goTo = (index: number, extend: boolean) => {
    const title = items[Math.max(0, Math.min(items.length - 1, index))];
    if (!title) return;
    setActiveId(title.id);
    focusNext();
    if (selection.active) {
      if (extend) selection.extendTo(title.id, items);
    } else if (view === "list") actions.choose(title);
  };
  const keyDown = (event: KeyboardEvent) => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || !target.matches(".stop")) return;
    if (event.altKey || event.metaKey) return;
    if (event.ctrlKey && event.key === "a" && selection.active) {
      event.preventDefault();
      return selection.add(items.map(({ id }) => id));
    }
    // As in Immich.
    if (event.key === "x" && !event.ctrlKey && target.dataset.id) return selection.toggle(target.dataset.id);
    const now = items.findIndex(({ id }) => id === target.dataset.id);
    const next = nextIndex(event.key, now, grid.columns, items.length, view);
    if (next === null || event.ctrlKey) return;
    event.preventDefault();
    goTo(next, event.shiftKey);
  };
  return (
    <fieldset
      ref={box}
      class="cells"
      data-view={view}
      data-selecting={selection.active}
      aria-busy={busy}
      style={{ "--rows": String(rows), "--columns": String(grid.columns), "--row-height": `${grid.rowHeight}px` }}
      {...presses}
      // With Shift, a press would select the text between instead of the videos.
      onMouseDown={(event) => event.shiftKey && event.preventDefault()}
      onKeyDown={keyDown}
      onFocusIn={(event) => {
        const cell = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-cell]") : null;
        if (cell?.dataset.cell) setActiveId(cell.dataset.cell);
      }}
    >
      <legend class="visually-hidden">{t("library.videos")}</legend>
      {indexes(grid, items, [activeId, chosenId]).map((index) => {
        const title = items[index];
        if (!title) return null;
        const Item = view === "list" ? TitleRow : TitleCard;
        return (
          <div
            key={title.id}
            class="cell"
            data-cell={title.id}
            style={{ "--row": String(Math.floor(index / grid.columns)), "--column": String(index % grid.columns) }}
          >
            <Item
              title={title}
              owned={owned}
              chosen={title.id === chosenId}
              isStop={title.id === stopId}
              place={{ position: index + 1, of: hasMore ? -1 : items.length }}
              selection={selection}
              onSelect={(range) => (range ? selection.extendTo(title.id, items) : selection.toggle(title.id))}
              actions={actions}
            />
          </div>
        );
      })}
    </fieldset>
  );
}

/** Those in the window, and those that must stay wherever it is: what has the focus, and what is chosen. */
function indexes(
  { from, to, columns }: { from: number; to: number; columns: number },
  items: readonly Title[],
  kept: readonly (string | null)[],
): number[] {
  const shown = new Set<number>();
  for (let index = from * columns; index < Math.min(items.length, to * columns); index++) shown.add(index);
  for (const id of kept) {
    const index = id === null ? -1 : items.findIndex((title) => title.id === id);
    if (index >= 0) shown.add(index);
  }
  return [...shown].sort((a, b) => a - b);
}

/** Gives what was left the focus again, unless somebody types. */
function useReturn(box: RefObject<HTMLElement | null>, { leftId, chosenId }: Remembered, onReturned: () => void): void {
  useLayoutEffect(() => {
    const id = leftId ?? chosenId;
    if (id && !document.activeElement?.matches("input, select, textarea"))
      stopOf(box, id)?.focus({ preventScroll: true });
    onReturned();
  }, []);
}

/** What of an item takes the focus, when it is in the document. */
const stopOf = (box: RefObject<HTMLElement | null>, id: string) =>
  box.current?.querySelector<HTMLElement>(`[data-cell="${id}"] .stop`);

/** Moves the focus to the active item once it is in the document. */
function useFocus(box: RefObject<HTMLElement | null>, activeId: string | null): () => void {
  const wanted = useRef(false);
  useLayoutEffect(() => {
    if (!wanted.current || activeId === null) return;
    wanted.current = false;
    const stop = stopOf(box, activeId);
    stop?.closest(".cell")?.scrollIntoView({ block: "nearest" });
    stop?.focus({ preventScroll: true });
  });
  return () => {
    wanted.current = true;
  };
}

const PAGE_ROWS = 5;

function nextIndex(key: string, now: number, columns: number, count: number, view: View): number | null {
  if (now < 0) return null;
  switch (key) {
    case "ArrowDown":
      return Math.min(now + columns, count - 1);
    case "ArrowUp":
      return now - columns < 0 ? 0 : now - columns;
    case "ArrowRight":
      return view === "grid" || columns === 1 ? now + 1 : now;
    case "ArrowLeft":
      return now - 1;
    case "PageDown":
      return now + columns * PAGE_ROWS;
    case "PageUp":
      return now - columns * PAGE_ROWS;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
