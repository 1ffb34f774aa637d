import { expect, test } from "bun:test";
import { NAME_MAX } from "../catalog/contract.ts";
import { initialName } from "./title-name.ts";

test("a title is called by the name given, else by its file, cleaned", () => {
  const table: [name: string | null, fileName: string | null, expected: string][] = [
    ["My film", "clip.mp4", "My film"],
    ["AC/DC live", "clip.mp4", "AC/DC live"],
    ["  ", "clip.mp4", "clip"],
    ["a\u0000b\r\nc", null, "a b c"],
    [null, "Holiday.2024.mkv", "Holiday.2024"],
    [null, "/etc/passwd", "passwd"],
    [null, "..\\..\\film.MP4", "film"],
    [null, ".hidden", ".hidden"],
    [null, "no extension", "no extension"],
    [null, "Mr. Robot", "Mr. Robot"],
    [null, "\u202egpj.mp4", "gpj"],
    [null, "e\u0301te\u0301.mp4", "été"],
    [null, ".mp4", ".mp4"],
    [null, "dir/", "Untitled"],
    [null, "", "Untitled"],
    [null, null, "Untitled"],
    [null, "\ud800.mp4", "\ufffd"],
  ];
  for (const [name, fileName, expected] of table) expect(initialName(name, fileName)).toBe(expected);
});

test("a file name that is too long is cut between characters", () => {
  const name = initialName(null, `${"x".repeat(NAME_MAX - 1)}😀😀.mp4`);
  expect(name).toBe("x".repeat(NAME_MAX - 1));
});
