import type { Registry } from "prom-client";
import { AnswerCounts } from "./answer-counts.ts";

/** One answered request. `route` is the pattern, never the path: paths hold ids, and there are too many. */
export interface Answer {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** Something that is counted when it is asked for, such as what is open right now. */
export interface GaugeSource {
  /** As Prometheus names metrics: `kinora_streams`. */
  readonly name: string;
  readonly help: string;
  /** The one label, whose values are few and known. */
  readonly label: string;
  /** The number for each value of the label. */
  read(): Readonly<Record<string, number>>;
}

/** What `/metrics` shows. */
export interface Metrics {
  answered(answer: Answer): void;
  /** Shows a gauge from now on. */
  gauge(source: GaugeSource): void;
  /** The same for what only grows. */
  counter(source: GaugeSource): void;
  /** Where services register counters of their own (prom-client). Made on first use. */
  registry(): Promise<Registry>;
}

/**
 * Makes the counters. prom-client takes 40 ms and some megabytes to load, so it is loaded by the first question for
 * `/metrics`; answers are counted from the start in a table of our own.
 */
export function createMetrics(): Metrics {
  const counts = new AnswerCounts();
  const gauges: GaugeSource[] = [];
  const counters: GaugeSource[] = [];
  let registry: Promise<Registry> | null = null;
  const add = (sources: GaugeSource[], source: GaugeSource) => {
    if (registry) throw new Error(`The metric ${source.name} comes after the first question for /metrics.`);
    sources.push(source);
  };
  return {
    answered: (answer) => counts.add(answer),
    gauge: (source) => add(gauges, source),
    counter: (source) => add(counters, source),
    registry() {
      registry ??= createRegistry(counts, gauges, counters);
      return registry;
    },
  };
}

async function createRegistry(
  counts: AnswerCounts,
  gauges: readonly GaugeSource[],
  counters: readonly GaugeSource[],
): Promise<Registry> {
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
  for (const { name, help, label, read } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        for (const [value, number] of Object.entries(read())) this.set({ [label]: value }, number);
      },
    });
  }
  for (const { name, help, label, read } of counters) {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [value, number] of Object.entries(read())) this.inc({ [label]: value }, number);
      },
    });
  }
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
