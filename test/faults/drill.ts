import { type Kind, kinds, type Operation } from "./attempts.ts";
import type { Load } from "./load.ts";

/** How long all must be well before the next fault. */
const CALM_MS = 2_000;
const CALM_WITHIN_MS = 60_000;
/** What takes longer than this, and much longer than usual, was held up, though it did not fail. */
const HELD_UP_MS = 1_000;
const HELD_UP_TIMES = 3;

/** What a fault cost one kind of request. */
export interface KindFigures {
  readonly kind: Kind;
  readonly asked: number;
  /** Failed at first; a client asked again. */
  readonly again: number;
  /** Never came to a good end. */
  readonly lost: number;
  readonly slowestMs: number;
  /** From the fault to the end of the last request that failed at first or was held up; 0 when none was. */
  readonly recoveredMs: number;
  /** How attempts failed, and how many. */
  readonly failures: Readonly<Record<string, number>>;
  /** Failed in a way that clients do not repeat by themselves. */
  readonly hard: number;
}

export interface FaultFigures {
  readonly fault: string;
  /** From the fault, or from when the broken thing was back, to the last request that suffered. */
  readonly recoveredMs: number;
  readonly budgetMs: number | null;
  readonly byKind: readonly KindFigures[];
}

/** Does something bad under load, waits until all is well again, and counts what it cost. */
export async function drill(
  load: Load,
  fault: { readonly name: string; readonly budgetMs: number | null },
  /** Calls `over` when what was broken is back; without it recovery counts from the fault. */
  act: (over: () => void) => Promise<void>,
): Promise<FaultFigures> {
  load.learn();
  const heldUpMs = Math.max(HELD_UP_MS, HELD_UP_TIMES * load.usualMs);
  const beganAtMs = performance.now();
  let fromMs = beganAtMs;
  await act(() => {
    fromMs = performance.now();
  });
  await load.calm(CALM_MS, CALM_WITHIN_MS);
  const operations = load.since(beganAtMs);
  const byKind = kinds.map((kind) =>
    figuresOf(
      kind,
      operations.filter((one) => one.kind === kind),
      fromMs,
      heldUpMs,
    ),
  );
  const recoveredMs = Math.max(...byKind.map((one) => one.recoveredMs));
  return { fault: fault.name, budgetMs: fault.budgetMs, recoveredMs, byKind };
}

function figuresOf(kind: Kind, operations: readonly Operation[], fromMs: number, heldUpMs: number): KindFigures {
  const failures: Record<string, number> = {};
  for (const { what } of operations.flatMap((one) => one.failures)) failures[what] = (failures[what] ?? 0) + 1;
  const tookMs = ({ startedAtMs, endedAtMs }: Operation) => endedAtMs - startedAtMs;
  const suffered = operations.filter((one) => one.failures.length > 0 || (kind !== "upload" && tookMs(one) > heldUpMs));
  const ends = suffered.map(({ endedAtMs, failures: own, lost }) =>
    kind === "upload" && !lost ? (own.at(-1)?.atMs ?? endedAtMs) : endedAtMs,
  );
  return {
    kind,
    asked: operations.length,
    again: operations.filter((one) => one.failures.length > 0 && !one.lost).length,
    lost: operations.filter(({ lost }) => lost).length,
    slowestMs: Math.round(Math.max(0, ...operations.map(tookMs))),
    recoveredMs: Math.max(0, Math.round(Math.max(0, ...ends.map((end) => end - fromMs)))),
    failures,
    hard: operations.flatMap((one) => one.failures).filter(({ isRetried }) => !isRetried).length,
  };
}

/** The figures as a table, and under it how attempts failed. */
export function tableOf(figures: readonly FaultFigures[]): string {
  const rows = figures.map(({ fault, recoveredMs, budgetMs, byKind }) => {
    const cells = byKind.map(({ asked, again, lost }) => `${asked} / ${again} / ${lost}`);
    const budget =
      budgetMs === null ? "" : `${(budgetMs / 1000).toFixed(0)} s${recoveredMs > budgetMs ? " **missed**" : ""}`;
    return `| ${fault} | ${(recoveredMs / 1000).toFixed(2)} s | ${budget} | ${cells.join(" | ")} |`;
  });
  const reasons = figures.flatMap(({ fault, byKind }) =>
    byKind.flatMap(({ kind, failures }) =>
      Object.entries(failures).map(([what, count]) => `- ${fault}, ${kind}: ${count} × ${what}`),
    ),
  );
  return `| fault | recovered | budget | ${kinds.join(" | ")} |
|---|---|---|${kinds.map(() => "---|").join("")}
${rows.join("\n")}

Each kind: asked / failed at first and asked again / lost.

${reasons.join("\n")}
`;
}
