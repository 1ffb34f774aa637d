import { Database as BunDatabase } from "bun:sqlite";
import { chmodSync } from "node:fs";
import { Kysely } from "kysely";
import type { Database, Tables } from "../sql/tables.ts";
import { PatientSqliteDialect } from "./sqlite-dialect.ts";

/** Pages of the file that are kept in memory at most: of a large one the upper parts of its indexes. */
const CACHE_KIB = 65_536;

/** Pages of the log before they are written back: each time the disk is waited for. */
const CHECKPOINT_PAGES = 4_000;

export interface SqliteDatabase {
  /** What the repositories query. Closing it closes the file. */
  readonly database: Database;
  /** The same file's handle, for libraries that bring their own queries. */
  readonly handle: BunDatabase;
}

/**
 * Opens (or creates, mode 0600) a SQLite file in WAL mode with foreign keys on, and once more for queries while a
 * transaction is open. `:memory:` keeps it in memory.
 */
export function openSqlite(path: string): SqliteDatabase {
  const handle = openHandle(path);
  const reader = path === ":memory:" ? null : openHandle(path);
  reader?.run("PRAGMA query_only = ON");
  const dialect = new PatientSqliteDialect(handle, reader);
  return { database: new Kysely<Tables>({ dialect }), handle };
}

function openHandle(path: string): BunDatabase {
  const handle = new BunDatabase(path, { create: true, strict: true });
  if (path !== ":memory:") chmodSync(path, 0o600);
  handle.run("PRAGMA busy_timeout = 5000");
  handle.run("PRAGMA journal_mode = WAL");
  handle.run("PRAGMA synchronous = NORMAL");
  handle.run("PRAGMA foreign_keys = ON");
  handle.run("PRAGMA temp_store = MEMORY");
  handle.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  handle.run(`PRAGMA cache_size = -${CACHE_KIB}`);
  // From here on nobody waits inside SQLite, which would keep the whole process waiting: the driver does it.
  handle.run("PRAGMA busy_timeout = 0");
  return handle;
}
