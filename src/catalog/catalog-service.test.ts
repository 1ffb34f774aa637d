import { afterEach, beforeEach, expect, test } from "bun:test";
import { sql } from "kysely";
import {
  eventually,
  fakeStreaming,
  libraryFile,
  person,
  someInfo,
  startTestCatalog,
  testId,
  testMediaId,
} from "../../test/support/catalog.ts";
import { resting } from "../../test/support/until.ts";
import type { Announcement } from "../streaming/contract.ts";
import type { Title } from "./contract.ts";

const [ann, ben] = [person(1), person(2)];
let rig: Awaited<ReturnType<typeof startTestCatalog>>;

beforeEach(async () => {
  rig = await startTestCatalog();
});
afterEach(() => rig.close());

const upload = (n: number, owner = ann, name = `Upload ${n}`) =>
  rig.catalog.createTitle({ id: testId(n), owner, name, tags: [], sizeBytes: 1_000 });

test("an upload's title is receiving, then ready with what the bytes are", async () => {
  const receiving = await upload(1);
  expect(receiving).toMatchObject({
    availability: "receiving",
    visibility: "private",
    owner: { username: "person-1" },
  });
  expect(receiving).toMatchObject({ mediaId: null, durationSeconds: null, sizeBytes: 1_000, audio: [] });
  const ready = await rig.catalog.completeTitle({ id: testId(1), mediaId: testMediaId(7), info: someInfo });
  expect(ready).toMatchObject({
    availability: "ready",
    mediaId: testMediaId(7),
    durationSeconds: 10,
    container: "mp4",
  });
});

test("making an upload's title again changes nothing", async () => {
  await upload(1, ann, "First");
  expect((await upload(1, ann, "Second")).name).toBe("First");
});

test("a discarded upload is gone, a ready one stays", async () => {
  await upload(1);
  await upload(2);
  await rig.catalog.completeTitle({ id: testId(2), mediaId: null, info: someInfo });
  await rig.catalog.discardTitle({ id: testId(1) });
  await rig.catalog.discardTitle({ id: testId(2) });
  expect(await rig.catalog.getAccess({ id: testId(1) })).toBeNull();
  expect(await rig.catalog.getAccess({ id: testId(2) })).toMatchObject({ ownerId: ann.userId, visibility: "private" });
});

test("an announced library file is a title of nobody that members find at once", async () => {
  await rig.announce(libraryFile(1));
  const found = await eventually(async () => (await rig.as(ben).get("/api/titles")).body.items[0]);
  expect(found).toMatchObject({ id: testId(1), name: "File 1", owner: null, visibility: "members", sizeBytes: 1_000 });
});

test("services start in any order: a streaming instance that comes later is asked for all it has", async () => {
  const streaming = await fakeStreaming(rig.bus, "streaming-late", () => [libraryFile(1), libraryFile(2)]);
  await eventually(() => rig.repository.get(testId(2)));
  expect(streaming.asked()).toBe(1);
  await streaming.close();
});

test("a catalog whose tables were emptied fills again by itself, uploads with their owner", async () => {
  const files = [
    libraryFile(1, { name: "Kept in a folder" }),
    libraryFile(2, { origin: "upload", ownerId: ann.userId, visibility: "private", name: "Uploaded" }),
  ];
  const streaming = await fakeStreaming(rig.bus, "streaming-1", () => files);
  await eventually(() => rig.repository.get(testId(2)));
  const before = (await rig.as(ann).get("/api/titles?sort=name")).body;
  const tables = ["title_states", "title_tags", "title_sources", "title_tombstones", "title_counts", "titles"];
  for (const table of tables) await sql`delete from ${sql.table(table)}`.execute(rig.database);
  expect((await rig.as(ann).get("/api/titles")).body.items).toEqual([]);
  await rig.restart();
  await eventually(() => rig.repository.get(testId(2)));
  expect((await rig.as(ann).get("/api/titles?sort=name")).body).toEqual(before);
  expect(before.items.map(({ name, owner }: Title) => [name, owner?.username ?? null])).toEqual([
    ["Kept in a folder", null],
    ["Uploaded", "person-1"],
  ]);
  await streaming.close();
});

test("an upload announced while auth is away becomes a title when the next heartbeat finds auth there", async () => {
  await rig.stopAuth();
  const file = libraryFile(1, { origin: "upload", ownerId: ann.userId, visibility: "private" });
  const streaming = await fakeStreaming(rig.bus, "streaming-1", () => [file]);
  await eventually(() => rig.failures.length > 0);
  expect(await rig.repository.get(testId(1))).toBeNull();
  await rig.startAuth();
  await eventually(() => rig.repository.get(testId(1)));
  expect((await rig.as(ann).get(`/api/titles/${testId(1)}`)).body.owner).toEqual({
    id: ann.userId,
    username: ann.username,
  });
  await streaming.close();
});

test("an upload whose user is gone is seen by admins only", async () => {
  await rig.announce(libraryFile(1, { origin: "upload", ownerId: testId(800), visibility: "private" }));
  await eventually(() => rig.repository.get(testId(1)));
  expect((await rig.as(person(3, "admin")).get(`/api/titles/${testId(1)}`)).status).toBe(200);
  expect((await rig.as(ann).get(`/api/titles/${testId(1)}`)).status).toBe(404);
});

test("the same announcement again is told to nobody, and leaves what people changed", async () => {
  await rig.announce(libraryFile(1));
  await eventually(() => rig.repository.get(testId(1)));
  await rig.as(ann).send("PATCH", `/api/titles/${testId(1)}`, { name: "Renamed", visibility: "public" });
  // What somebody changed is told after it is answered.
  const told = await resting(() => rig.changes.length);
  await rig.announce(libraryFile(1));
  await rig.announce(libraryFile(2));
  await eventually(() => rig.changes.slice(told).some(({ titleId }) => titleId === testId(2)));
  expect((await rig.as(ann).get(`/api/titles/${testId(1)}`)).body).toMatchObject({
    name: "Renamed",
    visibility: "public",
  });
  expect(rig.changes.slice(told).map(({ titleId }) => titleId)).toEqual([testId(2)]);
});

test("a further library file with the same content is a second source of the title: ready while any of them is", async () => {
  const twin = libraryFile(2, { mediaId: testMediaId(1), name: "Twin" });
  const state = async () => {
    const { items } = (await rig.as(ann).get("/api/titles")).body;
    return items.map(({ id, availability }: Title) => [id, availability]);
  };
  const after = async (announced: Announcement, expected: string) => {
    await rig.announce(announced);
    await eventually(async () => JSON.stringify(await state()) === JSON.stringify([[testId(1), expected]]));
  };
  await after(libraryFile(1), "ready");
  await after(twin, "ready");
  await after(libraryFile(1, { availability: "unavailable" }), "ready");
  await after({ ...twin, availability: "unavailable" }, "unavailable");
  await after({ ...twin, availability: "ready" }, "ready");
});

test("a copy whose content changed becomes a title of its own", async () => {
  await rig.announce(libraryFile(1));
  await rig.announce(libraryFile(2, { mediaId: testMediaId(1) }));
  await rig.announce(libraryFile(2, { mediaId: testMediaId(5), name: "Other" }));
  await eventually(() => rig.repository.get(testId(2)));
  await rig.announce(libraryFile(1, { availability: "unavailable" }));
  await eventually(async () => (await rig.repository.get(testId(1)))?.availability === "unavailable");
  expect((await rig.repository.get(testId(2)))?.availability).toBe("ready");
});

test("a file that is hashed after it was announced keeps its title and gets its media id", async () => {
  await rig.announce(libraryFile(1, { mediaId: null }));
  await eventually(() => rig.repository.get(testId(1)));
  await rig.announce(libraryFile(1));
  await eventually(async () => (await rig.repository.get(testId(1)))?.mediaId === testMediaId(1));
});

test("an announcement that comes before the upload service's word changes the title it is about", async () => {
  await upload(1, ann, "Named by me");
  await rig.announce(libraryFile(1, { origin: "upload", ownerId: ann.userId, visibility: "private" }));
  await eventually(async () => (await rig.repository.get(testId(1)))?.availability === "ready");
  const done = await rig.catalog.completeTitle({ id: testId(1), mediaId: testMediaId(1), info: someInfo });
  expect(done).toMatchObject({ name: "Named by me", availability: "ready", mediaId: testMediaId(1) });
});

test("a name that no title could have is cut and cleaned", async () => {
  await rig.announce(libraryFile(1, { name: `a\u0000b\uD800${"x".repeat(400)}` }));
  await rig.announce(libraryFile(2, { name: " \n " }));
  await eventually(() => rig.repository.get(testId(2)));
  expect((await rig.repository.get(testId(1)))?.name).toBe(`a b\uFFFD${"x".repeat(296)}`);
  expect((await rig.repository.get(testId(2)))?.name).toBe("Untitled");
});

test("an announcement that cannot be taken does not stop the next", async () => {
  await rig.stopAuth();
  await rig.announce(libraryFile(1, { origin: "upload", ownerId: ann.userId }));
  await rig.announce(libraryFile(2));
  await eventually(() => rig.repository.get(testId(2)));
  expect(rig.failures).toHaveLength(1);
});
