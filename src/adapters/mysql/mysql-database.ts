import { readFileSync } from "node:fs";
import { Kysely } from "kysely";
import { createPool, type PoolOptions, type SslOptions } from "mysql2";
import { StartError, TemporaryUnavailableError } from "../../errors.ts";
import { migrate } from "../sql/migrate.ts";
import type { Database, Tables } from "../sql/tables.ts";
import type { MysqlAccess } from "./mysql-access.ts";
import { KinoraMysqlDialect } from "./mysql-dialect.ts";
import { MysqlDriver, type MysqlDriverOptions, type MysqlTimeouts } from "./mysql-driver.ts";

/** How long a start waits for a database that is not there yet. */
const START_MS = 30_000;
const START_AGAIN_MS = 250;
const CONNECT_MS = 3_000;
const ACQUIRE_MS = 5_000;
const LOCK_WAIT_SECONDS = 5;
/** Longest list of numbers that a query gives as one text. */
const NUMBERS_BYTES = 2 ** 20;
/** Migrations may rebuild tables, and wait for another instance's. */
const MIGRATION_MS = 24 * 3_600_000;

/**
 * The table, column or index is there, or the index is gone. MySQL undoes no schema change with its transaction: what a migration that was
 * killed has made already must not keep the next start from going on.
 */
const HALF_DONE = new Set([1050, 1060, 1061, 1091]);

export interface MysqlDatabase {
  /** What the repositories query. */
  readonly database: Database;
  /** As the server calls itself. */
  readonly version: string;
}

export interface OpenMysqlOptions {
  /** How long to wait for the server; 30 s. */
  readonly startMs?: number;
  /** Told whether the server was there when it was needed, and why not. */
  readonly onReachable?: (isThere: boolean, reason?: string) => void;
}

/**
 * Connects to MySQL 8 or MariaDB 10.6+ and brings the database to the current schema; of several instances that
 * start together one does, the others wait. `StartError` when the server is not there in time, refuses us, or is too old.
 */
export async function openMysql(access: MysqlAccess, options: OpenMysqlOptions = {}): Promise<MysqlDatabase> {
  const version = await versionOf(access, options.startMs ?? START_MS);
  const server = dialectOf(version);
  // One connection: the lock that lets one instance migrate at a time is the connection's.
  const timeouts = { statementMs: access.statementMs, acquireMs: ACQUIRE_MS };
  const patient = { ...timeouts, statementMs: MIGRATION_MS };
  const migrating = connect({ ...access, poolSize: 1 }, server, patient, { ignored: HALF_DONE });
  try {
    await migrate(migrating);
  } finally {
    await migrating.destroy();
  }
  return { database: connect(access, server, timeouts, { onReachable: options.onReachable }), version };
}

interface Server {
  readonly isMariaDb: boolean;
  readonly collation: string;
}

/** What differs between the two; `StartError` for a server that is too old. */
function dialectOf(version: string): Server {
  const isMariaDb = /mariadb/i.test(version);
  // MariaDB may put a 5.5.5- in front, for old clients.
  const [major = 0, minor = 0] = version
    .replace(/^5\.5\.5-/, "")
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  if (isMariaDb ? major < 10 || (major === 10 && minor < 6) : major < 8)
    throw new StartError(`The database server is ${version}.`, "Kinora needs MySQL 8 or MariaDB 10.6, or newer.");
  // The usual `utf8mb4_bin` takes no notice of spaces at the end: two files would be one.
  return { isMariaDb, collation: isMariaDb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin" };
}

function connect(
  access: MysqlAccess,
  { isMariaDb, collation }: Server,
  timeouts: MysqlTimeouts,
  options: Pick<MysqlDriverOptions, "ignored" | "onReachable"> = {},
): Database {
  const { statementMs } = timeouts;
  const limit = isMariaDb ? `max_statement_time = ${statementMs / 1000}` : `max_execution_time = ${statementMs}`;
  const setup = [
    `set names utf8mb4 collate ${collation}`,
    `set session sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',
      innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}, group_concat_max_len = ${NUMBERS_BYTES}, ${limit}`,
    // What is looked up by thousands of numbers is not to be joined with them as with a table (MariaDB), and not to be
    // looked for in the whole table because planning that would take more than 8 MB (MySQL).
    isMariaDb ? "set session in_predicate_conversion_threshold = 0" : "set session range_optimizer_max_mem_size = 0",
  ];
  const driver = () => new MysqlDriver(createPool(poolOptions(access)), { setup, timeouts, ...options });
  return new Kysely<Tables>({ dialect: new KinoraMysqlDialect({ driver, collation }) });
}

function poolOptions(access: MysqlAccess): PoolOptions {
  const { host, port, user, password, name, poolSize } = access;
  const ssl = sslOf(access);
  return {
    ...{ host, port, user, password, database: name },
    connectionLimit: poolSize,
    connectTimeout: CONNECT_MS,
    charset: "utf8mb4",
    timezone: "Z",
    supportBigNumbers: true,
    decimalNumbers: true,
    // An object in place of a text must not become a piece of SQL.
    stringifyObjects: true,
    ...(ssl ? { ssl } : {}),
  };
}

function sslOf({ tls, ca }: MysqlAccess): SslOptions | null {
  if (tls === "off") return null;
  return {
    rejectUnauthorized: tls === "verify",
    verifyIdentity: tls === "verify",
    ...(ca ? { ca: readFileSync(ca) } : {}),
  };
}

async function versionOf(access: MysqlAccess, startMs: number): Promise<string> {
  const { host, port } = access;
  const give = performance.now() + startMs;
  const pool = createPool({ ...poolOptions(access), connectionLimit: 1 });
  const timeouts = { statementMs: CONNECT_MS, acquireMs: CONNECT_MS };
  const driver = () => new MysqlDriver(pool, { setup: [], timeouts });
  const database = new Kysely<unknown>({ dialect: new KinoraMysqlDialect({ driver, collation: "" }) });
  try {
    for (;;) {
      try {
        const { version } = await database
          .selectNoFrom(({ fn }) => fn<string>("version").as("version"))
          .executeTakeFirstOrThrow();
        return version;
      } catch (error) {
        if (!(error instanceof TemporaryUnavailableError)) throw refused(error, access);
        requireTrusted(error.cause, access);
        if (performance.now() >= give)
          throw new StartError(
            `The database at ${host}:${port} cannot be reached.`,
            "Start it, or correct `database` (KINORA_DATABASE).",
            { cause: error.cause },
          );
        await Bun.sleep(START_AGAIN_MS);
      }
    }
  } finally {
    await database.destroy();
  }
}

/** A certificate does not become better by waiting. */
function requireTrusted(error: unknown, { host, port }: MysqlAccess): void {
  if (!(error instanceof Error && "code" in error && error.code === "HANDSHAKE_SSL_ERROR")) return;
  throw new StartError(
    `The connection to the database at ${host}:${port} cannot be trusted: ${error.message}.`,
    "Name the certificate to check it against with `ca=` in `database`, or leave it unchecked with `ssl=insecure`.",
    { cause: error },
  );
}

/** Only encrypted connections are taken. MariaDB says 1045, as for a wrong password. */
const WANTS_TLS = 3159;
/** The account is locked (MySQL, MariaDB), or its password has expired. */
const ENDED = new Set([3118, 4151, 1820, 1862]);

function refused(error: unknown, { user, name, tls }: MysqlAccess): unknown {
  const number = error instanceof Error && "errno" in error ? Number(error.errno) : 0;
  const start = (message: string, hint: string) => new StartError(message, hint, { cause: error });
  if (number === WANTS_TLS)
    return start("The database only takes encrypted connections.", "Add `ssl=true` to `database`, after a `?`.");
  if (number === 1044 || number === 1045)
    return start(
      `The database refuses ${user}: the name, the password or the right to use ${name} is wrong.`,
      `Correct \`database\` (KINORA_DATABASE), or have the administrator grant all rights on it.${
        tls === "off" ? " A server that only takes encrypted connections needs `ssl=true` after a `?`." : ""
      }`,
    );
  if (ENDED.has(number) && error instanceof Error)
    return start(
      `The database refuses ${user}: ${error.message}`,
      "Have its administrator unlock the account, or set a password that does not expire.",
    );
  if (number === 1049)
    return start(`There is no database ${name}.`, `Make it: CREATE DATABASE ${name} CHARACTER SET utf8mb4;`);
  return error;
}
