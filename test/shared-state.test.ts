import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Cluster, type ClusterProcess } from "./support/cluster.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";
import type { TestSqlServer } from "./support/sql-server.ts";
import { usualServer } from "./support/sql-servers.ts";
import { codeOf } from "./support/totp.ts";
import { until } from "./support/until.ts";

await ensureDebianPackages({
  mariadbd: "mariadb-server",
  "redis-server": "redis-server",
  "nats-server": "nats-server",
  ffmpeg: "ffmpeg",
});

const password = "correct horse battery";

describe.skipIf(!has("mariadbd", "redis-server", "ffmpeg"))(`a Kinora on ${usualServer.name} and Redis`, () => {
  let database: TestSqlServer;
  let redis: TestRedis;
  let kinora: TestKinora;
  let ann: TestUser;
  let title: Record<string, unknown> & { id: string };
  beforeAll(async () => {
    [database, redis] = await Promise.all([usualServer.start(), startRedis()]);
    kinora = await startTestKinora({ database: await database.newDatabase(), redis: `${redis.url}?prefix=films:` });
    ann = await TestUser.signIn(kinora, "ann");
    title = await ann.upload(await fixture("h264-aac.mp4"), { name: "One" });
  }, 120_000);
  afterAll(async () => {
    await kinora?.close();
    await Promise.all([database?.close(), redis?.close()]);
  });

  const keys = async (pattern: string) => (await redis.send("KEYS", pattern)) as string[];
  /** Statements of ours while `work` runs, without those that look for work in the background. */
  const statements = async (work: () => Promise<unknown>) => {
    await database.query("truncate table mysql.general_log");
    await database.query("set global log_output = 'TABLE', global general_log = 1");
    await work();
    await database.query("set global general_log = 0");
    const rows = await database.query(
      "select convert(argument using utf8mb4) as statement from mysql.general_log where user_host like 'kinora%'",
    );
    return rows.map((row) => String(row.statement)).filter((text) => !/`upload`|^do 0$|auth_revocations/.test(text));
  };

  test("a warm title page costs no SQL query, and a change is seen at once", async () => {
    const page = async () => (await (await ann.get(`/api/titles/${title.id}`)).json()) as { name: string };
    await page();
    expect(await statements(() => ann.get("/api/titles?q=one"))).not.toEqual([]);
    const twenty = async () => {
      for (let i = 0; i < 20; i++) expect((await page()).name).toBe("One");
    };
    // What comes after the upload, such as its announcement, is a change once.
    await until(async () => (await statements(twenty)).length === 0);
    expect(await statements(twenty)).toEqual([]);
    const progress = `/api/titles/${title.id}/progress`;
    expect((await ann.send("PUT", progress, { positionSeconds: 1.5 })).ok).toBe(true);
    expect((await (await ann.get(progress)).json()) as unknown).toMatchObject({ positionSeconds: 1.5 });
    await until(async () => (await statements(() => ann.get(progress))).length === 0);
    expect((await ann.send("PATCH", `/api/titles/${title.id}`, { name: "Two" })).status).toBe(200);
    expect((await page()).name).toBe("Two");
    await until(async () => (await statements(page)).length === 0);
    expect((await ann.send("DELETE", `/api/titles/${title.id}`)).status).toBe(204);
    expect((await ann.get(`/api/titles/${title.id}`)).status).toBe(404);
    expect((await ann.post(`/api/titles/${title.id}/restore`)).status).toBe(200);
    expect((await page()).name).toBe("Two");
  });

  test("a session is in Redis under the prefix, outlives Kinora, and ends everywhere", async () => {
    const ben = await TestUser.signIn(kinora, "ben");
    expect((await keys("films:session:*")).length).toBeGreaterThan(0);
    expect((await keys("*")).filter((key) => !key.startsWith("films:"))).toEqual([]);
    await kinora.restart();
    expect((await ben.get("/api/session")).status).toBe(200);
    const cookie = ben.cookie;
    expect((await ben.send("DELETE", "/api/session")).status).toBe(204);
    ben.cookie = cookie;
    expect((await ben.get("/api/session")).status).toBe(401);
    await kinora.restart();
    expect((await ben.get("/api/session")).status).toBe(401);
    expect(await (await ben.get("/api/auth/get-session")).json()).toBeNull();
  });

  test("sign-in attempts are counted on over a restart", async () => {
    const guess = () =>
      new TestUser(kinora).post("/api/session", { username: "eve", password: "wrong wrong", create: false });
    await TestUser.signIn(kinora, "eve");
    for (let i = 0; i < 20; i++) expect((await guess()).status).toBe(401);
    await kinora.restart();
    expect((await guess()).status).toBe(429);
  });

  test("while Redis is gone: who is signed in watches on, nobody signs in, signing out counts; then all is well", async () => {
    const dan = await TestUser.signIn(kinora, "dan");
    await ann.get("/api/session");
    await redis.kill();
    expect((await ann.get(`/api/titles/${title.id}`)).status).toBe(200);
    expect((await ann.get(`/stream/${title.id}/hls/master.m3u8`)).status).toBe(200);
    const signIn = await new TestUser(kinora).post("/api/session", { username: "ann", password });
    expect(signIn.status).toBe(503);
    expect(Number(signIn.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(signIn.headers.getSetCookie()).toEqual([]);
    expect((await new TestUser(kinora).get(`/api/titles/${title.id}`)).status).toBe(401);
    const forged = new TestUser(kinora);
    forged.cookie = `${ann.cookie.slice(0, -4)}AAAA`;
    expect((await forged.get("/api/session")).status).toBe(401);
    const cookie = dan.cookie;
    expect((await dan.send("DELETE", "/api/session")).status).toBe(204);
    const ready = await fetch(`${kinora.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(((await ready.json()) as { notReady: string[] }).notReady).toEqual(["redis"]);
    // Its files still hold the session that has just ended.
    await redis.start();
    await until(async () => (await fetch(`${kinora.url}/readyz`)).ok, 30_000);
    await TestUser.signIn(kinora, "ann");
    await kinora.restart();
    dan.cookie = cookie;
    expect((await dan.get("/api/session")).status).toBe(401);
    expect((await ann.get("/api/session")).status).toBe(200);
  }, 60_000);

  test("a changed password ends the sessions that Redis has", async () => {
    const [one, two] = [await TestUser.signIn(kinora, "fay"), await TestUser.signIn(kinora, "fay")];
    const body = { current: password, next: "another horse battery" };
    expect((await one.send("PUT", "/api/session/password", body)).status).toBe(204);
    await kinora.restart();
    expect((await one.get("/api/session")).status).toBe(200);
    expect((await two.get("/api/session")).status).toBe(401);
    expect(await (await one.get("/api/auth/list-sessions")).json()).toHaveLength(1);
  });

  test("a second factor is begun, asked for, used once and ended, with sessions and counters in Redis and over restarts", async () => {
    const gus = await TestUser.signIn(kinora, "gus");
    const other = await TestUser.signIn(kinora, "gus");
    const begun = await (await gus.post("/api/auth/two-factor/enable", { password })).json();
    await kinora.restart();
    const code = codeOf(begun.totpURI, -1);
    expect((await gus.post("/api/auth/two-factor/verify-totp", { code })).status).toBe(200);
    expect((await gus.get("/api/session")).status).toBe(200);
    const enter = async (twoFactorCode?: string) => {
      const user = new TestUser(kinora);
      const body = { username: "gus", password, ...(twoFactorCode ? { twoFactorCode } : {}) };
      return { user, status: (await user.post("/api/session", body)).status };
    };
    expect((await enter()).status).toBe(403);
    const [first, second] = begun.backupCodes as string[];
    const entered = await enter(first);
    expect(entered.status).toBe(200);
    await kinora.restart();
    expect((await entered.user.get("/api/session")).status).toBe(200);
    // What has been used counts no more after a restart either: codes of the app by their counters, backup codes by the database.
    expect([(await enter(code)).status, (await enter(first)).status]).toEqual([403, 403]);
    const { items } = (await (await gus.get("/api/sessions")).json()) as { items: unknown[] };
    expect(items).toHaveLength(3);
    expect((await gus.post("/api/auth/two-factor/disable", { password })).status).toBe(200);
    expect(await (await gus.get("/api/auth/get-session")).json()).toMatchObject({ user: { twoFactorEnabled: false } });
    expect((await other.get("/api/session")).status).toBe(200);
    expect([(await enter()).status, (await enter(second)).status]).toEqual([200, 200]);
    expect((await gus.send("DELETE", "/api/sessions")).status).toBe(200);
    expect((await entered.user.get("/api/session")).status).toBe(401);
  });

  test("a Redis that forgot everything signs nobody out", async () => {
    await redis.send("FLUSHALL");
    await kinora.restart();
    expect((await ann.get("/api/session")).status).toBe(200);
    expect((await ann.get(`/api/titles/${title.id}`)).status).toBe(200);
  });
});

describe.skipIf(!has("mariadbd", "redis-server", "nats-server", "ffmpeg"))("two instances of each service", () => {
  let database: TestSqlServer;
  let redis: TestRedis;
  let cluster: Cluster;
  let instances: ClusterProcess[];
  let users: [TestUser, TestUser];
  beforeAll(async () => {
    [database, redis] = await Promise.all([usualServer.start(), startRedis()]);
    cluster = await Cluster.open();
    const env = { KINORA_DATABASE: await database.newDatabase(), KINORA_REDIS: redis.url };
    const all = ["main", "auth", "catalog", "upload", "streaming"] as const;
    instances = await Promise.all(["one", "two"].map((name) => cluster.run(name, all, { env })));
    const first = await until(() =>
      TestUser.signIn({ url: instances[0]?.url ?? "", firstAdminCode: cluster.firstAdminCode }, "ann").catch(
        () => null,
      ),
    );
    const second = new TestUser({ url: instances[1]?.url ?? "" });
    second.cookie = first.cookie;
    users = [first, second];
  }, 120_000);
  afterAll(async () => {
    await cluster?.close();
    await Promise.all([database?.close(), redis?.close()]);
  });

  test("a session of one counts at the other, a title of one is found at the other, and what ends ends at both", async () => {
    const [one, two] = users;
    expect((await two.get("/api/session")).status).toBe(200);
    const { id } = await one.upload(await fixture("h264-aac.mp4"), { name: "Shared" });
    expect((await two.get(`/api/titles/${id}`)).status).toBe(200);
    expect((await two.send("PATCH", `/api/titles/${id}`, { name: "Renamed" })).status).toBe(200);
    expect((await (await one.get(`/api/titles/${id}`)).json()) as unknown).toMatchObject({ name: "Renamed" });
    const ben = await TestUser.signIn({ url: instances[0]?.url ?? "" }, "ben");
    const elsewhere = new TestUser({ url: instances[1]?.url ?? "" });
    elsewhere.cookie = ben.cookie;
    expect((await elsewhere.get("/api/session")).status).toBe(200);
    expect((await ben.send("DELETE", "/api/session")).status).toBe(204);
    expect((await elsewhere.get("/api/session")).status).toBe(401);
  });

  test("a session that ends while there is no broker ends at the other within seconds, and stays ended without Redis too", async () => {
    const [, two] = users;
    const dan = await TestUser.signIn({ url: instances[0]?.url ?? "" }, "dan");
    const elsewhere = new TestUser({ url: instances[1]?.url ?? "" });
    elsewhere.cookie = dan.cookie;
    const status = async (user: TestUser) => (await user.get("/api/titles")).status;
    // Either may answer for both: both know the session.
    for (let n = 0; n < 6; n++) expect([await status(dan), await status(elsewhere)]).toEqual([200, 200]);
    await cluster.nats.kill();
    // What was heard last stands, until something else is heard.
    await until(async () => (await status(elsewhere)) === 200);
    const ending = dan.send("DELETE", "/api/session");
    const begin = performance.now();
    // 503: who it is cannot be asked right now.
    const refused = async () => {
      for (let n = 0; n < 6; n++) if (![401, 503].includes(await status(elsewhere))) return false;
      return true;
    };
    await until(refused, 20_000);
    // Without Redis it would be an hour.
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(await status(two)).toBe(200);
    await redis.kill();
    expect(await refused()).toBe(true);
    await Promise.all([cluster.nats.start(), redis.start()]);
    // After ten seconds without a broker it would be 503: not everybody could be told.
    expect([204, 503]).toContain((await ending).status);
    await until(async () => (await status(elsewhere)) === 401, 30_000);
    await until(async () => (await status(two)) === 200, 30_000);
    for (const { url } of instances) await until(async () => (await fetch(`${url}/readyz`)).ok, 30_000);
  }, 90_000);

  test("one upload is received by one of them at a time, and goes on at the other when the first is killed", async () => {
    const bytes = readFileSync(await fixture("h264-aac.mp4"));
    const [one, two] = users;
    const tus = { "Tus-Resumable": "1.0.0" };
    const created = await one.fetch("/api/uploads", {
      method: "POST",
      headers: { ...tus, "Upload-Length": String(bytes.length), "Upload-Metadata": `filename ${btoa("a.mp4")}` },
    });
    expect(created.status).toBe(201);
    const path = new URL(created.headers.get("Location") ?? "", instances[0]?.url).pathname;
    const patch = (user: TestUser, offset: number, body: RequestInit["body"]) =>
      user.fetch(path, {
        method: "PATCH",
        headers: { ...tus, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
        body: body ?? null,
      });
    let [stop, sent] = [false, 0];
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (stop) return controller.close();
        sent++;
        controller.enqueue(bytes.subarray(0, 1));
        await Bun.sleep(200);
      },
    });
    const sending = patch(one, 0, slow).catch(() => null);
    // Some bytes have gone, so it is the sender that has the lock, and not whoever made the upload.
    await until(async () => sent > 2 && ((await redis.send("KEYS", "kinora:upload-lock:*")) as string[]).length > 0);
    expect((await patch(two, 0, bytes)).status).toBe(423);
    await instances[0]?.kill();
    stop = true;
    await sending;
    const offset = await until(async () => {
      const head = await two.fetch(path, { method: "HEAD", headers: tus });
      return head.ok ? Number(head.headers.get("Upload-Offset")) + 1 : null;
    }, 30_000);
    const done = await until(async () => {
      const answer = await patch(two, offset - 1, bytes.subarray(offset - 1));
      return answer.status === 204 ? answer : null;
    }, 30_000);
    expect(done.headers.get("Upload-Offset")).toBe(String(bytes.length));
    await instances[0]?.start();
  }, 90_000);
});
