import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import type { TestSqlServer } from "./support/sql-server.ts";
import { sqlServers } from "./support/sql-servers.ts";
import { codeOf } from "./support/totp.ts";
import { until } from "./support/until.ts";

await ensureDebianPackages({ mariadbd: "mariadb-server", ffmpeg: "ffmpeg" });

/** As clouds and careful administrators run theirs; Kinora must not mind. */
const careful = {
  MariaDB: ["--sql-mode=ANSI,TRADITIONAL,ONLY_FULL_GROUP_BY", "--log-bin", "--binlog-format=ROW", "--server-id=1"],
  MySQL: [
    "--sql-mode=ANSI,TRADITIONAL,ONLY_FULL_GROUP_BY",
    "--log-bin=binlog",
    "--server-id=1",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--sql-require-primary-key=ON",
    "--require-secure-transport=ON",
    "--character-set-server=latin1",
    "--default-time-zone=-07:00",
    "--transaction-isolation=READ-UNCOMMITTED",
  ],
};

describe.each(sqlServers.filter(({ isThere }) => isThere && has("ffmpeg")))("a Kinora on $name", ({ name, start }) => {
  let server: TestSqlServer;
  let kinora: TestKinora;
  let ann: TestUser;
  let title: Record<string, unknown> & { id: string };
  beforeAll(async () => {
    server = await start(...careful[name]);
    kinora = await startTestKinora({
      database: await server.newDatabase(`pool=5&timeout=5s${name === "MySQL" ? "&ssl=insecure" : ""}`),
    });
  }, 120_000);
  afterAll(async () => {
    await kinora?.close();
    await server?.close();
  });
  const found = async (query: string) =>
    ((await (await ann.get(`/api/titles?${query}`)).json()) as { items: { id: string }[] }).items.map(({ id }) => id);

  test("sign up, upload, find, tag, stop and go on, watch", async () => {
    ann = await TestUser.signIn(kinora, "ann");
    title = await ann.upload(await fixture("h264-aac.mp4"), { name: "Élan 🎬 vital", tags: ["Één"] });
    expect(await found("q=elan")).toEqual([title.id]);
    expect(await found("name=n+🎬")).toEqual([title.id]);
    expect(await found("tag=een")).toEqual([title.id]);
    expect((await ann.send("PUT", `/api/titles/${title.id}/progress`, { positionSeconds: 1.5 })).ok).toBe(true);
    expect(await (await ann.get(`/api/titles/${title.id}/progress`)).json()).toMatchObject({ positionSeconds: 1.5 });
    expect((await ann.get(`/stream/${title.id}/hls/master.m3u8`)).status).toBe(200);
    const ben = await TestUser.signIn(kinora, "ben");
    expect((await ben.get(`/api/titles/${title.id}`)).status).toBe(404);
    expect((await (await ben.get("/api/session")).json()) as unknown).toMatchObject({ user: { role: "editor" } });
  });

  test("API keys, tokens and links work, and end", async () => {
    const made = await ann.post("/api/auth/api-key/create", { name: "k" });
    const { key, id } = (await made.json()) as { key: string; id: string };
    const asKey = { headers: { Authorization: `Bearer ${key}` } };
    expect((await fetch(`${kinora.url}/api/titles/${title.id}`, asKey)).status).toBe(200);
    expect((await ann.post("/api/auth/api-key/delete", { keyId: id })).status).toBe(200);
    expect((await fetch(`${kinora.url}/api/titles/${title.id}`, asKey)).status).toBe(401);
    const link = (await (await ann.post("/api/links", { titleId: title.id })).json()) as { id: string; url: string };
    expect((await (await ann.get("/api/links")).json()) as unknown).toMatchObject({ items: [{ id: link.id }] });
    const sessions = (await (await ann.get("/api/auth/list-sessions")).json()) as unknown[];
    expect(sessions).toHaveLength(1);
  });

  test("a second factor is switched on, asked for, and lists and storage are read", async () => {
    const password = "correct horse battery";
    const eve = await TestUser.signIn(kinora, "eve", password);
    const begun = await (await eve.post("/api/auth/two-factor/enable", { password })).json();
    const { totpURI, backupCodes } = begun as { totpURI: string; backupCodes: string[] };
    expect((await eve.post("/api/auth/two-factor/verify-totp", { code: codeOf(totpURI, -1) })).status).toBe(200);
    const enter = (twoFactorCode?: string) =>
      new TestUser(kinora).post("/api/session", { username: "eve", password, twoFactorCode });
    const statuses: number[] = [];
    for (const code of [undefined, "000000", codeOf(totpURI), backupCodes[0], backupCodes[0]])
      statuses.push((await enter(code)).status);
    expect(statuses).toEqual([403, 403, 200, 200, 403]);
    expect(await (await eve.get("/api/sessions")).json()).toMatchObject({ items: { length: 3 } });
    expect(await (await ann.get("/api/users?q=EV")).json()).toMatchObject({
      items: [{ username: "eve", twoFactor: true, lastSeenAt: expect.any(String) }],
    });
    await ann.post("/api/invites", {});
    expect(await (await ann.get("/api/invites")).json()).toMatchObject({ items: [{ createdBy: "ann", used: false }] });
    expect(await (await ann.get("/api/storage")).json()).toMatchObject({
      owners: [{ user: { username: "ann" }, files: 1 }],
    });
  });

  test("all of it is there after a restart", async () => {
    await kinora.restart();
    expect(await found("q=elan")).toEqual([title.id]);
    expect((await ann.get(`/stream/${title.id}/hls/master.m3u8`)).status).toBe(200);
  });

  test("while the database is gone: 503 with Retry-After, and healthy by itself when it is back", async () => {
    await server.kill();
    const search = await ann.get("/api/titles?q=elan");
    expect(search.status).toBe(503);
    expect(Number(search.headers.get("Retry-After"))).toBeGreaterThan(0);
    const signIn = await new TestUser(kinora).post("/api/session", {
      username: "ann",
      password: "correct horse battery",
    });
    expect(signIn.status).toBe(503);
    expect(signIn.headers.get("Retry-After")).not.toBeNull();
    const ready = await fetch(`${kinora.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(((await ready.json()) as { notReady: string[] }).notReady).toContain("database");
    await server.start();
    await until(async () => (await fetch(`${kinora.url}/readyz`)).ok, 30_000);
    expect(await found("q=elan")).toEqual([title.id]);
    await TestUser.signIn(kinora, "ann");
  }, 60_000);

  test("a deleted title is found no more", async () => {
    expect((await ann.send("DELETE", `/api/titles/${title.id}`)).status).toBe(204);
    expect(await found("q=elan")).toEqual([]);
    expect((await ann.post(`/api/titles/${title.id}/restore`)).status).toBe(200);
    expect(await found("q=elan")).toEqual([title.id]);
  });
});
