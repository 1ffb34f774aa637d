import type { MysqlAccess } from "../mysql/mysql-access.ts";
import { openSqlite } from "../sqlite/sqlite-database.ts";
import { migrate } from "./migrate.ts";
import type { Database } from "./tables.ts";

/** Which database, and where it is. */
export type DatabaseAccess =
  | { readonly kind: "sqlite"; readonly path: string }
  | ({ readonly kind: "mysql" } & MysqlAccess);

/** A database with the current schema, whichever it is. */
export interface OpenDatabase {
  /** As better-auth names it. */
  readonly kind: "sqlite" | "mysql";
  /** What the repositories query. Destroying it closes it. */
  readonly database: Database;
  /** Rejects when it cannot be used right now. */
  check(): Promise<void>;
}

const checkOf = (database: Database) => async () => {
  await database.selectFrom("auth_users").select("id").limit(1).execute();
};

/**
 * Opens the database and brings it to the current schema. `StartError` when that needs the operator. `onReachable` is told whether a
 * server was there, and why not.
 */
export async function openDatabase(
  access: DatabaseAccess,
  onReachable: (isThere: boolean, reason?: string) => void = () => undefined,
): Promise<OpenDatabase> {
  if (access.kind === "mysql") {
    // A start on SQLite need not wait for another database's client.
    const { openMysql } = await import("../mysql/mysql-database.ts");
    const { database } = await openMysql(access, { onReachable });
    return { kind: "mysql", database, check: checkOf(database) };
  }
  const { database } = openSqlite(access.path);
  try {
    await migrate(database);
  } catch (error) {
    await database.destroy();
    throw error;
  }
  return { kind: "sqlite", database, check: checkOf(database) };
}
