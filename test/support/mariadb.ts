import { lazy } from "../../src/lazy.ts";
import { type SqlProgram, startSqlServer, type TestSqlServer } from "./sql-server.ts";

export const mariaDbProgram: SqlProgram = {
  install: (data) => [
    "mariadb-install-db",
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ],
  server: ["mariadbd", "--no-defaults", "--innodb-log-file-size=48M"],
};

/** Debian's MariaDB. `more` are further options of mariadbd. */
export const startMariaDb = (...more: string[]): Promise<TestSqlServer> => startSqlServer(mariaDbProgram, more);

/** The server that all suites of this process share, started when the first of them asks; it ends with the process. */
export const sharedMariaDb = lazy(() => startMariaDb());
