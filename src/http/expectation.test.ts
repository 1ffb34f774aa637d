import { expect, test } from "bun:test";
import { z } from "zod";
import { expectation } from "./expectation.ts";

const span = z.union([
  z.number().int().positive(),
  z.string().regex(/^[1-9]\d*[smhd]$/, "expected seconds, or a number with a unit, such as 2h"),
]);

const cases: readonly [schema: z.ZodType, value: unknown, text: string][] = [
  [z.string().min(1), "", "expected 1 character or more"],
  [z.string().max(64), "x".repeat(65), "expected 64 characters at most"],
  [z.string().length(2), "x", "expected exactly 2 characters"],
  [z.array(z.string()).min(2), [], "expected 2 entries or more"],
  [z.number().min(1), 0, "expected at least 1"],
  [z.number().positive(), -5, "expected more than 0"],
  [z.number().max(200), 201, "expected at most 200"],
  [z.number().int(), 1.5, "expected a whole number"],
  [z.number(), "1", "expected a number"],
  [z.string(), undefined, "is missing"],
  [z.boolean(), "yes", "expected true or false"],
  [z.uuid(), "nope", "expected an id (a UUID)"],
  [z.iso.datetime(), "today", "expected a time such as 2026-01-31T18:05:00Z"],
  [z.enum(["hls", "rtsp"]), "rtmp", 'expected "hls" or "rtsp"'],
  [z.strictObject({}), { mood: 1 }, "there is no mood"],
  [z.string().regex(/^a/, "expected a word with a"), "b", "expected a word with a"],
  [span, -5, "expected more than 0"],
  [span, "2 weeks", "expected seconds, or a number with a unit, such as 2h"],
  [span, true, "expected a number or a text"],
];
for (const [schema, value, text] of cases) {
  test(`${JSON.stringify(value)?.slice(0, 20)}: ${text}`, () => {
    const [issue] = schema.safeParse(value).error?.issues ?? [];
    expect(issue && expectation(issue)).toBe(text);
  });
}
