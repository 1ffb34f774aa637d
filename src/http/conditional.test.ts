import { describe, expect, test } from "bun:test";
import { failsIfMatch, parseRange, select } from "./conditional.ts";

describe("a Range header", () => {
  const cases: [string | null, ReturnType<typeof parseRange>][] = [
    [null, null],
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=0-", { start: 0, end: 100 }],
    ["Bytes=10-19", { start: 10, end: 20 }],
    ["bytes=90-1000", { start: 90, end: 100 }],
    ["bytes=-10", { start: 90, end: 100 }],
    ["bytes=-1000", { start: 0, end: 100 }],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=99999999999999999999-", "unsatisfiable"],
    ["bytes=20-10", null],
    ["bytes=0-1,5-6", null],
    ["bytes=a-b", null],
    ["bytes=-", null],
    ["bytes=+1-2", null],
    ["items=0-1", null],
    ["", null],
  ];
  for (const [header, expected] of cases) {
    test(`${header} of 100 bytes`, () => expect(parseRange(header, 100)).toEqual(expected));
  }
  test("of an empty body is unsatisfiable", () => expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable"));
});

describe("conditions", () => {
  const lastModified = new Date("2026-01-02T03:04:05Z");
  const status = (headers: Record<string, string>) =>
    select(new Headers(headers), 100, { etag: '"a"', lastModified }).status;
  test("none", () => expect(status({})).toBe(200));
  test("a matching If-None-Match", () => expect(status({ "If-None-Match": 'W/"b", "a"' })).toBe(304));
  test("any If-None-Match", () => expect(status({ "If-None-Match": "*" })).toBe(304));
  test("another If-None-Match", () => expect(status({ "If-None-Match": '"b"' })).toBe(200));
  test("If-Range with the tag", () => expect(status({ "If-Range": '"a"', Range: "bytes=0-1" })).toBe(206));
  test("If-Range with another tag", () => expect(status({ "If-Range": '"b"', Range: "bytes=0-1" })).toBe(200));
  test("If-Range with a weak tag", () => expect(status({ "If-Range": 'W/"a"', Range: "bytes=0-1" })).toBe(200));
  test("If-Range with the date", () =>
    expect(status({ "If-Range": lastModified.toUTCString(), Range: "bytes=0-1" })).toBe(206));
  test("If-Range with a later date", () =>
    expect(status({ "If-Range": "Sat, 03 Jan 2026 03:04:05 GMT", Range: "bytes=0-1" })).toBe(200));
  test("a range past the end", () => expect(status({ Range: "bytes=100-" })).toBe(416));
});

test("If-Match lets a request through for one of its strong tags, for any with an asterisk, and without the header", () => {
  const through = [undefined, null, "*", " * ", '"a"', '"b" , "a"', '"b","a"'];
  const not = ["", '"b"', 'W/"a"', "a", '"a', '"A"', '"ab"'];
  expect(through.map((header) => failsIfMatch(header, '"a"'))).toEqual(through.map(() => false));
  expect(not.map((header) => failsIfMatch(header, '"a"'))).toEqual(not.map(() => true));
});
