import { has } from "./debian.ts";
import { sharedMariaDb, startMariaDb } from "./mariadb.ts";
import { hasMysql, sharedMysql, startMysql } from "./mysql.ts";
import type { TestSqlServer } from "./sql-server.ts";

/** A kind of database server that the suites of `src/adapters/mysql` run on. */
export interface SqlServerKind {
  readonly name: "MariaDB" | "MySQL";
  readonly isThere: boolean;
  /** Whether the suites that make many databases run on it: a new one takes MySQL four times as long as MariaDB. */
  readonly isWhole: boolean;
  /** A server of its own. */
  readonly start: (...options: string[]) => Promise<TestSqlServer>;
  /** The one that all suites of this process share. */
  readonly shared: () => Promise<TestSqlServer>;
}

const isLong = Boolean(process.env.KINORA_TEST_LONG);

// Asked when a suite is declared, after it had its packages installed.
const mariaDb: SqlServerKind = {
  name: "MariaDB",
  get isThere() {
    return has("mariadbd");
  },
  get isWhole() {
    return has("mariadbd");
  },
  start: startMariaDb,
  shared: sharedMariaDb,
};
const mysql: SqlServerKind = {
  name: "MySQL",
  isThere: hasMysql,
  isWhole: hasMysql && isLong,
  start: startMysql,
  shared: sharedMysql,
};

export const sqlServers: readonly SqlServerKind[] = [mariaDb, mysql];

/** What suites run on that need a database server and only one: MariaDB, or MySQL with `KINORA_TEST_DATABASE=mysql`. */
export const usualServer = process.env.KINORA_TEST_DATABASE === "mysql" ? mysql : mariaDb;

/** The database of deploy/compose.yaml; MariaDB where there is no MySQL. */
export const deployedServer = hasMysql ? mysql : mariaDb;
