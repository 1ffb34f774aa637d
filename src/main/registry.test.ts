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
  now += 5_999;
  expect(names(registry)).toEqual(["auth a"]);
  now += 1;
  expect(names(registry)).toEqual([]);
  registry.heard(beat("auth", "a"));
  expect(names(registry)).toEqual(["auth a"]);
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
