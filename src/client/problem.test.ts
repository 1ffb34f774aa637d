import { expect, test } from "bun:test";
import { problemOf } from "./problem.ts";

const limited = (detail: string) =>
  problemOf(429, JSON.stringify({ code: "rate-limited", detail }), new Headers({ "Retry-After": "290" }));

test("when to try again is said once: by the server's words, else by its header", () => {
  expect(limited("Too many attempts. Try again in 5 minutes.").hint).toBeUndefined();
  expect(limited("Too many attempts.").hint).toBe("Try again in 290 s.");
});
