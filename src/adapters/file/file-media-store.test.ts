import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { FileBytes, locateFirst } from "../../streaming/file-bytes.ts";
import { mediaStoreSuite } from "../../streaming/media-store.suite.ts";
import { FileMediaStore } from "./file-media-store.ts";

const files = { locateFirst, openFirst: FileBytes.open };

mediaStoreSuite("files", async () => {
  const folder = temporaryFolder();
  let aheadMs = 0;
  const store = await FileMediaStore.open(folder.path, files, () => Date.now() + aheadMs);
  mkdirSync(join(folder.path, "uploads"));
  return {
    store,
    upload: async (id, bytes) => writeFileSync(store.uploadPath(id), bytes),
    copies: async () =>
      store.folders
        .filter((path) => existsSync(path))
        .flatMap((path) =>
          readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
        ).length,
    later: () => {
      aheadMs = 86_400_000;
    },
    close: async () => folder[Symbol.dispose](),
  };
});

test("content that a crash left aside comes back when it is in use", async () => {
  using folder = temporaryFolder();
  let aheadMs = 0;
  const store = await FileMediaStore.open(folder.path, files, () => Date.now() + aheadMs);
  const content = "b".repeat(64);
  mkdirSync(join(folder.path, "originals", "bb"), { recursive: true });
  writeFileSync(`${store.contentPath(content)}.removing`, "bytes");
  utimesSync(`${store.contentPath(content)}.removing`, 1, 1);
  await store.sweep(async () => true);
  expect(await Bun.file(store.contentPath(content)).exists()).toBe(false);
  aheadMs = 86_400_000;
  await store.sweep(async () => true);
  expect(await Bun.file(store.contentPath(content)).text()).toBe("bytes");
});

test("a store keeps its name, and two stores have two", async () => {
  using folder = temporaryFolder();
  using other = temporaryFolder();
  const [first, again] = await Promise.all([
    FileMediaStore.open(folder.path, files),
    FileMediaStore.open(folder.path, files),
  ]);
  expect(again.place).toBe(first.place);
  expect((await FileMediaStore.open(other.path, files)).place).not.toBe(first.place);
});
