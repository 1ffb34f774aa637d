import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { FileMediaStore } from "./file-media-store.ts";

const content = "a".repeat(64);

function storeIn(root: string) {
  mkdirSync(join(root, "uploads"));
  const store = new FileMediaStore(root);
  return { store, upload: (id: string, text = "bytes") => writeFileSync(store.uploadPath(id), text) };
}

test("files an upload under its content, and filing it again changes nothing", async () => {
  using folder = temporaryFolder();
  const { store, upload } = storeIn(folder.path);
  upload("one");
  await store.file("one", content);
  await store.file("one", content);
  expect(existsSync(store.uploadPath("one"))).toBe(false);
  expect(readFileSync(store.contentPath(content), "utf8")).toBe("bytes");
});

test("equal uploads keep one copy", async () => {
  using folder = temporaryFolder();
  const { store, upload } = storeIn(folder.path);
  upload("one");
  upload("two");
  await store.file("one", content);
  await store.file("two", content);
  expect(existsSync(store.uploadPath("two"))).toBe(false);
  expect(readFileSync(store.contentPath(content), "utf8")).toBe("bytes");
});

test("filing what was never uploaded is an error", async () => {
  using folder = temporaryFolder();
  const { store } = storeIn(folder.path);
  expect(store.file("one", content)).rejects.toThrow("ENOENT");
});

test("removes content that nobody uses", async () => {
  using folder = temporaryFolder();
  const { store, upload } = storeIn(folder.path);
  upload("one");
  await store.file("one", content);
  await store.removeContent(content, async () => false);
  await store.removeContent(content, async () => false);
  expect(existsSync(store.contentPath(content))).toBe(false);
});

test("content that comes into use while it is removed stays", async () => {
  using folder = temporaryFolder();
  const { store, upload } = storeIn(folder.path);
  upload("one");
  await store.file("one", content);
  await store.removeContent(content, async () => true);
  expect(readFileSync(store.contentPath(content), "utf8")).toBe("bytes");
});

test("an equal upload that is filed while the old copy is removed stays", async () => {
  using folder = temporaryFolder();
  const { store, upload } = storeIn(folder.path);
  upload("one");
  await store.file("one", content);
  await store.removeContent(content, async () => {
    upload("two");
    await store.file("two", content);
    return true;
  });
  expect(readFileSync(store.contentPath(content), "utf8")).toBe("bytes");
  expect(existsSync(`${store.contentPath(content)}.removing`)).toBe(false);
});
