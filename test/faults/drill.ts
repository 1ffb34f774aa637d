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
  const ends = suffered.map(({ endedAtMs, rightAgainAtMs, lost }) =>
    lost ? endedAtMs : (rightAgainAtMs ?? endedAtMs),
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
    const cells = byKind.map(
      ({ asked, again, lost, recoveredMs: ms }) =>
        `${asked} / ${again} / ${lost}${ms > 0 ? `, ${(ms / 1000).toFixed(2)} s` : ""}`,
    );
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

Each kind: asked / failed at first and asked again / lost, and when the last one that suffered was right again.

${reasons.join("\n")}
`;
}

/** The table, and what became of uploads and of who had no right. */
export function summaryOf(figures: readonly FaultFigures[], { probes, uploader }: Load): string {
  return `${tableOf(figures)}
Acknowledged uploads: ${uploader.acknowledged}, lost: ${uploader.lost.length}. Credentials ended: ${probes.revoked}; asked for what must be refused: ${probes.asked} (refused: ${probes.refused}, no answer or 503: ${probes.asked - probes.refused - probes.letIn}); let in wrongly: ${probes.wrong.length}; what had ended still counted for ${Math.round(probes.longestMs)} ms at most.
`;
}

/** The figures, dated: `bench/results/{name}-{date}.md`. */
export async function keepFigures(
  name: string,
  summary: string,
  run: { readonly seed: number; readonly network: boolean; readonly storage: "file" | "s3" },
): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const isApart = run.network && run.storage === "file";
  const text = `# Faults under load, ${date}

Two instances of each service in ten processes${isApart ? ", each in a network namespace of its own" : ""}, MariaDB, Redis and NATS${run.storage === "s3" ? ", videos in S3" : ""}, on one machine. Seed ${run.seed}.${run.storage === "file" && !run.network ? " Network namespaces are not permitted here: no instance was cut off." : ""}

${summary}`;
  await Bun.write(new URL(`../../bench/results/${name}-${date}.md`, import.meta.url), text);
}
