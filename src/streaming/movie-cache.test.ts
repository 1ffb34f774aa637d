import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { fixture } from "../../test/support/fixtures.ts";
import { temporaryFolder } from "../../test/support/folder.ts";
import { locateFirst } from "./file-bytes.ts";
import { MovieCache } from "./movie-cache.ts";

test("an index that is being built is not lost when others fill the cache", async () => {
  using folder = temporaryFolder();
  const cache = new MovieCache(folder.path, 14_000);
  const file = await locateFirst([await fixture("h264-aac.mp4")]);
  const ids = Array.from({ length: 12 }, (_, i) => `source-${i}`);
  const first = await Promise.all(ids.map((id) => cache.get(id, file)));
  const again = await Promise.all([...ids, ...ids].map((id) => cache.get(id, file)));
  for (const presentation of [...first, ...again]) expect(presentation?.tracks.length).toBe(2);
});

test("an index is stored behind the answers, and not after its source was removed", async () => {
  using folder = temporaryFolder();
  const cache = new MovieCache(folder.path);
  const file = await locateFirst([await fixture("h264-aac.mp4")]);
  await Promise.all(["kept", "removed"].map((id) => cache.get(id, file)));
  await cache.remove("removed");
  await cache.close();
  expect(readdirSync(folder.path)).toEqual(["kept"]);
});

test("work behind can wait until what a viewer waits for is there", async () => {
  using folder = temporaryFolder();
  const cache = new MovieCache(folder.path);
  const file = await locateFirst([await fixture("h264-aac.mp4")]);
  expect(cache.whileMaking()).toBeNull();
  const answers = ["one", "two"].map((id) => cache.get(id, file));
  expect((await Promise.all(answers)).every((presentation) => presentation !== null)).toBe(true);
  // Its first segments are asked for now.
  const moment = cache.whileMaking();
  expect(moment).not.toBeNull();
  expect(readdirSync(folder.path)).toEqual([]);
  await moment;
  expect(cache.whileMaking()).toBeNull();
  // A file that cannot be read holds nothing up for longer either.
  const open = () => Promise.reject(new Error("gone"));
  const gone = { ...file, isUnchanged: () => file.isUnchanged(), open };
  await expect(cache.get("three", gone)).rejects.toThrow("gone");
  await cache.whileMaking();
  expect(cache.whileMaking()).toBeNull();
  await cache.close();
});

test("those who ask for the same at the same time share one build", async () => {
  using folder = temporaryFolder();
  const cache = new MovieCache(folder.path);
  const file = await locateFirst([await fixture("h264-aac.mp4")]);
  let opened = 0;
  const open = () => {
    opened++;
    return file.open();
  };
  const counted = { ...file, isUnchanged: () => file.isUnchanged(), open };
  const found = await Promise.all(Array.from({ length: 20 }, () => cache.get("one", counted)));
  expect(opened).toBe(1);
  expect(new Set(found).size).toBe(1);
  await cache.close();
});
