import { expect, test } from "bun:test";
import { problemOf } from "./problem.ts";

const limited = (detail: string) =>
  problemOf(429, JSON.stringify({ code: "rate-limited", detail }), new Headers({ "Retry-After": "290" }));

test("a role is recommended where a role is what is missing, and the one that is", () => {
  const hintTo = (detail: string) => problemOf(403, JSON.stringify({ code: "forbidden", detail }), new Headers()).hint;
  expect(hintTo("This takes the role admin or editor.")).toEndWith("kinora users role NAME editor");
  expect(hintTo("This takes the role admin.")).toEndWith("kinora users role NAME admin");
  expect(hintTo("You may watch this video but not change it.")).toBeUndefined();
});

test("when to try again is said once: by the server's words, else by its header", () => {
  expect(limited("Too many attempts. Try again in 5 minutes.").hint).toBeUndefined();
  expect(limited("Too many attempts.").hint).toBe("Try again in 290 s.");
});
