import type { Registry } from "prom-client";
import { AnswerCounts } from "./answer-counts.ts";

/** One answered request. `route` is the pattern, never the path: paths hold ids, and there are too many. */
export interface Answer {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** What `/metrics` shows. */
export interface Metrics {
  answered(answer: Answer): void;
  /** Where services register counters of their own (prom-client). Made on first use. */
  registry(): Promise<Registry>;
}

/**
 * Makes the counters. prom-client takes 40 ms and some megabytes to load, so it is loaded by the first question for
 * `/metrics`; answers are counted from the start in a table of our own.
 */
export function createMetrics(): Metrics {
  const counts = new AnswerCounts();
  let registry: Promise<Registry> | null = null;
  return {
    answered: (answer) => counts.add(answer),
    registry() {
      registry ??= createRegistry(counts);
      return registry;
    },
  };
}

async function createRegistry(counts: AnswerCounts): Promise<Registry> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  registry.registerMetric(counts.asMetric() as unknown as InstanceType<typeof Gauge>);
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage.rss());
  gauge("process_start_time_seconds", "Start time of the process since the epoch in seconds.", () =>
    Math.round(Date.now() / 1000 - process.uptime()),
  );
  let counted = 0;
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time spent in seconds.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const spent = (user + system) / 1e6;
      this.inc(Math.max(0, spent - counted));
      counted = spent;
    },
  });
  return registry;
}
