import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let root: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

interface ApiKey {
  readonly id: string;
  readonly key: string;
}

async function makeKey(user: TestUser, body: Record<string, unknown> = { name: "script" }): Promise<ApiKey> {
  const response = await user.post("/api/auth/api-key/create", body);
  expect(response.status).toBe(200);
  return (await response.json()) as ApiKey;
}

const withKey = (key: string, path = "/api/session", init: RequestInit = {}) =>
  new TestUser(kinora).fetch(path, { ...init, headers: { Authorization: `Bearer ${key}` } });

function copyOf(user: TestUser): TestUser {
  const copy = new TestUser(kinora);
  copy.cookie = user.cookie;
  return copy;
}

test("an API key is shown once, counts as its user, and has no limit on requests", async () => {
  const user = await TestUser.signIn(kinora, "keys");
  const { key, id } = await makeKey(user);
  for (let request = 0; request < 15; request++) expect((await withKey(key)).status).toBe(200);
  expect(await (await withKey(key)).json()).toMatchObject({ user: { username: "keys", role: "editor" } });
  const list = await (await user.get("/api/auth/api-key/list")).text();
  expect(list).toContain(id);
  expect(list).not.toContain(key);
  expect((await user.get(`/api/auth/api-key/get?id=${id}`)).status).toBe(200);
  await kinora.restart();
  expect((await withKey(key)).status).toBe(200);
});

test("a deleted API key is refused at once, with the tokens made with it", async () => {
  const user = await TestUser.signIn(kinora, "key-deleter");
  const { key, id } = await makeKey(user);
  const made = await withKey(key, "/api/tokens", { method: "POST" });
  const { token } = (await made.json()) as { token: string };
  expect((await withKey(token)).status).toBe(200);
  expect((await user.post("/api/auth/api-key/delete", { keyId: id })).status).toBe(200);
  expect((await withKey(key)).status).toBe(401);
  expect((await withKey(token)).status).toBe(401);
});

test("a disabled API key is refused at once", async () => {
  const user = await TestUser.signIn(kinora, "key-disabler");
  const { key, id } = await makeKey(user);
  expect((await withKey(key)).status).toBe(200);
  expect((await user.post("/api/auth/api-key/update", { keyId: id, enabled: false })).status).toBe(200);
  expect((await withKey(key)).status).toBe(401);
});

test("nobody reads, changes or deletes another's API key", async () => {
  const { key, id } = await makeKey(root);
  const other = await TestUser.signIn(kinora, "key-thief");
  expect((await other.get(`/api/auth/api-key/get?id=${id}`)).status).toBe(404);
  expect((await other.post("/api/auth/api-key/update", { keyId: id, enabled: false })).status).toBe(404);
  expect((await other.post("/api/auth/api-key/delete", { keyId: id })).status).toBe(404);
  expect((await withKey(key)).status).toBe(200);
});

test("an API key neither signs out nor makes other keys", async () => {
  const { key } = await makeKey(root);
  expect((await withKey(key, "/api/session", { method: "DELETE" })).status).toBe(403);
  const body = JSON.stringify({ name: "child" });
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const response = await fetch(`${kinora.url}/api/auth/api-key/create`, { method: "POST", body, headers });
  expect(response.status).toBe(403);
  expect((await withKey(key)).status).toBe(200);
});

test("fields that better-auth would take from the server only are refused", async () => {
  for (const field of ["userId", "permissions", "remaining", "rateLimitEnabled", "configId"]) {
    const response = await root.post("/api/auth/api-key/create", { name: "x", [field]: "1" });
    expect([field, response.status]).toEqual([field, 400]);
  }
});

test("sessions are listed and ended one by one, the others, or all; each at once", async () => {
  const [a, b, c] = [
    await TestUser.signIn(kinora, "sessions"),
    await TestUser.signIn(kinora, "sessions"),
    await TestUser.signIn(kinora, "sessions"),
  ];
  const statuses = async () => Promise.all([a, b, c].map(async (user) => (await user.get("/api/session")).status));
  expect(await statuses()).toEqual([200, 200, 200]);
  const list = (await (await a.get("/api/auth/list-sessions")).json()) as { id: string; ipAddress: string }[];
  expect(list).toHaveLength(3);
  expect(list[0]?.ipAddress).toBe("127.0.0.1");
  const { session } = (await (await b.get("/api/auth/get-session")).json()) as { session: { id: string } };
  expect(list.map(({ id }) => id)).toContain(session.id);
  expect((await a.post("/api/auth/revoke-session", { id: session.id })).status).toBe(200);
  expect(await statuses()).toEqual([200, 401, 200]);
  expect((await a.post("/api/auth/revoke-other-sessions", {})).status).toBe(200);
  expect(await statuses()).toEqual([200, 401, 401]);
  const thief = copyOf(a);
  expect((await a.post("/api/auth/revoke-sessions", {})).status).toBe(200);
  expect((await thief.get("/api/session")).status).toBe(401);
});

test("nobody ends another's session", async () => {
  const other = await TestUser.signIn(kinora, "session-thief");
  const { session } = (await (await root.get("/api/auth/get-session")).json()) as { session: { id: string } };
  expect((await other.post("/api/auth/revoke-session", { id: session.id })).status).toBe(404);
  expect((await root.get("/api/session")).status).toBe(200);
});

test("get-session never shows the synthetic e-mail address", async () => {
  const text = await (await root.get("/api/auth/get-session")).text();
  expect(text).toContain('"username":"root"');
  expect(text).not.toContain("users.invalid");
  expect(await (await new TestUser(kinora).get("/api/auth/get-session")).text()).toBe("null");
});

test.each([
  ["POST", "/sign-up/email"],
  ["POST", "/sign-in/email"],
  ["POST", "/sign-in/username"],
  ["POST", "/is-username-available"],
  ["POST", "/sign-out"],
  ["POST", "/update-user"],
  ["POST", "/change-email"],
  ["POST", "/change-password"],
  ["POST", "/set-password"],
  ["POST", "/delete-user"],
  ["POST", "/request-password-reset"],
  ["POST", "/update-session"],
  ["POST", "/api-key/verify"],
  ["POST", "/admin/set-role"],
  ["POST", "/admin/create-user"],
  ["POST", "/admin/set-user-password"],
  ["POST", "/admin/ban-user"],
  ["POST", "/admin/impersonate-user"],
  ["POST", "/admin/remove-user"],
  ["GET", "/admin/list-users"],
  ["GET", "/list-accounts"],
  ["GET", "//get-session"],
  ["GET", "/get-session/"],
  ["POST", "/open-session"],
  ["POST", "/open-challenge"],
  ["POST", "/two-factor/verify-backup-code"],
  ["POST", "/two-factor/get-totp-uri"],
  ["POST", "/two-factor/send-otp"],
])("better-auth's %s %s cannot be reached, not even by an admin", async (method, path) => {
  const response = await root.send(method, `/api/auth${path}`, method === "POST" ? { role: "admin" } : undefined);
  expect([404, 405]).toContain(response.status);
  expect(response.headers.get("Content-Type")).toContain("application/problem+json");
});

test("a page of another site can use none of it", async () => {
  const { id } = await makeKey(root);
  const headers = { Origin: "https://evil.example", "Content-Type": "application/json" };
  const body = JSON.stringify({ keyId: id });
  expect((await root.fetch("/api/auth/api-key/delete", { method: "POST", body, headers })).status).toBe(403);
});
