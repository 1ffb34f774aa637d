import { join } from "node:path";
import type { FileCoverageData } from "istanbul-lib-coverage";

const mediaFolder = join(import.meta.dir, "..", "..", "src", "media");

/** How much of something ran. */
export interface Share {
  readonly covered: number;
  readonly total: number;
}

export interface CoverageSummary {
  readonly branches: Share;
  readonly lines: Share;
  /** For each file, by its path in `src/media`: branches. */
  readonly files: Readonly<Record<string, Share>>;
}

function countersOf(): Record<string, FileCoverageData> | null {
  return (globalThis as { __coverage__?: Record<string, FileCoverageData> }).__coverage__ ?? null;
}

/** Loads every module of `src/media`, so that what never runs is counted too. */
async function loadAll(): Promise<void> {
  for await (const path of new Bun.Glob("**/*.ts").scan(mediaFolder)) {
    if (!path.endsWith(".test.ts")) await import(join(mediaFolder, path));
  }
}

/** Which branches ran, and how often, over many executions; only with `instrument.ts` preloaded. */
export class Coverage {
  readonly #counters: Record<string, FileCoverageData>;
  /** The counters of each branch, and for each of those the classes of counts seen, as bits. */
  readonly #branches: { readonly hits: number[]; readonly seen: number[] }[];

  readonly #counts: boolean;

  private constructor(counters: Record<string, FileCoverageData>, counts: boolean) {
    this.#counters = counters;
    this.#counts = counts;
    this.#branches = Object.values(counters).flatMap(({ b }) =>
      Object.values(b).map((hits) => ({ hits, seen: hits.map(() => 0) })),
    );
  }

  /** Null when the code is not instrumented. `counts`: whether a branch that is taken far more often is news. */
  static async start({ counts = true } = {}): Promise<Coverage | null> {
    const counters = countersOf();
    if (counters === null) return null;
    await loadAll();
    return new Coverage(counters, counts);
  }

  /** Whether the execution that just ended took a branch that none before took, or took one far more often. */
  takeNews(): boolean {
    let isNew = false;
    for (const { hits, seen } of this.#branches) {
      for (let i = 0; i < hits.length; i++) {
        const count = hits[i] ?? 0;
        if (count === 0) continue;
        const bit = this.#counts ? 1 << Math.min(8, 32 - Math.clz32(count)) : 1;
        hits[i] = 0;
        if ((seen[i] ?? 0) & bit) continue;
        seen[i] = (seen[i] ?? 0) | bit;
        isNew = true;
      }
    }
    return isNew;
  }

  /** Of all executions so far. */
  summary(): CoverageSummary {
    const files: Record<string, Share> = {};
    const [branches, lines] = [
      { covered: 0, total: 0 },
      { covered: 0, total: 0 },
    ];
    let next = 0;
    for (const [path, { b, s, statementMap }] of Object.entries(this.#counters)) {
      const own = this.#branches.slice(next, next + Object.keys(b).length).flatMap(({ seen }) => seen);
      next += Object.keys(b).length;
      const share = { covered: own.filter((bits) => bits !== 0).length, total: own.length };
      files[path.slice(mediaFolder.length + 1)] = share;
      const ran = new Map<number, boolean>();
      for (const [id, { start }] of Object.entries(statementMap)) {
        ran.set(start.line, (ran.get(start.line) ?? false) || (s[id] ?? 0) > 0);
      }
      branches.covered += share.covered;
      branches.total += share.total;
      lines.covered += [...ran.values()].filter(Boolean).length;
      lines.total += ran.size;
    }
    return { branches, lines, files };
  }
}
