import type { Measured, Searched } from "../search.ts";

/** What so large a share of some times stays at or below. */
export function at(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

const spread = (measured: Measured | undefined) =>
  measured && measured.times.length > 0
    ? `${at(measured.times, 0.5).toFixed(1)} / ${at(measured.times, 0.99).toFixed(1)}`
    : "not measured";

const inWords = (count: number) => count.toLocaleString("en");

/** Markdown tables of what was measured: the curve over numbers of titles, and all kinds of query and of writing at `largest`. */
export function searchTables(all: readonly Searched[], largest: number): string {
  const names = [...new Set(all.map(({ database }) => database))];
  const counts = [...new Set(all.map(({ count }) => count))];
  const of = (name: string, count: number) => all.find((one) => one.database === name && one.count === count);
  const curve = counts.map((count) => {
    const cells = names.flatMap((name) => {
      const one = of(name, count);
      return [spread(one?.searches.at(-1)), one ? one.bytes.toFixed(0) : ""];
    });
    return `| ${inWords(count)} | ${cells.join(" | ")} |`;
  });
  const shown = counts.includes(largest) ? largest : Math.max(...counts);
  return [
    `| titles | ${names.map((name) => `${name}: mix p50 / p99, ms | bytes a title`).join(" | ")} |`,
    `|---|${names.map(() => "---|---|").join("")}`,
    ...curve,
    "",
    `At ${inWords(shown)} titles, p50 / p99 in ms, and SQL statements for each:`,
    "",
    ...kindsTable(
      names,
      names.map((name) => of(name, shown)),
    ),
  ].join("\n");
}

function kindsTable(names: readonly string[], measured: readonly (Searched | undefined)[]): string[] {
  const [first] = measured;
  if (!first) return [];
  const lists = measured.map((one) => (one ? [...one.searches, ...one.writes.map(written), one.floor] : []));
  const rows = [...first.searches, ...first.writes.map(written), first.floor].map(({ what }) => {
    const cells = lists.flatMap((list) => {
      const one = list.find((other) => other.what === what);
      return [spread(one), one?.statements?.toFixed(1) ?? ""];
    });
    return `| ${what} | ${cells.join(" | ")} |`;
  });
  return [
    `| | ${names.map((name) => `${name} | statements`).join(" | ")} |`,
    `|---|${names.map(() => "---|---|").join("")}`,
    ...rows,
  ];
}

const written = (one: Measured): Measured => ({ ...one, what: `written: ${one.what}` });
