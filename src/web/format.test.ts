import { expect, test } from "bun:test";
import { formatBytes, formatDuration, formatTimeLeft, hueOf, initialsOf, nameOfFile } from "./format.ts";

test.each([
  [null, "–"],
  [7.4, "0:07"],
  [59.6, "1:00"],
  [754, "12:34"],
  [3723, "1:02:03"],
] as const)("a duration of %p seconds reads %p", (seconds, expected) => {
  expect(formatDuration(seconds)).toBe(expected);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KB"],
  [1_234_567, "1.2 MB"],
  [9_960_000, "10 MB"],
  [999_600_000, "1.0 GB"],
  [38_000_000_000, "38 GB"],
] as const)("%p bytes read %p", (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

test.each([
  [0.2, "1 s left"],
  [59, "59 s left"],
  [170, "3 min left"],
  [4800, "1 h 20 min left"],
  [Number.POSITIVE_INFINITY, ""],
] as const)("%p seconds read %p", (seconds, expected) => {
  expect(formatTimeLeft(seconds)).toBe(expected);
});

test.each([
  ["holiday.mp4", "holiday"],
  ["v1.2 final.mov", "v1.2 final"],
  [".mp4", ".mp4"],
  ["no extension", "no extension"],
] as const)("the file %p is first called %p", (file, expected) => {
  expect(nameOfFile(file)).toBe(expected);
});

test.each([
  ["Harbour at dawn", "HA"],
  ["“über” alles", "ÜA"],
  ["東京物語", "東"],
  ["100% Wolf", "1W"],
  ["---", ""],
] as const)("%p has the initials %p", (name, expected) => {
  expect(initialsOf(name)).toBe(expected);
});

test("ids that were made one after the other have colours that differ", () => {
  const ids = Array.from({ length: 200 }, () => Bun.randomUUIDv7());
  const hues = ids.map(hueOf);
  expect(hues.every((hue) => hue >= 0 && hue < 360)).toBe(true);
  expect(new Set(hues.map((hue) => Math.floor(hue / 30))).size).toBe(12);
});
