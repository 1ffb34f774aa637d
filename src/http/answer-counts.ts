import type { Answer } from "./metrics.ts";

/** Upper bounds in seconds; from a cached answer to a slow upload. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

const NAME = "kinora_http_request_duration_seconds";

interface Series {
  readonly labels: Readonly<Record<"method" | "route" | "status", string>>;
  count: number;
  seconds: number;
  /** Answers that took no longer than each of `BUCKETS`. */
  readonly buckets: number[];
}

/** Counts answers by method, route and status as a Prometheus histogram. */
export class AnswerCounts {
  readonly #series = new Map<string, Series>();

  add({ method, route, status, seconds }: Answer): void {
    // A client may send any method: only those of HTTP get a series of their own.
    const labels = { method: METHODS.has(method) ? method : "other", route, status: String(status) };
    const key = `${labels.method} ${status} ${route}`;
    let series = this.#series.get(key);
    if (!series) {
      series = { labels, count: 0, seconds: 0, buckets: BUCKETS.map(() => 0) };
      this.#series.set(key, series);
    }
    series.count++;
    series.seconds += seconds;
    for (const [index, limit] of BUCKETS.entries()) {
      if (seconds <= limit) series.buckets[index] = (series.buckets[index] ?? 0) + 1;
    }
  }

  /** What prom-client's registry asks of a metric. */
  asMetric() {
    return {
      name: NAME,
      get: async () => ({
        name: NAME,
        help: "HTTP requests by method, route pattern and status, with the time to the head of the answer.",
        type: "histogram",
        aggregator: "sum",
        values: [...this.#series.values()].flatMap(valuesOf),
      }),
      reset: () => this.#series.clear(),
    };
  }
}

function valuesOf({ labels, count, seconds, buckets }: Series) {
  const bucket = (le: string, value: number) => ({ metricName: `${NAME}_bucket`, labels: { ...labels, le }, value });
  return [
    ...BUCKETS.map((limit, index) => bucket(String(limit), buckets[index] ?? 0)),
    bucket("+Inf", count),
    { metricName: `${NAME}_sum`, labels, value: seconds },
    { metricName: `${NAME}_count`, labels, value: count },
  ];
}
