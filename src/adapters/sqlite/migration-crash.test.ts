import { expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { migrate } from "../sql/migrate.ts";
import { openSqlite } from "./sqlite-database.ts";

/** Migrates, and kills its own process before a given statement. */
const script = `
  import { Database } from "bun:sqlite";
  import { migrate } from "${join(import.meta.dir, "../sql/migrate.ts")}";
  import { openSqlite } from "${join(import.meta.dir, "sqlite-database.ts")}";
  let left = Number(process.env.STATEMENTS);
  const query = Database.prototype.query;
  Database.prototype.query = function (sql) {
    if (left-- === 0) process.kill(process.pid, "SIGKILL");
    return query.call(this, sql);
  };
  await migrate(openSqlite(process.env.FILE).database);
`;

async function migrateUntilKilled(file: string, statements: number): Promise<boolean> {
  const env = { ...process.env, FILE: file, STATEMENTS: String(statements) };
  const child = Bun.spawn([process.execPath, "-e", script], { env, stdio: ["ignore", "ignore", "inherit"] });
  await child.exited;
  return child.signalCode === "SIGKILL";
}

test("a first start that is killed at any statement does not keep the next one from starting", async () => {
  let killed = 0;
  for (let statements = 0; ; statements += process.env.KINORA_TEST_LONG ? 1 : 9) {
    using folder = temporaryFolder();
    const file = join(folder.path, "kinora.db");
    const wasKilled = await migrateUntilKilled(file, statements);
    const { database } = openSqlite(file);
    await migrate(database);
    await database.destroy();
    if (!wasKilled) break;
    killed++;
  }
  expect(killed).toBeGreaterThan(3);
}, 60_000);
