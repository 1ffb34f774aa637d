import { expect, test } from "bun:test";
import { moved } from "./order.ts";

const items = ["a", "b", "c", "d"];

test("an item moves up, down, to either end, and not beyond", () => {
  expect(moved(items, 2, 1)).toEqual(["a", "c", "b", "d"]);
  expect(moved(items, 0, 2)).toEqual(["b", "c", "a", "d"]);
  expect(moved(items, 1, 99)).toEqual(["a", "c", "d", "b"]);
  expect(moved(items, 3, -5)).toEqual(["d", "a", "b", "c"]);
});

test("what stays where it is changes nothing", () => {
  expect(moved(items, 1, 1)).toBe(items);
  expect(moved(items, 3, 4)).toBe(items);
  expect(moved(items, 9, 0)).toBe(items);
});
