import { fitted, padded, printable, widthOf } from "./printable.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly header: string;
  readonly of: (row: Row) => string;
  readonly align?: "left" | "right";
  /** It may be cut down to so many columns of the terminal; without it it is shown whole. */
  readonly least?: number;
  /** Left out when the room is short, the highest number first; without it never. */
  readonly expendable?: number;
}

const GAP = 2;

/** The lines of a table, the first one its headers, in at most `width` columns where that can be. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const cells = columns.map((column) => rows.map((row) => printable(column.of(row))));
  const all = columns.map((column, i) => {
    const widest = Math.max(widthOf(column.header), ...(cells[i] ?? []).map(widthOf));
    return { column, cells: cells[i] ?? [], width: widest, least: Math.min(column.least ?? widest, widest) };
  });
  const shown = chosen(all, width);
  shrink(shown, width);
  const line = (texts: readonly string[]) =>
    shown
      .map(({ column, width }, i) => padded(fitted(texts[i] ?? "", width), width, column.align))
      .join(" ".repeat(GAP))
      .trimEnd();
  return [
    line(shown.map(({ column }) => column.header)),
    ...rows.map((_, row) => line(shown.map(({ cells }) => cells[row] ?? ""))),
  ];
}

interface Laid<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  readonly least: number;
  width: number;
}

const gaps = (count: number) => GAP * Math.max(0, count - 1);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** The columns that fit when those that may shrink do so. */
function chosen<Row>(all: readonly Laid<Row>[], width: number): Laid<Row>[] {
  let shown = [...all];
  for (;;) {
    const needed = sum(shown.map(({ least }) => least)) + gaps(shown.length);
    const worst = Math.max(...shown.map(({ column }) => column.expendable ?? 0));
    if (needed <= width || worst === 0) return shown;
    shown = shown.filter(({ column }) => column.expendable !== worst);
  }
}

/** Takes columns from the widest that may shrink until the line fits. */
function shrink<Row>(shown: readonly Laid<Row>[], width: number): void {
  for (let over = sum(shown.map((laid) => laid.width)) + gaps(shown.length) - width; over > 0; over--) {
    const [widest] = shown.filter((laid) => laid.width > laid.least).sort((a, b) => b.width - a.width);
    if (!widest) return;
    widest.width--;
  }
}
