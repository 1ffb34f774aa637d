import { expect, test } from "bun:test";
import { mayRetry, retryDelayMs, waitForRetry } from "./retry.ts";

test("a lost connection is tried again after 1 s, then more rarely, every 15 s for as long as it takes", () => {
  expect([1, 2, 3, 4, 5, 6, 100].map((failures) => retryDelayMs(failures))).toEqual([
    1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
  ]);
  expect(retryDelayMs(1, 30)).toBe(30_000);
});

test.each([
  [0, 1000, true],
  [503, 1000, true],
  [423, 1000, true],
  [429, 1000, true],
  [500, 5, true],
  [500, 6, false],
  [507, 1, false],
  [401, 1, false],
  [404, 1, false],
  [422, 1, false],
] as const)("status %p after %p failures: tried again is %p", (status, failures, expected) => {
  expect(mayRetry({ status }, failures)).toBe(expected);
});

test("a wait ends as soon as the browser is online", async () => {
  const events = new EventTarget();
  const waited = waitForRetry(60_000, new AbortController().signal, events);
  events.dispatchEvent(new Event("online"));
  expect(await waited).toBe(true);
});

test("a wait that is given up says so", async () => {
  const giveUp = new AbortController();
  const waited = waitForRetry(60_000, giveUp.signal, new EventTarget());
  giveUp.abort();
  expect(await waited).toBe(false);
  expect(await waitForRetry(60_000, giveUp.signal, new EventTarget())).toBe(false);
});
