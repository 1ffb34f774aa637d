import { describe, expect, test } from "bun:test";

// The module reads the address when it is loaded.
Object.assign(globalThis, { location: { pathname: "/", search: "", origin: "http://kinora.test" } });
const { relativeAddress } = await import("./router.ts");

describe("the address to return to after sign-in", () => {
  const cases: [string | null, string | null][] = [
    ["/watch/1?t=2", "/watch/1?t=2"],
    ["/videos", "/videos"],
    [null, null],
    ["", null],
    ["videos", null],
    ["//evil.test/videos", null],
    ["/\\evil.test", null],
    ["/\t/evil.test", null],
    ["/.//evil.test", null],
    ["https://evil.test/", null],
    ["javascript:alert(1)", null],
    ["/sign-in?next=/videos", null],
  ];
  test.each(cases)("%p becomes %p", (wanted, expected) => {
    expect(relativeAddress(wanted, "http://kinora.test")).toBe(expected);
  });
});
