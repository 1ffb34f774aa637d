import { expect, test } from "bun:test";
import { positionToSave, resumePosition } from "./resume.ts";

test.each([
  [0, 60, null],
  [2.9, 60, null],
  [30, 60, 30],
  [59, 60, null],
  [30, null, 30],
] as const)("stopped at %p of %p seconds, it resumes at %p", (position, duration, expected) => {
  expect(resumePosition(position, duration)).toBe(expected);
});

test("a video seen to its end starts from the beginning next time", () => {
  expect(positionToSave(59.9, 60)).toBe(0);
  expect(positionToSave(12.34567, 60)).toBe(12.346);
});
