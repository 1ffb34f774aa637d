import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lazy } from "../../src/lazy.ts";
import { findMysql, type MysqlRoot } from "./mysql-root.ts";
import { initialise, type SqlProgram, startSqlServer, type TestSqlServer } from "./sql-server.ts";

/** Whether there is a MySQL; suites use it with `describe.skipIf(!hasMysql)`. */
export const hasMysql = (await findMysql()) !== null;

/** What starts the server of a folder, whatever it is to do. */
function commandOf({ command, folder }: MysqlRoot): string[] {
  const share = join(folder, "usr/share/mysql");
  return [
    ...command,
    "--no-defaults",
    `--basedir=${join(folder, "usr")}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, "charsets")}`,
    `--plugin-dir=${join(folder, "usr/lib/mysql/plugin")}`,
    "--innodb-redo-log-capacity=32M",
    "--disable-log-bin",
    "--secure-file-priv=NULL",
    "--performance-schema=OFF",
  ];
}

/** System tables, made once: that takes 3 s, a copy of them none. */
async function systemTables(root: MysqlRoot): Promise<string> {
  const kept = join(root.folder, "data");
  if (existsSync(kept)) return kept;
  const folder = mkdtempSync(join(root.folder, "new-"));
  try {
    const made = join(folder, "data");
    await initialise([...commandOf(root), "--initialize-insecure", `--datadir=${made}`], folder);
    // Each server makes an identity of its own.
    rmSync(join(made, "auto.cnf"), { force: true });
    Bun.spawnSync(["chmod", "-R", "a+rX", made]);
    if (!existsSync(kept)) renameSync(made, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return kept;
}

/** How it is run; throws where there is none. */
export const mysqlProgram = lazy(async (): Promise<SqlProgram> => {
  const root = await findMysql();
  if (!root) throw new Error("there is no MySQL here");
  const tables = await systemTables(root);
  return {
    install: (data) => ["cp", "-r", "--preserve=mode", tables, data],
    // Its other protocol would want a port of its own.
    server: [...commandOf(root), "--mysqlx=OFF"],
  };
});

/** A real MySQL of Debian unstable. `more` are further options of mysqld. */
export const startMysql = async (...more: string[]): Promise<TestSqlServer> =>
  startSqlServer(await mysqlProgram(), more);

/** The server that all suites of this process share, started when the first of them asks; it ends with the process. */
export const sharedMysql = lazy(() => startMysql());
