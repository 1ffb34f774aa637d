import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { person, someInfo, testId } from "../../../test/support/catalog.ts";
import { type TitleQuery, titleQuery } from "../../catalog/contract.ts";
import { decodeCursor, encodeCursor } from "../../catalog/cursor.ts";
import { searchOf, titleIndexOf } from "../../catalog/title-index.ts";
import type { IndexingProgress, TitleWithSources } from "../../catalog/title-repository.ts";
import { audienceOf } from "../../catalog/title-view.ts";
import { SqlTitleRepository } from "./sql-title-repository.ts";
import type { Database } from "./tables.ts";

const ann = person(1);
const admin = person(3, "admin");

const titleOf = (n: number, changes: Partial<TitleWithSources> = {}): TitleWithSources => ({
  id: testId(n),
  mediaId: null,
  name: `Title ${n}`,
  description: "",
  tags: n % 2 === 0 ? ["even"] : ["odd"],
  owner: { id: ann.userId, username: ann.username },
  origin: "upload",
  visibility: "private",
  availability: "ready",
  sizeBytes: 1,
  info: { ...someInfo, durationSeconds: (n * 37) % 500 },
  createdAt: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
  deletedAt: null,
  sources: [],
  ...changes,
});

const many = (count: number) => Array.from({ length: count }, (_, n) => titleOf(n + 1));
const state = { positionSeconds: null, inProgress: false, watched: false, favourite: true, watchedAt: null };

/** How the text index is kept and read in memory, and made anew: the same in every database. */
export function textIndexSuite(name: string, open: () => Promise<Database>): void {
  describe(`the text index on ${name}`, () => {
    let database: Database;
    let repository: SqlTitleRepository;
    beforeEach(async () => {
      database = await open();
      repository = new SqlTitleRepository({ database, indexOf: titleIndexOf });
      // Of no titles there is nothing to tell.
      expect(await indexAnew()).toEqual([]);
    });
    afterEach(() => database.destroy());

    async function find(ask: Partial<TitleQuery>, from = repository, who = admin): Promise<string[]> {
      const found: string[] = [];
      let cursor: string | null = null;
      do {
        const query: TitleQuery = titleQuery.parse({ limit: 200, ...ask, ...(cursor === null ? {} : { cursor }) });
        const page = await from.find(searchOf(query, who.userId, decodeCursor(query)), audienceOf(who));
        found.push(...page.titles.map((title) => title.name));
        cursor = page.next && encodeCursor(query, page.next);
      } while (cursor !== null);
      return found;
    }
    const counted = (ask: Partial<TitleQuery> = {}) =>
      repository.count(searchOf(titleQuery.parse(ask), admin.userId, null), audienceOf(admin), 10);

    async function makeStale(what: "titles" | "columns" | "file-names"): Promise<void> {
      await database.insertInto("catalog_stale").values({ what }).execute();
    }

    async function indexAnew(stop = new AbortController().signal): Promise<IndexingProgress[]> {
      const told: IndexingProgress[] = [];
      await repository.readyIndex();
      await repository.indexAnew((progress) => told.push(progress), stop);
      return told;
    }

    test("what another process writes is found by a search that was asked before", async () => {
      await repository.insertAll(many(3));
      const other = new SqlTitleRepository({ database, indexOf: titleIndexOf });
      expect(await find({ tags: ["even"] })).toEqual(["Title 2"]);
      expect(await find({ sort: "longest" })).toEqual(["Title 3", "Title 2", "Title 1"]);
      const info = { ...someInfo, durationSeconds: 900 };
      await other.edit(testId(1), (title) => ({ ...title, name: "Another", tags: ["even"], info }));
      await other.insert(titleOf(4));
      await other.remove(testId(2), () => true);
      expect(await find({ tags: ["even"] })).toEqual(["Title 4", "Another"]);
      expect(await find({ sort: "longest" })).toEqual(["Another", "Title 4", "Title 3"]);
      expect(await find({ sort: "name" })).toEqual(["Another", "Title 3", "Title 4"]);
      expect(await find({ minDuration: 120 })).toEqual(["Title 4", "Another"]);
    });

    test("with no memory to spare everything is found as well", async () => {
      await repository.insertAll(many(60));
      const forgetful = new SqlTitleRepository({ database, indexOf: titleIndexOf, memoryBytes: 0 });
      const asks: Partial<TitleQuery>[] = [
        { sort: "name" },
        { sort: "longest", tags: ["odd"] },
        { q: "title 1", minDuration: 100 },
      ];
      for (const ask of asks) {
        const found = await find(ask);
        expect(found.length).toBeGreaterThan(5);
        expect(await find(ask, forgetful)).toEqual(found);
      }
    });

    test("titles that are written at the same moment are all found, in every order", async () => {
      await Promise.all(Array.from({ length: 24 }, (_, n) => repository.insert(titleOf(n + 1))));
      const durations = many(24).sort((a, b) => (b.info?.durationSeconds ?? 0) - (a.info?.durationSeconds ?? 0));
      expect(await find({ sort: "longest" })).toEqual(durations.map(({ name }) => name));
      expect(new Set(await find({ sort: "name", tags: ["odd"] })).size).toBe(12);
      const versions = await database.selectFrom("title_versions").select("chunk").execute();
      expect(versions).toHaveLength(1);
    });

    test("a thousand names that begin alike are sorted by what comes after", async () => {
      const title = (n: number) =>
        titleOf(n + 1, { name: `Recording of a day ${String((n * 7_919) % 1_100).padStart(5, "0")}` });
      const titles = Array.from({ length: 1_100 }, (_, n) => title(n));
      for (let from = 0; from < titles.length; from += 100) await repository.insertAll(titles.slice(from, from + 100));
      const names = titles.map((one) => one.name).sort();
      expect(await find({ sort: "name" })).toEqual(names);
      expect(await find({ sort: "name", tags: ["odd"] })).toHaveLength(550);
    });

    test("after an upgrade titles are found as they are indexed anew, and what is written meanwhile counts once", async () => {
      await repository.insertAll(many(50));
      await repository.editState(admin.userId, testId(7), () => state);
      await makeStale("titles");
      await repository.readyIndex();
      expect(await find({})).toEqual([]);
      await repository.edit(testId(1), (title) => ({ ...title, tags: ["even", "new"] }));
      await repository.edit(testId(2), (title) => ({ ...title, description: "a second text" }));
      await repository.editState(admin.userId, testId(9), () => state);
      await repository.remove(testId(3), () => true);
      await repository.insert(titleOf(51));
      expect(await find({ tags: ["new"] })).toEqual(["Title 1"]);
      const told = await indexAnew();
      expect(told.at(-1)).toEqual({ indexed: 50, titles: 50 });
      expect(await find({})).toHaveLength(50);
      expect(await find({ tags: ["even"], sort: "oldest", limit: 2 })).toEqual([
        "Title 1",
        ...many(50).flatMap(({ name }, i) => (i % 2 === 1 ? [name] : [])),
      ]);
      expect(await find({ favourite: true })).toEqual(["Title 9", "Title 7"]);
      expect(await find({ q: "second" })).toEqual(["Title 2"]);
      const { titles, tags } = await counted();
      expect({ titles, tags }).toEqual({
        titles: 50,
        tags: [
          { value: "even", count: 26 },
          { value: "odd", count: 24 },
          { value: "new", count: 1 },
        ],
      });
      expect(await indexAnew()).toEqual([]);
    });

    test("indexing anew that was stopped goes on with the next start", async () => {
      await repository.insertAll(many(5));
      await makeStale("titles");
      const stopped = new AbortController();
      stopped.abort();
      await indexAnew(stopped.signal);
      expect(await find({})).toEqual([]);
      await indexAnew();
      expect(await find({})).toHaveLength(5);
    });

    test("what an older version has computed otherwise is computed anew", async () => {
      await repository.insertAll([titleOf(2, { name: "Élan" })]);
      await sql`update titles set name_key = 'x', name_folded = 'x', height = 0`.execute(database);
      await sql`update title_tags set tag_key = 'x'`.execute(database);
      await makeStale("titles");
      await indexAnew();
      expect(await find({ name: "elan", exact: true, tags: ["even"], minHeight: 360 })).toEqual(["Élan"]);
      expect((await counted({ tags: ["even"] })).heights).toEqual([{ value: "360", count: 1 }]);
    });

    test("names of files that a former version has not indexed are found after the start, and what is written meanwhile as well", async () => {
      const named = (n: number, fileName: string) => {
        const derived = { name: `Title ${n}`, fileName, description: "", tags: [], folders: [] };
        const source = { sourceId: testId(n), provider: "x", origin: "upload" as const, mediaId: null, derived };
        return titleOf(n, { sources: [{ ...source, availability: "ready", fingerprint: null }] });
      };
      const titles = [...many(30), named(31, "alpha"), named(32, "beta"), named(33, "gamma")];
      const bare = titles.map((title) => ({ ...title, sources: [] }));
      await repository.insertAll(bare);
      // As it was announced to the version before.
      for (const { id, sources } of titles)
        for (const { derived } of sources)
          await database
            .insertInto("title_sources")
            .values({
              ...{ source_id: id, title_seq: await seqOf(id), provider: "x", origin: "upload", availability: "ready" },
              ...{ media_id: null, derived: JSON.stringify(derived), fingerprint: null },
            })
            .execute();
      await makeStale("file-names");
      await repository.readyIndex();
      expect(await find({})).toHaveLength(33);
      await repository.edit(testId(32), (title) => ({ ...title, name: "Edited" }));
      await repository.remove(testId(33), () => true);
      expect(await find({ q: "beta" })).toEqual(["Edited"]);
      const told = await indexAnew();
      expect(told.at(-1)).toEqual({ indexed: 32, titles: 32 });
      expect(await Promise.all(["alpha", "beta", "gamma", "title 3"].map((q) => find({ q })))).toEqual([
        ["Title 31"],
        ["Edited"],
        [],
        ["Title 31", "Title 30", "Title 3"],
      ]);
      expect(await indexAnew()).toEqual([]);
    });

    const seqOf = async (id: string) => {
      const row = await database.selectFrom("titles").select("seq").where("id", "=", id).executeTakeFirstOrThrow();
      return Number(row.seq);
    };

    test("columns that a former version has not made are made at the start", async () => {
      await repository.insertAll(many(20));
      const orders = ["name", "longest", "oldest"] as const;
      const before = await Promise.all(orders.map((sort) => find({ sort, minHeight: 1, maxDuration: 400 })));
      await database.deleteFrom("title_columns").execute();
      await database.deleteFrom("title_versions").execute();
      await makeStale("columns");
      await repository.readyIndex();
      const after = await Promise.all(orders.map((sort) => find({ sort, minHeight: 1, maxDuration: 400 })));
      expect(after).toEqual(before);
      expect(before[0]?.length).toBeGreaterThan(10);
    });
  });
}
