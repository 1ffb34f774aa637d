import { afterEach, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

const password = "correct horse battery";
let kinora: TestKinora | null = null;
afterEach(async () => {
  await kinora?.close();
  kinora = null;
});

async function start(config: Parameters<typeof startTestKinora>[0] = {}): Promise<TestKinora> {
  kinora = await startTestKinora(config);
  return kinora;
}

const register = (on: TestKinora, username: string, more: Record<string, unknown> = {}) =>
  new TestUser(on).post("/api/session", { username, password, ...more });

async function problemOf(response: Response) {
  const { status } = response;
  const { code, detail } = (await response.json()) as { code: string; detail: string };
  return { status, code, detail };
}

async function admin(on: TestKinora): Promise<TestUser> {
  const user = new TestUser(on);
  await user.post("/api/session", { username: "root", password, setupCode: on.firstAdminCode ?? undefined });
  return user;
}

async function invite(by: TestUser, body: Record<string, unknown> = {}) {
  const response = await by.post("/api/invites", body);
  expect(response.status).toBe(201);
  return (await response.json()) as { code: string; role: string };
}

test("of 20 first registrations at once exactly one becomes admin, the others editors", async () => {
  const on = await start();
  const names = Array.from({ length: 20 }, (_, index) => `first-${index}`);
  const answers = await Promise.all(names.map((name) => register(on, name)));
  const roles = await Promise.all(answers.map(async (answer) => (await answer.json()).user.role));
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
  expect(roles.filter((role) => role === "admin")).toHaveLength(1);
  expect(roles.filter((role) => role === "editor")).toHaveLength(19);
});

test("the same form sent twice at once makes one account and signs both in", async () => {
  const on = await start();
  const answers = await Promise.all(["same", "same", "same"].map((name) => register(on, name)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
});

test("new users get the role that auth.defaultRole names", async () => {
  const on = await start({ auth: { defaultRole: "viewer" } });
  await register(on, "root");
  expect((await (await register(on, "second")).json()).user.role).toBe("viewer");
});

test("open on loopback: the first account takes no code", async () => {
  expect((await start()).firstAdminCode).toBeNull();
});

test("elsewhere the first account takes the code printed at the start, which is the same after a restart", async () => {
  const on = await start({ registration: "invite" });
  const code = on.firstAdminCode ?? "";
  expect(code).toMatch(/^[A-Z2-9]{4}(-[A-Z2-9]{4}){3}$/);
  expect(await problemOf(await register(on, "root"))).toMatchObject({ status: 403, code: "setup-code-required" });
  const wrong = await register(on, "root", { setupCode: "AAAA-AAAA-AAAA-AAAA" });
  expect(await problemOf(wrong)).toMatchObject({ status: 403, code: "setup-code-required" });
  await on.restart();
  expect(on.firstAdminCode).toBe(code);
  const created = await register(on, "root", { setupCode: code.toLowerCase().replaceAll("-", " ") });
  expect(created.status).toBe(201);
  expect((await created.json()).user.role).toBe("admin");
  expect((await register(on, "second", { setupCode: code })).status).toBe(401);
  await on.restart();
  expect(on.firstAdminCode).toBeNull();
});

test.each(["publicUrl", "trustedProxies"])(
  "behind a proxy, which %s tells, the first account takes the code though Kinora itself is on loopback",
  async (key) => {
    const settings =
      key === "publicUrl" ? { publicUrl: "https://video.example.org" } : { trustedProxies: ["127.0.0.1"] };
    const on = await start(settings);
    expect(await problemOf(await register(on, "root"))).toMatchObject({ status: 403, code: "setup-code-required" });
    expect((await register(on, "root", { setupCode: on.firstAdminCode })).status).toBe(201);
    expect((await register(on, "second")).status).toBe(201);
  },
);

test("of 10 people who have the code at once one becomes admin", async () => {
  const on = await start({ registration: "closed" });
  const setupCode = on.firstAdminCode;
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => register(on, `root-${n}`, { setupCode })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...new Array(9).fill(401)]);
});

test.each(["closed", "invite"] as const)(
  "%s: an unknown name and a wrong password get the same answer after the same work",
  async (registration) => {
    const on = await start({ registration });
    await admin(on);
    const timed = async (username: string) => {
      const begin = performance.now();
      const answer = await new TestUser(on).post("/api/session", { username, password: "not the password" });
      const ms = performance.now() - begin;
      return { ms, answer: JSON.stringify(await problemOf(answer)), headers: [...answer.headers.keys()].sort() };
    };
    await timed("warm-up");
    const unknown = [];
    const wrong = [];
    for (let round = 0; round < 7; round++) {
      unknown.push(await timed(`nobody-${round}`));
      wrong.push(await timed("root"));
    }
    expect(new Set([...unknown, ...wrong].map(({ answer }) => answer)).size).toBe(1);
    expect(unknown[0]?.headers).toEqual(wrong[0]?.headers as string[]);
    const median = (all: { ms: number }[]) => all.map(({ ms }) => ms).sort((a, b) => a - b)[3] ?? 0;
    // Both hash once: without that the one would take a twentieth of the other.
    expect(median(unknown) / median(wrong)).toBeGreaterThan(0.5);
    expect(median(unknown) / median(wrong)).toBeLessThan(2);
    const create = await new TestUser(on).post("/api/session", { username: "nobody", password, create: false });
    expect((await problemOf(create)).status).toBe(401);
  },
);

test("an invitation lets one person in, once, with its role", async () => {
  const on = await start({ registration: "invite" });
  const { code } = await invite(await admin(on), { role: "viewer" });
  expect(await problemOf(await register(on, "guest", { invite: "WRONG" }))).toMatchObject({
    status: 403,
    code: "invalid-invite",
  });
  const joined = await register(on, "guest", { invite: code.toLowerCase() });
  expect(joined.status).toBe(201);
  expect((await joined.json()).user.role).toBe("viewer");
  expect((await problemOf(await register(on, "second", { invite: code }))).code).toBe("invalid-invite");
  expect((await register(on, "guest")).status).toBe(200);
});

test("of 5 people with the same invitation one gets in", async () => {
  const on = await start({ registration: "invite" });
  const { code } = await invite(await admin(on));
  const answers = await Promise.all(Array.from({ length: 5 }, (_, n) => register(on, `guest-${n}`, { invite: code })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403, 403]);
});

test("closed: not even an invitation lets anybody in, admins create accounts", async () => {
  const on = await start({ registration: "closed" });
  const root = await admin(on);
  const { code } = await invite(root);
  expect((await problemOf(await register(on, "guest", { invite: code }))).code).toBe("invalid-invite");
  expect((await root.post("/api/users", { username: "made", password })).status).toBe(201);
  expect((await register(on, "made")).status).toBe(200);
});

test("only admins invite, and for a month at most", async () => {
  const on = await start();
  const root = await admin(on);
  const editor = await TestUser.signIn(on, "editor");
  expect((await editor.post("/api/invites", {})).status).toBe(403);
  expect((await new TestUser(on).post("/api/invites", {})).status).toBe(401);
  expect((await root.post("/api/invites", { expiresIn: 40 * 86_400 })).status).toBe(400);
  expect((await root.post("/api/invites")).status).toBe(201);
});
