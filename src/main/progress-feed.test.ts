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
  ...{
    kind: "upload",
    id,
    userId: null,
    state: "running",
    adminsOnly: false,
    label: "",
    done,
    total: null,
    titleId: null,
    error: null,
  },
  kind: "upload",
  state: "running",
});

test("what is everybody's is told to all, what is somebody's to them and to admins, what is for admins to these alone", async () => {
  const feed = new ProgressFeed();
  const admin: Principal = { ...ada, userId: Bun.randomUUIDv7(), role: "admin" };
  const readers = [feed.open(ada), feed.open({ ...ada, userId: Bun.randomUUIDv7() }), feed.open(admin)];
  feed.push({ ...event("hers", 1), userId: ada.userId });
  feed.push({ ...event("secret folder", 1), adminsOnly: true });
  feed.push(event("everybody's", 1));
  const told = await Promise.all(readers.map(async (reader) => (await reader.next())?.map(({ id }) => id)));
  expect(told).toEqual([["hers", "everybody's"], ["everybody's"], ["hers", "secret folder", "everybody's"]]);
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
