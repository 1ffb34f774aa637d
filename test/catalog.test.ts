import { afterAll, beforeAll, expect, test } from "bun:test";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";

let kinora: TestKinora;
let ann: TestUser;
let ben: TestUser;

beforeAll(async () => {
  kinora = await startTestKinora();
  await TestUser.signIn(kinora, "first-is-admin");
  ann = await TestUser.signIn(kinora, "ann");
  ben = await TestUser.signIn(kinora, "ben");
});
afterAll(() => kinora.close());

const json = async (response: Promise<Response>) => (await response).json();

test("an uploaded video is named, tagged, found and shared by its owner, and by nobody else", async () => {
  const { id } = await ann.upload(await fixture("h264-aac.mp4"), { name: "Été à la mer", tags: ["Holiday"] });
  expect(await json(ann.get("/api/titles?q=ete&tag=holiday"))).toMatchObject({
    items: [{ id, availability: "ready" }],
  });
  expect((await ben.get(`/api/titles/${id}`)).status).toBe(404);
  expect((await new TestUser(kinora).get(`/api/titles/${id}`)).status).toBe(401);
  expect((await ann.send("PATCH", `/api/titles/${id}`, { visibility: "public", name: "Summer" })).status).toBe(200);
  expect((await ben.send("PATCH", `/api/titles/${id}`, { name: "Mine" })).status).toBe(403);
  expect((await new TestUser(kinora).get(`/api/titles/${id}`)).status).toBe(200);
  expect(await json(ben.get("/api/titles?name=umme"))).toMatchObject({ items: [{ id, owner: { username: "ann" } }] });
});

test("a deleted video cannot be watched from the next request on, and can when it is restored", async () => {
  const { id } = await ann.upload(await fixture("h264-only.mp4"));
  const original = () => ann.fetch(`/stream/${id}/original`, { headers: { Range: "bytes=0-99" } });
  expect((await original()).status).toBe(206);
  expect((await ann.send("DELETE", `/api/titles/${id}`)).status).toBe(204);
  expect((await original()).status).toBe(404);
  expect((await ann.post(`/api/titles/${id}/restore`)).status).toBe(200);
  expect((await original()).status).toBe(206);
});

test("where somebody stopped is kept over a restart, and so is what was deleted", async () => {
  const { id } = await ann.upload(await fixture("h264-aac.mp4"), { name: "Kept" });
  const { id: gone } = await ann.upload(await fixture("h264-aac.mp4"), { name: "Gone" });
  await ann.send("PUT", `/api/titles/${id}/progress`, { positionSeconds: 7.5 });
  await ann.send("DELETE", `/api/titles/${gone}`);
  await kinora.restart();
  expect(await json(ann.get(`/api/titles/${id}/progress`))).toEqual({ positionSeconds: 7.5 });
  expect((await ann.get(`/api/titles/${gone}`)).status).toBe(404);
  expect(await json(ann.get("/api/titles?name=gone"))).toEqual({ items: [], nextCursor: null });
});
