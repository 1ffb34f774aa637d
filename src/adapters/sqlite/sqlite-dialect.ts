import type { Database as BunDatabase } from "bun:sqlite";
import { type Dialect, type Driver, type Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { PatientSqliteDriver } from "./sqlite-driver.ts";

/** Kysely's SQLite over bun:sqlite, told what SQLite can do: a schema change is undone with its transaction. */
export class PatientSqliteDialect implements Dialect {
  readonly #handle: BunDatabase;
  readonly #reader: BunDatabase | null;

  /** `reader` is the same file once more, for queries while a transaction is open; null where there is none. */
  constructor(handle: BunDatabase, reader: BunDatabase | null) {
    this.#handle = handle;
    this.#reader = reader;
  }

  createAdapter = () => new TransactionalSqliteAdapter();
  createDriver = (): Driver => new PatientSqliteDriver(this.#handle, this.#reader);
  createQueryCompiler = () => new SqliteQueryCompiler();
  createIntrospector = (database: Kysely<unknown>) => new SqliteIntrospector(database);
}

/** With this a start that is killed half-way leaves either no migration behind or all of them with their records. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
