import { expect, test } from "bun:test";
import pino from "pino";
import { createMetrics } from "../http/metrics.ts";
import { Outages } from "./outages.ts";

test("an outage is told once when it begins and once when it is over, and counted", async () => {
  const lines: { level: number; msg: string; reason?: string }[] = [];
  let now = 0;
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const outages = new Outages(log, () => now);
  const [broker, redis] = [outages.of("the broker"), outages.of("Redis")];
  const metrics = createMetrics();
  outages.show(metrics);
  redis(true);
  for (let n = 0; n < 1_000; n++) broker(false, "connection refused");
  const shown = await (await metrics.registry()).metrics();
  expect(shown).toContain('kinora_dependency_up{dependency="broker"} 0');
  expect(shown).toContain('kinora_dependency_up{dependency="redis"} 1');
  now = 12_300;
  for (let n = 0; n < 1_000; n++) broker(true);
  redis(false);
  now = 13_600;
  redis(true);
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [40, "the broker is away"],
    [40, "the broker is back after 12 s"],
    [40, "Redis is away"],
    [40, "Redis is back after 1.3 s"],
  ]);
  expect(lines[0]?.reason).toBe("connection refused");
  const after = await (await metrics.registry()).metrics();
  expect(after).toContain('kinora_dependency_up{dependency="broker"} 1');
  expect(after).toContain('kinora_dependency_outages_total{dependency="broker"} 1');
});
