import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
beforeAll(async () => {
  kinora = await startTestKinora({ trustedProxies: ["127.0.0.1"] });
});
afterAll(() => kinora.close());

const password = "correct horse battery";
const problemOf = async (response: Response) => (await response.json()) as { code: string; detail: string };

/** A second client with the same cookie, as a thief or another instance would have it. */
function copyOf(user: TestUser): TestUser {
  const copy = new TestUser(kinora);
  copy.cookie = user.cookie;
  return copy;
}

test("an unknown name creates the account, the first is admin, and signing in again answers 200", async () => {
  const first = new TestUser(kinora);
  const created = await first.post("/api/session", { username: "Maria", password, setupCode: kinora.firstAdminCode });
  expect(created.status).toBe(201);
  const body = await created.json();
  expect(body).toEqual({ user: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), username: "maria", role: "admin" } });
  const again = await new TestUser(kinora).post("/api/session", { username: "mArIa", password });
  expect(again.status).toBe(200);
  expect(await again.json()).toEqual(body);
  expect(await (await first.get("/api/session")).json()).toEqual(body);
});

test("while there is no account at all, nobody is told so, and what the first one takes; afterwards not", async () => {
  for (const trustedProxies of [[], ["127.0.0.1"]]) {
    const empty = await startTestKinora({ trustedProxies });
    const ask = () => new TestUser(empty).get("/api/session");
    const answer = await ask();
    expect(answer.status).toBe(401);
    expect(await problemOf(answer)).toMatchObject({
      code: "unauthorized",
      first: true,
      takesSetupCode: trustedProxies.length > 0,
    });
    await TestUser.signIn(empty, "somebody");
    const after = await ask();
    expect(after.status).toBe(401);
    expect(Object.keys(await problemOf(after)).sort()).toEqual(["code", "detail", "status", "title", "type"]);
    await empty.close();
  }
});

test("the cookie is HttpOnly, SameSite=Lax, kept 31 days, and Secure only over TLS", async () => {
  const sent = { username: "cookie", password };
  const plain = await new TestUser(kinora).post("/api/session", sent);
  const cookie = plain.headers.get("Set-Cookie") ?? "";
  for (const part of ["HttpOnly", "SameSite=Lax", "Max-Age=2678400", "Path=/"]) expect(cookie).toContain(part);
  expect(cookie).not.toContain("Secure");
  const overTls = await new TestUser(kinora).fetch("/api/session", {
    method: "POST",
    body: JSON.stringify(sent),
    headers: { "Content-Type": "application/json", "X-Forwarded-Proto": "https" },
  });
  expect(overTls.headers.get("Set-Cookie")).toContain("; Secure");
});

test("with create false an unknown name answers unknown-user and creates nothing", async () => {
  const ask = () => new TestUser(kinora).post("/api/session", { username: "nobody-yet", password, create: false });
  for (const response of [await ask(), await ask()]) {
    expect(response.status).toBe(404);
    expect(response.headers.get("Set-Cookie")).toBeNull();
    expect((await problemOf(response)).code).toBe("unknown-user");
  }
});

test("with create false an empty Kinora says that the account would be the first", async () => {
  const empty = await startTestKinora();
  const ask = () => new TestUser(empty).post("/api/session", { username: "nobody-yet", password, create: false });
  expect(await problemOf(await ask())).toMatchObject({ code: "unknown-user", first: true });
  await TestUser.signIn(empty, "somebody");
  expect(await problemOf(await ask())).not.toHaveProperty("first");
  await empty.close();
});

test("a wrong password answers 401 and sets no cookie", async () => {
  await TestUser.signIn(kinora, "wrong");
  const response = await new TestUser(kinora).post("/api/session", { username: "wrong", password: "not the password" });
  expect(response.status).toBe(401);
  expect(response.headers.get("Set-Cookie")).toBeNull();
  expect(await problemOf(response)).toMatchObject({
    code: "unauthorized",
    detail: "The user name or the password is not right.",
  });
});

test.each([
  [{ username: "a", password }, "username"],
  [{ username: "has space", password }, "username"],
  [{ username: "../../etc", password }, "username"],
  [{ username: "x".repeat(65), password }, "username"],
  [{ username: "shortpass", password: "seven77" }, "password"],
  [{ username: "longpass", password: "x".repeat(257) }, "password"],
  [{ username: "nopass" }, "password"],
  [{ username: "more", password, role: "admin" }, "role"],
])("refuses %j and names the field", async (body, field) => {
  const response = await new TestUser(kinora).post("/api/session", body);
  expect(response.status).toBe(400);
  const problem = await problemOf(response);
  expect(problem.code).toBe("invalid-request");
  expect(problem.detail).toContain(field);
});

test("a body that is no JSON, of another type, or too large is refused with a problem document", async () => {
  const send = (body: string, type: string) =>
    fetch(`${kinora.url}/api/session`, { method: "POST", body, headers: { "Content-Type": type } });
  expect((await problemOf(await send("{", "application/json"))).code).toBe("invalid-request");
  const plain = await send(`{"username":"plain","password":"${password}"}`, "text/plain");
  expect(plain.status).toBe(415);
  expect((await problemOf(plain)).code).toBe("unsupported-media-type");
  const large = await send(JSON.stringify({ username: "large", password: "x".repeat(70_000) }), "application/json");
  expect(large.status).toBe(413);
  expect((await problemOf(large)).code).toBe("too-large");
});

test("unknown query parameters are refused", async () => {
  const user = await TestUser.signIn(kinora, "query");
  expect((await user.get("/api/session?x=1")).status).toBe(400);
});

test("after sign-out the cookie counts no more, in this or any other client", async () => {
  const user = await TestUser.signIn(kinora, "nina");
  const thief = copyOf(user);
  expect((await thief.get("/api/session")).status).toBe(200);
  expect((await user.send("DELETE", "/api/session")).status).toBe(204);
  expect(user.cookie).toBe("");
  expect((await thief.get("/api/session")).status).toBe(401);
  expect((await user.get("/api/session")).status).toBe(401);
  expect((await user.send("DELETE", "/api/session")).status).toBe(204);
});

test("signing in over a session ends that one", async () => {
  const user = await TestUser.signIn(kinora, "twice");
  const before = copyOf(user);
  await user.post("/api/session", { username: "twice", password });
  expect((await before.get("/api/session")).status).toBe(401);
  expect((await user.get("/api/session")).status).toBe(200);
});

test("a cookie with another's signature or none is nobody's", async () => {
  const user = await TestUser.signIn(kinora, "forged");
  const [name = "", value = ""] = user.cookie.split("=");
  for (const forged of [
    value.slice(0, -12),
    value.split(".")[0] ?? "",
    `${value.slice(0, 5)}x${value.slice(6)}`,
    ".",
  ]) {
    const thief = new TestUser(kinora);
    thief.cookie = `${name}=${forged}`;
    expect((await thief.get("/api/session")).status).toBe(401);
  }
});

test.each<Record<string, string>>([
  { "Sec-Fetch-Site": "cross-site" },
  { "Sec-Fetch-Site": "same-site" },
  { Origin: "https://evil.example" },
  { Origin: "null" },
  { Origin: "https://evil.example", Authorization: "Basic bWFyaWE6eA==" },
])("a change that another site's page asks for is refused: %j", async (headers) => {
  const user = await TestUser.signIn(kinora, "csrf");
  const response = await user.fetch("/api/session", { method: "DELETE", headers });
  expect(response.status).toBe(403);
  expect((await problemOf(response)).code).toBe("forbidden");
  expect((await user.get("/api/session")).status).toBe(200);
});

test("a page of our own may sign out", async () => {
  const user = await TestUser.signIn(kinora, "own-page");
  const headers = { Origin: new URL(kinora.url).origin, "Sec-Fetch-Site": "same-origin" };
  expect((await user.fetch("/api/session", { method: "DELETE", headers })).status).toBe(204);
});

test("a session outlives a restart of the server", async () => {
  const user = await TestUser.signIn(kinora, "restart");
  await kinora.restart();
  expect((await user.get("/api/session")).status).toBe(200);
});

test("a changed password ends the other sessions, tokens and API keys, and the old password", async () => {
  const here = await TestUser.signIn(kinora, "changer");
  const there = await TestUser.signIn(kinora, "changer");
  const { token } = (await (await here.post("/api/tokens")).json()) as { token: string };
  const { key } = (await (await here.post("/api/auth/api-key/create", { name: "k" })).json()) as { key: string };
  const bearer = (secret: string) =>
    new TestUser(kinora).fetch("/api/session", { headers: { Authorization: `Bearer ${secret}` } });
  expect((await bearer(token)).status).toBe(200);
  expect((await bearer(key)).status).toBe(200);

  const wrong = await here.send("PUT", "/api/session/password", { current: "not it at all", next: "another password" });
  expect(wrong.status).toBe(401);
  const short = await here.send("PUT", "/api/session/password", { current: password, next: "short" });
  expect(short.status).toBe(400);
  const changed = await here.send("PUT", "/api/session/password", { current: password, next: "another password" });
  expect(changed.status).toBe(204);

  expect((await here.get("/api/session")).status).toBe(200);
  expect((await there.get("/api/session")).status).toBe(401);
  expect((await bearer(token)).status).toBe(401);
  expect((await bearer(key)).status).toBe(401);
  const old = await new TestUser(kinora).post("/api/session", { username: "changer", password });
  expect(old.status).toBe(401);
  await TestUser.signIn(kinora, "changer", "another password");
});

test("a session ends by itself after its lifetime", async () => {
  const short = await startTestKinora({ auth: { sessionLifetime: "3s" } });
  try {
    const user = await TestUser.signIn(short, "brief");
    expect((await user.get("/api/session")).status).toBe(200);
    await Bun.sleep(3_050);
    expect((await user.get("/api/session")).status).toBe(401);
  } finally {
    await short.close();
  }
});

test("a session in use is extended to 31 days from now once a day", async () => {
  const user = await TestUser.signIn(kinora, "regular");
  expect((await user.get("/api/session")).headers.get("Set-Cookie")).toBeNull();
  const { Database } = await import("bun:sqlite");
  const database = new Database(`${kinora.data}/kinora.db`);
  const inTwentyDays = new Date(Date.now() + 20 * 86_400_000).toISOString();
  database.run("update auth_sessions set expiresAt = ?", [inTwentyDays]);
  const extended = await user.get("/api/session");
  expect(extended.headers.get("Set-Cookie")).toContain("Max-Age=2678400");
  const expiries = database
    .query<{ expiresAt: string }, []>("select max(expiresAt) expiresAt from auth_sessions")
    .all();
  database.close();
  expect(Date.parse(expiries[0]?.expiresAt ?? "") - Date.now()).toBeGreaterThan(30 * 86_400_000);
  expect((await user.get("/api/session")).status).toBe(200);
});

test("passwords are stored as argon2id and the cookie's secret half never is", async () => {
  const user = await TestUser.signIn(kinora, "stored");
  const { Database } = await import("bun:sqlite");
  const database = new Database(`${kinora.data}/kinora.db`, { readonly: true });
  const hashes = database.query<{ password: string }, []>("select password from auth_accounts").all();
  database.close();
  expect(hashes.every(({ password }) => password.startsWith("$argon2id$v=19$m=19456,t=2,p=1$"))).toBe(true);
  expect(hashes.length).toBeGreaterThan(0);
  expect(user.cookie).not.toBe("");
});
