import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let root: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora({ registration: "invite" });
  root = await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

interface Invite {
  readonly id: string;
  readonly code: string;
}

const invite = async (body: object = {}) => (await (await root.post("/api/invites", body)).json()) as Invite;
const register = (username: string, code: string) =>
  new TestUser(kinora).post("/api/session", { username, password: "correct horse battery", invite: code });

test("invitations are listed with who made and who used them, never with their codes", async () => {
  const used = await invite({ role: "viewer" });
  const open = await invite({ expiresIn: 3600 });
  expect((await register("guest", used.code)).status).toBe(201);
  const text = await (await root.get("/api/invites")).text();
  const { items } = JSON.parse(text) as { items: Record<string, unknown>[] };
  expect(items).toEqual([
    expect.objectContaining({ id: open.id, role: "editor", createdBy: "root", used: false, usedBy: null }),
    expect.objectContaining({ id: used.id, role: "viewer", createdBy: "root", used: true, usedBy: "guest" }),
  ]);
  expect(Object.keys(items[0] ?? {}).toSorted()).toEqual(
    ["createdAt", "createdBy", "expiresAt", "id", "role", "used", "usedBy"].toSorted(),
  );
  for (const { code } of [used, open]) expect(text).not.toContain(code);
});

test("a revoked invitation lets nobody in", async () => {
  const { id, code } = await invite();
  expect((await root.send("DELETE", `/api/invites/${id}`)).status).toBe(204);
  expect((await (await register("late", code)).json()).code).toBe("invalid-invite");
  expect((await root.send("DELETE", `/api/invites/${id}`)).status).toBe(404);
});

test("whoever wants an account with an invitation is told that the name is taken; nobody else is", async () => {
  const { code } = await invite();
  const ask = async (body: object) => {
    const answer = await new TestUser(kinora).post("/api/session", {
      username: "root",
      password: "not the password",
      ...body,
    });
    return [answer.status, (await answer.json()).code];
  };
  expect(await ask({ invite: code })).toEqual([409, "conflict"]);
  expect(await ask({ invite: code, create: false })).toEqual([401, "unauthorized"]);
  expect(await ask({})).toEqual([401, "unauthorized"]);
  expect(await ask({ invite: "AAAA-BBBB-CCCC-DDDD" })).toEqual([403, "invalid-invite"]);
  // It still lets one in.
  expect((await register("another", code)).status).toBe(201);
});
