import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getMigrations } from "better-auth/db/migration";
import { decodeProtectedHeader } from "jose";
import { closeClusters, openCluster, password, signIn, statusOf } from "../../test/support/auth-cluster.ts";
import { until } from "../../test/support/until.ts";
import { openSqlite } from "../adapters/sqlite/sqlite-database.ts";
import { subscribe } from "../bus/topics.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import { createBetterAuth } from "./better-auth.ts";
import { AuthenticationStatus, SESSION_COOKIE } from "./contract.ts";
import { Passwords } from "./passwords.ts";
import { SigningKeys } from "./signing-keys.ts";

afterEach(closeClusters);

test("better-auth finds every table and column it wants in our migrations", async () => {
  const { database } = await openCluster();
  const { options } = createBetterAuth({
    database: { db: database, type: "sqlite", transaction: true },
    secret: "s".repeat(43),
    passwords: new Passwords(),
    sessionLifetimeMs: 60_000,
    onSessionEnded: async () => undefined,
  });
  const { toBeAdded, toBeCreated } = await getMigrations(options);
  expect(toBeCreated).toEqual([]);
  expect(toBeAdded).toEqual([]);
});

test("a session, token or API key of one instance counts on all, and what one ends is ended on all", async () => {
  const { startInstance } = await openCluster();
  const a = await startInstance("a");
  const b = await startInstance("b");
  const cookie = await signIn(a, "maria");
  const { token } = await (await a.send("POST", "/api/tokens", { Cookie: cookie })).json();
  const { key, id } = await (await a.send("POST", "/api/auth/api-key/create", { Cookie: cookie }, {})).json();
  for (const credential of [token, key]) expect(await statusOf(b, { Authorization: `Bearer ${credential}` })).toBe(200);
  expect(await statusOf(b, { Cookie: cookie })).toBe(200);

  await a.send("POST", "/api/auth/api-key/delete", { Cookie: cookie }, { keyId: id });
  expect(await statusOf(b, { Authorization: `Bearer ${key}` })).toBe(401);
  expect((await a.send("DELETE", "/api/session", { Cookie: cookie })).status).toBe(204);
  expect(await statusOf(b, { Cookie: cookie })).toBe(401);
  expect(await statusOf(b, { Authorization: `Bearer ${token}` })).toBe(401);
});

test("attempts that failed because the database was away are not held against anybody", async () => {
  const { startInstance, store } = await openCluster();
  const one = await startInstance("one");
  await signIn(one, "maria");
  const findLogin = store.findLogin.bind(store);
  store.findLogin = () => Promise.reject(new TemporaryUnavailableError("The database is away."));
  for (let n = 0; n < 70; n++) {
    const answer = await one.send("POST", "/api/session", {}, { username: "maria", password });
    expect(answer.status).toBe(503);
  }
  store.findLogin = findLogin;
  await signIn(one, "maria");
});

/** An instance whose better-auth has a connection of its own, so that a test can take the database away from it alone. */
async function withOwnConnection() {
  const folder = mkdtempSync(join(tmpdir(), "kinora-auth-"));
  const path = join(folder, "kinora.db");
  const cluster = await openCluster({}, path);
  const { database } = openSqlite(path);
  const instance = await cluster.startInstance("one", undefined, { db: database, type: "sqlite", transaction: true });
  return {
    ...cluster,
    instance,
    breakOff: () => database.destroy(),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const away = () => Promise.reject(new TemporaryUnavailableError("The database is away."));

test("while the database is away no valid key and no valid session is called invalid", async () => {
  const { instance, store, breakOff, remove } = await withOwnConnection();
  const cookie = { Cookie: await signIn(instance, "maria") };
  const made = await (await instance.send("POST", "/api/auth/api-key/create", cookie, {})).json();
  const key = { Authorization: `Bearer ${made.key}` };
  expect(await statusOf(instance, { Authorization: `Bearer ${made.key}x` })).toBe(401);
  await statusOf(instance, cookie);
  await breakOff();
  for (const isWhollyAway of [false, true]) {
    if (isWhollyAway) Object.assign(store, { hasApiKey: away, getSessionUser: away });
    expect(await statusOf(instance, key)).toBe(503);
    for (const path of ["get-session", "list-sessions", "api-key/list"]) {
      const answer = await instance.send("GET", `/api/auth/${path}`, cookie);
      expect([path, answer.status, answer.headers.get("Retry-After")]).toEqual([path, 503, expect.any(String)]);
    }
    for (const path of ["revoke-sessions", "revoke-other-sessions", "api-key/create"])
      expect([path, (await instance.send("POST", `/api/auth/${path}`, cookie, {})).status]).toEqual([path, 503]);
    const code = { code: "123456" };
    expect((await instance.send("POST", "/api/auth/two-factor/verify-totp", cookie, code)).status).toBe(503);
  }
  remove();
});

test("whom the broker cannot be told of is locked out here at once; the admin knows within about 3 s", async () => {
  const { startInstance, bus } = await openCluster();
  const connection = await bus.connect({ service: "auth", instance: "alone" });
  const one = await startInstance("one", undefined, undefined, { connection });
  const [admin, maria] = [await signIn(one, "root"), await signIn(one, "maria")];
  const { items } = await (await one.send("GET", "/api/users", { Cookie: admin })).json();
  const { id } = items.find(({ username }: { username: string }) => username === "maria");
  connection.publish = () => new Promise(() => undefined);
  const before = performance.now();
  const answer = await one.send("PATCH", `/api/users/${id}`, { Cookie: admin }, { disabled: true });
  expect(answer.status).toBe(503);
  expect(performance.now() - before).toBeLessThan(8_000);
  expect(await statusOf(one, { Cookie: maria })).toBe(401);
});

test("an instance that starts late knows what was revoked before", async () => {
  const { startInstance } = await openCluster();
  const a = await startInstance("a");
  const cookie = await signIn(a, "maria");
  const { token, id } = await (await a.send("POST", "/api/tokens", { Cookie: cookie })).json();
  await a.send("DELETE", `/api/tokens/${id}`, { Cookie: cookie });
  const late = await startInstance("late");
  expect(await statusOf(late, { Authorization: `Bearer ${token}` })).toBe(401);
});

const lifetimes = { lifetimeMs: 86_400_000, keptMs: 86_400_000 };

test("instances that start at once agree on keys, and another secret ends all tokens", async () => {
  const { startInstance, store } = await openCluster();
  const [a, b] = await Promise.all([startInstance("a"), startInstance("b")]);
  const cookie = await signIn(a, "maria");
  for (const from of [a, b]) {
    const { token } = await (await from.send("POST", "/api/tokens", { Cookie: cookie })).json();
    for (const at of [a, b]) expect(await statusOf(at, { Authorization: `Bearer ${token}` })).toBe(200);
  }
  const ours = await new SigningKeys(store, "s".repeat(43), lifetimes).publicKeys();
  expect(ours.keys.length).toBeGreaterThan(0);
  expect(JSON.stringify(ours)).not.toContain('"d"');
  expect((await new SigningKeys(store, "t".repeat(43), lifetimes).publicKeys()).keys).toEqual([]);
});

test("signing keys are replaced as they age, and what the old one signed counts on, on all instances", async () => {
  // A new key is signed with once it has been known for half this time.
  const { startInstance, proxy, store } = await openCluster({ keyLifetimeMs: 2_000 });
  const a = await startInstance("a");
  const b = await startInstance("b");
  const cookie = await signIn(a, "maria");
  const { user } = await (await a.send("GET", "/api/session", { Cookie: cookie })).json();
  const newToken = async (): Promise<{ token: string }> =>
    (await a.send("POST", "/api/tokens", { Cookie: cookie })).json();
  const newGrant = () => proxy.issueGrant({ userId: user.id, titleId: user.id, kind: "link" });
  const old = { ...(await newToken()), ...(await newGrant()) };
  const counts = async ({ token, grant }: { token: string; grant: string }, at: typeof a) =>
    (await statusOf(at, { Authorization: `Bearer ${token}` })) === 200 &&
    (await at.authenticator.resolveGrant(grant)) !== null;
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;
  const fresh = await until(async () => {
    const made = { ...(await newToken()), ...(await newGrant()) };
    // While keys change nobody is ever refused.
    for (const one of [old, made]) for (const at of [a, b]) expect(await counts(one, at)).toBe(true);
    return kidOf(made.token) !== kidOf(old.token) && kidOf(made.grant) !== kidOf(old.grant) ? made : null;
  });
  const late = await startInstance("late");
  for (const one of [old, fresh]) expect(await counts(one, late)).toBe(true);
  const renewed = await proxy.refreshAuthorization({ token: old.token });
  expect(kidOf(renewed.token)).not.toBe(kidOf(old.token));
  expect(await statusOf(b, { Cookie: cookie })).toBe(200);
  expect((await store.listSigningKeys()).length).toBeGreaterThan(1);
});

test("a key is forgotten once nothing that it signed can count, and never the newest one", async () => {
  const { startInstance, database, store } = await openCluster();
  await startInstance("a");
  const [first] = await store.listSigningKeys();
  const keys = new SigningKeys(store, "s".repeat(43), { lifetimeMs: 1_000, keptMs: 5_000 });
  const day = 86_400_000;
  await database
    .updateTable("auth_signing_keys")
    .set({ createdAt: Date.now() - 10 * day })
    .execute();
  expect(await keys.maintain()).toBe(true);
  expect(await keys.maintain()).toBe(false);
  const [, second] = await store.listSigningKeys();
  expect((await store.listSigningKeys()).map(({ id }) => id)).toEqual([first?.id ?? "", second?.id ?? ""]);
  await database
    .updateTable("auth_signing_keys")
    .set({ createdAt: Date.now() - day - 6_000 })
    .execute();
  const lasting = new SigningKeys(store, "s".repeat(43), { lifetimeMs: 10 * day, keptMs: 5_000 });
  expect(await lasting.maintain()).toBe(false);
  expect((await store.listSigningKeys()).map(({ id }) => id)).toEqual([second?.id ?? ""]);
  expect(lasting.current.kid).toBe(second?.id ?? "");
});

test("the private keys lie encrypted in the database", async () => {
  const { startInstance, database } = await openCluster();
  await startInstance("a");
  const [row] = await database.selectFrom("auth_signing_keys").selectAll().execute();
  expect(JSON.parse(row?.publicJwk ?? "")).toMatchObject({ kty: "OKP", crv: "Ed25519", kid: row?.id });
  expect(row?.privateJwe.split(".")).toHaveLength(5);
});

test("over the bus: tokens are issued, renewed and checked, users looked up", async () => {
  const { startInstance, proxy } = await openCluster();
  const a = await startInstance("a");
  const cookie = await signIn(a, "maria");
  const { user } = await (await a.send("GET", "/api/session", { Cookie: cookie })).json();
  const first = await proxy.issueToken({ username: "MARIA", password });
  expect(await proxy.isAuthorized({ token: first.token })).toBe(true);
  const second = await proxy.refreshAuthorization({ token: first.token });
  expect(second.id).toBe(first.id);
  expect(proxy.issueToken({ username: "maria", password: "wrong password" })).rejects.toMatchObject({
    code: "unauthorized",
    status: 401,
  });
  expect(proxy.issueToken({ username: "../x", password })).rejects.toMatchObject({ status: 401 });
  for (const token of ["", "x", `${first.token}x`, first.token.slice(0, -5)]) {
    expect(await proxy.isAuthorized({ token })).toBe(false);
    expect(proxy.refreshAuthorization({ token })).rejects.toMatchObject({ status: 401 });
  }
  await a.send("DELETE", `/api/tokens/${first.id}`, { Cookie: cookie });
  expect(await proxy.isAuthorized({ token: second.token })).toBe(false);
  expect(await proxy.getUsers({ ids: [user.id, Bun.randomUUIDv7()] })).toEqual([user]);
  expect(await proxy.resolveSession({ cookie: "x.y" })).toBeNull();
  expect(await proxy.resolveApiKey({ key: "x" })).toBeNull();
  expect(cookie.startsWith(`${SESSION_COOKIE}=`)).toBe(true);
});

test("deleting a user is announced with a revocation and user-deleted", async () => {
  const { startInstance, bus } = await openCluster();
  const a = await startInstance("a");
  const cookie = await signIn(a, "root");
  const made = await a.send("POST", "/api/users", { Cookie: cookie }, { username: "gone", password });
  const { id } = await made.json();
  const events: unknown[] = [];
  const listener = await bus.connect({ service: "catalog", instance: "listener" });
  await subscribe(listener, AuthenticationStatus, (event) => void events.push(event));
  await a.send("DELETE", `/api/users/${id}`, { Cookie: cookie });
  expect(events).toEqual([
    { type: "revoked", revocations: [{ kind: "user", id, at: expect.any(String), until: expect.any(String) }] },
    { type: "user-deleted", userId: id },
  ]);
});

test("a deletion that the others may have missed is announced again after a start", async () => {
  const { startInstance, bus, store } = await openCluster({ deletionsToldAfterMs: 0 });
  const a = await startInstance("a");
  const cookie = await signIn(a, "root");
  const [heir, gone] = await Promise.all(
    ["heir", "gone"].map(async (username) =>
      (await a.send("POST", "/api/users", { Cookie: cookie }, { username, password })).json(),
    ),
  );
  expect((await a.send("DELETE", `/api/users/${gone.id}?videosTo=${gone.id}`, { Cookie: cookie })).status).toBe(400);
  expect((await a.send("DELETE", `/api/users/${gone.id}?videosTo=${heir.id}`, { Cookie: cookie })).status).toBe(204);
  expect(await store.listDeletions()).toEqual([{ userId: gone.id, heir: { id: heir.id, username: "heir" } }]);
  const events: unknown[] = [];
  const listener = await bus.connect({ service: "catalog", instance: "listener" });
  await subscribe(listener, AuthenticationStatus, (event) => void events.push(event));
  await startInstance("b");
  await until(() => events.length > 0);
  expect(events).toEqual([{ type: "user-deleted", userId: gone.id, heir: { id: heir.id, username: "heir" } }]);
});

test("expired sessions, tokens, invitations and revocations are removed", async () => {
  const { startInstance, database, store } = await openCluster();
  const a = await startInstance("a");
  const cookie = await signIn(a, "root");
  await a.send("POST", "/api/tokens", { Cookie: cookie });
  await a.send("POST", "/api/invites", { Cookie: cookie }, {});
  await a.send("POST", "/api/users", { Cookie: cookie }, { username: "gone", password });
  const past = Date.now() - 1_000;
  await store.addRevocations([
    { kind: "token", id: "x", at: new Date(past).toISOString(), until: new Date(past).toISOString() },
  ]);
  expect(await store.listRevocations()).toEqual([]);
  await database.updateTable("auth_tokens").set({ expiresAt: past }).execute();
  await database.updateTable("auth_invites").set({ expiresAt: past }).execute();
  await database
    .updateTable("auth_sessions")
    .set({ expiresAt: new Date(past) })
    .execute();
  await store.purgeExpired(0);
  for (const table of ["auth_tokens", "auth_invites", "auth_sessions", "auth_revocations"] as const)
    expect(await database.selectFrom(table).selectAll().execute()).toEqual([]);
});

test("the OpenAPI document describes every route with its problems", async () => {
  const { startInstance } = await openCluster();
  const { auth } = await startInstance("a");
  const document = auth.routes.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "Kinora", version: "1" } });
  const described = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of [
    "POST /api/session",
    "GET /api/session",
    "DELETE /api/session",
    "PUT /api/session/password",
    "POST /api/tokens",
    "POST /api/tokens/refresh",
    "DELETE /api/tokens/{id}",
    "GET /api/users",
    "POST /api/users",
    "PATCH /api/users/{id}",
    "DELETE /api/users/{id}",
    "POST /api/invites",
    "POST /api/auth/api-key/create",
  ])
    expect(described).toContain(route);
  for (const methods of Object.values(document.paths ?? {}))
    for (const { responses } of Object.values(methods ?? {}) as { responses: Record<string, unknown> }[])
      expect(Object.keys(responses)).toContain("401");
});
