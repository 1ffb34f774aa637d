import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { sql } from "kysely";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { TemporaryUnavailableError } from "../../errors.ts";
import { openSqlite, type SqliteDatabase } from "./sqlite-database.ts";

let folder: ReturnType<typeof temporaryFolder>;
let mine: SqliteDatabase;
let other: Database;

beforeEach(async () => {
  folder = temporaryFolder();
  const file = join(folder.path, "kinora.db");
  mine = openSqlite(file);
  await sql`create table t (id integer primary key)`.execute(mine.database);
  other = new Database(file);
});

afterEach(async () => {
  other.close();
  await mine.database.destroy();
  folder[Symbol.dispose]();
});

const insert = (id: number) => sql`insert into t (id) values (${id})`.execute(mine.database);
const ids = async () =>
  (await sql<{ id: number }>`select id from t order by id`.execute(mine.database)).rows.map((row) => row.id);

/** The longest time that nothing else could run while `work` was going on. */
async function longestBlock(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await work.catch(() => undefined);
  clearInterval(timer);
  return longest;
}

test("while another process holds the lock, writes wait without keeping anything else waiting", async () => {
  other.run("begin immediate");
  const writes = [
    insert(1),
    mine.database.transaction().execute((on) => sql`insert into t (id) values (2)`.execute(on)),
  ];
  const blocked = longestBlock(Promise.all(writes));
  await Bun.sleep(100);
  const before = performance.now();
  expect(await ids()).toEqual([]);
  // Whoever waits inside of SQLite waits for seconds here: nobody could take the lock away.
  expect(performance.now() - before).toBeLessThan(1_000);
  await Bun.sleep(100);
  other.run("rollback");
  await Promise.all(writes);
  expect(await blocked).toBeLessThan(1_000);
  expect(await ids()).toEqual([1, 2]);
});

test("a lock that stays is told as temporary-unavailable after 3 s, and writing goes on when it is gone", async () => {
  other.run("begin immediate");
  const begin = performance.now();
  const errors = await Promise.all([
    insert(1).catch((error: unknown) => error),
    mine.database
      .transaction()
      .execute((on) => sql`insert into t (id) values (2)`.execute(on))
      .catch((error: unknown) => error),
  ]);
  expect(performance.now() - begin).toBeWithin(2_500, 8_000);
  for (const error of errors) expect(error).toBeInstanceOf(TemporaryUnavailableError);
  other.run("rollback");
  await insert(3);
  expect(await ids()).toEqual([3]);
});

test("a statement outside of an open transaction waits for its end and is not undone with it", async () => {
  const open = mine.database.transaction().execute(async (on) => {
    await sql`insert into t (id) values (1)`.execute(on);
    await Bun.sleep(20);
    throw new Error("no");
  });
  const outside = Bun.sleep(5).then(() => insert(2));
  expect(open).rejects.toThrow("no");
  await open.catch(() => undefined);
  await outside;
  expect(await ids()).toEqual([2]);
});

test("queries run while a transaction is open and see what was there before it, however long it takes", async () => {
  await insert(1);
  const work = mine.database.transaction().execute(async (on) => {
    for (let id = 2; id <= 3_000; id++) await sql`insert into t (id) values (${id})`.execute(on);
  });
  const seen: number[] = [];
  let isOver = false;
  void work.then(() => {
    isOver = true;
  });
  const blocked = longestBlock(work);
  while (!isOver) {
    seen.push((await ids()).length);
    await Bun.sleep(1);
  }
  await blocked;
  expect(seen.filter((count) => count === 1).length).toBeGreaterThan(2);
  expect(seen.filter((count) => count !== 1 && count !== 3_000)).toEqual([]);
  expect(await ids()).toHaveLength(3_000);
});
