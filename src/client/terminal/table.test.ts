import { expect, test } from "bun:test";
import { fitted, padded, printable, printableJson, widthOf } from "./printable.ts";
import { type Column, tableLines } from "./table.ts";

test.each([
  ["plain Höhle 漢字 👩‍👩‍👧", "plain Höhle 漢字 👩‍👩‍👧"],
  ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
  ["\u009b31m", "\\x9b31m"],
  ["two\nlines\r\ttab", "two\\x0alines\\x0d\\x09tab"],
  ["gp\u202e4pm.exe", "gp\\u202e4pm.exe"],
  ["half \ud800 a pair", "half \\ud800 a pair"],
  ["\u2028", "\\u2028"],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("JSON keeps its meaning and sends nothing to a terminal", () => {
  const value = { name: "\u001b[31m\u009b\u007f\u202e\n漢", list: ["a\u2028"] };
  const text = printableJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
});

test("text is cut at whole characters and filled up by the columns it takes", () => {
  expect(fitted("漢字漢字", 5)).toBe("漢字…");
  expect(fitted("漢字漢字", 4)).toBe("漢…");
  expect(fitted("abc", 3)).toBe("abc");
  expect(widthOf(padded("漢", 5))).toBe(5);
  expect(padded("7", 3, "right")).toBe("  7");
});

interface Row {
  readonly name: string;
  readonly tags: string;
  readonly id: string;
}
const columns: readonly Column<Row>[] = [
  { header: "NAME", of: ({ name }) => name, least: 8 },
  { header: "TAGS", of: ({ tags }) => tags, least: 4, expendable: 1 },
  { header: "ID", of: ({ id }) => id },
];
const rows = [
  { name: "A long name of a film", tags: "sea, sun", id: "0123456789" },
  { name: "短い名前", tags: "", id: "9876543210" },
];

test.each([200, 43, 40, 30, 24, 20])("a table in %d columns", (width) => {
  const lines = tableLines(columns, rows, width);
  expect(lines.every((line) => widthOf(line) <= width)).toBe(true);
  expect(lines.slice(1).map((line) => line.slice(-10))).toEqual(["0123456789", "9876543210"]);
  expect(lines[0]?.includes("TAGS")).toBe(width >= 26);
});
