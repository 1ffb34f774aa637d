import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { MediaStore } from "./media-store.ts";

const content = "a".repeat(64);
const text = new TextEncoder().encode("0123456789 bytes of a film");

/** A store that is tried, and how its uploads come about and are looked at. */
export interface StoreStage {
  readonly store: MediaStore;
  /** An upload that is complete. */
  upload(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** How many copies of originals are stored. */
  copies(): Promise<number>;
  /** Lets so much time go by that what was left behind counts as left. */
  later(): void;
  close(): Promise<void>;
}

/** What every media store must do. */
export function mediaStoreSuite(kind: string, open: () => Promise<StoreStage>): void {
  describe(`media store: ${kind}`, () => {
    let stage: StoreStage;
    let store: MediaStore;
    const [one, two] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
    beforeEach(async () => {
      stage = await open();
      store = stage.store;
    });
    afterEach(() => stage.close());

    const readAll = async (id: string, mediaId: string | null, mtimeMs?: number) => {
      const located = await store.locate({ id, mediaId, sizeBytes: text.length, mtimeMs: mtimeMs ?? 1 });
      expect(located.size).toBe(text.length);
      const file = await located.open();
      try {
        return Buffer.from(await file.read(0, located.size)).toString();
      } finally {
        await file.close();
      }
    };
    const whole = Buffer.from(text).toString();

    test("its name stays, and an upload is opened with its size and read in pieces", async () => {
      expect(store.place).not.toBe("");
      await stage.upload(one, text);
      const file = await store.openUpload(one, null);
      expect(file.size).toBe(text.length);
      expect(Buffer.from(await file.read(2, 5)).toString()).toBe("23456");
      expect(Buffer.from(await file.read(0, text.length)).toString()).toBe(whole);
      await file.close();
      expect(await readAll(one, null)).toBe(whole);
    });

    test("what was never uploaded is missing", async () => {
      expect(store.openUpload(one, null)).rejects.toMatchObject({ code: "ENOENT" });
    });

    test("files an upload under its content, and filing it again changes nothing", async () => {
      await stage.upload(one, text);
      await store.keep(one);
      await store.file(one, content);
      await store.file(one, content);
      expect(await readAll(one, content)).toBe(whole);
      expect(await stage.copies()).toBe(1);
      // Streaming is asked to take it over again when the uploader did not hear of it.
      const file = await store.openUpload(one, content);
      expect(file.size).toBe(text.length);
      await file.close();
    });

    test("equal uploads keep one copy, and both are read from it", async () => {
      for (const id of [one, two]) {
        await stage.upload(id, text);
        await store.keep(id);
        await store.file(id, content);
      }
      expect(await stage.copies()).toBe(1);
      expect(await readAll(one, content)).toBe(whole);
      expect(await readAll(two, content)).toBe(whole);
    });

    test("whoever was reading the second of two equal uploads reads on when it is filed", async () => {
      await stage.upload(one, text);
      await store.file(one, content);
      await stage.upload(two, text);
      const located = await store.locate({ id: two, mediaId: content, sizeBytes: text.length, mtimeMs: 1 });
      const file = await located.open();
      expect(Buffer.from(await file.read(0, 4)).toString()).toBe("0123");
      await store.file(two, content);
      expect(Buffer.from(await file.read(4, 4)).toString()).toBe("4567");
      await file.close();
    });

    test("the first of equal uploads is removed: the second one's bytes stay", async () => {
      for (const id of [one, two]) {
        await stage.upload(id, text);
        await store.file(id, content);
      }
      await store.removeUpload(one);
      await store.removeContent(content, async () => true);
      expect(await readAll(two, content)).toBe(whole);
      await store.removeUpload(two);
      await store.removeContent(content, async () => false);
      await store.removeContent(content, async () => false);
      expect(await stage.copies()).toBe(0);
    });

    test("an upload that was never filed is removed", async () => {
      await stage.upload(one, text);
      await store.removeUpload(one);
      await store.removeUpload(one);
      expect(await stage.copies()).toBe(0);
    });

    test("an equal upload that is filed while the old copy is removed stays", async () => {
      await stage.upload(one, text);
      await store.file(one, content);
      await store.removeContent(content, async () => {
        await stage.upload(two, text);
        await store.file(two, content);
        return true;
      });
      expect(await readAll(two, content)).toBe(whole);
      expect(await stage.copies()).toBe(1);
    });

    test("a removal that a crash cut short is made good later, and never takes what is in use", async () => {
      await stage.upload(one, text);
      await store.file(one, content);
      const crash = new Error("crashed");
      expect(store.removeContent(content, () => Promise.reject(crash))).rejects.toBe(crash);
      stage.later();
      await store.sweep(async () => false);
      expect(await stage.copies()).toBe(0);
      await stage.upload(two, text);
      await store.file(two, content);
      expect(await readAll(two, content)).toBe(whole);
    });

    test("says that it can store something", async () => {
      expect(await store.check()).toBeUndefined();
    });
  });
}
