import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { someInfo, testId, testMediaId } from "../../test/support/catalog.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";

const source = (n: number, changes: Partial<Source> = {}): Source => ({
  id: testId(n),
  origin: "library",
  ownerId: null,
  name: `File ${n}`,
  fileName: null,
  mediaId: testMediaId(n),
  folder: "/srv/films",
  path: `a/${n}.mp4`,
  sizeBytes: 6_000_000_000,
  mtimeMs: 1_790_000_000_123,
  ctimeMs: 1_790_000_000_456,
  sample: null,
  visibility: "members",
  availability: "ready",
  fileKey: `1:${n}`,
  metadata: null,
  info: someInfo,
  createdAt: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
  ...changes,
});

/** What every database of sources must do. */
export function sourceRepositorySuite(
  database: string,
  open: () => Promise<{ repository: SourceRepository; close: () => Promise<void> }>,
): void {
  describe(`source repository on ${database}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let sources: SourceRepository;
    beforeEach(async () => {
      opened = await open();
      sources = opened.repository;
    });
    afterEach(() => opened.close());

    test("a source comes back as it was saved, and saving it again replaces it", async () => {
      const upload = source(1, { origin: "upload", ownerId: testId(900), folder: null, path: null, mediaId: null });
      await sources.save(upload);
      expect(await sources.find(testId(1))).toEqual(upload);
      await sources.save({ ...upload, mediaId: testMediaId(1), name: "Other" });
      expect(await sources.find(testId(1))).toEqual({ ...upload, mediaId: testMediaId(1), name: "Other" });
      expect(await sources.find(testId(2))).toBeNull();
      await sources.remove(testId(1));
      expect(await sources.find(testId(1))).toBeNull();
    });

    test("paths are told apart to the last character, whatever is in them and however long they are", async () => {
      const paths = ["x", "X", "x ", "é", "e\u0301", "e", "\\x", "100%", "🎬/東京.mkv", `${"long/".repeat(800)}a`];
      paths.push(`${"long/".repeat(800)}b`);
      for (const [n, path] of paths.entries()) await sources.save(source(n, { path }));
      for (const [n, path] of paths.entries()) {
        expect((await sources.findByPath("/srv/films", path))?.id).toBe(testId(n));
      }
      expect(await sources.findByPath("/srv/films", "y")).toBeNull();
      expect(await sources.findByPath("/srv/other", "x")).toBeNull();
      expect((await sources.listFolders()).toSorted()).toEqual(["/srv/films"]);
    });

    test("a file is one source only", async () => {
      await sources.save(source(1, { path: "same" }));
      const second = sources.save(source(2, { path: "same" }));
      expect(await second.then(() => "saved").catch(() => "refused")).toBe("refused");
      expect((await sources.findByPath("/srv/films", "same"))?.id).toBe(testId(1));
    });

    test("what plays a title: its own source when ready, else the oldest ready one with its content", async () => {
      const mediaId = testMediaId(50);
      await sources.save(source(3, { mediaId, availability: "unavailable" }));
      expect(await sources.findPlayable(testId(3), mediaId)).toBeNull();
      await sources.save(source(2, { mediaId }));
      await sources.save(source(1, { mediaId, origin: "upload", folder: null, path: null }));
      expect((await sources.findPlayable(testId(3), mediaId))?.id).toBe(testId(1));
      expect((await sources.findPlayable(testId(2), mediaId))?.id).toBe(testId(2));
      expect(await sources.findPlayable(testId(3), null)).toBeNull();
      expect(await sources.countUploadsOf(mediaId)).toBe(1);
    });

    test("sources are listed by id, a part at a time", async () => {
      for (const n of [3, 1, 2]) await sources.save(source(n, { folder: n === 2 ? "/srv/b" : "/srv/a" }));
      const ids = (found: readonly Source[]) => found.map(({ id }) => id);
      expect(ids(await sources.list(null, 2))).toEqual([testId(1), testId(2)]);
      expect(ids(await sources.list(testId(2), 2))).toEqual([testId(3)]);
    });

    test("files are found by their paths and by device and inode", async () => {
      await sources.saveAll([source(1), source(2), source(3, { folder: "/srv/other" })]);
      const states = await sources.findStates("/srv/films", ["a/1.mp4", "a/3.mp4", "A/1.mp4"]);
      expect(states).toEqual([
        {
          id: testId(1),
          path: "a/1.mp4",
          sizeBytes: 6_000_000_000,
          mtimeMs: 1_790_000_000_123,
          ctimeMs: 1_790_000_000_456,
          fileKey: "1:1",
          availability: "ready",
          visibility: "members",
        },
      ]);
      expect((await sources.findByFileKeys(["1:3", "1:9"])).map(({ id }) => id)).toEqual([testId(3)]);
      expect([await sources.findStates("/srv/films", []), await sources.findByFileKeys([])]).toEqual([[], []]);
      await sources.saveAll([source(2, { path: null }), source(1, { path: null })]);
      expect(await sources.findStates("/srv/films", ["a/1.mp4"])).toEqual([]);
    });

    test("what is ready is listed at a path and below it, and counted", async () => {
      const paths = ["x", "x/1", "x/y/2", "x0", "xa/3", "X/4", "x/é"];
      await sources.saveAll(paths.map((path, n) => source(n + 1, { path })));
      await sources.save(source(9, { path: "x/9", availability: "unavailable" }));
      const below = async (path: string) =>
        (await sources.listReady("/srv/films", path, null, 100)).map((state) => state.path);
      expect(await below("x")).toEqual(["x", "x/1", "x/y/2", "x/é"]);
      expect(await below("")).toEqual(paths);
      const rest = await sources.listReady("/srv/films", "", testId(5), 1);
      expect(rest.map((state) => state.path)).toEqual(["X/4"]);
      expect(await sources.countReady("/srv/films")).toBe(paths.length);
    });

    test("content that is not known yet is listed, and kept when the file is still the same", async () => {
      await sources.saveAll([source(1), source(2, { mediaId: null }), source(3, { mediaId: null })]);
      await sources.save(source(4, { mediaId: null, availability: "unavailable" }));
      expect((await sources.listUnhashed(null, 10)).map(({ id }) => id)).toEqual([testId(2), testId(3)]);
      expect(await sources.countUnhashedBytes()).toBe(12_000_000_000);
      expect((await sources.countStored()).library.files).toBe(3);
      const content = { mediaId: testMediaId(7), sample: "abc" };
      expect(await sources.identify(source(2), content)).toBe(true);
      expect(await sources.identify(source(3, { sizeBytes: 1 }), content)).toBe(false);
      expect(await sources.find(testId(2))).toEqual(source(2, content));
      expect((await sources.listUnhashed(null, 10)).map(({ id }) => id)).toEqual([testId(3)]);
    });

    test("of files that are still the same it is kept when they were changed last, with a sample", async () => {
      const old = [source(1, { ctimeMs: null }), source(2), source(3)];
      await sources.saveAll(old);
      const seen = { ctimeMs: 1_790_000_999_000, sample: "abc" };
      await sources.confirmAll([source(1, seen), source(2, { ...seen, mtimeMs: 1 })]);
      await sources.confirmAll([]);
      const found = await Promise.all([1, 2, 3].map((n) => sources.find(testId(n))));
      expect(found).toEqual([source(1, seen), source(2), source(3)]);
      expect((await sources.findStates("/srv/films", ["a/1.mp4"]))[0]?.ctimeMs).toBe(seen.ctimeMs);
    });
  });
}
