import { afterEach, expect, setSystemTime, test } from "bun:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { refusing } from "../../test/support/refusing.ts";
import { until } from "../../test/support/until.ts";
import { MemoryBus } from "../adapters/memory/memory-bus.ts";
import {
  AuthenticationStatus,
  authContract,
  GRANT_AUDIENCE,
  GRANT_TYPE,
  type Principal,
  type Revocation,
  SESSION_COOKIE,
  TOKEN_ALGORITHM,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
} from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { permissionsOf } from "../bus/permissions.ts";
import { type Handlers, serveContract } from "../bus/proxy.ts";
import { publish } from "../bus/topics.ts";
import { contracts } from "../contracts.ts";
import { BusAuthenticator } from "./bus-authenticator.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  setSystemTime();
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

const userId = Bun.randomUUIDv7();
const principalWith = (kind: "session" | "api-key", id: string): Principal => ({
  userId,
  username: "maria",
  role: "editor",
  credential: { kind, id },
});

/** An auth service made by hand: it knows one session and one API key, and counts what it is asked. */
async function openFakeAuth(bus: MemoryBus) {
  let connection: BusConnection = await bus.connect({ service: "auth", instance: "fake" });
  const pair = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const state = {
    asked: 0,
    keysAsked: 0,
    session: principalWith("session", "s1") as Principal | null,
    apiKey: principalWith("api-key", "k1") as Principal | null,
    revocations: [] as Revocation[],
    /** Runs after a session or the keys have been looked up and before the answer is on its way. */
    beforeAnswer: async () => undefined as unknown,
    kid: "key-1",
    privateKey: pair.privateKey,
    publicKeys: [{ ...(await exportJWK(pair.publicKey)), kid: "key-1", alg: TOKEN_ALGORITHM }] as Record<
      string,
      unknown
    >[],
  };
  const handlers: Handlers<typeof authContract> = {
    ...refusing(authContract),
    async resolveSession({ cookie }) {
      state.asked++;
      const principal = cookie === "good" ? state.session : null;
      await state.beforeAnswer();
      return principal && { principal, expiresAt: new Date(Date.now() + 86_400_000).toISOString() };
    },
    async resolveApiKey({ key }) {
      state.asked++;
      return key === "goodkey" ? state.apiKey : null;
    },
    async getVerificationKeys() {
      state.keysAsked++;
      const keys = state.publicKeys;
      await state.beforeAnswer();
      return { keys };
    },
    listRevocations: async () => ({ revocations: state.revocations }),
  };
  return {
    state,
    /** Begins to answer. */
    start: () => serveContract(connection, authContract, handlers),
    /** Is gone, as after kill -9; may be started again. */
    async stop() {
      await connection.close();
      connection = await bus.connect({ service: "auth", instance: "fake" });
    },
    publish: (event: Parameters<typeof publish<typeof AuthenticationStatus.payload>>[2]) =>
      publish(connection, AuthenticationStatus, event),
    token: (claims: Record<string, unknown> = {}, issuedAtMs = Date.now()) =>
      new SignJWT({ name: "maria", role: "editor", ...claims })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: TOKEN_TYPE, kid: state.kid })
        .setIssuer(TOKEN_ISSUER)
        .setAudience(TOKEN_AUDIENCE)
        .setSubject(userId)
        .setJti(Bun.randomUUIDv7())
        .setIssuedAt(issuedAtMs / 1000)
        .setExpirationTime((issuedAtMs + 30_000) / 1000)
        .sign(state.privateKey),
    grant: (seconds = 30) =>
      new SignJWT({ name: "maria", role: "editor", title: userId, use: "link" })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: GRANT_TYPE, kid: state.kid })
        .setIssuer(TOKEN_ISSUER)
        .setAudience(GRANT_AUDIENCE)
        .setSubject(userId)
        .setJti(Bun.randomUUIDv7())
        .setIssuedAt(Date.now() / 1000)
        .setExpirationTime(Date.now() / 1000 + seconds)
        .sign(state.privateKey),
  };
}

async function open() {
  const bus = new MemoryBus(permissionsOf(contracts), (_topic, error) => {
    throw error;
  });
  closers.push(() => bus.close());
  const auth = await openFakeAuth(bus);
  const authenticator = await BusAuthenticator.start(await bus.connect({ service: "streaming", instance: "one" }));
  closers.push(() => authenticator.close());
  return { auth, authenticator };
}

/** A way to a bus that can be cut: what is published meanwhile is missed, as when the broker is away. */
function cuttable(connection: BusConnection) {
  const interrupted = new Set<() => void>();
  let isCut = false;
  let hears: "all" | "nothing" | "unknown" = "all";
  const cut: BusConnection = {
    identity: connection.identity,
    request: (...call) => connection.request(...call),
    serve: (handler) => connection.serve(handler),
    publish: (...event) => connection.publish(...event),
    subscribe: (topic, key, handler, options) =>
      connection.subscribe(topic, key, (...event) => (isCut ? undefined : handler(...event)), options),
    onInterruption(handler) {
      interrupted.add(handler);
      return () => void interrupted.delete(handler);
    },
    hears: () => hears,
    knows: (service) => connection.knows(service),
    retire: (withinMs) => connection.retire(withinMs),
    close: () => connection.close(),
  };
  return {
    connection: cut,
    hearing: (state: typeof hears) => {
      hears = state;
    },
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
      for (const handler of interrupted) handler();
    },
  };
}

/** What Redis does for instances, in memory. */
function fakeBoard() {
  const up: Revocation[] = [];
  const board = {
    fails: false,
    async put(revocations: readonly Revocation[]) {
      up.push(...revocations);
    },
    ofLast: () => board.since("0"),
    async since(next: string) {
      if (board.fails) throw new Error("away");
      return { revocations: up.slice(Number(next)), next: String(up.length) };
    },
  };
  return board;
}

const withCookie = (value: string) =>
  new Request("http://kinora.test/", { headers: { Cookie: `a=b; ${SESSION_COOKIE}=${value}; c=d` } });
const withBearer = (value: string) => new Request("http://kinora.test/", { headers: { Authorization: value } });
const revocationOf = (kind: Revocation["kind"], id: string, atMs = Date.now()): Revocation => ({
  kind,
  id,
  at: new Date(atMs).toISOString(),
  until: new Date(Date.now() + 60_000).toISOString(),
});

test("without a credential nobody asks, and auth is not troubled", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  expect(await authenticator.authenticate(new Request("http://kinora.test/"))).toBeNull();
  expect(await authenticator.authenticate(withBearer("Basic bWFyaWE6eA=="))).toBeNull();
  expect(auth.state.asked).toBe(0);
});

test("a session and an API key are asked for once and then cached, each request of 20 at once too", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const all = await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(withCookie("good"))));
  expect(new Set(all.map((principal) => principal?.credential.id))).toEqual(new Set(["s1"]));
  expect(auth.state.asked).toBe(1);
  expect((await authenticator.authenticate(withBearer("bearer goodkey")))?.credential.id).toBe("k1");
  await authenticator.authenticate(withBearer("Bearer goodkey"));
  expect(auth.state.asked).toBe(2);
});

test("a bad cookie is nobody, a bad Bearer credential is refused", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  expect(await authenticator.authenticate(withCookie("bad"))).toBeNull();
  expect(await authenticator.authenticate(withCookie(""))).toBeNull();
  for (const value of ["", "Bearer", "Bearer ", "Bearer badkey", "Bearer a.b.c", "Bearer goodkey goodkey"])
    expect(authenticator.authenticate(withBearer(value))).rejects.toMatchObject({ code: "unauthorized", status: 401 });
});

test("while auth is away: 503 for what is not known, the cached session goes on, and all is well when it is back", async () => {
  const { auth, authenticator } = await open();
  const unavailable = { code: "temporary-unavailable", status: 503 };
  expect(authenticator.authenticate(withCookie("good"))).rejects.toMatchObject(unavailable);
  expect(authenticator.authenticate(withBearer("Bearer goodkey"))).rejects.toMatchObject(unavailable);
  expect(authenticator.authenticate(withBearer(`Bearer ${await auth.token()}`))).rejects.toMatchObject(unavailable);
  await auth.start();
  expect((await authenticator.authenticate(withCookie("good")))?.username).toBe("maria");
  const token = `Bearer ${await auth.token()}`;
  expect((await authenticator.authenticate(withBearer(token)))?.username).toBe("maria");
  await auth.stop();
  expect((await authenticator.authenticate(withCookie("good")))?.username).toBe("maria");
  expect((await authenticator.authenticate(withBearer(token)))?.username).toBe("maria");
  expect(authenticator.authenticate(withBearer("Bearer goodkey"))).rejects.toMatchObject(unavailable);
});

test("what was revoked while the way to the broker was cut counts no more from the moment it is back", async () => {
  const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  closers.push(() => bus.close());
  const auth = await openFakeAuth(bus);
  await auth.start();
  const way = cuttable(await bus.connect({ service: "streaming", instance: "one" }));
  const authenticator = await BusAuthenticator.start(way.connection);
  closers.push(() => authenticator.close());
  const [grant, session] = [await auth.grant(), withCookie("good")];
  const grantId = (await authenticator.resolveGrant(grant))?.grantId ?? "";
  expect(await authenticator.authenticate(session)).not.toBeNull();
  way.cut();
  auth.state.session = null;
  auth.state.revocations = [revocationOf("session", "s1"), revocationOf("grant", grantId)];
  await auth.publish({ type: "revoked", revocations: auth.state.revocations });
  expect(await authenticator.resolveGrant(grant)).not.toBeNull();
  way.mend();
  expect(await Promise.all([authenticator.resolveGrant(grant), authenticator.authenticate(session)])).toEqual([
    null,
    null,
  ]);
});

test("while there is no broker what was known stands for an hour, but nothing that was revoked before, and nothing else", async () => {
  const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  closers.push(() => bus.close());
  const auth = await openFakeAuth(bus);
  await auth.start();
  const way = cuttable(await bus.connect({ service: "streaming", instance: "one" }));
  const authenticator = await BusAuthenticator.start(way.connection);
  closers.push(() => authenticator.close());
  const [session, key, token] = [withCookie("good"), withBearer("Bearer goodkey"), await auth.grant(3 * 3_600)];
  expect((await authenticator.authenticate(session))?.username).toBe("maria");
  expect((await authenticator.authenticate(key))?.username).toBe("maria");
  expect(await authenticator.resolveGrant(token)).not.toBeNull();
  await auth.publish({ type: "revoked", revocations: [revocationOf("api-key", "k1")] });
  await auth.stop();
  way.hearing("nothing");
  const from = Date.now();
  const unavailable = { code: "temporary-unavailable", status: 503 };
  setSystemTime(from + 45 * 60_000);
  expect((await authenticator.authenticate(session))?.username).toBe("maria");
  expect(await authenticator.resolveGrant(token)).not.toBeNull();
  expect(authenticator.authenticate(key)).rejects.toMatchObject(unavailable);
  expect(authenticator.authenticate(withCookie("other"))).rejects.toMatchObject(unavailable);
  // With a broker there is somebody to ask.
  way.hearing("all");
  expect(authenticator.authenticate(session)).rejects.toMatchObject(unavailable);
  way.hearing("nothing");
  setSystemTime(from + 61 * 60_000);
  expect(authenticator.authenticate(session)).rejects.toMatchObject(unavailable);
  // What brings its own proof counts until its own end.
  expect(await authenticator.resolveGrant(token)).not.toBeNull();
});

test("who may be cut off answers 503, the first after a moment, the next ones at once", async () => {
  const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  closers.push(() => bus.close());
  const auth = await openFakeAuth(bus);
  await auth.start();
  const way = cuttable(await bus.connect({ service: "streaming", instance: "one" }));
  const authenticator = await BusAuthenticator.start(way.connection);
  closers.push(() => authenticator.close());
  const grant = await auth.grant();
  expect(await authenticator.resolveGrant(grant)).not.toBeNull();
  way.hearing("unknown");
  const waiting = authenticator.resolveGrant(grant);
  await Bun.sleep(50);
  way.hearing("all");
  expect(await waiting).not.toBeNull();
  way.hearing("unknown");
  await expect(authenticator.resolveGrant(grant)).rejects.toMatchObject({ status: 503 });
  const begin = performance.now();
  for (let n = 0; n < 5; n++) await expect(authenticator.resolveGrant(grant)).rejects.toMatchObject({ status: 503 });
  expect(performance.now() - begin).toBeLessThan(1_000);
}, 15_000);

test("what is revoked while there is no broker counts within two seconds where there is a board, and without one when it is back", async () => {
  const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  closers.push(() => bus.close());
  const auth = await openFakeAuth(bus);
  await auth.start();
  const board = fakeBoard();
  const ways = await Promise.all(
    ["with", "without"].map(async (instance) => cuttable(await bus.connect({ service: "streaming", instance }))),
  );
  const [withBoard, without] = await Promise.all(
    ways.map(async ({ connection }, n) => {
      const authenticator = await BusAuthenticator.start(connection, n === 0 ? board : null);
      closers.push(() => authenticator.close());
      return authenticator;
    }),
  );
  const grant = await auth.grant();
  const see = async (authenticator?: BusAuthenticator) => [
    (await authenticator?.resolveGrant(grant))?.grantId,
    (await authenticator?.authenticate(withCookie("good")))?.username,
  ];
  const [grantId = ""] = await see(withBoard);
  await see(without);
  for (const way of ways) {
    way.cut();
    way.hearing("nothing");
  }
  const revoked = [revocationOf("session", "s1"), revocationOf("grant", grantId)];
  let isCut = false;
  withBoard?.onRevoked(principalWith("session", "s1"), () => {
    isCut = true;
  });
  await board.put(revoked);
  const before = performance.now();
  while (!isCut && performance.now() - before < 10_000) await Bun.sleep(20);
  expect(await see(withBoard)).toEqual([undefined, undefined]);
  expect(await see(without)).toEqual([grantId, "maria"]);
  // The board away as well: what was heard still counts, and nothing else changes.
  board.fails = true;
  await Bun.sleep(1_100);
  expect(await see(withBoard)).toEqual([undefined, undefined]);
  // Auth cannot be asked before.
  auth.state.session = null;
  auth.state.revocations = revoked;
  for (const way of ways) {
    way.hearing("all");
    way.mend();
  }
  expect(await see(without)).toEqual([undefined, undefined]);
});

test("tokens are verified without asking auth again", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  for (let n = 0; n < 5; n++) await authenticator.authenticate(withBearer(`Bearer ${await auth.token()}`));
  expect([auth.state.keysAsked, auth.state.asked]).toEqual([1, 0]);
});

test("grants are verified without asking auth again, also while it is away; before it was there nothing counts", async () => {
  const { auth, authenticator } = await open();
  const grant = await auth.grant();
  expect(authenticator.resolveGrant(grant)).rejects.toMatchObject({ code: "temporary-unavailable", status: 503 });
  await auth.start();
  for (let n = 0; n < 3; n++)
    for (const one of [grant, await auth.grant()])
      expect(await authenticator.resolveGrant(one)).toMatchObject({ kind: "link", issuer: { userId } });
  expect([auth.state.keysAsked, auth.state.asked]).toEqual([1, 0]);
  await auth.stop();
  expect(await authenticator.resolveGrant(grant)).not.toBeNull();
  expect(await authenticator.resolveGrant(await auth.grant())).not.toBeNull();
});

test("grants with a key that is not there any more count no more, those already seen included", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const grant = await auth.grant();
  expect(await authenticator.resolveGrant(grant)).not.toBeNull();
  auth.state.publicKeys = [];
  await auth.publish({ type: "keys-changed" });
  expect(await authenticator.resolveGrant(grant)).toBeNull();
});

test("a new signing key is fetched when it is announced", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  await authenticator.authenticate(withBearer(`Bearer ${await auth.token()}`));
  const pair = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "key-2", alg: TOKEN_ALGORITHM };
  Object.assign(auth.state, { kid: "key-2", privateKey: pair.privateKey });
  auth.state.publicKeys = [...auth.state.publicKeys, jwk];
  const token = await auth.token();
  expect(authenticator.authenticate(withBearer(`Bearer ${token}`))).rejects.toMatchObject({ status: 401 });
  await auth.publish({ type: "keys-changed" });
  expect((await authenticator.authenticate(withBearer(`Bearer ${token}`)))?.username).toBe("maria");
});

test("keys that change while they are being read are read again", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const next = await generateKeyPair(TOKEN_ALGORITHM, { extractable: true });
  auth.state.beforeAnswer = async () => {
    auth.state.beforeAnswer = async () => undefined;
    const publicKey = { ...(await exportJWK(next.publicKey)), kid: "key-2", alg: TOKEN_ALGORITHM };
    auth.state.publicKeys = [...auth.state.publicKeys, publicKey];
    await auth.publish({ type: "keys-changed" });
  };
  expect(await authenticator.authenticate(withBearer(`Bearer ${await auth.token()}`))).toMatchObject({ userId });
  Object.assign(auth.state, { kid: "key-2", privateKey: next.privateKey });
  expect(await authenticator.authenticate(withBearer(`Bearer ${await auth.token()}`))).toMatchObject({ userId });
});

test("another audience, issuer, type or a missing claim makes a token worthless", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const sign = (claims: Record<string, unknown>, typ = TOKEN_TYPE) =>
    new SignJWT({
      name: "maria",
      role: "editor",
      sub: userId,
      jti: Bun.randomUUIDv7(),
      iss: TOKEN_ISSUER,
      aud: TOKEN_AUDIENCE,
      iat: Date.now() / 1000,
      exp: Date.now() / 1000 + 30,
      ...claims,
    })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ, kid: auth.state.kid })
      .sign(auth.state.privateKey);
  await authenticator.authenticate(withBearer(`Bearer ${await sign({})}`));
  const bad = [
    await sign({ aud: "kinora:grant" }),
    await sign({ iss: "somebody" }),
    await sign({}, "JWT"),
    await sign({ exp: Date.now() / 1000 - 10 }),
    await sign({ exp: undefined }),
    await sign({ jti: undefined }),
    await sign({ sub: "maria" }),
    await sign({ role: "owner" }),
    await sign({ nbf: Date.now() / 1000 + 60 }),
  ];
  for (const token of bad)
    expect(authenticator.authenticate(withBearer(`Bearer ${token}`))).rejects.toMatchObject({ status: 401 });
});

test("revocations heard of and those in the store at the start both count", async () => {
  const { auth, authenticator } = await open();
  const stored = await auth.token();
  const { jti } = JSON.parse(Buffer.from(stored.split(".")[1] ?? "", "base64url").toString());
  auth.state.revocations = [revocationOf("token", jti)];
  await auth.start();
  expect(authenticator.authenticate(withBearer(`Bearer ${stored}`))).rejects.toMatchObject({ status: 401 });

  const heard = await auth.token();
  const principal = await authenticator.authenticate(withBearer(`Bearer ${heard}`));
  await auth.publish({ type: "revoked", revocations: [revocationOf("token", principal?.credential.id ?? "")] });
  expect(authenticator.authenticate(withBearer(`Bearer ${heard}`))).rejects.toMatchObject({ status: 401 });
});

test("a user's revocation ends tokens issued before it, not those after, and asks for the session anew", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const at = Date.now();
  const before = await auth.token({}, at - 1);
  const after = await auth.token({}, at + 1);
  await authenticator.authenticate(withCookie("good"));
  auth.state.session = { ...principalWith("session", "s1"), role: "admin" };
  await auth.publish({ type: "revoked", revocations: [revocationOf("user", userId, at)] });
  expect(authenticator.authenticate(withBearer(`Bearer ${before}`))).rejects.toMatchObject({ status: 401 });
  expect((await authenticator.authenticate(withBearer(`Bearer ${after}`)))?.userId).toBe(userId);
  expect((await authenticator.authenticate(withCookie("good")))?.role).toBe("admin");
});

test("a revocation that overtakes auth's answer wins", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  auth.state.beforeAnswer = () => auth.publish({ type: "revoked", revocations: [revocationOf("session", "s1")] });
  expect(await authenticator.authenticate(withCookie("good"))).toBeNull();

  auth.state.session = principalWith("session", "s2");
  auth.state.beforeAnswer = async () => {
    auth.state.beforeAnswer = async () => undefined;
    auth.state.session = { ...principalWith("session", "s2"), role: "viewer" };
    await auth.publish({ type: "revoked", revocations: [revocationOf("user", userId)] });
  };
  expect((await authenticator.authenticate(withCookie("good")))?.role).toBe("viewer");
});

test("onRevoked cuts once, within a second, and only whom it concerns", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const session = (await authenticator.authenticate(withCookie("good"))) as Principal;
  const apiKey = (await authenticator.authenticate(withBearer("Bearer goodkey"))) as Principal;
  const token = (await authenticator.authenticate(withBearer(`Bearer ${await auth.token()}`))) as Principal;
  const cuts: string[] = [];
  authenticator.onRevoked(session, () => {
    cuts.push("session");
    throw new Error("a watcher that fails");
  });
  authenticator.onRevoked(session, () => cuts.push("session again"));
  authenticator.onRevoked(apiKey, () => cuts.push("api-key"));
  authenticator.onRevoked(token, () => cuts.push("token"));
  authenticator.onRevoked(token, () => cuts.push("ended"))();
  await auth.publish({ type: "revoked", revocations: [revocationOf("session", "s1"), revocationOf("session", "s1")] });
  await until(() => cuts.length >= 2);
  expect(cuts).toEqual(["session", "session again"]);
  await auth.publish({ type: "revoked", revocations: [revocationOf("user", userId)] });
  await auth.publish({ type: "user-deleted", userId });
  await until(() => cuts.length >= 4);
  expect(cuts).toEqual(["session", "session again", "api-key", "token"]);
});

test("a revocation heard of twice does not end what began after it", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  await authenticator.authenticate(withCookie("good"));
  const revocation = revocationOf("user", userId);
  authenticator.apply([revocation]);
  const anew = (await authenticator.authenticate(withCookie("good"))) as Principal;
  let wasCut = false;
  authenticator.onRevoked(anew, () => {
    wasCut = true;
  });
  await auth.publish({ type: "revoked", revocations: [revocation] });
  await Bun.sleep(20);
  expect(wasCut).toBe(false);
});

test("a watch that begins after the revocation is cut all the same", async () => {
  const { auth, authenticator } = await open();
  await auth.start();
  const session = (await authenticator.authenticate(withCookie("good"))) as Principal;
  authenticator.apply([revocationOf("user", userId)]);
  const cut = Promise.withResolvers<string>();
  authenticator.onRevoked(session, () => cut.resolve("cut"));
  expect(await cut.promise).toBe("cut");

  const anew = (await authenticator.authenticate(withCookie("good"))) as Principal;
  let wasCut = false;
  authenticator.onRevoked(anew, () => {
    wasCut = true;
  });
  await Bun.sleep(20);
  expect(wasCut).toBe(false);
});
