import { afterAll, beforeAll, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let root: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora({ auth: { tokenLifetime: "20s" } });
  root = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

const password = "correct horse battery";
interface Token {
  readonly token: string;
  readonly id: string;
  readonly expiresAt: string;
}

async function tokenFrom(response: Response): Promise<Token> {
  expect(response.status).toBe(201);
  return (await response.json()) as Token;
}

const bearer = (method: string, path: string, credential: string, on: TestKinora = kinora) =>
  new TestUser(on).fetch(path, { method, headers: { Authorization: `Bearer ${credential}` } });
const statusOf = async (credential: string, on: TestKinora = kinora) =>
  (await bearer("GET", "/api/session", credential, on)).status;

/** Header and payload of a token, to forge others from. */
function partsOf(token: string) {
  const [header = "", payload = ""] = token.split(".");
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  return { header: decode(header), payload: decode(payload) };
}

test("a token is made with the cookie, with name and password, or with an API key", async () => {
  const begin = Date.now();
  const byCookie = await tokenFrom(await root.post("/api/tokens"));
  const byPassword = await tokenFrom(await new TestUser(kinora).post("/api/tokens", { username: "ROOT", password }));
  const { key } = (await (await root.post("/api/auth/api-key/create", { name: "cli" })).json()) as { key: string };
  const byKey = await tokenFrom(await bearer("POST", "/api/tokens", key));
  for (const { token, id, expiresAt } of [byCookie, byPassword, byKey]) {
    const answer = await bearer("GET", "/api/session", token);
    expect(await answer.json()).toMatchObject({ user: { username: "root", role: "admin" } });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    // In whole seconds.
    expect(Date.parse(expiresAt) - begin).toBeGreaterThan(18_000);
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(20_000);
  }
});

test("name and password make no account, and wrong ones no token", async () => {
  const ask = (body: unknown) => new TestUser(kinora).post("/api/tokens", body);
  expect((await ask({ username: "nobody-here", password })).status).toBe(401);
  expect((await ask({ username: "nobody-here", password })).status).toBe(401);
  expect((await ask({ username: "root", password: "wrong password" })).status).toBe(401);
  expect((await ask({ username: "root" })).status).toBe(400);
  expect((await ask(undefined)).status).toBe(401);
});

test("a token cannot make another one, it is renewed", async () => {
  const first = await tokenFrom(await root.post("/api/tokens"));
  expect((await bearer("POST", "/api/tokens", first.token)).status).toBe(403);
  const second = await tokenFrom(await bearer("POST", "/api/tokens/refresh", first.token));
  expect(second.id).toBe(first.id);
  expect(second.token).not.toBe(first.token);
  expect(Date.parse(second.expiresAt)).toBeGreaterThanOrEqual(Date.parse(first.expiresAt));
  expect(await statusOf(second.token)).toBe(200);
  expect((await root.post("/api/tokens/refresh")).status).toBe(401);
});

test("revoking a token's id ends all that came of it at once", async () => {
  const first = await tokenFrom(await root.post("/api/tokens"));
  const second = await tokenFrom(await bearer("POST", "/api/tokens/refresh", first.token));
  expect((await root.send("DELETE", `/api/tokens/${first.id}`)).status).toBe(204);
  for (const { token } of [first, second]) {
    expect(await statusOf(token)).toBe(401);
    expect((await bearer("POST", "/api/tokens/refresh", token)).status).toBe(401);
  }
  expect((await root.send("DELETE", `/api/tokens/${first.id}`)).status).toBe(404);
});

test("a revoked token stays revoked after a restart, and a valid one valid", async () => {
  const revoked = await tokenFrom(await root.post("/api/tokens"));
  const valid = await tokenFrom(await root.post("/api/tokens"));
  await root.send("DELETE", `/api/tokens/${revoked.id}`);
  await kinora.restart();
  expect(await statusOf(revoked.token)).toBe(401);
  expect(await statusOf(valid.token)).toBe(200);
});

test("people revoke their own tokens, admins any", async () => {
  const other = await TestUser.signIn(kinora, "other");
  const rootToken = await tokenFrom(await root.post("/api/tokens"));
  const otherToken = await tokenFrom(await other.post("/api/tokens"));
  expect((await other.send("DELETE", `/api/tokens/${rootToken.id}`)).status).toBe(404);
  expect(await statusOf(rootToken.token)).toBe(200);
  expect((await root.send("DELETE", `/api/tokens/${otherToken.id}`)).status).toBe(204);
  expect(await statusOf(otherToken.token)).toBe(401);
  expect((await new TestUser(kinora).send("DELETE", `/api/tokens/${rootToken.id}`)).status).toBe(401);
  expect((await root.send("DELETE", "/api/tokens/not-an-id")).status).toBe(400);
});

test("signing out ends the tokens made with the session; a token signs itself out", async () => {
  const user = await TestUser.signIn(kinora, "leaver");
  const bySession = await tokenFrom(await user.post("/api/tokens"));
  const byPassword = await tokenFrom(await new TestUser(kinora).post("/api/tokens", { username: "leaver", password }));
  await user.send("DELETE", "/api/session");
  expect(await statusOf(bySession.token)).toBe(401);
  expect(await statusOf(byPassword.token)).toBe(200);
  expect((await bearer("DELETE", "/api/session", byPassword.token)).status).toBe(204);
  expect(await statusOf(byPassword.token)).toBe(401);
});

test("an expired token is refused, two seconds of clock difference allowed", async () => {
  const brief = await startTestKinora({ auth: { tokenLifetime: "100ms" } });
  try {
    const user = await TestUser.signIn(brief, "brief");
    const { token } = await tokenFrom(await user.post("/api/tokens"));
    expect(await statusOf(token, brief)).toBe(200);
    // Whole seconds are compared: 0.1 s of life and 2 s of tolerance are over after 3.1 s at the latest.
    await Bun.sleep(3_200);
    expect(await statusOf(token, brief)).toBe(401);
    expect((await bearer("POST", "/api/tokens/refresh", token, brief)).status).toBe(401);
  } finally {
    await brief.close();
  }
});

test("whatever is no token of ours is refused, even beside a valid cookie", async () => {
  const { token } = await tokenFrom(await root.post("/api/tokens"));
  const { header, payload } = partsOf(token);
  const foreign = await generateKeyPair("EdDSA", { extractable: true });
  const sign = (changedHeader: object, changedPayload: object, key = foreign.privateKey) =>
    new SignJWT({ ...payload, ...changedPayload }).setProtectedHeader({ ...header, ...changedHeader }).sign(key);
  const [head, body, signature] = token.split(".");
  const forged: Record<string, string> = {
    empty: "",
    truncated: token.slice(0, -10),
    "without signature": `${head}.${body}.`,
    "with another payload": `${head}.${Buffer.from(JSON.stringify({ ...payload, role: "admin", sub: crypto.randomUUID() })).toString("base64url")}.${signature}`,
    "alg none": new UnsecuredJWT(payload).encode(),
    "foreign key, our kid": await sign({}, {}),
    "foreign key, foreign kid": await sign({ kid: "other" }, {}),
    "foreign key, no kid": await sign({ kid: undefined }, {}),
    "own key in the header": await sign({ jwk: await exportJWK(foreign.publicKey) }, {}),
    "public key as HMAC secret": await new SignJWT(payload)
      .setProtectedHeader({ ...header, alg: "HS256" })
      .sign(new TextEncoder().encode(JSON.stringify(await exportJWK(foreign.publicKey)))),
    "two words": `${token} ${token}`,
    garbage: "a.b.c",
    "an unknown API key": "kinora_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl",
    "very long": "x".repeat(8_000),
  };
  for (const [name, credential] of Object.entries(forged)) {
    const response = await root.fetch("/api/session", { headers: { Authorization: `Bearer ${credential}` } });
    expect([name, response.status]).toEqual([name, 401]);
    expect((await response.json()).code).toBe("unauthorized");
  }
});

test("a token in the query or in another scheme is not looked at", async () => {
  const { token } = await tokenFrom(await root.post("/api/tokens"));
  expect((await new TestUser(kinora).get(`/api/titles?access_token=${token}`)).status).not.toBe(200);
  const basic = { Authorization: `Basic ${Buffer.from(`root:${token}`).toString("base64")}` };
  expect((await new TestUser(kinora).fetch("/api/session", { headers: basic })).status).toBe(401);
});
