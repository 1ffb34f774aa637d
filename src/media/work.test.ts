import { expect, test } from "bun:test";
import { ascending, atOnce, inTurns } from "./work.ts";

test("many numbers are sorted in turns as they are at once, whatever their order", async () => {
  const count = 300_000;
  const orders: readonly ((i: number) => number)[] = [
    (i) => i,
    (i) => count - i,
    (i) => (i * 7919) % 1000,
    (i) => i + ((i % 5) - 2) * 3,
    () => 1,
  ];
  for (const order of orders) {
    const values = Float64Array.from({ length: count }, (_, i) => order(i));
    const sorted = values.toSorted();
    expect(Buffer.compare(Buffer.from(atOnce(ascending(values)).buffer), Buffer.from(sorted.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from((await inTurns(ascending(values))).buffer), Buffer.from(sorted.buffer))).toBe(0);
  }
  expect(atOnce(ascending(new Float64Array(0))).length).toBe(0);
});
