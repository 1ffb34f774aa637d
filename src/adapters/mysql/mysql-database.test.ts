import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { has } from "../../../test/support/debian.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { openNewDatabase, type TestSqlServer } from "../../../test/support/sql-server.ts";
import { sqlServers } from "../../../test/support/sql-servers.ts";
import { suspend } from "../../../test/support/suspend.ts";
import { until } from "../../../test/support/until.ts";
import { parseMysqlAddress } from "../../config/values.ts";
import { StartError, TemporaryUnavailableError } from "../../errors.ts";
import type { Database } from "../sql/tables.ts";
import { transact } from "../sql/transact.ts";
import { openMysql } from "./mysql-database.ts";

const accessOf = (url: string) => {
  const access = parseMysqlAddress(url);
  if (!access) throw new Error(`not an address: ${url}`);
  return access;
};

/** What gives a server a certificate of this name, which is its own authority: `{name}.pem` in the folder. */
async function certificateOf(name: string, folder: string): Promise<string[]> {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const san = `subjectAltName=${name === "127.0.0.1" ? "IP" : "DNS"}:${name}`;
  const subject = ["-subj", `/CN=${name}`, "-addext", san];
  const files = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate];
  const made = Bun.spawn(["openssl", "req", "-x509", "-days", "2", ...files, ...subject], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(await made.exited).toBe(0);
  // The server has another user.
  chmodSync(folder, 0o755);
  chmodSync(key, 0o644);
  return [`--ssl-cert=${certificate}`, `--ssl-key=${key}`];
}

describe.each(sqlServers)("$name", ({ name, isThere, isWhole, start, shared }) => {
  describe.skipIf(!isThere)("shared", () => {
    let database: Database;
    beforeEach(async () => {
      ({ database } = await openNewDatabase(await shared(), "pool=4&timeout=1s"));
      await sql`create table t (id integer primary key, name varchar(50) not null)`.execute(database);
    });
    afterEach(() => database.destroy());

    const names = async () =>
      (await sql<{ name: string }>`select name from t order by id`.execute(database)).rows.map(({ name }) => name);

    test("text comes back as it was, and only equal text is equal: case, accents, spaces at the end", async () => {
      const texts = ["a", "A", "ä", "a ", "🎬", "\\'\"`%_", "\u0000", "東"];
      await sql`create table k (text varchar(50) primary key)`.execute(database);
      await database.schema
        .createTable("exact")
        .addColumn("text", "varchar(50)", (column) => column.primaryKey())
        .execute();
      for (const text of texts) await sql`insert into exact (text) values (${text})`.execute(database);
      for (const text of texts) {
        const { rows } = await sql`select text from exact where text = ${text}`.execute(database);
        expect(rows).toEqual([{ text }]);
      }
    });

    test("transactions that deadlock are repeated until each has had its turn", async () => {
      await sql`insert into t (id, name) values (1, '0'), (2, '0')`.execute(database);
      const add = (ids: readonly number[]) =>
        transact(database, async (transaction) => {
          for (const id of ids) await sql`update t set name = name + 1 where id = ${id}`.execute(transaction);
        });
      const orders = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? [1, 2] : [2, 1]));
      await Promise.all(orders.map(add));
      expect(await names()).toEqual(["30", "30"]);
      const [status] = await (await shared()).query(
        "select count as n from information_schema.innodb_metrics where name = 'lock_deadlocks'",
      );
      expect(Number(status?.n)).toBeGreaterThan(0);
    });

    test("what transactions read does not change under them: 20 counters at once lose nothing", async () => {
      await sql`insert into t (id, name) values (1, '0')`.execute(database);
      const increment = () =>
        transact(database, async (transaction) => {
          const { rows } = await sql<{ name: string }>`select name from t where id = 1`.execute(transaction);
          await sql`update t set name = ${String(Number(rows[0]?.name) + 1)} where id = 1`.execute(transaction);
        });
      await Promise.all(Array.from({ length: 20 }, increment));
      expect(await names()).toEqual(["20"]);
    });

    test("a transaction that throws leaves nothing behind and its connection usable", async () => {
      const failing = transact(database, async (transaction) => {
        await sql`insert into t (id, name) values (1, 'a')`.execute(transaction);
        throw new Error("no");
      });
      expect(await failing.catch((error: Error) => error.message)).toBe("no");
      expect(await names()).toEqual([]);
    });

    test("a statement that takes too long is cut, and the next one runs", async () => {
      for (let id = 0; id < 50; id++) await sql`insert into t (id, name) values (${id}, 'a')`.execute(database);
      const rows = sql`t as a, t as b, t as c, t as d, t as e, t as f`;
      const long = sql`select count(*) from ${rows} where a.id + b.id + c.id + d.id + e.id + f.id < 0`;
      const before = performance.now();
      expect(await long.execute(database).catch((reason) => reason)).toBeInstanceOf(TemporaryUnavailableError);
      expect(performance.now() - before).toBeLessThan(10_000);
      expect(await names()).toHaveLength(50);
    });

    test("a change that takes too long is given up, and the next one runs", async () => {
      await sql`insert into t (id, name) values (1, 'a')`.execute(database);
      const before = performance.now();
      const error = await sql`update t set name = sleep(30)`.execute(database).catch((reason) => reason);
      expect(error).toBeInstanceOf(TemporaryUnavailableError);
      expect(performance.now() - before).toBeLessThan(10_000);
      expect(await names()).toEqual(["a"]);
    });

    test.skipIf(!isWhole || name !== "MySQL")(
      "what is asked for by 40,000 numbers is looked up, not looked for in the whole table",
      async () => {
        const digits = sql`(select 0 as d union select 1 union select 2 union select 3 union select 4
        union select 5 union select 6 union select 7 union select 8 union select 9)`;
        const { database } = await openNewDatabase(await shared(), "timeout=60s");
        await database.connection().execute(async (one) => {
          await sql`set foreign_key_checks = 0`.execute(one);
          await sql`insert into title_keys (seq, name_key, duration_ms, height)
          select a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d, '', 1, 1
          from ${digits} a, ${digits} b, ${digits} c, ${digits} d, ${digits} e, ${digits} f where f.d < 3`.execute(one);
          await sql`analyze table title_keys`.execute(one);
          const count = async () => {
            const { rows } = await sql<{ Value: string }>`show session status like 'Handler_read%'`.execute(one);
            return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
          };
          const nums = Array.from({ length: 40_000 }, (_, n) => n * 7 + 1);
          const before = await count();
          await sql`select num, height from title_keys where num in (${sql.raw(nums.join(","))})`.execute(one);
          expect((await count()) - before).toBeLessThan(200_000);
        });
        await database.destroy();
      },
    );

    test("no more connections are opened than the pool may have; who waits for one too long is told", async () => {
      const { user } = await sql<{ user: string }>`select current_user() as user`
        .execute(database)
        .then(({ rows }) => rows[0] ?? { user: "" });
      await Promise.all(Array.from({ length: 20 }, () => sql`select sleep(0.05)`.execute(database)));
      const name = user.split("@")[0];
      const rows = await (await shared()).query(
        `select count(*) as n from information_schema.processlist where user = '${name}'`,
      );
      expect(Number(rows[0]?.n)).toBeLessThanOrEqual(4);
    });

    test("a connection that was killed is replaced", async () => {
      const ids = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const { rows } = await sql<{ id: number }>`select connection_id() as id, sleep(0.05)`.execute(database);
          return rows[0]?.id;
        }),
      );
      const server = await shared();
      for (const id of new Set(ids)) await server.query(`kill ${id}`).catch(() => undefined);
      await until(() => names().catch(() => null));
      for (let i = 0; i < 10; i++) expect(await names()).toEqual([]);
    });
  });

  describe.skipIf(!isWhole)("one of its own", () => {
    let server: TestSqlServer;
    beforeEach(async () => {
      server = await start();
    });
    afterEach(() => server.close());

    test("killed and started again: unavailable meanwhile, then used again without a restart of ours", async () => {
      const { database } = await openMysql(accessOf(await server.newDatabase()));
      const count = () => database.selectFrom("titles").select("id").execute();
      expect(await count()).toEqual([]);
      await server.kill();
      for (let i = 0; i < 5; i++) {
        expect(await count().catch((error) => error)).toBeInstanceOf(TemporaryUnavailableError);
      }
      await server.start();
      await until(() => count().catch(() => null));
      await database.destroy();
    });

    test("one that hangs does not keep anybody waiting for long", async () => {
      const { database } = await openMysql(accessOf(await server.newDatabase("timeout=500ms")));
      await database.selectFrom("titles").select("id").execute();
      await suspend(server.pid());
      const before = performance.now();
      const error = await database
        .selectFrom("titles")
        .select("id")
        .execute()
        .catch((reason) => reason);
      process.kill(server.pid(), "SIGCONT");
      expect(error).toBeInstanceOf(TemporaryUnavailableError);
      expect(performance.now() - before).toBeLessThan(9_000);
      await until(() =>
        database
          .selectFrom("titles")
          .select("id")
          .execute()
          .catch(() => null),
      );
      await database.destroy();
    });

    test("a start waits for it, and says what is wrong when it stays away or refuses", async () => {
      const url = await server.newDatabase();
      await server.kill();
      const starting = openMysql(accessOf(url));
      await Bun.sleep(300);
      await server.start();
      await (await starting).database.destroy();
      const failing = async (text: string) =>
        (await openMysql(accessOf(text), { startMs: 0 }).catch((e) => e)) as unknown;
      expect(await failing(url.replace(/:[^:@]*@/, ":wrong@"))).toBeInstanceOf(StartError);
      expect(await failing(url.replace(/\/[^/]*$/, "/nothing"))).toBeInstanceOf(StartError);
      const { user } = accessOf(url);
      for (const change of ["account lock", "account unlock password expire"]) {
        await server.query(`alter user ${user}@'%' ${change}`);
        expect(await failing(url)).toBeInstanceOf(StartError);
      }
      await server.kill();
      expect(await failing(url)).toBeInstanceOf(StartError);
    });
  });

  describe.skipIf(!isWhole || !has("openssl"))("with a certificate", () => {
    test("a connection is encrypted, and refused when the certificate is not one we trust, or another host's", async () => {
      using folder = temporaryFolder();
      const tried = async (name: string) => {
        const ca = join(folder.path, `${name}.pem`);
        const server = await start(...(await certificateOf(name, folder.path)));
        const url = await server.newDatabase();
        const cipher = async (search: string) => {
          try {
            const { database } = await openMysql(accessOf(url + search));
            const { rows } = await sql<{ Value: string }>`show session status like 'Ssl_cipher'`.execute(database);
            await database.destroy();
            return rows[0]?.Value ? "encrypted" : "plain";
          } catch (error) {
            return error instanceof StartError && error.message.includes("trusted") ? "refused" : error;
          }
        };
        const answers = [];
        for (const search of ["", "?ssl=insecure", "?ssl=true", `?ssl=true&ca=${ca}`]) {
          answers.push(await cipher(search));
        }
        await server.close();
        return answers;
      };
      expect(await tried("127.0.0.1")).toEqual(["plain", "encrypted", "refused", "encrypted"]);
      expect(await tried("elsewhere")).toEqual(["plain", "encrypted", "refused", "refused"]);
    }, 60_000);
  });

  describe.skipIf(!isWhole)("one that only takes encrypted connections", () => {
    test("a plain one is told how to mend it, and an encrypted one works", async () => {
      using folder = temporaryFolder();
      const server = await start("--require-secure-transport=ON", ...(await certificateOf("127.0.0.1", folder.path)));
      try {
        const url = await server.newDatabase();
        const error = await openMysql(accessOf(url), { startMs: 0 }).catch((reason) => reason);
        expect(error).toBeInstanceOf(StartError);
        expect(`${error.message} ${error.hint}`).toContain("ssl=true");
        const { database } = await openMysql(accessOf(`${url}?ssl=insecure`));
        expect(await database.selectFrom("titles").select("id").execute()).toEqual([]);
        await database.destroy();
      } finally {
        await server.close();
      }
    }, 60_000);
  });

  describe.skipIf(!isWhole || name !== "MySQL")("passwords", () => {
    test("caching_sha2_password, with nothing of it cached and no encryption, and again after a restart", async () => {
      const server = await start();
      try {
        const url = await server.newDatabase();
        const plugins = await server.query("select distinct plugin from mysql.user where user like 'kinora%'");
        expect(plugins).toEqual([{ plugin: "caching_sha2_password" }]);
        for (const again of [false, true]) {
          if (again) {
            await server.kill();
            await server.start();
          }
          const { database } = await openMysql(accessOf(url));
          expect(await database.selectFrom("titles").select("id").execute()).toEqual([]);
          await database.destroy();
        }
      } finally {
        await server.close();
      }
    }, 60_000);
  });
});
