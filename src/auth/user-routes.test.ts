import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let root: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

const password = "correct horse battery";
interface Account {
  readonly id: string;
  readonly username: string;
  readonly role: string;
  readonly disabled: boolean;
  readonly twoFactor: boolean;
  readonly createdAt: string;
}

async function create(username: string, role?: string): Promise<Account> {
  const response = await root.post("/api/users", { username, password, ...(role ? { role } : {}) });
  expect(response.status).toBe(201);
  return (await response.json()) as Account;
}

/** Somebody who is signed in with a cookie, a token and an API key. */
async function withCredentials(username: string) {
  const user = await TestUser.signIn(kinora, username);
  const { token } = (await (await user.post("/api/tokens")).json()) as { token: string };
  const { key } = (await (await user.post("/api/auth/api-key/create", {})).json()) as { key: string };
  const bearer = (secret: string) =>
    new TestUser(kinora).fetch("/api/session", { headers: { Authorization: `Bearer ${secret}` } });
  return {
    user,
    statuses: async () =>
      [await user.get("/api/session"), await bearer(token), await bearer(key)].map(({ status }) => status),
  };
}

test("an admin creates users, the name is folded and must be free", async () => {
  expect(await create("Anna")).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    username: "anna",
    role: "editor",
    disabled: false,
    twoFactor: false,
    createdAt: expect.stringMatching(/Z$/),
  });
  const taken = await root.post("/api/users", { username: "ANNA", password });
  expect(taken.status).toBe(409);
  expect((await taken.json()).code).toBe("conflict");
  await TestUser.signIn(kinora, "anna");
  expect((await root.post("/api/users", { username: "bob", password: "short" })).status).toBe(400);
  expect((await root.post("/api/users", { username: "bob", password, role: "owner" })).status).toBe(400);
});

test("the list pages through all users and never shows an e-mail address or hash", async () => {
  for (let index = 0; index < 5; index++) await create(`page-${index}`);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const response: Response = await root.get(`/api/users?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    const text = await response.text();
    expect(text).not.toContain("users.invalid");
    expect(text).not.toContain("argon2");
    const page = JSON.parse(text) as { items: Account[]; nextCursor: string | null };
    seen.push(...page.items.map(({ username }) => username));
    cursor = page.nextCursor;
  } while (cursor);
  expect(seen).toEqual([...new Set(seen)]);
  for (const name of ["root", "page-0", "page-4"]) expect(seen).toContain(name);
  expect((await root.get("/api/users?limit=201")).status).toBe(400);
  expect((await root.get("/api/users?page=2")).status).toBe(400);
});

test("only admins reach any of it", async () => {
  const { id } = await create("target");
  await create("viewer", "viewer");
  const callers: [TestUser, number][] = [
    [new TestUser(kinora), 401],
    [await TestUser.signIn(kinora, "editor"), 403],
    [await TestUser.signIn(kinora, "viewer"), 403],
  ];
  for (const [caller, status] of callers) {
    expect((await caller.get("/api/users")).status).toBe(status);
    expect((await caller.post("/api/users", { username: "sneaky", password })).status).toBe(status);
    expect((await caller.send("PATCH", `/api/users/${id}`, { role: "admin" })).status).toBe(status);
    expect((await caller.send("DELETE", `/api/users/${id}`)).status).toBe(status);
    expect((await caller.post("/api/invites", {})).status).toBe(status);
  }
});

test("a new role is in force at the next request, and tokens of the old one end", async () => {
  const { id } = await create("climber", "viewer");
  const { user, statuses } = await withCredentials("climber");
  expect((await user.get("/api/users")).status).toBe(403);
  expect((await root.send("PATCH", `/api/users/${id}`, { role: "admin" })).status).toBe(200);
  expect((await user.get("/api/users")).status).toBe(200);
  expect(await statuses()).toEqual([200, 401, 200]);
  await root.send("PATCH", `/api/users/${id}`, { role: "viewer" });
  expect((await user.get("/api/users")).status).toBe(403);
});

test("a disabled account is out at once and cannot sign in until it is enabled", async () => {
  const { id } = await create("disabled");
  const { statuses } = await withCredentials("disabled");
  expect(await statuses()).toEqual([200, 200, 200]);
  const answer = await root.send("PATCH", `/api/users/${id}`, { disabled: true });
  expect(await answer.json()).toMatchObject({ disabled: true, role: "editor" });
  expect(await statuses()).toEqual([401, 401, 401]);
  const refused = await new TestUser(kinora).post("/api/session", { username: "disabled", password });
  expect(refused.status).toBe(403);
  expect((await refused.json()).code).toBe("account-disabled");
  const wrong = await new TestUser(kinora).post("/api/session", { username: "disabled", password: "wrong password" });
  expect(wrong.status).toBe(401);
  await root.send("PATCH", `/api/users/${id}`, { disabled: false });
  await TestUser.signIn(kinora, "disabled");
});

test("a password reset ends sessions, tokens and API keys, and the old password", async () => {
  const { id } = await create("reset");
  const { statuses } = await withCredentials("reset");
  expect((await root.send("PATCH", `/api/users/${id}`, { password: "a new password" })).status).toBe(200);
  expect(await statuses()).toEqual([401, 401, 401]);
  expect((await new TestUser(kinora).post("/api/tokens", { username: "reset", password })).status).toBe(401);
  await TestUser.signIn(kinora, "reset", "a new password");
});

test("a deleted user is out at once, and the name is free again", async () => {
  const { id } = await create("deleted");
  const { statuses } = await withCredentials("deleted");
  expect((await root.send("DELETE", `/api/users/${id}`)).status).toBe(204);
  expect(await statuses()).toEqual([401, 401, 401]);
  expect((await root.send("DELETE", `/api/users/${id}`)).status).toBe(404);
  expect((await root.send("PATCH", `/api/users/${id}`, { role: "viewer" })).status).toBe(404);
  expect((await create("deleted")).id).not.toBe(id);
});

test("the last active admin cannot be demoted, disabled or deleted", async () => {
  const on = await startTestKinora();
  try {
    const only = await TestUser.signIn(on, "only");
    const { user } = (await (await only.get("/api/session")).json()) as { user: { id: string } };
    const second = await only.post("/api/users", { username: "second", password, role: "admin" });
    const { id } = (await second.json()) as Account;
    await only.send("PATCH", `/api/users/${id}`, { disabled: true });
    for (const [method, body] of [
      ["PATCH", { role: "editor" }],
      ["PATCH", { disabled: true }],
      ["DELETE", undefined],
    ] as const) {
      const refused = await only.send(method, `/api/users/${user.id}`, body);
      expect(refused.status).toBe(409);
      expect((await refused.json()).code).toBe("last-admin");
    }
    await only.send("PATCH", `/api/users/${id}`, { disabled: false });
    expect((await only.send("DELETE", `/api/users/${user.id}`)).status).toBe(204);
    expect((await only.get("/api/session")).status).toBe(401);
  } finally {
    await on.close();
  }
});

test("two admins who demote each other at once leave one", async () => {
  const on = await startTestKinora();
  try {
    const one = await TestUser.signIn(on, "one");
    const oneId = ((await (await one.get("/api/session")).json()) as { user: { id: string } }).user.id;
    const made = await one.post("/api/users", { username: "two", password, role: "admin" });
    const twoId = ((await made.json()) as Account).id;
    const two = await TestUser.signIn(on, "two");
    const answers = await Promise.all([
      one.send("PATCH", `/api/users/${twoId}`, { role: "viewer" }),
      two.send("PATCH", `/api/users/${oneId}`, { role: "viewer" }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  } finally {
    await on.close();
  }
});
