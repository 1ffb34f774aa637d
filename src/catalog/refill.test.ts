import { expect, test } from "bun:test";
import { Refill } from "./refill.ts";

/** A refill at a clock that the test moves, and whom it asked. */
function refillAt(fails: (instance?: string) => boolean = () => false) {
  const asked: (string | undefined)[] = [];
  const clock = { now: 0 };
  const refill = new Refill({
    now: () => clock.now,
    reannounce: async (instance) => {
      asked.push(instance);
      if (fails(instance)) throw new Error("not there");
    },
  });
  return { refill, asked, clock };
}

test("at start whoever is there is asked, and nobody being there is no failure", () => {
  const { refill, asked } = refillAt(() => true);
  refill.start();
  expect(asked).toEqual([undefined]);
});

test("each instance is asked once, and again when it comes back after a goodbye", () => {
  const { refill, asked, clock } = refillAt();
  for (const instance of ["a", "b", "a", "a"]) refill.onAvailable(instance);
  clock.now += 10_000_000;
  refill.onAvailable("a");
  expect(asked).toEqual(["a", "b"]);
  refill.onGoodbye("a");
  refill.onAvailable("a");
  expect(asked).toEqual(["a", "b", "a"]);
});

test("one that could not answer is asked at later heartbeats, less and less often", async () => {
  const { refill, asked, clock } = refillAt(() => true);
  const times: number[] = [];
  for (let second = 0; second < 20_000; second++) {
    clock.now = second * 1_000;
    const count = asked.length;
    refill.onAvailable("a");
    if (asked.length > count) times.push(second);
    if (asked.length > count) await Promise.resolve();
  }
  expect(times).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 7695, 11295, 14895, 18495]);
});

test("one whose announcement could not be taken is asked again, others are not", () => {
  const { refill, asked, clock } = refillAt();
  refill.onAvailable("a");
  refill.onAvailable("b");
  refill.onIncomplete("a");
  clock.now += 2_000;
  refill.onAvailable("a");
  refill.onAvailable("b");
  expect(asked).toEqual(["a", "b", "a"]);
});
