import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sqlServers } from "../../../test/support/sql-servers.ts";
import { parseMysqlAddress } from "../../config/values.ts";
import { openMysql } from "./mysql-database.ts";

/** Opens the database in a process of its own; kills itself before the given statement. */
const script = `
  import { openMysql } from "${join(import.meta.dir, "mysql-database.ts")}";
  import { parseMysqlAddress } from "${join(import.meta.dir, "../../config/values.ts")}";
  import { MysqlConnection } from "${join(import.meta.dir, "mysql-driver.ts")}";
  let left = Number(process.env.STATEMENTS);
  const run = MysqlConnection.prototype.executeQuery;
  MysqlConnection.prototype.executeQuery = function (query) {
    if (left-- === 0) process.kill(process.pid, "SIGKILL");
    return run.call(this, query);
  };
  const { database } = await openMysql(parseMysqlAddress(process.env.URL));
  await database.selectFrom("titles").select("id").execute();
  await database.destroy();
`;

async function start(url: string, statements = 1e9) {
  const env = { ...process.env, URL: url, STATEMENTS: String(statements) };
  const child = Bun.spawn([process.execPath, "-e", script], { env, stdio: ["ignore", "ignore", "inherit"] });
  await child.exited;
  return child.signalCode ?? child.exitCode;
}

const accessOf = (url: string) => {
  const access = parseMysqlAddress(url);
  if (!access) throw new Error(`not an address: ${url}`);
  return access;
};

for (const { name, isThere, isWhole, shared } of sqlServers)
  describe.skipIf(!isThere)(`with ${name}`, () => {
    test("four processes that start at the same moment migrate once and all go on", async () => {
      const server = await shared();
      const url = await server.newDatabase();
      const ends = await Promise.all([1, 2, 3, 4].map(() => start(url)));
      expect(ends).toEqual([0, 0, 0, 0]);
      const { database } = await openMysql(accessOf(url));
      const tables = await database.introspection.getTables();
      expect(tables.map(({ name }) => name)).toContain("title_postings");
      await database.destroy();
    }, 60_000);

    test.skipIf(!isWhole)(
      "a first start that is killed at any statement does not keep the next one from starting",
      async () => {
        const server = await shared();
        const step = process.env.KINORA_TEST_LONG ? (name === "MySQL" ? 5 : 1) : 17;
        let killed = 0;
        for (let statements = 3; ; statements += step) {
          const url = await server.newDatabase();
          const end = await start(url, statements);
          const { database } = await openMysql(accessOf(url));
          await database.selectFrom("auth_users").select("id").execute();
          await database.destroy();
          if (end === 0) break;
          expect(end).toBe("SIGKILL");
          killed++;
        }
        expect(killed).toBeGreaterThan(2);
      },
      300_000,
    );

    test("every table keeps text exactly, whatever the database's own character set is", async () => {
      const server = await shared();
      const url = await server.newDatabase();
      const access = accessOf(url);
      await (await openMysql(access)).database.destroy();
      const rows = await server.query(
        `select distinct table_collation as c from information_schema.tables where table_schema = '${access.name}'`,
      );
      expect(rows).toEqual([{ c: name === "MySQL" ? "utf8mb4_0900_bin" : "utf8mb4_nopad_bin" }]);
    });
  });
