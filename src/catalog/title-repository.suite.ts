import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { person, someInfo, testId, testMediaId } from "../../test/support/catalog.ts";
import type { TitleRepository, TitleSource, TitleState, TitleWithSources } from "./title-repository.ts";

const ann = person(1);
const owner = { id: ann.userId, username: ann.username };

const source = (n: number, changes: Partial<TitleSource> = {}): TitleSource => ({
  sourceId: testId(n),
  provider: "streaming-1",
  origin: "upload",
  availability: "ready",
  mediaId: testMediaId(n),
  derived: null,
  fingerprint: null,
  ...changes,
});

const title = (n: number, changes: Partial<TitleWithSources> = {}): TitleWithSources => ({
  id: testId(n),
  mediaId: testMediaId(n),
  name: `Title ${n}`,
  description: "Words",
  tags: ["B", "a", "Ç"],
  owner,
  origin: "upload",
  visibility: "private",
  availability: "ready",
  sizeBytes: 6_000_000_000,
  info: someInfo,
  createdAt: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
  deletedAt: null,
  sources: [source(n)],
  ...changes,
});
const state = (changes: Partial<TitleState> = {}): TitleState => ({
  positionSeconds: null,
  inProgress: false,
  watched: false,
  favourite: false,
  watchedAt: null,
  ...changes,
});
const always = () => true;

/** What every database of titles must do, beside finding them (`title-queries.suite.ts`). */
export function titleRepositorySuite(
  database: string,
  open: () => Promise<{ repository: TitleRepository; close: () => Promise<void> }>,
): void {
  describe(`title repository on ${database}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let titles: TitleRepository;
    beforeEach(async () => {
      opened = await open();
      titles = opened.repository;
    });
    afterEach(() => opened.close());

    test("a title comes back as it was put in", async () => {
      const { sources, ...record } = title(1);
      expect(await titles.insert({ ...record, sources })).toBe(true);
      expect(await titles.get(testId(1))).toEqual(record);
      expect(await titles.getBySource(testId(1))).toEqual(record);
      const bare = title(2, { mediaId: null, info: null, owner: null, tags: [], sources: [], origin: "library" });
      await titles.insert(bare);
      const { sources: _, ...bareRecord } = bare;
      expect(await titles.get(testId(2))).toEqual(bareRecord);
      expect(await titles.getBySource(testId(2))).toBeNull();
    });

    test("an id is taken once, by however many at the same time", async () => {
      const answers = await Promise.all([1, 2, 3].map((n) => titles.insert(title(1, { name: `Try ${n}` }))));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await titles.insert(title(1))).toBe(false);
    });

    test("an edit sees tags and sources and changes all of it", async () => {
      await titles.insert(title(1));
      const sources = [source(1, { availability: "unavailable" }), source(9, { origin: "library", mediaId: null })];
      const edited = await titles.edit(testId(1), (before) => {
        expect(before).toEqual(title(1));
        return { ...before, name: "Other", tags: ["z"], sources, visibility: "public", availability: "unavailable" };
      });
      expect(edited?.changed).toBe(true);
      await titles.edit(testId(1), (after) => {
        expect(after).toEqual(edited?.title as TitleWithSources);
        return null;
      });
      expect((await titles.getBySource(testId(9)))?.name).toBe("Other");
    });

    test("what people said of tags is kept with the title, and goes when nothing is said any more", async () => {
      const tagWords = { added: ["Ç", "Snow"], removed: ["Trips"] };
      await titles.insert(title(1, { tagWords }));
      const said = async () => (await titles.edit(testId(1), () => null))?.title.tagWords;
      expect(await said()).toEqual(tagWords);
      await titles.edit(testId(1), (before) => ({ ...before, name: "Other" }));
      expect(await said()).toEqual(tagWords);
      await titles.edit(testId(1), ({ tagWords: _, ...before }) => before);
      expect(await said()).toBeUndefined();
    });

    test("an edit that throws, or returns null, changes nothing", async () => {
      await titles.insert(title(1));
      const failing = titles.edit(testId(1), () => {
        throw new Error("no");
      });
      expect(await failing.catch((error) => error.message)).toBe("no");
      expect(await titles.edit(testId(1), () => null)).toEqual({ title: title(1), changed: false });
      expect(await titles.edit(testId(2), always as never)).toBeNull();
    });

    test("several titles are edited together as each by itself, or none when one cannot be", async () => {
      await titles.insertAll([title(1), title(2), title(3)]);
      const edited = await titles.editAll([testId(3), testId(1), testId(9), testId(1)], (before) =>
        before.id === testId(1) ? null : { ...before, name: "Other", tags: ["z"] },
      );
      expect([...edited].map(([id, { title, changed }]) => [id, title.name, changed])).toEqual([
        [testId(1), "Title 1", false],
        [testId(3), "Other", true],
      ]);
      expect((await titles.get(testId(3)))?.tags).toEqual(["z"]);
      const failing = titles.editAll([testId(1), testId(2)], (before) => {
        if (before.id === testId(2)) throw new Error("no");
        return { ...before, name: "Lost" };
      });
      expect(await failing.catch((error) => error.message)).toBe("no");
      expect((await titles.get(testId(1)))?.name).toBe("Title 1");
      const known = await titles.listBySource([testId(1), testId(3), testId(9)]);
      expect([...known].toSorted()).toEqual([
        [testId(1), { id: testId(1), mediaId: testMediaId(1) }],
        [testId(3), { id: testId(3), mediaId: testMediaId(3) }],
      ]);
    });

    test("edits at the same time come one after the other", async () => {
      await titles.insert(title(1, { name: "0" }));
      const increment = () =>
        titles.edit(testId(1), (before) => ({ ...before, name: String(Number(before.name) + 1) }));
      await Promise.all(Array.from({ length: 10 }, increment));
      expect((await titles.get(testId(1)))?.name).toBe("10");
    });

    test("by content: one's own title first, else the oldest visible; deleted ones never", async () => {
      const mediaId = testMediaId(50);
      await titles.insert(title(1, { mediaId, owner: null, origin: "library", visibility: "members" }));
      await titles.insert(title(2, { mediaId, visibility: "public" }));
      await titles.insert(title(3, { mediaId }));
      const idFor = async (audience: Parameters<TitleRepository["getByMedia"]>[1]) =>
        (await titles.getByMedia(mediaId, audience))?.id;
      expect(await idFor({ userId: ann.userId })).toBe(testId(2));
      expect(await idFor({ userId: testId(700) })).toBe(testId(1));
      expect(await idFor({ sees: "public" })).toBe(testId(2));
      expect(await idFor({ sees: "everything" })).toBe(testId(1));
      await titles.edit(testId(2), (before) => ({ ...before, deletedAt: 5 }));
      expect(await idFor({ userId: ann.userId })).toBe(testId(3));
      expect(await idFor({ sees: "public" })).toBeUndefined();
    });

    test("library titles with one content, the oldest first; deleted ones and uploads never", async () => {
      const mediaId = testMediaId(50);
      const library = { mediaId, owner: null, origin: "library", visibility: "members" } as const;
      for (const n of [2, 1, 3]) await titles.insert(title(n, library));
      await titles.insert(title(4, { mediaId }));
      await titles.edit(testId(3), (before) => ({ ...before, deletedAt: 5 }));
      const idsOf = async (media: string, limit: number) =>
        (await titles.listLibraryTitles(media, limit)).map(({ id }) => id);
      expect(await idsOf(mediaId, 9)).toEqual([testId(1), testId(2)]);
      expect(await idsOf(mediaId, 1)).toEqual([testId(1)]);
      expect(await idsOf(testMediaId(51), 9)).toEqual([]);
    });

    test("who can play a title: those that announced one of its sources as ready, each once", async () => {
      const sources = [
        source(1),
        source(2),
        source(3, { provider: "streaming-2" }),
        source(4, { provider: "streaming-3", availability: "unavailable" }),
      ];
      await titles.insert(title(1, { sources }));
      expect((await titles.listProviders(testId(1))).sort()).toEqual(["streaming-1", "streaming-2"]);
      expect(await titles.listProviders(testId(2))).toEqual([]);
    });

    test("deleted titles are listed by when they were deleted", async () => {
      for (const n of [1, 2, 3]) await titles.insert(title(n));
      expect(await titles.firstDeletion()).toBeNull();
      await titles.edit(testId(1), (before) => ({ ...before, deletedAt: 2_000_000_000_000 }));
      await titles.edit(testId(2), (before) => ({ ...before, deletedAt: 1_900_000_000_000 }));
      expect(await titles.firstDeletion()).toBe(1_900_000_000_000);
      expect(await titles.listDeleted(1_899_999_999_999)).toEqual([]);
      expect(await titles.listDeleted(1_900_000_000_000)).toEqual([testId(2)]);
      const restorable = async (after: number, library: boolean) =>
        (await titles.listRestorable({ ownerId: ann.userId, library, after, limit: 9 })).map(({ id }) => id);
      expect(await restorable(1_899_999_999_999, false)).toEqual([testId(1), testId(2)]);
      expect(await restorable(1_900_000_000_000, true)).toEqual([testId(1)]);
      await titles.insert(title(8, { owner: null, deletedAt: 1_900_000_000_001 }));
      expect(await restorable(0, true)).toEqual([testId(1), testId(8), testId(2)]);
      expect(await restorable(0, false)).toEqual([testId(1), testId(2)]);
      expect((await titles.listOwned(ann.userId)).toSorted()).toEqual([testId(1), testId(2), testId(3)]);
    });

    test("a purge leaves tombstones of the id and of every source, and nothing else", async () => {
      await titles.insert(title(1, { sources: [source(1), source(9, { origin: "library", mediaId: null })] }));
      await titles.editState(ann.userId, testId(1), () => state({ positionSeconds: 5 }));
      expect(await titles.purge(testId(1), () => false)).toBeNull();
      expect((await titles.purge(testId(1), always))?.id).toBe(testId(1));
      expect(await titles.purge(testId(1), always)).toBeNull();
      expect(await titles.get(testId(1))).toBeNull();
      expect(await titles.getTombstone(testId(1), null)).toEqual({
        sourceId: testId(1),
        origin: "upload",
        mediaId: testMediaId(1),
      });
      expect(await titles.getTombstone(testId(9), null)).toMatchObject({ origin: "library" });
      expect(await titles.getTombstone(testId(2), null)).toBeNull();
      expect(await titles.insert(title(1))).toBe(false);
      expect(await titles.insert(title(9))).toBe(false);
      expect((await titles.getStates(ann.userId, [testId(1)])).size).toBe(0);
    });

    test("purged library titles are listed by name, and their sources are free again once that is asked for", async () => {
      const library = (n: number) => source(n, { origin: "library" });
      const nobodys = { owner: null, origin: "library" } as const;
      await titles.insert(title(1, { ...nobodys, sources: [library(1), library(9)] }));
      await titles.insert(title(2, { ...nobodys, name: "Other", sources: [library(2)] }));
      await titles.insert(title(3));
      for (const n of [1, 2, 3]) await titles.purge(testId(n), always);
      const listed = await titles.listBuried(10);
      const named = listed.map(({ id, name }) => [id, name]).toSorted();
      expect(named).toEqual([
        [testId(1), "Title 1"],
        [testId(2), "Other"],
      ]);
      expect(listed.every(({ purgedAt }) => Date.parse(purgedAt) > 0)).toBe(true);
      expect(await titles.listBuried(1)).toHaveLength(1);
      expect(await titles.unbury(testId(3))).toEqual([]);
      expect((await titles.unbury(testId(1))).toSorted()).toEqual([testId(1), testId(9)]);
      expect(await titles.unbury(testId(1))).toEqual([]);
      expect((await titles.listBuried(10)).map(({ id }) => id)).toEqual([testId(2)]);
      expect(await titles.insert(title(1, { ...nobodys, sources: [library(1), library(9)] }))).toBe(true);
      expect(await titles.insert(title(3))).toBe(false);
    });

    test("purged uploads can be released when no title has their content", async () => {
      const mediaId = testMediaId(50);
      await titles.insert(title(1, { mediaId, sources: [source(1, { mediaId })] }));
      await titles.insert(title(2, { mediaId: null, sources: [] }));
      await titles.insert(title(3, { mediaId, sources: [] }));
      await titles.purge(testId(1), always);
      await titles.purge(testId(2), always);
      expect(await titles.listReleasable(mediaId)).toEqual([]);
      expect((await titles.getTombstone(testId(2), mediaId))?.mediaId).toBe(mediaId);
      await titles.remove(testId(3), () => false);
      expect(await titles.listReleasable(mediaId)).toEqual([]);
      await titles.remove(testId(3), always);
      expect((await titles.listReleasable(mediaId)).toSorted()).toEqual([testId(1), testId(2)]);
      expect(await titles.insert(title(3))).toBe(true);
    });

    test("what each user does with a title is kept, last word wins", async () => {
      for (const n of [1, 2]) await titles.insert(title(n));
      const put = (userId: string, n: number, changes: Partial<TitleState>) =>
        titles.editState(userId, testId(n), (before) => ({ ...(before ?? state()), ...changes }));
      await put(ann.userId, 1, { positionSeconds: 1.5, inProgress: true });
      await put(ann.userId, 1, { positionSeconds: 2.25, favourite: true });
      await put(ann.userId, 2, { watched: true, watchedAt: 1_900_000_000_000 });
      await put(testId(700), 1, { positionSeconds: 3 });
      await put(ann.userId, 3, { positionSeconds: 9 });
      const states = (userId: string) => titles.getStates(userId, [1, 2, 3].map(testId));
      expect(await states(ann.userId)).toEqual(
        new Map([
          [testId(1), state({ positionSeconds: 2.25, inProgress: true, favourite: true })],
          [testId(2), state({ watched: true, watchedAt: 1_900_000_000_000 })],
        ]),
      );
      expect(await states(testId(700))).toEqual(new Map([[testId(1), state({ positionSeconds: 3 })]]));
      await titles.forgetStatesOf(ann.userId);
      expect((await states(ann.userId)).size).toBe(0);
      expect((await states(testId(700))).size).toBe(1);
    });
  });
}
