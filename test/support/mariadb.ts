import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2";
import { openMysql } from "../../src/adapters/mysql/mysql-database.ts";
import { parseMysqlAddress } from "../../src/config/values.ts";
import { lazy } from "../../src/lazy.ts";
import { type BoundServer, startBound } from "./bound-server.ts";
import { freePort } from "./nats.ts";
import { until } from "./until.ts";

/** A real MariaDB on a free loopback port, its data in a temporary folder. */
export interface TestMariaDb {
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

const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const PASSWORD = "p@ss:word/of?kinora";

/** A user of the system that has nothing else; root must not run a database server. */
async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number; readonly name: string } | null> {
  if (process.getuid?.() !== 0) return null;
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(await Bun.file("/etc/passwd").text());
  return entry && { uid: Number(entry[1]), gid: Number(entry[2]), name: "nobody" };
}

/** A server of its own, for a test that kills it. `more` are further options of mariadbd. */
export async function startMariaDb(...more: string[]): Promise<TestMariaDb> {
  // In memory where that is possible: the tests make many tables, and no disk need keep them.
  const folder = mkdtempSync(join(isDirectory("/dev/shm") ? "/dev/shm" : tmpdir(), "kinora-mariadb-"));
  const user = await unprivileged();
  if (user) {
    chownSync(folder, user.uid, user.gid);
    chmodSync(folder, 0o755);
  }
  const data = join(folder, "data");
  const asUser = user ? [`--user=${user.name}`] : [];
  const install = Bun.spawn(
    [
      "mariadb-install-db",
      "--no-defaults",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      ...asUser,
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
  if ((await install.exited) !== 0) throw new Error("mariadb-install-db failed");
  const port = await freePort();
  const tmp = join(folder, "tmp");
  mkdirSync(tmp);
  if (user) chownSync(tmp, user.uid, user.gid);
  const options = [
    "--no-defaults",
    `--datadir=${data}`,
    `--tmpdir=${tmp}`,
    `--socket=${join(folder, "socket")}`,
    `--pid-file=${join(folder, "pid")}`,
    `--log-error=${join(folder, "log")}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=48M",
    "--innodb-flush-log-at-trx-commit=2",
    "--skip-name-resolve",
    ...asUser,
    ...more,
  ];
  let child: BoundServer | null = null;
  const query = (sql: string) =>
    new Promise<Record<string, unknown>[]>((resolve, reject) => {
      const connection = createConnection({ socketPath: join(folder, "socket"), user: "root" });
      connection.on("error", reject);
      connection.query(sql, (error, rows) => {
        connection.destroy();
        if (error) reject(error);
        else resolve(rows as Record<string, unknown>[]);
      });
    });
  const start = async () => {
    child = await startBound(folder, ["mariadbd", ...options]);
    await until(
      () =>
        query("select 1").catch(() => {
          if (child?.exitCode != null) throw new Error(`mariadbd ended with ${child.exitCode}`);
          return null;
        }),
      60_000,
    );
  };
  const kill = async () => {
    await child?.kill();
    child = null;
  };
  await start();
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
      await query(`grant all on ${name}.* to ${name}@'%' identified by '${PASSWORD}'`);
      return `mysql://${name}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}${search && `?${search}`}`;
    },
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server that all suites of this process share, started when the first of them asks; it ends with the process. */
export const sharedMariaDb = lazy(() => startMariaDb());

/** Kinora's tables in a new database of the shared server. */
export async function newMysqlDatabase(options = "") {
  const server = await sharedMariaDb();
  const access = parseMysqlAddress(await server.newDatabase(options));
  if (!access) throw new Error("the test's own address is wrong");
  return openMysql(access);
}
