import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows beyond the screen that are kept, so that scrolling shows no gaps. */
const OVERSCAN_ROWS = 4;

export interface Grid {
  readonly columns: number;
  /** Height of a row with the gap below it, in pixels. */
  readonly rowHeight: number;
  /** Rows in the document: from the first to before the second. */
  readonly from: number;
  readonly to: number;
}

/** Columns and row height of a list that is `width` pixels wide. */
export type Measure = (width: number, rem: number) => Pick<Grid, "columns" | "rowHeight">;

/**
 * Which rows of a long list are near the screen: only these need elements. All rows have one height, so that those
 * above can go without anything moving. Begins with the page scrolled to `scrollTop`, when that is given.
 */
export function useWindow(
  list: RefObject<HTMLElement | null>,
  count: number,
  measure: Measure,
  scrollTop?: number,
): Grid {
  const [grid, setGrid] = useState<Grid>({ columns: 1, rowHeight: 1, from: 0, to: 0 });
  const update = () => {
    const element = list.current;
    if (!element) return;
    const { top, width } = element.getBoundingClientRect();
    const { columns, rowHeight } = measure(
      width,
      Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
    );
    const rows = Math.ceil(count / columns);
    const from = Math.max(0, Math.min(Math.floor(-top / rowHeight) - OVERSCAN_ROWS, rows - 1));
    const to = Math.min(rows, Math.ceil((innerHeight - top) / rowHeight) + OVERSCAN_ROWS);
    setGrid((before) =>
      before.from === from && before.to === to && before.columns === columns && before.rowHeight === rowHeight
        ? before
        : { columns, rowHeight, from, to },
    );
  };
  useLayoutEffect(update, [count, measure]);
  const start = useRef(scrollTop);
  useLayoutEffect(() => {
    // The list has its height once it was measured and rendered again.
    if (start.current === undefined || grid.to === 0) return;
    scrollTo(0, start.current);
    start.current = undefined;
    update();
  }, [grid]);
  useEffect(() => {
    addEventListener("scroll", update, { passive: true });
    addEventListener("resize", update);
    const observer = new ResizeObserver(update);
    if (list.current) observer.observe(list.current);
    return () => {
      removeEventListener("scroll", update);
      removeEventListener("resize", update);
      observer.disconnect();
    };
  }, [count, measure]);
  return grid;
}
