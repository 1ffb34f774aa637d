import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
beforeAll(async () => {
  kinora = await startTestKinora();
});
afterAll(() => kinora.close());

const password = "correct horse battery";

test("an unknown name creates the account, the first is admin, and signing in again answers 200", async () => {
  const first = new TestUser(kinora);
  const created = await first.post("/api/session", { username: "Maria", password });
  expect(created.status).toBe(201);
  const body = await created.json();
  expect(body).toEqual({ user: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), username: "maria", role: "admin" } });
  const cookie = created.headers.get("Set-Cookie") ?? "";
  expect(cookie).toContain("HttpOnly");
  expect(cookie).toContain("SameSite=Lax");
  expect(cookie).toContain("Max-Age=2678400");
  expect(cookie).not.toContain("Secure");
  const again = await new TestUser(kinora).post("/api/session", { username: "mArIa", password });
  expect(again.status).toBe(200);
  expect(await again.json()).toEqual(body);
  expect(await (await first.get("/api/session")).json()).toEqual(body);
});

test("after sign-out the cookie counts no more, in this or any other client", async () => {
  const user = await TestUser.signIn(kinora, "nina");
  const kept = new TestUser(kinora);
  kept.cookie = user.cookie;
  expect((await kept.get("/api/session")).status).toBe(200);
  expect((await user.send("DELETE", "/api/session")).status).toBe(204);
  expect(user.cookie).toBe("");
  expect((await kept.get("/api/session")).status).toBe(401);
});
