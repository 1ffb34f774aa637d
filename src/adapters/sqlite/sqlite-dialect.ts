import { SqliteAdapter, SqliteDialect } from "kysely";

/** Kysely's dialect, told what SQLite can do: a schema change is undone with its transaction. */
export class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

/** With this a start that is killed half-way leaves either no migration behind or all of them with their records. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
