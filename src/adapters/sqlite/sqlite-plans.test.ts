import { afterAll, expect, test } from "bun:test";
import { CompiledQuery, type QueryId, type RootOperationNode, SqliteQueryCompiler } from "kysely";
import type { SourceRepository } from "../../streaming/source-repository.ts";
import { openDatabase } from "../sql/open-database.ts";
import { SqlSourceRepository } from "../sql/sql-source-repository.ts";

const { database } = await openDatabase({ kind: "sqlite", path: ":memory:" });
afterAll(() => database.destroy());

/** How SQLite carries out what a repository asks. */
async function plansOf(ask: (repository: SourceRepository) => Promise<unknown>): Promise<string[]> {
  const asked: { readonly node: RootOperationNode; readonly queryId: QueryId }[] = [];
  const watched = database.withPlugin({
    transformQuery: ({ node, queryId }) => {
      asked.push({ node, queryId });
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  await ask(new SqlSourceRepository(watched, { upload: "store", library: "library" }));
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
  const lists: Readonly<Record<string, (repository: SourceRepository) => Promise<unknown>>> = {
    list: (repository) => repository.list("a", 10),
    listReady: (repository) => repository.listReady("/videos", "", "a", 10),
    listUnhashed: (repository) => repository.listUnhashed("a", 10),
  };
  for (const [name, ask] of Object.entries(lists)) {
    const plans = await plansOf(ask);
    expect({ name, plans: plans.length }).toEqual({ name, plans: 1 });
    expect(`${name}: ${plans[0]}`).not.toContain("TEMP B-TREE");
  }
});

test("what is known of paths, and the count of a folder, cost no walk over other folders", async () => {
  const plans = await plansOf(async (repository) => {
    await repository.findStates("/videos", ["a", "b"]);
    await repository.findByPath("/videos", "a");
    await repository.countReady("/videos");
    await repository.listReady("/videos", "below", null, 10);
  });
  for (const plan of plans) expect(plan).toMatch(/SEARCH sources USING (COVERING )?INDEX sources_path/);
});
