import { expect, test } from "bun:test";
import { sql } from "kysely";
import { openSqlite } from "./sqlite-database.ts";

test("a statement that returns rows, one that does not and one with RETURNING all work through Kysely", async () => {
  const { database } = openSqlite(":memory:");
  await sql`create table t (id integer primary key, name text)`.execute(database);
  const inserted = await sql<{ id: number }>`insert into t (name) values (${"a"}) returning id`.execute(database);
  expect(inserted.rows).toEqual([{ id: 1 }]);
  const updated = await sql`update t set name = ${"b"} where id = ${1}`.execute(database);
  expect(updated.numAffectedRows).toBe(1n);
  const { rows } = await sql`select name from t`.execute(database);
  expect(rows).toEqual([{ name: "b" }]);
  await database.destroy();
});

test("a transaction that throws leaves nothing behind", async () => {
  const { database } = openSqlite(":memory:");
  await sql`create table t (id integer primary key)`.execute(database);
  const failing = database.transaction().execute(async (transaction) => {
    await sql`insert into t (id) values (1)`.execute(transaction);
    throw new Error("no");
  });
  expect(failing).rejects.toThrow("no");
  await failing.catch(() => undefined);
  const { rows } = await sql`select * from t`.execute(database);
  expect(rows).toEqual([]);
  await database.destroy();
});
