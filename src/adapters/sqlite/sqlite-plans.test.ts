import { afterAll, expect, test } from "bun:test";
import { CompiledQuery, type QueryId, type RootOperationNode, SqliteQueryCompiler } from "kysely";
import { titleIndexOf } from "../../catalog/title-index.ts";
import type { TitleRepository } from "../../catalog/title-repository.ts";
import type { SourceRepository } from "../../streaming/source-repository.ts";
import { openDatabase } from "../sql/open-database.ts";
import { SqlSourceRepository } from "../sql/sql-source-repository.ts";
import { SqlTitleRepository } from "../sql/sql-title-repository.ts";
import type { Database } from "../sql/tables.ts";

const { database } = await openDatabase({ kind: "sqlite", path: ":memory:" });
afterAll(() => database.destroy());

const sourcesIn = (watched: Database): SourceRepository =>
  new SqlSourceRepository(watched, { upload: "store", library: "library" });
const titlesIn = (watched: Database): TitleRepository =>
  new SqlTitleRepository({ database: watched, indexOf: titleIndexOf });

/** How SQLite carries out what is asked. */
async function plansOf(ask: (watched: Database) => Promise<unknown>): Promise<string[]> {
  const asked: { readonly node: RootOperationNode; readonly queryId: QueryId }[] = [];
  const watched = database.withPlugin({
    transformQuery: ({ node, queryId }) => {
      asked.push({ node, queryId });
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  await ask(watched);
  const plans = asked.map(async ({ node, queryId }) => {
    const { sql, parameters } = new SqliteQueryCompiler().compileQuery(node, queryId);
    const { rows } = await database.executeQuery<{ detail: string }>(
      CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
    );
    return rows.map(({ detail }) => detail).join("; ");
  });
  return Promise.all(plans);
}

test("sources are listed page by page in the order they are kept, so a page costs the same however many there are", async () => {
  const plans = await plansOf(async (watched) => {
    const repository = sourcesIn(watched);
    await repository.list("a", 10);
    await repository.listReady("/videos", "", "a", 10);
    await repository.listUnhashed("a", 10);
  });
  expect(plans.length).toBe(3);
  for (const plan of plans) expect(plan).not.toContain("TEMP B-TREE");
});

test("what is known of paths, and the count of a folder, cost no walk over other folders", async () => {
  const plans = await plansOf(async (watched) => {
    const repository = sourcesIn(watched);
    await repository.findStates("/videos", ["a", "b"]);
    await repository.findByPath("/videos", "a");
    await repository.countReady("/videos");
    await repository.listReady("/videos", "below", null, 10);
  });
  for (const plan of plans) expect(plan).toMatch(/SEARCH sources USING (COVERING )?INDEX sources_path/);
});

test("one source is found by its own index, not among all of its place", async () => {
  const plans = await plansOf(async (watched) => {
    const repository = sourcesIn(watched);
    await repository.find("a");
    await repository.findPlayable("a", "media");
    await repository.findByFileKeys(["1:2", "1:3"]);
    await repository.countUploadsOf("media");
  });
  expect(plans.length).toBe(5);
  for (const plan of plans) expect(plan).toMatch(/INDEX sources_(media|file) |INDEX sqlite_autoindex_sources_1 /);
});

test("one title is found by its own index, not among all that are not deleted", async () => {
  const plans = await plansOf(async (watched) => {
    const repository = titlesIn(watched);
    await repository.listLibraryTitles("media", 10);
    await repository.getByMedia("media", { userId: "a" });
    await repository.listUnknown(["a", "b"].map((id) => ({ sourceId: id, mediaId: `media ${id}` })));
  });
  for (const plan of plans) expect(plan).toMatch(/INDEX (titles_by_media|sqlite_autoindex_\w+) /);
});

test("deleted titles are found among the deleted ones", async () => {
  const plans = await plansOf(async (watched) => {
    await titlesIn(watched).listDeleted(1);
    await titlesIn(watched).firstDeletion();
  });
  expect(plans.length).toBe(2);
  for (const plan of plans) expect(plan).toContain("INDEX titles_deleted");
});
