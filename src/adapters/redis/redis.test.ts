import { afterEach, describe, expect, test } from "bun:test";
import { libraryFile } from "../../../test/support/catalog.ts";
import { has } from "../../../test/support/debian.ts";
import { sharedRedis, startRedis } from "../../../test/support/redis.ts";
import { suspend } from "../../../test/support/suspend.ts";
import { until } from "../../../test/support/until.ts";
import { attemptStoreSuite } from "../../auth/attempt-store.suite.ts";
import type { TitleRecord } from "../../catalog/title-repository.ts";
import { StartError, TemporaryUnavailableError } from "../../errors.ts";
import { RedisAttempts } from "./redis-attempts.ts";
import { RedisConnection } from "./redis-connection.ts";
import { RedisRevocations } from "./redis-revocations.ts";
import { RedisSessions } from "./redis-sessions.ts";
import { RedisTitleCache } from "./redis-title-cache.ts";
import { RedisUploadLocks } from "./redis-upload-locks.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

let prefixes = 0;
const newPrefix = () => `test-${process.pid}-${++prefixes}:`;

async function connect(prefix = newPrefix(), url?: string): Promise<RedisConnection> {
  const redis = new RedisConnection({ url: url ?? (await sharedRedis()).url, prefix });
  closers.push(() => redis.close());
  return redis;
}

const { info: _, ...file } = libraryFile(1);
const title = (name: string): TitleRecord => ({
  ...{ id: file.sourceId, mediaId: null, name, description: "", tags: [], owner: null, origin: "library" },
  ...{ visibility: "members", availability: "ready", sizeBytes: 1, info: null, createdAt: file.createdAt },
  deletedAt: null,
});

/** Reads a title, from what stands for the database when the cache has none. */
async function readThrough(cache: RedisTitleCache, stored: TitleRecord) {
  const cached = await cache.read("title", stored.id);
  if (cached.known) return cached.value.name;
  await cached.keep(stored);
  return null;
}

describe.skipIf(!has("redis-server"))("with Redis", () => {
  attemptStoreSuite("Redis", async () => new RedisAttempts(await connect()));

  test("counters are shared by instances, and every key has the prefix", async () => {
    const prefix = newPrefix();
    const [one, two] = [new RedisAttempts(await connect(prefix)), new RedisAttempts(await connect(prefix))];
    await one.add("a", 1, 60_000);
    expect((await two.add("a", 1, 60_000)).count).toBe(2);
    const keys = (await (await sharedRedis()).send("KEYS", `${prefix}*`)) as string[];
    expect(keys).toEqual([`${prefix}attempts:a`]);
  });

  test("sessions expire, are counted out by user, and no key is a session's token", async () => {
    const prefix = newPrefix();
    const sessions = new RedisSessions(await connect(prefix));
    await sessions.set("token-1", "one", 60);
    await sessions.set("token-2", "two", 60);
    await sessions.set("active-sessions-ann", JSON.stringify([{ token: "token-1" }]), 60);
    expect(await sessions.get("token-1")).toBe("one");
    const keys = (await (await sharedRedis()).send("KEYS", `${prefix}*`)) as string[];
    expect(keys.join()).not.toContain("token-");
    await sessions.forgetUser("ann");
    expect([await sessions.get("token-1"), await sessions.get("token-2")]).toEqual([null, "two"]);
    await sessions.forgetUser("nobody");
  });

  test("revocations are put up for all instances, are read on from where one was, and outlive whoever put them up", async () => {
    const prefix = newPrefix();
    const [writer, reader] = [new RedisRevocations(await connect(prefix)), new RedisRevocations(await connect(prefix))];
    const one = (id: string) => ({
      ...{ kind: "session" as const, id, at: new Date().toISOString() },
      until: new Date(Date.now() + 60_000).toISOString(),
    });
    const [first, second, third] = [one("a"), one("b"), one("c")];
    await writer.put([first, second]);
    await writer.put([]);
    const read = await reader.ofLast(60_000);
    expect(read.revocations).toEqual([first, second]);
    await writer.put([third]);
    expect((await reader.since(read.next)).revocations).toEqual([third]);
    expect((await new RedisRevocations(await connect(prefix)).ofLast(60_000)).revocations).toHaveLength(3);
    await Bun.sleep(5);
    expect((await reader.ofLast(0)).revocations).toEqual([]);
    expect(Number(await (await connect(prefix)).send("PTTL", `${prefix}revocations`))).toBeGreaterThan(12 * 3_600_000);
  });

  test("no value holds a session's token either; who has the token gets it back, and a user's sessions are forgotten", async () => {
    const prefix = newPrefix();
    const sessions = new RedisSessions(await connect(prefix));
    const [first, second] = ["A".repeat(32), "B".repeat(32)];
    const listOf = (...tokens: string[]) => JSON.stringify(tokens.map((token) => ({ token, expiresAt: 4e12 })));
    const sessionOf = (token: string) => JSON.stringify({ session: { id: "1", token }, user: { id: "ann" } });
    for (const token of [first, second]) await sessions.set(token, sessionOf(token), 60);
    await sessions.set("active-sessions-ann", listOf(first, second), 60);
    const server = await sharedRedis();
    const keys = (await server.send("KEYS", `${prefix}*`)) as string[];
    expect(keys).toHaveLength(3);
    const stored = await Promise.all(keys.map((key) => server.send("GET", key)));
    expect(`${keys} ${stored}`).not.toMatch(/A{32}|B{32}/);
    expect(JSON.parse((await sessions.get(first)) ?? "")).toEqual(JSON.parse(sessionOf(first)));
    // As better-auth renews one: it reads the list and adds the token that it knows.
    const listed = JSON.parse((await sessions.get("active-sessions-ann")) ?? "");
    await sessions.set("active-sessions-ann", JSON.stringify([...listed, { token: first, expiresAt: 5e12 }]), 60);
    const renewed = JSON.parse((await sessions.get("active-sessions-ann")) ?? "");
    expect(renewed.map(({ expiresAt }: { expiresAt: number }) => expiresAt).sort()).toEqual([4e12, 5e12]);
    expect(JSON.parse((await sessions.get(renewed[0].token)) ?? "").user).toEqual({ id: "ann" });
    await sessions.forgetUser("ann");
    expect([await sessions.get(first), await sessions.get(second)]).toEqual([null, null]);
  });

  test("a title is kept until it changes, for all instances", async () => {
    const prefix = newPrefix();
    const [one, two] = [new RedisTitleCache(await connect(prefix)), new RedisTitleCache(await connect(prefix))];
    expect(await readThrough(one, title("a"))).toBeNull();
    expect(await readThrough(two, title("b"))).toBe("a");
    await two.drop("title", file.sourceId);
    expect(await readThrough(one, title("c"))).toBeNull();
    expect(await readThrough(two, title("d"))).toBe("c");
  });

  test("what was read before a change is not kept after it", async () => {
    const cache = new RedisTitleCache(await connect());
    const before = await cache.read("title", file.sourceId);
    await cache.drop("title", file.sourceId);
    if (!before.known) await before.keep(title("old"));
    expect((await cache.read("title", file.sourceId)).known).toBe(false);
  });

  const holder = (changes: { silentMs?: () => number } = {}) => {
    const heard: string[] = [];
    return {
      heard,
      holder: {
        silentMs: changes.silentMs ?? (() => 0),
        onAsked: (kind: string) => void heard.push(kind),
        onLost: () => void heard.push("lost"),
      },
    };
  };
  const times = { heldMs: 600, renewMs: 50, silentMs: 100 };

  test("an upload is received by one instance at a time; its holder hears who wants it", async () => {
    const prefix = newPrefix();
    const [one, two] = [
      new RedisUploadLocks(await connect(prefix), times),
      new RedisUploadLocks(await connect(prefix), times),
    ];
    let silentMs = 0;
    const { heard, holder: first } = holder({ silentMs: () => silentMs });
    const lock = await one.take("u", first);
    expect(await two.take("u", holder().holder)).toBeNull();
    expect(await two.ask("u", "yield")).toBe(false);
    expect(heard).toEqual([]);
    await Bun.sleep(2 * times.heldMs);
    expect(await two.isHeld("u")).toBe(true);
    silentMs = 5_000;
    const asking = until(() => two.ask("u", "yield"));
    await until(() => heard.includes("yield"));
    await lock?.release();
    expect(await asking).toBe(true);
    const again = await two.take("u", holder().holder);
    expect(again).not.toBeNull();
    await again?.release();
    expect(await one.ask("u", "stop")).toBe(true);
  });

  test("the lock of an instance that died is free after its time; who asks waits for that, and no longer", async () => {
    const prefix = newPrefix();
    const dead = await connect(prefix);
    await new RedisUploadLocks(dead, times).take("u", holder().holder);
    await dead.close();
    const two = new RedisUploadLocks(await connect(prefix), times);
    expect(await two.take("u", holder().holder)).toBeNull();
    expect(await two.ask("u", "yield")).toBe(true);
    const lock = await two.take("u", holder().holder);
    expect(lock).not.toBeNull();
    await lock?.release();
  });

  test("of all who take a lock at once one gets it, again and again", async () => {
    const prefix = newPrefix();
    const all = await Promise.all([1, 2, 3, 4].map(async () => new RedisUploadLocks(await connect(prefix), times)));
    for (let round = 0; round < 20; round++) {
      const locks = await Promise.all(all.map((locks) => locks.take("u", holder().holder)));
      expect(locks.filter((lock) => lock !== null)).toHaveLength(1);
      await Promise.all(locks.map((lock) => lock?.release()));
    }
  });

  test("who could not renew in time keeps the lock while nobody wants it, and is told when another has it", async () => {
    const prefix = newPrefix();
    const [one, two] = [
      new RedisUploadLocks(await connect(prefix), { ...times, renewMs: 400, heldMs: 100 }),
      new RedisUploadLocks(await connect(prefix), times),
    ];
    const { heard, holder: first } = holder();
    const late = await one.take("u", first);
    await until(async () => !(await two.isHeld("u")));
    await until(() => two.isHeld("u"));
    expect(heard).toEqual([]);
    const lock = await until(() => two.take("u", holder().holder));
    await until(() => heard.includes("lost"));
    // What the old holder still does takes nothing away from the new one.
    await late?.release();
    expect(await two.isHeld("u")).toBe(true);
    await Bun.sleep(500);
    expect(heard).toEqual(["lost"]);
    await lock.release();
    expect(await two.isHeld("u")).toBe(false);
  });
});

describe.skipIf(!has("redis-server"))("a Redis of its own", () => {
  test("killed: unavailable at once, and used again when it is back, with what it had kept", async () => {
    const server = await startRedis();
    closers.push(() => server.close());
    const redis = await connect("k:", server.url);
    const attempts = new RedisAttempts(redis);
    await attempts.add("a", 3, 60_000);
    await server.kill();
    for (let i = 0; i < 5; i++)
      expect(await attempts.count("a").catch((e) => e)).toBeInstanceOf(TemporaryUnavailableError);
    await server.start();
    expect(await until(() => attempts.count("a").catch(() => null))).toBe(3);
  });

  test("a connection that was closed costs no command, used at once or later, by one or many", async () => {
    const server = await startRedis();
    closers.push(() => server.close());
    const reachable: boolean[] = [];
    const redis = new RedisConnection({ url: server.url, prefix: "k:" }, (isThere) => reachable.push(isThere));
    closers.push(() => redis.close());
    const attempts = new RedisAttempts(redis);
    const locks = new RedisUploadLocks(redis);
    for (const waitMs of [0, 0, 100]) {
      await redis.check();
      await server.send("CLIENT", "KILL", "TYPE", "normal");
      await Bun.sleep(waitMs);
      const answers = await Promise.all([1, 2, 3].map((n) => attempts.add(`${waitMs}-${n}`, 1, 60_000)));
      for (const { count } of answers) expect(count).toBeGreaterThan(0);
      await server.send("CLIENT", "KILL", "TYPE", "normal");
      const lock = await locks.take("u", { silentMs: () => 0, onAsked: () => undefined, onLost: () => undefined });
      expect(lock).not.toBeNull();
      await lock?.release();
    }
    expect(reachable).not.toContain(false);
  });

  test("a wrong password or none is told as what it is, at the start and while it runs", async () => {
    const server = await startRedis();
    closers.push(() => server.close());
    const [redis, wrong] = [
      await connect("k:", server.url),
      await connect("k:", server.url.replace("//", "//:falsch@")),
    ];
    await redis.tryOut();
    await redis.send("CONFIG", "SET", "requirepass", "richtig");
    await (await connect("k:", server.url.replace("//", "//:richtig@"))).tryOut();
    await server.send("CLIENT", "KILL", "TYPE", "normal").catch(() => undefined);
    const refusal = await wrong.tryOut().catch((error) => error);
    expect(refusal).toBeInstanceOf(StartError);
    expect(refusal.message).toMatch(/refuses the user or the password: WRONGPASS/);
    const late = await connect("k:", server.url);
    expect((await late.tryOut().catch((error) => error)).message).toMatch(/refuses the user or the password: NOAUTH/);
    await Bun.sleep(300);
    expect(await new RedisAttempts(late).count("a").catch((error) => error)).toBeInstanceOf(TemporaryUnavailableError);
    expect((await late.check().catch((error) => error)).message).toMatch(/refuses/);
    await server.kill();
    await wrong.tryOut();
  });

  test("one that hangs is given up after a second", async () => {
    const server = await startRedis();
    closers.push(() => server.close());
    const redis = await connect("k:", server.url);
    await redis.check();
    await suspend(server.pid());
    const before = performance.now();
    const error = await redis.check().catch((reason) => reason);
    process.kill(server.pid(), "SIGCONT");
    expect(error).toBeInstanceOf(TemporaryUnavailableError);
    expect(performance.now() - before).toBeLessThan(5_000);
    await until(() =>
      redis
        .check()
        .then(() => true)
        .catch(() => null),
    );
  });

  test("a change that could not be told while it was away is told before anything is read", async () => {
    const server = await startRedis();
    closers.push(() => server.close());
    const cache = new RedisTitleCache(await connect("k:", server.url));
    await readThrough(cache, title("public"));
    expect(await readThrough(cache, title("?"))).toBe("public");
    await server.kill();
    await cache.drop("title", file.sourceId);
    expect((await cache.read("title", file.sourceId)).known).toBe(false);
    await server.start();
    const other = new RedisTitleCache(await connect("k:", server.url));
    expect(await readThrough(other, title("?"))).toBe("public");
    for (let i = 0; i < 20; i++) {
      expect((await cache.read("title", file.sourceId)).known).toBe(false);
      await Bun.sleep(20);
    }
    expect((await other.read("title", file.sourceId)).known).toBe(false);
  });
});
