import { expect, test } from "bun:test";
import { formatAgo, formatSpokenDuration } from "./format-time.ts";

const now = Date.parse("2026-11-22T12:00:00Z");

test.each([
  ["2026-11-22T11:59:30Z", "this minute"],
  ["2026-11-22T11:57:01Z", "2 minutes ago"],
  ["2026-11-22T09:30:00Z", "2 hours ago"],
  ["2026-11-21T11:00:00Z", "yesterday"],
  ["2026-11-29T12:00:01Z", "in 7 days"],
  ["2025-11-01T12:00:00Z", "last year"],
] as const)("%p reads %p", (iso, expected) => {
  expect(formatAgo(iso, now)).toBe(expected);
});

test.each([
  [0, "0 seconds"],
  [0.4, "0 seconds"],
  [192.3, "3 minutes 12 seconds"],
  [5_040, "1 hour 24 minutes"],
  [3_601, "1 hour 1 second"],
] as const)("%p seconds are read aloud as %p", (seconds, expected) => {
  expect(formatSpokenDuration(seconds)).toBe(expected);
});
