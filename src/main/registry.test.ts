import { expect, test } from "bun:test";
import type { ServiceName } from "../bus/contract.ts";
import type { Availability } from "./contract.ts";
import { ServiceRegistry } from "./registry.ts";

let now = 0;
const since = "2026-01-01T00:00:00.000Z";
const beat = (service: ServiceName, instance: string): Availability => ({
  type: "available",
  service,
  instance,
  since,
  addresses: [`http://${instance}`],
});
const names = (registry: ServiceRegistry) => registry.list().map(({ service, instance }) => `${service} ${instance}`);

test("an instance is listed from its first heartbeat until its goodbye", () => {
  const registry = new ServiceRegistry(() => now);
  registry.heard(beat("streaming", "b"));
  registry.heard(beat("auth", "a"));
  expect(registry.list()).toEqual([
    { service: "auth", instance: "a", addresses: ["http://a"], since },
    { service: "streaming", instance: "b", addresses: ["http://b"], since },
  ]);
  registry.heard({ type: "goodbye", service: "auth", instance: "a" });
  registry.heard({ type: "goodbye", service: "auth", instance: "never seen" });
  expect(names(registry)).toEqual(["streaming b"]);
});

test("an instance is gone after three missed heartbeats, and back with the next one", () => {
  const registry = new ServiceRegistry(() => now);
  registry.heard(beat("auth", "a"));
  for (let second = 1; second < 6; second++) {
    now += 1_000;
    registry.heard(beat("main", "own"));
  }
  now += 999;
  expect(names(registry)).toEqual(["main own", "auth a"]);
  now += 1;
  expect(names(registry)).toEqual(["main own"]);
  registry.heard(beat("auth", "a"));
  expect(names(registry)).toEqual(["main own", "auth a"]);
});

test("while nobody at all is heard nobody is gone; when the broker is back, whoever stays silent is", () => {
  const registry = new ServiceRegistry(() => now);
  for (const instance of ["a", "b"]) registry.heard(beat("auth", instance));
  now += 60_000;
  expect(names(registry)).toEqual(["auth a", "auth b"]);
  registry.lost({ service: "auth", instance: "a" });
  expect(registry.inTurn("auth").map(({ instance }) => instance)).toEqual(["b", "a"]);
  for (let second = 0; second < 6; second++) {
    registry.heard(beat("auth", "b"));
    expect(registry.isAlive({ service: "auth", instance: "a" })).toBe(true);
    now += 1_000;
  }
  expect(names(registry)).toEqual(["auth b"]);
});

test("who has just begun to listen waits a moment for those that run", async () => {
  const registry = new ServiceRegistry(() => now);
  registry.heard(beat("auth", "a"));
  expect(registry.unheard).toEqual(["main", "catalog", "upload", "streaming"]);
  await registry.settled("auth");
  const catalog = registry.settled("catalog");
  registry.heard(beat("catalog", "c"));
  await catalog;
  now += 3_000;
  expect(registry.unheard).toEqual([]);
  await registry.settled("upload");
});

test("an instance that said goodbye gets nothing new, and may end what it has begun", () => {
  const registry = new ServiceRegistry(() => now);
  const a = { service: "auth", instance: "a" } as const;
  registry.heard(beat("auth", "a"));
  registry.heard({ type: "goodbye", ...a });
  expect([registry.inTurn("auth"), registry.isAlive(a)]).toEqual([[], true]);
  for (let second = 0; second < 10; second++) {
    now += 1_000;
    registry.heard(beat("main", "own"));
  }
  expect(registry.isAlive(a)).toBe(false);
});

test("locating takes turns over the live instances of that service", () => {
  const registry = new ServiceRegistry(() => now);
  for (const instance of ["a", "b"]) registry.heard(beat("auth", instance));
  registry.heard(beat("catalog", "c"));
  const located = Array.from({ length: 4 }, () => {
    registry.locate("catalog");
    return registry.locate("auth").instance;
  });
  expect(located).toEqual(["a", "b", "a", "b"]);
  registry.heard({ type: "goodbye", service: "auth", instance: "a" });
  expect(registry.locate("auth").instance).toBe("b");
});

test("locating a service that does not run says which one", () => {
  const registry = new ServiceRegistry(() => now);
  expect(() => registry.locate("upload")).toThrow("No instance of upload is running.");
});
