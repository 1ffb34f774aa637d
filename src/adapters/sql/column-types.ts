import { type Kysely, type RawBuilder, SqliteAdapter, sql } from "kysely";

/** Column types whose names differ between databases. */
export interface ColumnTypes {
  /** A number that rows are kept in the order of. */
  readonly sequence: "integer" | "bigint";
  /** A moment as better-auth keeps it: ISO 8601 text in SQLite, UTC with milliseconds in MySQL. */
  readonly date: "date" | RawBuilder<unknown>;
}

/** Whether the database behind this connection is SQLite. */
export const isSqlite = (database: Pick<Kysely<unknown>, "getExecutor">): boolean =>
  database.getExecutor().adapter instanceof SqliteAdapter;

export function columnTypesOf(database: Kysely<unknown>): ColumnTypes {
  // Only `integer primary key` makes SQLite keep the rows in this order.
  return isSqlite(database) ? { sequence: "integer", date: "date" } : { sequence: "bigint", date: sql`datetime(3)` };
}
