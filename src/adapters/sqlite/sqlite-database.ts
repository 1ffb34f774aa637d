import { Database as BunDatabase, type SQLQueryBindings } from "bun:sqlite";
import { chmodSync } from "node:fs";
import { Kysely } from "kysely";
import type { Database, Tables } from "../sql/tables.ts";
import { TransactionalSqliteDialect } from "./sqlite-dialect.ts";

export interface SqliteDatabase {
  /** What the repositories query. Closing it closes the file. */
  readonly database: Database;
  /** The same file's handle, for libraries that bring their own queries. */
  readonly handle: BunDatabase;
}

/** Opens (or creates, mode 0600) a SQLite file in WAL mode with foreign keys on. `:memory:` keeps it in memory. */
export function openSqlite(path: string): SqliteDatabase {
  const handle = new BunDatabase(path, { create: true, strict: true });
  if (path !== ":memory:") chmodSync(path, 0o600);
  handle.run("PRAGMA journal_mode = WAL");
  handle.run("PRAGMA synchronous = NORMAL");
  handle.run("PRAGMA busy_timeout = 5000");
  handle.run("PRAGMA foreign_keys = ON");
  handle.run("PRAGMA temp_store = MEMORY");
  const dialect = new TransactionalSqliteDialect({ database: asBetterSqlite(handle) });
  return { database: new Kysely<Tables>({ dialect }), handle };
}

/** Kysely's driver speaks better-sqlite3; Bun's statements differ from it in how parameters are handed over. */
function asBetterSqlite(handle: BunDatabase) {
  return {
    close: () => handle.close(),
    prepare(sql: string) {
      const statement = handle.query<unknown, SQLQueryBindings[]>(sql);
      const bindings = (parameters: readonly unknown[]) => parameters as SQLQueryBindings[];
      return {
        reader: statement.columnNames.length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...bindings(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...bindings(parameters)),
        iterate: (parameters: readonly unknown[]) =>
          statement.iterate(...bindings(parameters)) as IterableIterator<unknown>,
      };
    },
  };
}
