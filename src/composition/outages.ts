import type { Logger } from "pino";
import type { Metrics } from "../http/metrics.ts";

/** Told that something Kinora stands on could be used, or not and why. */
export type Reachability = (isThere: boolean, reason?: string) => void;

interface Dependency {
  /** Null while it is there. */
  awaySinceMs: number | null;
  outages: number;
}

/** What this process stands on outside of itself, and whether it is there: an outage is told once when it begins and once when it is over. */
export class Outages {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #known = new Map<string, Dependency>();

  /** `now` is a clock that never runs backwards, in milliseconds. */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** Something that may be away, such as `the database`; what it is called in metrics is its last word. */
  of(name: string): Reachability {
    const dependency: Dependency = { awaySinceMs: null, outages: 0 };
    this.#known.set((name.split(" ").at(-1) ?? name).toLowerCase(), dependency);
    return (isThere, reason) => {
      if (isThere === (dependency.awaySinceMs === null)) return;
      if (isThere) this.#back(name, dependency);
      else this.#lost(name, dependency, reason);
    };
  }

  /** Shows them in `/metrics`. */
  show(metrics: Metrics): void {
    metrics.gauge({
      name: "kinora_dependency_up",
      help: "Whether what this process stands on could be used when it last was: 1, or 0 while it is away.",
      label: "dependency",
      read: () => this.#numbers(({ awaySinceMs }) => (awaySinceMs === null ? 1 : 0)),
    });
    metrics.counter({
      name: "kinora_dependency_outages_total",
      help: "Times that what this process stands on went away.",
      label: "dependency",
      read: () => this.#numbers(({ outages }) => outages),
    });
  }

  #lost(name: string, dependency: Dependency, reason = "it does not answer"): void {
    dependency.awaySinceMs = this.#now();
    dependency.outages++;
    this.#log.warn({ reason }, `${name} is away`);
  }

  #back(name: string, dependency: Dependency): void {
    const seconds = (this.#now() - (dependency.awaySinceMs ?? this.#now())) / 1_000;
    dependency.awaySinceMs = null;
    this.#log.warn(`${name} is back after ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`);
  }

  #numbers(read: (dependency: Dependency) => number): Record<string, number> {
    return Object.fromEntries([...this.#known].map(([name, dependency]) => [name, read(dependency)]));
  }
}
