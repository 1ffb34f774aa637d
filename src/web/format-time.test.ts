import { expect, test } from "bun:test";
import { formatAgo } from "./format-time.ts";

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
