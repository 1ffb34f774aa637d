import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
beforeAll(async () => {
  kinora = await startTestKinora();
  await TestUser.signIn(kinora, "root");
});
afterAll(() => kinora.close());

interface Session {
  readonly id: string;
  readonly current: boolean;
  readonly userAgent: string;
  readonly ipAddress: string;
  readonly lastSeenAt: string;
}

const sessionsOf = async (user: TestUser) =>
  ((await (await user.get("/api/sessions")).json()) as { items: Session[] }).items;

async function from(device: string, username: string): Promise<TestUser> {
  const user = new TestUser(kinora);
  const body = JSON.stringify({ username, password: "correct horse battery" });
  const headers = { "Content-Type": "application/json", "User-Agent": device };
  expect((await user.fetch("/api/session", { method: "POST", body, headers })).ok).toBe(true);
  return user;
}

test("sessions are listed with device, address and last use, never with what they are signed by", async () => {
  const laptop = await from("Laptop", "maria");
  const phone = await from("Phone", "maria");
  await phone.get("/api/titles");
  const response = await laptop.get("/api/sessions");
  const text = await response.text();
  const { items } = JSON.parse(text) as { items: Session[] };
  expect(items.map(({ userAgent, current }) => [userAgent, current])).toEqual([
    ["Laptop", true],
    ["Phone", false],
  ]);
  expect(items[0]).toMatchObject({ ipAddress: "127.0.0.1", lastSeenAt: expect.stringMatching(/Z$/) });
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  for (const { cookie } of [laptop, phone]) {
    const token = decodeURIComponent(cookie.split("=")[1] ?? "").split(".")[0] ?? "";
    expect(token.length).toBeGreaterThan(20);
    expect(text).not.toContain(token);
  }
});

test("one session is ended by its id, at once; the others with one request", async () => {
  const [a, b, c] = [await from("A", "jonas"), await from("B", "jonas"), await from("C", "jonas")];
  const statuses = async () => Promise.all([a, b, c].map(async (user) => (await user.get("/api/session")).status));
  const idOfB = (await sessionsOf(a)).find(({ userAgent }) => userAgent === "B")?.id;
  expect((await a.send("DELETE", `/api/sessions/${idOfB}`)).status).toBe(204);
  expect(await statuses()).toEqual([200, 401, 200]);
  expect((await a.send("DELETE", `/api/sessions/${idOfB}`)).status).toBe(404);
  expect(await (await a.send("DELETE", "/api/sessions")).json()).toEqual({ ended: 1 });
  expect(await statuses()).toEqual([200, 401, 401]);
  expect(await sessionsOf(a)).toHaveLength(1);
});

test("nobody sees or ends another's sessions, and no token or API key does it either", async () => {
  const owner = await from("Owner", "ingrid");
  const thief = await from("Thief", "thief");
  const [session] = await sessionsOf(owner);
  expect((await thief.send("DELETE", `/api/sessions/${session?.id}`)).status).toBe(404);
  expect((await owner.get("/api/session")).status).toBe(200);
  expect((await sessionsOf(thief)).map(({ userAgent }) => userAgent)).toEqual(["Thief"]);
  const { token } = (await (await owner.post("/api/tokens")).json()) as { token: string };
  const headers = { Authorization: `Bearer ${token}` };
  for (const [method, path] of [
    ["GET", "/api/sessions"],
    ["DELETE", "/api/sessions"],
    ["DELETE", `/api/sessions/${session?.id}`],
  ] as const) {
    expect((await new TestUser(kinora).fetch(path, { method, headers })).status).toBe(403);
    expect((await new TestUser(kinora).fetch(path, { method })).status).toBe(401);
  }
});
