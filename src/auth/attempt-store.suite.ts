import { expect, test } from "bun:test";
import type { AttemptStore } from "./attempt-limits.ts";

/** What every adapter of the port must do. */
export function attemptStoreSuite(name: string, open: () => Promise<AttemptStore>): void {
  test(`${name}: a counter counts within its window and starts anew after it`, async () => {
    const store = await open();
    expect((await store.add("a", 1, 1_500)).count).toBe(1);
    const second = await store.add("a", 1, 1_500);
    expect(second.count).toBe(2);
    expect(second.resetsInMs).toBeGreaterThan(0);
    expect(second.resetsInMs).toBeLessThanOrEqual(1_500);
    expect(await store.count("a")).toBe(2);
    await Bun.sleep(second.resetsInMs + 50);
    expect(await store.count("a")).toBe(0);
    expect((await store.add("a", 1, 1_500)).count).toBe(1);
  });

  test(`${name}: counters are apart, are cleared alone, and never fall below zero`, async () => {
    const store = await open();
    await store.add("a", 1, 60_000);
    await store.add("b", 1, 60_000);
    await store.clear("a");
    expect([await store.count("a"), await store.count("b")]).toEqual([0, 1]);
    expect((await store.add("b", -5, 60_000)).count).toBe(0);
    expect((await store.add("b", 1, 60_000)).count).toBe(1);
  });

  test(`${name}: additions at once are all counted`, async () => {
    const store = await open();
    const added = await Promise.all(Array.from({ length: 50 }, () => store.add("a", 1, 60_000)));
    expect(added.map(({ count }) => count).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  });
}
