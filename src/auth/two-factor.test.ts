import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import { codeOf } from "../../test/support/totp.ts";

let kinora: TestKinora;
let root: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

const password = "correct horse battery";

interface Begun {
  readonly totpURI: string;
  readonly backupCodes: readonly string[];
}

/** Somebody with a second factor, switched on with the code of the step before this one. */
async function withSecondFactor(username: string): Promise<Begun & { readonly user: TestUser }> {
  const user = await TestUser.signIn(kinora, username);
  const begun = (await (await user.post("/api/auth/two-factor/enable", { password })).json()) as Begun;
  const confirmed = await user.post("/api/auth/two-factor/verify-totp", { code: codeOf(begun.totpURI, -1) });
  expect(confirmed.status).toBe(200);
  return { user, ...begun };
}

async function signIn(username: string, more: Record<string, unknown> = {}) {
  const user = new TestUser(kinora);
  const response = await user.post("/api/session", { username, password, ...more });
  return { user, status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("the address for the app names the user and Kinora, never the synthetic e-mail address", async () => {
  const user = await TestUser.signIn(kinora, "label");
  const response = await user.post("/api/auth/two-factor/enable", { password });
  const { totpURI, backupCodes } = (await response.json()) as Begun;
  const url = new URL(totpURI);
  expect(decodeURIComponent(url.pathname)).toContain(`Kinora:label@${new URL(kinora.url).host}`);
  expect(url.searchParams.get("issuer")).toBe("Kinora");
  expect(totpURI).not.toContain("users.invalid");
  expect(backupCodes).toHaveLength(10);
  // Begun is not on: nothing is asked for yet.
  expect((await signIn("label")).status).toBe(200);
});

test("with a second factor, name and password are not enough; a code of the app lets in, once", async () => {
  const { totpURI, user } = await withSecondFactor("ada");
  expect((await user.get("/api/session")).status).toBe(200);
  const asked = await signIn("ada");
  expect([asked.status, asked.body.code, asked.body.given]).toEqual([403, "two-factor-required", false]);
  expect(asked.user.cookie).toBe("");
  const wrong = await signIn("ada", { twoFactorCode: "000000" });
  expect([wrong.status, wrong.body.code, wrong.body.given]).toEqual([403, "two-factor-required", true]);
  // Not the one that switched it on either.
  expect((await signIn("ada", { twoFactorCode: codeOf(totpURI, -1) })).status).toBe(403);
  const code = codeOf(totpURI);
  const right = await signIn("ada", { twoFactorCode: code });
  expect([right.status, right.body]).toEqual([200, { user: expect.objectContaining({ username: "ada" }) }]);
  expect((await right.user.get("/api/session")).status).toBe(200);
  expect((await signIn("ada", { twoFactorCode: code })).status).toBe(403);
  expect((await signIn("ada", { twoFactorCode: codeOf(totpURI, 1), password: "not the password" })).status).toBe(401);
});

test("a wrong password is told the same with and without a second factor", async () => {
  await withSecondFactor("eve");
  const answers = await Promise.all([
    signIn("eve", { password: "wrong wrong wrong" }),
    signIn("root", { password: "wrong wrong wrong" }),
    signIn("eve", { password: "wrong wrong wrong", twoFactorCode: "123456" }),
  ]);
  expect(new Set(answers.map(({ status, body }) => `${status} ${body.detail}`)).size).toBe(1);
});

test("each backup code lets in once, with or without its hyphen", async () => {
  const { backupCodes } = await withSecondFactor("bea");
  const [first = "", second = ""] = backupCodes;
  expect((await signIn("bea", { twoFactorCode: first })).status).toBe(200);
  expect((await signIn("bea", { twoFactorCode: first })).status).toBe(403);
  expect((await signIn("bea", { twoFactorCode: ` ${second.replace("-", "")} ` })).status).toBe(200);
});

test("new backup codes replace those before, and take the password", async () => {
  const { user, backupCodes } = await withSecondFactor("carl");
  const path = "/api/auth/two-factor/generate-backup-codes";
  expect((await user.post(path, { password: "wrong wrong wrong" })).status).toBe(403);
  const made = (await (await user.post(path, { password })).json()) as Begun;
  expect((await signIn("carl", { twoFactorCode: backupCodes[0] })).status).toBe(403);
  expect((await signIn("carl", { twoFactorCode: made.backupCodes[0] })).status).toBe(200);
});

test("a token by name and password takes the code as well; by session it does not", async () => {
  const { user, totpURI } = await withSecondFactor("dora");
  const token = (more: object) => new TestUser(kinora).post("/api/tokens", { username: "dora", password, ...more });
  expect((await (await token({})).json()).code).toBe("two-factor-required");
  const made = await token({ twoFactorCode: codeOf(totpURI) });
  expect(made.status).toBe(201);
  const headers = { Authorization: `Bearer ${(await made.json()).token}` };
  expect((await new TestUser(kinora).fetch("/api/session", { headers })).status).toBe(200);
  expect((await user.post("/api/tokens")).status).toBe(201);
  const { items } = (await (await user.get("/api/sessions")).json()) as { items: unknown[] };
  expect(items).toHaveLength(1);
});

test("switching it off takes the password, and then name and password are enough", async () => {
  const { user } = await withSecondFactor("finn");
  const refused = await user.post("/api/auth/two-factor/disable", { password: "wrong wrong wrong" });
  expect([refused.status, (await refused.json()).code]).toEqual([403, "wrong-password"]);
  expect((await user.post("/api/auth/two-factor/disable", { password })).status).toBe(200);
  expect((await user.get("/api/session")).status).toBe(200);
  expect((await signIn("finn")).status).toBe(200);
});

test("an admin ends a second factor that was lost; it outlives a new password", async () => {
  await withSecondFactor("gina");
  const { items } = (await (await root.get("/api/users?q=GINA")).json()) as { items: { id: string }[] };
  expect(items).toEqual([expect.objectContaining({ username: "gina", twoFactor: true })]);
  const path = `/api/users/${items[0]?.id}`;
  await root.send("PATCH", path, { password: "another good one" });
  expect((await signIn("gina", { password: "another good one" })).body.code).toBe("two-factor-required");
  expect(await (await root.send("PATCH", path, { twoFactor: false })).json()).toMatchObject({ twoFactor: false });
  expect((await signIn("gina", { password: "another good one" })).status).toBe(200);
  expect((await root.send("PATCH", path, { twoFactor: true })).status).toBe(400);
});

test("wrong codes are counted over all addresses and sign-ins, right ones are not", async () => {
  const { totpURI } = await withSecondFactor("hugo");
  for (let attempt = 0; attempt < 9; attempt++) {
    const { status } = await signIn("hugo", { twoFactorCode: `${attempt}`.padStart(6, "9") });
    expect(status).toBe(403);
  }
  expect((await signIn("hugo", { twoFactorCode: codeOf(totpURI) })).status).toBe(200);
  for (let attempt = 0; attempt < 10; attempt++) await signIn("hugo", { twoFactorCode: `${attempt}`.padStart(6, "8") });
  const blocked = await signIn("hugo", { twoFactorCode: codeOf(totpURI, 1) });
  expect([blocked.status, blocked.body.code]).toEqual([429, "rate-limited"]);
});

test("a second factor cannot be begun over one that is on, nor by token, API key or a stranger", async () => {
  const { user } = await withSecondFactor("ines");
  expect((await user.post("/api/auth/two-factor/enable", { password })).status).toBe(400);
  const { key } = (await (await user.post("/api/auth/api-key/create", {})).json()) as { key: string };
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify({ password }) };
  expect((await new TestUser(kinora).fetch("/api/auth/two-factor/disable", init)).status).toBe(403);
  expect((await new TestUser(kinora).post("/api/auth/two-factor/disable", { password })).status).toBe(401);
});
