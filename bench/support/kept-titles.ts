import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Connection, createConnection } from "mysql2/promise";
import { openMysql } from "../../src/adapters/mysql/mysql-database.ts";
import { migrate } from "../../src/adapters/sql/migrate.ts";
import type { Database } from "../../src/adapters/sql/tables.ts";
import { openSqlite } from "../../src/adapters/sqlite/sqlite-database.ts";
import { mariaDbProgram } from "../../test/support/mariadb.ts";
import { mysqlProgram } from "../../test/support/mysql.ts";
import { freePort } from "../../test/support/nats.ts";
import type { SqlProgram } from "../../test/support/sql-server.ts";
import { until } from "../../test/support/until.ts";
import { countingStatements, type Rows, rowsOfStates, rowsOfTitles } from "./many-titles.ts";

/** A database with many titles that is made once and then kept in `.cache/bench`. */
export interface KeptTitles {
  readonly database: Database;
  /** How long it took to write; null when it was there. */
  readonly seconds: number | null;
  readonly bytes: number;
  close(): Promise<void>;
}

/** Part of the kept folders' names: another form of what is written makes them anew. */
const FORM = 1;
const CACHE = join(import.meta.dir, "../../.cache/bench");
const POOL_MIB = 2_048;

function keptFolder(kind: string, titles: number) {
  const folder = join(CACHE, `titles-${kind}-${titles}-${FORM}`);
  const mark = join(folder, "complete");
  const isComplete = existsSync(mark);
  if (!isComplete) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return { folder, isComplete, complete: () => writeFileSync(mark, "") };
}

export async function sqliteWithTitles(titles: number): Promise<KeptTitles> {
  const { folder, isComplete, complete } = keptFolder("sqlite", titles);
  const path = join(folder, "kinora.db");
  const { database, handle } = openSqlite(path);
  const begin = performance.now();
  // One that is kept may have been made with an older schema.
  await migrate(database);
  if (!isComplete) {
    handle.run("delete from catalog_stale where what != 'columns'");
    handle.run("pragma synchronous = off");
    const write = ({ table, columns, rows }: Rows) => {
      const values = columns.map(() => "?").join(", ");
      const insert = handle.prepare(`insert into ${table} (${columns.join(", ")}) values (${values})`);
      for (const row of rows) insert.run(...(row as string[]));
    };
    for (const parts of rowsOfTitles(titles)) handle.transaction(() => parts.forEach(write))();
    handle.transaction(() => write(rowsOfStates(titles)))();
    for (const statement of countingStatements()) handle.run(statement);
    handle.run("pragma wal_checkpoint(truncate)");
    handle.run("pragma synchronous = normal");
    complete();
  }
  const seconds = isComplete ? null : (performance.now() - begin) / 1_000;
  // In the system's memory, as of a server that has run for a while.
  for await (const _ of Bun.file(path).stream());
  return {
    database,
    seconds,
    bytes: statSync(path).size,
    close: () => database.destroy(),
  };
}

export const mariaDbWithTitles = (titles: number) =>
  serverWithTitles("mariadb", withRedoLog(mariaDbProgram, "--innodb-log-file-size=256M"), titles);
export const mysqlWithTitles = async (titles: number) =>
  serverWithTitles("mysql", withRedoLog(await mysqlProgram(), "--innodb-redo-log-capacity=512M"), titles);

/** The tests' servers have a small one. */
const withRedoLog = (program: SqlProgram, option: string): SqlProgram => ({
  ...program,
  server: [...program.server, option],
});

async function serverWithTitles(kind: string, program: SqlProgram, titles: number): Promise<KeptTitles> {
  const kept = keptFolder(kind, titles);
  const server = await startServer(kept.folder, program);
  try {
    return await openTitles(kept, server, titles);
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function openTitles(
  { folder, isComplete, complete }: ReturnType<typeof keptFolder>,
  server: Awaited<ReturnType<typeof startServer>>,
  titles: number,
): Promise<KeptTitles> {
  const begin = performance.now();
  const access = { host: "127.0.0.1", port: server.port, user: "kinora", password: "kinora", name: "kinora" };
  const { database } = await openMysql({ ...access, poolSize: 4, statementMs: 600_000, tls: "off", ca: null });
  if (!isComplete) {
    await fill(server.socket, titles);
    complete();
  }
  const seconds = isComplete ? null : (performance.now() - begin) / 1_000;
  await warm(server.socket);
  return {
    database,
    seconds,
    bytes: sizeOf(join(folder, "data", "kinora")),
    async close() {
      await database.destroy();
      await server.close();
    },
  };
}

const sizeOf = (folder: string) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

async function fill(socketPath: string, titles: number): Promise<void> {
  const connection = await createConnection({ socketPath, user: "root", database: "kinora" });
  await connection.query("set session unique_checks = 0, foreign_key_checks = 0");
  await connection.query("delete from catalog_stale where what != 'columns'");
  for (const parts of rowsOfTitles(titles)) {
    await connection.query("begin");
    for (const part of parts) await write(connection, part);
    await connection.query("commit");
  }
  await write(connection, rowsOfStates(titles));
  for (const statement of countingStatements()) await connection.query(statement);
  await connection.end();
}

/** Has the server read its tables and their indexes into its memory, as one that has run for a while. */
async function warm(socketPath: string): Promise<void> {
  const connection = await createConnection({ socketPath, user: "root", database: "kinora" });
  for (const column of ["titles.info", "title_tags.tag", "title_postings.bits", "title_states.watched"])
    await connection.query(`select sum(length(${column})) from ${column.replace(/\..*/, "")}`);
  for (const column of ["name_key", "duration_ms", "seq"])
    await connection.query(`select count(${column}), max(num) from title_keys order by ${column}`);
  await connection.query("select count(*) from title_tags force index (title_tags_by_tag) where tag_key > ''");
  await connection.end();
}

async function write(connection: Connection, { table, columns, rows }: Rows): Promise<void> {
  for (let from = 0; from < rows.length; from += 1_000) {
    const some = rows.slice(from, from + 1_000);
    const values = some.map((row) => row.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value)));
    await connection.query(`insert into ${table} (${columns.join(", ")}) values ?`, [values]);
  }
}

async function startServer(folder: string, program: SqlProgram) {
  const data = join(folder, "data");
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const quiet = { stdio: ["ignore", "ignore", "ignore"] as ["ignore", "ignore", "ignore"] };
  const isNew = !existsSync(data);
  if (isNew) {
    if ((await Bun.spawn([...program.install(data)], quiet).exited) !== 0)
      throw new Error("no system tables were made");
    // As root, and whoever served the tables before.
    await Bun.spawn(["chown", "-R", `${process.getuid?.()}`, data], quiet).exited;
  }
  const port = await freePort();
  const socket = join("/tmp", `kinora-bench-${process.pid}.socket`);
  const child: Subprocess = Bun.spawn(
    [
      ...[...program.server, `--datadir=${data}`, `--socket=${socket}`, `--port=${port}`, ...user],
      ...["--bind-address=127.0.0.1", "--skip-name-resolve", `--innodb-buffer-pool-size=${POOL_MIB}M`],
      ...["--innodb-flush-log-at-trx-commit=2", `--log-error=${join(folder, "log")}`],
    ],
    quiet,
  );
  const query = async (sql: string) => {
    const connection = await createConnection({ socketPath: socket, user: "root" });
    await connection.query(sql);
    await connection.end();
  };
  await until(
    () =>
      query("select 1")
        .then(() => true)
        .catch(() => null),
    60_000,
  );
  if (isNew) {
    await query("create database kinora");
    await query("create user kinora@'127.0.0.1' identified by 'kinora'");
    await query("grant all on kinora.* to kinora@'127.0.0.1'");
  }
  return {
    port,
    socket,
    async close() {
      child.kill("SIGTERM");
      await child.exited;
      rmSync(socket, { force: true });
    },
  };
}
