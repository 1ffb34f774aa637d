import { expect, test } from "bun:test";
import { Passwords } from "./passwords.ts";

test("a password belongs to its own hash only, and no hash belongs to any", async () => {
  const passwords = new Passwords();
  const hash = await passwords.hash("correct horse battery");
  expect(await passwords.verify("correct horse battery", hash)).toBe(true);
  expect(await passwords.verify("correct horse batterY", hash)).toBe(false);
  expect(await passwords.verify("correct horse battery", null)).toBe(false);
});

/** How many may wait: the 200 of a server in the long run, for each hash takes the time it is meant to take. */
const mayWait = process.env.KINORA_TEST_LONG ? 200 : 20;

test(`a burst waits for its turn, and beyond ${mayWait} waiting is told to come again`, async () => {
  const passwords = process.env.KINORA_TEST_LONG ? new Passwords() : new Passwords(mayWait);
  const burst = Array.from({ length: mayWait + 5 }, () => passwords.hash("x".repeat(8)));
  const results = await Promise.allSettled(burst);
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(mayWait + 2);
  expect(refused.map(({ code, status }) => [code, status])).toEqual([
    ["temporary-unavailable", 503],
    ["temporary-unavailable", 503],
    ["temporary-unavailable", 503],
  ]);
  expect(await passwords.verify("x".repeat(8), await passwords.hash("x".repeat(8)))).toBe(true);
}, 120_000);
