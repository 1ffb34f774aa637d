import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import pino from "pino";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { codeOf } from "../../test/support/totp.ts";

type Line = Readonly<Record<string, unknown>>;
const lines: Line[] = [];
const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line) as Line) });
let kinora: TestKinora;
let root: TestUser;
let rootId: string;
beforeAll(async () => {
  kinora = await startTestKinora({}, { log });
  root = await TestUser.signIn(kinora, "root");
  rootId = await idOf(root);
});
beforeEach(() => void lines.splice(0));
afterAll(() => kinora.close());

const password = "correct horse battery";
const address = "127.0.0.1";

async function idOf(user: TestUser): Promise<string> {
  return ((await (await user.get("/api/session")).json()) as { user: { id: string } }).user.id;
}

/** What has been noted, without what every line of a request has; and that no line of the log tells a secret. */
function noted(...secrets: string[]): Line[] {
  for (const secret of [password, root.cookie.split("=")[1] ?? "", ...secrets])
    expect(JSON.stringify(lines)).not.toContain(secret);
  return lines.filter(({ audit }) => audit).map(({ level, time, pid, hostname, requestId, msg, ...line }) => line);
}

test("who signs in, out, or was not let in is noted with the address, and never by what was typed as name or password", async () => {
  const ann = await TestUser.signIn(kinora, "ann");
  const by = await idOf(ann);
  const ask = (username: string, given: string, path = "/api/session") =>
    new TestUser(kinora).post(path, { username, password: given });
  await ask("ann", "not the password");
  await ask("nobody-of-this-name", password, "/api/tokens");
  await ask("ann", password);
  await ask("ann", password, "/api/tokens");
  await ann.send("DELETE", "/api/session");
  expect(noted("not the password", "nobody-of-this-name")).toEqual([
    { audit: "user-registered", by, address },
    { audit: "sign-in-failed", address, code: "unauthorized", user: by },
    { audit: "sign-in-failed", address, code: "unauthorized" },
    { audit: "signed-in", by, address },
    { audit: "token-made", by, address },
    { audit: "signed-out", by },
  ]);
});

test("API keys, the second factor and one's own password are noted, without keys, codes or passwords", async () => {
  const bea = await TestUser.signIn(kinora, "bea");
  const by = await idOf(bea);
  const made = await (await bea.post("/api/auth/api-key/create", { name: "script" })).json();
  await bea.post("/api/auth/api-key/delete", { keyId: made.id });
  const begun = await (await bea.post("/api/auth/two-factor/enable", { password })).json();
  await bea.post("/api/auth/two-factor/verify-totp", { code: codeOf(begun.totpURI, -1) });
  await new TestUser(kinora).post("/api/session", { username: "bea", password });
  await new TestUser(kinora).post("/api/session", { username: "bea", password, twoFactorCode: "000000" });
  await bea.post("/api/auth/two-factor/disable", { password: "not the password" });
  await bea.post("/api/auth/two-factor/disable", { password });
  await bea.send("PUT", "/api/session/password", { current: password, next: "another good one" });
  expect(noted(made.key, begun.totpURI, "not the password", "another good one")).toEqual([
    { audit: "user-registered", by, address },
    { audit: "api-key-create", by },
    { audit: "api-key-delete", by },
    { audit: "two-factor-verify-totp", by },
    { audit: "sign-in-failed", address, code: "two-factor-required", user: by },
    { audit: "sign-in-failed", address, code: "wrong-password", user: by },
    { audit: "two-factor-disable", by },
    { audit: "password-changed", by },
  ]);
});

test("what an admin does with accounts and invitations is noted, with whom it concerns", async () => {
  const { id: user } = await (await root.post("/api/users", { username: "carl", password })).json();
  await root.send("PATCH", `/api/users/${user}`, { role: "viewer" });
  await root.send("PATCH", `/api/users/${user}`, { password: "another good one", twoFactor: false });
  await root.send("PATCH", `/api/users/${user}`, { disabled: true });
  await root.send("DELETE", `/api/users/${user}`);
  const { id: invite, code } = await (await root.post("/api/invites", { role: "viewer" })).json();
  await root.send("DELETE", `/api/invites/${invite}`);
  const by = rootId;
  expect(noted("another good one", code)).toEqual([
    { audit: "user-created", by, user, role: "editor" },
    { audit: "user-changed", by, user, change: { role: "viewer" } },
    { audit: "user-changed", by, user, change: { password: true, twoFactor: false } },
    { audit: "user-changed", by, user, change: { disabled: true } },
    { audit: "user-deleted", by, user },
    { audit: "invite-made", by, invite, role: "viewer" },
    { audit: "invite-revoked", by, invite },
  ]);
});

test("who may not do it leaves no line that says it was done", async () => {
  const dan = await TestUser.signIn(kinora, "dan");
  lines.splice(0);
  await dan.send("PATCH", `/api/users/${rootId}`, { role: "viewer" });
  await dan.send("DELETE", `/api/users/${rootId}`);
  expect(noted()).toEqual([]);
});
