/** One figure, and the budget of the design it is held against. */
export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly budget: string;
  /** Null when there is no budget for it. */
  readonly met: boolean | null;
}

export const figure = (what: string, value: string, budget = "", met: boolean | null = null): Figure => ({
  what,
  value,
  budget,
  met,
});

/** Holds a number against an upper or lower bound. */
export function against(
  what: string,
  value: number,
  unit: string,
  bound: { atMost: number } | { atLeast: number },
): Figure {
  const met = "atMost" in bound ? value <= bound.atMost : value >= bound.atLeast;
  const budget = "atMost" in bound ? `≤ ${bound.atMost} ${unit}` : `≥ ${bound.atLeast} ${unit}`;
  return figure(what, `${Number(value.toPrecision(3))} ${unit}`, budget, met);
}

/** The figures as a Markdown table. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, value, budget, met }) => {
    const verdict = met === null ? "" : met ? "met" : "**missed**";
    return `| ${what} | ${value} | ${budget} | ${verdict} |`;
  });
  return ["| what | measured | budget | |", "|---|---|---|---|", ...rows].join("\n");
}
