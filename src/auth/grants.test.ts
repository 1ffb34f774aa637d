import { afterEach, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { closeClusters, openCluster, password, signIn, statusOf } from "../../test/support/auth-cluster.ts";
import { until } from "../../test/support/until.ts";
import { createGrantVerifier } from "../identity/token-verifier.ts";
import type { GrantHolder } from "./contract.ts";
import { GRANT_AUDIENCE, GRANT_TYPE, GRANTS_PER_USER, TOKEN_ALGORITHM, TOKEN_ISSUER } from "./contract.ts";

afterEach(closeClusters);

const titleId = Bun.randomUUIDv7();

/** Two instances, and a user who makes grants. */
async function open(settings: Parameters<typeof openCluster>[0] = {}) {
  const cluster = await openCluster(settings);
  const a = await cluster.startInstance("a");
  const cookie = await signIn(a, "root");
  const made = await a.send("POST", "/api/users", { Cookie: cookie }, { username: "maria", password });
  const { id: userId }: { id: string } = await made.json();
  const issue = (lifetimeMs?: number) => cluster.proxy.issueGrant({ userId, titleId, kind: "link", lifetimeMs });
  return { ...cluster, a, cookie, userId, issue };
}

test("a grant says, without a call, which title it is for, who made it and until when", async () => {
  const { a, issue, userId } = await open();
  const { grant, id, expiresAt } = await issue(30_000);
  const holder = (await a.authenticator.resolveGrant(grant)) as GrantHolder;
  expect(holder).toEqual({
    grantId: id,
    titleId,
    collectionId: null,
    kind: "link",
    issuer: { userId, role: "viewer" },
    expiresAt,
  });
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
  expect(Date.parse((await issue()).expiresAt) - Date.now()).toBeGreaterThan(50_000);
});

test("a grant tells whoever has it no name and no role: ids, times, and whether its maker may see all there is", async () => {
  const { a, cookie, issue, proxy, userId } = await open();
  const claimsOf = (grant: string) => JSON.parse(Buffer.from(grant.split(".")[1] ?? "", "base64url").toString());
  const { grant, id } = await issue();
  const times = { iat: expect.any(Number), exp: expect.any(Number) };
  const common = { iss: "kinora", aud: "kinora:grant", title: titleId, use: "link", ...times };
  expect(claimsOf(grant)).toEqual({ ...common, sub: userId, jti: id });
  const { user }: { user: { id: string } } = await (await a.send("GET", "/api/session", { Cookie: cookie })).json();
  const ofAdmin = await proxy.issueGrant({ userId: user.id, titleId, kind: "link" });
  expect(claimsOf(ofAdmin.grant)).toEqual({ ...common, sub: user.id, jti: ofAdmin.id, all: true });
  expect((await a.authenticator.resolveGrant(ofAdmin.grant))?.issuer).toEqual({ userId: user.id, role: "admin" });
});

test("a grant of an earlier version, which named its maker, counts as it did", async () => {
  const { privateKey, publicKey } = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const verify = createGrantVerifier({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: TOKEN_ALGORITHM }] });
  const [sub, jti] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  const grant = await new SignJWT({ name: "maria", role: "editor", title: titleId, use: "link" })
    .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: GRANT_TYPE, kid: "k" })
    .setIssuer(TOKEN_ISSUER)
    .setAudience(GRANT_AUDIENCE)
    .setSubject(sub)
    .setJti(jti)
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(privateKey);
  expect(await verify(grant)).toMatchObject({
    holder: { grantId: jti, titleId, issuer: { userId: sub, role: "editor" } },
  });
});

test("a grant is no token and a token no grant", async () => {
  const { a, cookie, issue, proxy } = await open();
  const { grant } = await issue();
  const { token } = await (await a.send("POST", "/api/tokens", { Cookie: cookie })).json();
  expect(await statusOf(a, { Authorization: `Bearer ${token}` })).toBe(200);
  expect(await statusOf(a, { Authorization: `Bearer ${grant}` })).toBe(401);
  expect(await proxy.isAuthorized({ token: grant })).toBe(false);
  expect(proxy.refreshAuthorization({ token: grant })).rejects.toMatchObject({ code: "unauthorized" });
  expect(await a.authenticator.resolveGrant(token)).toBeNull();
});

test("more than the configured lifetime, and grants for nobody, are refused", async () => {
  const { issue, proxy } = await open();
  const refused = { code: "invalid-request", status: 400, message: "A link counts for 1 minute at most." };
  expect(issue(60_001)).rejects.toMatchObject(refused);
  expect(
    proxy.issueGrant({ userId: Bun.randomUUIDv7(), titleId, kind: "link", lifetimeMs: 1_000 }),
  ).rejects.toMatchObject({ code: "unauthorized" });
});

test("grants are listed by user, kind and page, the newest first, until they are revoked", async () => {
  const { issue, proxy, userId } = await open();
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.unshift((await issue()).id);
  await proxy.issueGrant({ userId, titleId, kind: "stream" });
  const first = await proxy.listGrants({ userId, kind: "link", limit: 2 });
  expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(first.items[0]).toMatchObject({ titleId, userId, username: "maria", kind: "link" });
  expect(first.more).toBe(true);
  const second = await proxy.listGrants({ userId, kind: "link", limit: 2, before: ids[1] });
  expect(second).toMatchObject({ items: [{ id: ids[2] }], more: false });
  expect((await proxy.listGrants({ userId: null, kind: "link", limit: 50 })).items).toHaveLength(3);
  expect((await proxy.listGrants({ userId: Bun.randomUUIDv7(), kind: "link", limit: 50 })).items).toEqual([]);

  const [newest = ""] = ids;
  expect(await proxy.revokeGrants({ ids: [newest], userId: Bun.randomUUIDv7(), kind: "link" })).toEqual({ ids: [] });
  expect(await proxy.revokeGrants({ ids: [newest], userId, kind: "stream" })).toEqual({ ids: [] });
  expect(await proxy.revokeGrants({ ids, userId: null, kind: "link" })).toMatchObject({
    ids: expect.arrayContaining(ids),
  });
  expect((await proxy.listGrants({ userId, kind: "link", limit: 50 })).items).toEqual([]);
});

test("a revoked grant is refused by all instances at once, by one that starts late too, and its holders are cut", async () => {
  const { a, issue, proxy, startInstance, store } = await open();
  const b = await startInstance("b");
  const { grant, id } = await issue();
  const other = await issue();
  const cuts: string[] = [];
  for (const [name, { authenticator }] of Object.entries({ a, b }))
    authenticator.onRevoked((await authenticator.resolveGrant(grant)) as GrantHolder, () => cuts.push(name));
  a.authenticator.onRevoked((await a.authenticator.resolveGrant(other.grant)) as GrantHolder, () => cuts.push("other"));
  await proxy.revokeGrants({ ids: [id], userId: null, kind: "link" });
  for (const { authenticator } of [a, b]) expect(await authenticator.resolveGrant(grant)).toBeNull();
  await until(() => cuts.length === 2);
  expect(cuts.toSorted()).toEqual(["a", "b"]);
  const late = await startInstance("late");
  expect(await late.authenticator.resolveGrant(grant)).toBeNull();
  expect(await late.authenticator.resolveGrant(other.grant)).not.toBeNull();
  const [kept] = await store.listRevocations();
  expect(kept).toMatchObject({ kind: "grant", id });
  expect(Date.parse(kept?.until ?? "") - Date.now()).toBeLessThan(63_000);
});

for (const [name, change] of Object.entries({
  disabling: { disabled: true },
  "another role of": { role: "viewer" },
  "a new password of": { password: "another good password" },
  deleting: null,
})) {
  test(`${name} a user revokes their grants`, async () => {
    const { a, cookie, issue, proxy, startInstance, userId } = await open();
    const { grant } = await issue();
    const holder = (await a.authenticator.resolveGrant(grant)) as GrantHolder;
    const cut = Promise.withResolvers<void>();
    a.authenticator.onRevoked(holder, cut.resolve);
    const path = `/api/users/${userId}`;
    const done = await (change === null
      ? a.send("DELETE", path, { Cookie: cookie })
      : a.send("PATCH", path, { Cookie: cookie }, change));
    expect(done.ok).toBe(true);
    await cut.promise;
    expect(await a.authenticator.resolveGrant(grant)).toBeNull();
    expect(await (await startInstance("late")).authenticator.resolveGrant(grant)).toBeNull();
    expect((await proxy.listGrants({ userId: null, kind: "link", limit: 50 })).items).toEqual([]);
  });
}

test("a disabled user gets no grants", async () => {
  const { a, cookie, issue, userId } = await open();
  await a.send("PATCH", `/api/users/${userId}`, { Cookie: cookie }, { disabled: true });
  expect(issue()).rejects.toMatchObject({ code: "unauthorized" });
});

test("an expired grant is refused after two seconds of clock difference, and forgotten", async () => {
  const { a, database, issue, store, userId, proxy } = await open();
  const { grant } = await issue(1_000);
  expect(await a.authenticator.resolveGrant(grant)).not.toBeNull();
  await until(async () => (await a.authenticator.resolveGrant(grant)) === null, 10_000);
  expect((await proxy.listGrants({ userId, kind: "link", limit: 50 })).items).toEqual([]);
  await store.purgeExpired(0);
  expect(await database.selectFrom("auth_grants").selectAll().execute()).toEqual([]);
});

test("nobody has more grants than the limit", async () => {
  const { database, issue, userId } = await open();
  const row = { userId, titleId, kind: "link", createdAt: Date.now(), expiresAt: Date.now() + 60_000 };
  const rows = Array.from({ length: GRANTS_PER_USER }, () => ({ id: Bun.randomUUIDv7(), ...row }));
  await database.insertInto("auth_grants").values(rows).execute();
  expect(issue()).rejects.toMatchObject({ code: "quota-exceeded", status: 403 });
});
