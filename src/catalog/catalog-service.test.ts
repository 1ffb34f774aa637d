import { afterEach, beforeEach, expect, test } from "bun:test";
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
