import { expect, test } from "bun:test";
import { momentsIn, parseMoment } from "./moment.ts";

test.each([
  ["90", 90],
  ["90s", 90],
  ["1m30s", 90],
  ["1m", 60],
  ["1h2m3s", 3_723],
  ["1:30", 90],
  ["1:02:03", 3_723],
  ["0", null],
  ["", null],
  ["soon", null],
  ["-5", null],
  [null, null],
])("the moment %p is %p seconds", (text, expected) => {
  expect(parseMoment(text)).toBe(expected);
});

test("times in a description are found, as far as the video has them", () => {
  const found = (text: string) =>
    momentsIn(text, 4_000)
      .filter(({ seconds }) => seconds !== null)
      .map(({ text: piece, seconds }) => [piece, seconds]);
  expect(found("0:00 Start\n1:30 The ferry, 1:02:03 the end")).toEqual([
    ["0:00", 0],
    ["1:30", 90],
    ["1:02:03", 3_723],
  ]);
  expect(found("At 9:00:00, or 12:345, or 1:2; 4.5:30")).toEqual([["5:30", 330]]);
  expect(
    momentsIn("1:30 in, 59:59:59 not", 100)
      .map(({ text }) => text)
      .join(""),
  ).toBe("1:30 in, 59:59:59 not");
});
