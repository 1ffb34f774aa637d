import { expect, test } from "bun:test";
import { Balancer } from "./balance.ts";

const outstanding: Readonly<Record<string, number>> = { a: 2, b: 0, c: 1, d: 0 };
const outstandingOf = (name: string) => outstanding[name] ?? 0;
const pickMany = (balancer: Balancer, service: string, count: number) =>
  Array.from({ length: count }, () => balancer.pick(service, Object.keys(outstanding), outstandingOf));

test("round-robin takes turns, for each service on its own", () => {
  const balancer = new Balancer("round-robin");
  expect(pickMany(balancer, "auth", 5)).toEqual(["a", "b", "c", "d", "a"]);
  expect(pickMany(balancer, "catalog", 2)).toEqual(["a", "b"]);
});

test("random reaches everybody", () => {
  expect(new Set(pickMany(new Balancer("random"), "auth", 500)).size).toBe(4);
});

test("least-outstanding takes turns among those with the fewest calls", () => {
  expect(pickMany(new Balancer("least-outstanding"), "auth", 4)).toEqual(["b", "d", "b", "d"]);
});

test("of nobody nobody is picked", () => {
  for (const balance of ["round-robin", "random", "least-outstanding"] as const) {
    expect(new Balancer(balance).pick("auth", [], outstandingOf)).toBeUndefined();
  }
});
