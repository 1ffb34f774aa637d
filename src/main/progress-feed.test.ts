import { expect, test } from "bun:test";
import type { Principal } from "../auth/contract.ts";
import type { ProgressEvent } from "./contract.ts";
import { ProgressFeed } from "./progress-feed.ts";

const ada: Principal = {
  userId: Bun.randomUUIDv7(),
  username: "ada",
  role: "editor",
  credential: { kind: "session", id: "1" },
};

const event = (id: string, done: number): ProgressEvent => ({
  ...{ kind: "upload", id, userId: null, state: "running", label: "", done, total: null, titleId: null, error: null },
  kind: "upload",
  state: "running",
});

test("a slow reader gets only the newest state of each piece of work", async () => {
  const feed = new ProgressFeed();
  const reader = feed.open(ada);
  for (let done = 0; done < 10_000; done++) for (const id of ["a", "b"]) feed.push(event(id, done));
  feed.push(event("a", 10_000));
  expect((await reader.next())?.map(({ id, done }) => [id, done])).toEqual([
    ["b", 9_999],
    ["a", 10_000],
  ]);
  reader.end();
});

test("a reader that is behind with too much is let go", async () => {
  const feed = new ProgressFeed();
  const reader = feed.open(ada);
  for (let id = 0; id <= 1_000; id++) feed.push(event(String(id), 0));
  expect(feed.size).toBe(0);
  expect(await reader.next()).toBeNull();
});

test("a waiting reader is woken by an event, a comment and the end", async () => {
  const feed = new ProgressFeed();
  const reader = feed.open(ada);
  const first = reader.next();
  feed.push(event("a", 1));
  expect(await first).toHaveLength(1);
  const second = reader.next();
  reader.keepAlive();
  expect(await second).toEqual([]);
  const third = reader.next();
  reader.end();
  expect(await third).toBeNull();
  expect(feed.size).toBe(0);
});
