import { expect, test } from "bun:test";
import { lazy } from "./lazy.ts";

test("makes the value once, for all who ask at the same time and later", async () => {
  let made = 0;
  const value = lazy(async () => ++made);
  expect(await Promise.all([value(), value()])).toEqual([1, 1]);
  expect(await value()).toBe(1);
});

test("a making that failed is tried again", async () => {
  const outcomes = [Promise.reject(new Error("not yet")), Promise.resolve("here")];
  const value = lazy(async () => outcomes.shift());
  expect(value()).rejects.toThrow("not yet");
  await Bun.sleep(0);
  expect(await value()).toBe("here");
});
