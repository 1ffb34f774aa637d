import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2";
import { openMysql } from "../../src/adapters/mysql/mysql-database.ts";
import { parseMysqlAddress } from "../../src/config/values.ts";
import { type BoundServer, startBound } from "./bound-server.ts";
import { freePort } from "./nats.ts";
import { until } from "./until.ts";

/** A real database server on a free loopback port, its data in a temporary folder. */
export interface TestSqlServer {
  readonly port: number;
  /** The server's process. */
  readonly pid: () => number;
  /** `mysql://…` of a new empty database; what follows the `?` may be given. */
  newDatabase(options?: string): Promise<string>;
  /** Runs a statement as the server's administrator. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again where it was, with its data. */
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** How a program is made to serve a folder. */
export interface SqlProgram {
  /** Makes the system tables in a folder that is not there yet. */
  readonly install: (data: string) => readonly string[];
  readonly server: readonly string[];
}

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const PASSWORD = "p@ss:word/of?kinora";

interface SystemUser {
  readonly name: string;
  /** `uid:gid`. */
  readonly id: string;
}

/** A user of the system that has nothing else; root must not run a database server. */
async function unprivileged(): Promise<SystemUser | null> {
  if (process.getuid?.() !== 0) return null;
  const [, id] = /^nobody:[^:]*:(\d+:\d+):/m.exec(await Bun.file("/etc/passwd").text()) ?? [];
  return id ? { name: "nobody", id } : null;
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "pipe"] });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${command[0]} failed: ${said.slice(-2_000)}`);
}

/** Has a command make system tables in a folder, as the user who will serve them. */
export async function initialise(command: readonly string[], folder: string): Promise<void> {
  const user = await unprivileged();
  if (user) await run(["chown", user.id, folder]);
  await run([...command, ...(user ? [`--user=${user.name}`] : [])]);
}

/** A server of its own, for a test that kills it. `more` are further options of the program. */
export async function startSqlServer(program: SqlProgram, more: readonly string[]): Promise<TestSqlServer> {
  // In memory where that is possible: the tests make many tables, and no disk need keep them.
  const folder = mkdtempSync(join(isDirectory("/dev/shm") ? "/dev/shm" : tmpdir(), "kinora-sql-"));
  const user = await unprivileged();
  const asUser = user ? [`--user=${user.name}`] : [];
  const tmp = join(folder, "tmp");
  mkdirSync(tmp);
  chmodSync(folder, 0o755);
  const data = join(folder, "data");
  await run(program.install(data));
  if (user) await run(["chown", "-R", user.id, folder]);
  const port = await freePort();
  const options = [
    `--datadir=${data}`,
    `--tmpdir=${tmp}`,
    `--socket=${join(folder, "socket")}`,
    `--pid-file=${join(folder, "pid")}`,
    `--log-error=${join(folder, "log")}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=2",
    "--skip-name-resolve",
    ...asUser,
    ...more,
  ];
  let child: BoundServer | null = null;
  const query = (sql: string) => queryAsRoot(join(folder, "socket"), sql);
  const start = async () => {
    child = await startBound(folder, [...program.server, ...options]);
    await until(
      () =>
        query("select 1").catch(async () => {
          if (child?.exitCode == null) return null;
          const log = await Bun.file(join(folder, "log"))
            .text()
            .catch(() => "nothing was said");
          throw new Error(`the server ended with ${child.exitCode}: ${log.slice(-2_000)}`);
        }),
      60_000,
    );
  };
  const kill = async () => {
    await child?.kill();
    child = null;
  };
  const close = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  let databases = 0;
  return {
    port,
    pid: () => child?.pid ?? 0,
    query,
    kill,
    start,
    async newDatabase(search = "") {
      const name = `kinora_${process.pid}_${++databases}`;
      await query(`create database ${name} character set latin1`);
      await query(`create user ${name}@'%' identified by '${PASSWORD}'`);
      await query(`grant all on ${name}.* to ${name}@'%'`);
      return `mysql://${name}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}${search && `?${search}`}`;
    },
    close,
  };
}

function queryAsRoot(socketPath: string, sql: string): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ socketPath, user: "root" });
    connection.on("error", reject);
    connection.query(sql, (error, rows) => {
      connection.destroy();
      if (error) reject(error);
      else resolve(rows as Record<string, unknown>[]);
    });
  });
}

/** Kinora's tables in a new database of a server. */
export async function openNewDatabase(server: TestSqlServer, options = "") {
  const access = parseMysqlAddress(await server.newDatabase(options));
  if (!access) throw new Error("the test's own address is wrong");
  return openMysql(access);
}
