import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sql } from "kysely";
import { dataModelPage } from "../scripts/data-model.ts";
import { openDatabase } from "../src/adapters/sql/open-database.ts";
import { openNewDatabase } from "./support/sql-server.ts";
import { sqlServers } from "./support/sql-servers.ts";

test("docs/data-model.md is the schema that the migrations make (npm run docs writes it)", async () => {
  expect(await Bun.file(join(import.meta.dir, "../docs/data-model.md")).text()).toBe(await dataModelPage());
});

/** Columns that only one kind of database has, by table. */
const ownTables = /^(sqlite_|kysely_)/;

for (const { name, isThere, shared } of sqlServers)
  describe.skipIf(!isThere)(`with ${name}`, () => {
    test("both kinds of database have the same tables and columns", async () => {
      const sqlite = await openDatabase({ kind: "sqlite", path: ":memory:" });
      const mysql = await openNewDatabase(await shared());
      const there = await sql<{ name: string }>`select m.name || '.' || c.name as name
      from sqlite_master as m join pragma_table_info(m.name) as c where m.type = 'table'`.execute(sqlite.database);
      const here = await sql<{ name: string }>`select concat(table_name, '.', column_name) as name
      from information_schema.columns where table_schema = database()`.execute(mysql.database);
      const names = (rows: readonly { name: string }[]) =>
        rows
          .map(({ name }) => name)
          .filter((name) => !ownTables.test(name) && name !== "sources.path_hash")
          .toSorted();
      expect(names(here.rows)).toEqual(names(there.rows));
      await sqlite.database.destroy();
      await mysql.database.destroy();
    });
  });
