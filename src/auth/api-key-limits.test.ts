import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let root: TestUser;
let maria: string;
let rootId: string;
let sessionId: string;
/** An admin's API key, and tokens made with it and with the admin's session. */
let key: string;
let tokenOfSession: () => Promise<string>;
let tokenOfKey: () => Promise<string>;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
  ({ id: rootId } = (await (await root.get("/api/session")).json()).user);
  ({ id: maria } = await (await root.post("/api/users", { username: "maria", password })).json());
  const { items } = await (await root.get("/api/sessions")).json();
  sessionId = items[0].id;
  ({ key } = await (await root.post("/api/auth/api-key/create", { name: "script" })).json());
  tokenOfSession = async () => (await (await root.post("/api/tokens")).json()).token;
  tokenOfKey = async () => (await (await by(key, "POST", "/api/tokens")).json()).token;
});
afterAll(() => kinora.close());

const password = "correct horse battery";

function by(bearer: string, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { Authorization: `Bearer ${bearer}`, ...(body ? { "Content-Type": "application/json" } : {}) };
  return fetch(new URL(path, kinora.url), { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}

/** What would make, change or end a way to sign in. */
const credentialChanges = (): [string, string, unknown?][] => [
  ["PUT", "/api/session/password", { current: password, next: password }],
  ["PATCH", `/api/users/${maria}`, { password: "another good one" }],
  ["PATCH", `/api/users/${rootId}`, { password: "another good one" }],
  ["PATCH", `/api/users/${maria}`, { twoFactor: false }],
  ["PATCH", `/api/users/${maria}`, { role: "admin" }],
  ["POST", "/api/users", { username: "mallory", password, role: "admin" }],
  ["POST", "/api/invites", { role: "admin" }],
];
/** What takes the session itself, whoever asks. */
const ofSessions = (): [string, string, unknown?][] => [
  ["GET", "/api/sessions"],
  ["DELETE", "/api/sessions"],
  ["DELETE", `/api/sessions/${sessionId}`],
  ["POST", "/api/auth/revoke-session", { id: sessionId }],
  ["POST", "/api/auth/revoke-sessions", {}],
  ["POST", "/api/auth/revoke-other-sessions", {}],
  ["GET", "/api/auth/list-sessions"],
  ["POST", "/api/auth/api-key/create", { name: "child" }],
  ["GET", "/api/auth/api-key/list"],
  ["POST", "/api/auth/api-key/update", { keyId: "any", enabled: false }],
  ["POST", "/api/auth/api-key/delete", { keyId: "any" }],
  ["POST", "/api/auth/two-factor/enable", { password }],
  ["POST", "/api/auth/two-factor/verify-totp", { code: "000000" }],
  ["POST", "/api/auth/two-factor/disable", { password }],
  ["POST", "/api/auth/two-factor/generate-backup-codes", { password }],
];

const codeOf = async (response: Response) => `${response.status} ${(await response.json()).code}`;

describe("an admin's API key", () => {
  test("changes no password, role of admin or second factor, and neither does a token made with it", async () => {
    for (const [method, path, body] of credentialChanges())
      for (const bearer of [key, await tokenOfKey()])
        expect(`${method} ${path} ${await codeOf(await by(bearer, method, path, body))}`).toBe(
          `${method} ${path} 403 api-key-not-allowed`,
        );
    await TestUser.signIn(kinora, "maria");
    expect((await root.get("/api/session")).status).toBe(200);
  });

  test("sees to no sessions, keys or second factor; tokens do not either", async () => {
    for (const [method, path, body] of [...ofSessions(), ["DELETE", "/api/session"] as [string, string]])
      expect(`${method} ${path} ${await codeOf(await by(key, method, path, body))}`).toBe(
        `${method} ${path} 403 api-key-not-allowed`,
      );
    for (const [method, path, body] of ofSessions())
      for (const bearer of [await tokenOfKey(), await tokenOfSession()])
        expect((await by(bearer, method, path, body)).status).toBe(403);
    expect((await by(key, "GET", "/api/session")).status).toBe(200);
    expect((await root.get("/api/session")).status).toBe(200);
  });

  test("still makes, disables and deletes those who are no admins, as scripts do", async () => {
    const made = await by(key, "POST", "/api/users", { username: "ingrid", password });
    expect(made.status).toBe(201);
    const { id } = await made.json();
    expect((await by(key, "PATCH", `/api/users/${id}`, { role: "viewer", disabled: true })).status).toBe(200);
    expect((await by(key, "POST", "/api/invites", { role: "viewer" })).status).toBe(201);
    expect((await by(key, "DELETE", `/api/users/${id}`)).status).toBe(204);
  });
});

test("a token made with a session, or with name and password, may do what its owner may", async () => {
  const named = await (await new TestUser(kinora).post("/api/tokens", { username: "root", password })).json();
  for (const bearer of [await tokenOfSession(), named.token])
    expect((await by(bearer, "PATCH", `/api/users/${maria}`, { password })).status).toBe(200);
  expect(
    (await by(await tokenOfSession(), "PUT", "/api/session/password", { current: password, next: password })).status,
  ).toBe(204);
});
