import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./support/catalog.ts";
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

/** Changes the database's file while Kinora is not running. */
async function whileStopped(change: (database: Database) => void): Promise<void> {
  await kinora.restart(() => {
    const database = new Database(join(kinora.data, "kinora.db"));
    change(database);
    database.close();
  });
}

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

test("an uploaded video is found by its file's name, too, over a restart, as long as it is its owner's alone", async () => {
  const file = await fixture("h264-aac.mp4");
  const { id } = await ann.upload(file, { name: "Evening at the lake" });
  const found = async () => {
    const { items } = await json(ann.get("/api/titles?q=h264-aac.mp4%20lake"));
    return items.map((one: { id: string }) => one.id);
  };
  await eventually(async () => (await found())[0] === id);
  await kinora.restart();
  expect(await found()).toEqual([id]);
  await ann.send("PATCH", `/api/titles/${id}`, { visibility: "members" });
  expect(await found()).toEqual([]);
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
  expect(await json(ann.get(`/api/titles/${id}/progress`))).toEqual({ positionSeconds: 7.5, watched: false });
  expect((await ann.get(`/api/titles/${gone}`)).status).toBe(404);
  expect(await json(ann.get("/api/titles?name=gone"))).toEqual({ items: [], nextCursor: null });
});

test("bytes stay on disk while any title has them, and go with the last one", async () => {
  const file = await fixture("h264-aac-faststart.mp4");
  const sha256 = new Bun.CryptoHasher("sha256").update(await Bun.file(file).arrayBuffer()).digest("hex");
  const stored = join(kinora.data, "media", "originals", sha256.slice(0, 2), sha256);
  const purge = async (user: TestUser, id: string) => {
    await user.send("DELETE", `/api/titles/${id}`);
    await whileStopped((database) => void database.run("update titles set deleted_at = 1 where id = ?", [id]));
    await eventually(async () => (await user.post(`/api/titles/${id}/restore`)).status === 404);
  };
  const [hers, his] = [await ann.upload(file), await ben.upload(file)];
  expect(hers.mediaId).toBe(sha256);
  await purge(ann, hers.id);
  expect(existsSync(stored)).toBe(true);
  expect((await ben.fetch(`/stream/${his.id}/original`, { method: "HEAD" })).status).toBe(200);
  await purge(ben, his.id);
  await eventually(() => !existsSync(stored));
});

test("an emptied catalog fills again by itself, and what it lists can be watched", async () => {
  const { id } = await ann.upload(await fixture("h264-aac.mp4"), { name: "Found again" });
  await whileStopped((database) => {
    for (const table of ["title_states", "title_tags", "title_sources", "title_tombstones", "title_counts", "titles"]) {
      database.run(`delete from ${table}`);
    }
  });
  const { items } = await eventually(async () => {
    const page = await json(ann.get("/api/titles?owner=me&name=found"));
    return page.items.length > 0 && page;
  });
  expect(items).toMatchObject([{ id, name: "Found again", owner: { username: "ann" }, visibility: "private" }]);
  expect((await ann.fetch(`/stream/${id}/original`, { method: "HEAD" })).status).toBe(200);
  expect((await ben.get(`/api/titles/${id}`)).status).toBe(404);
});
