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
import { AuthenticationStatus } from "../auth/contract.ts";
import { publish } from "../bus/topics.ts";

const [ann, ben] = [person(1), person(2)];
const HOUR_MS = 3_600_000;
let rig: Awaited<ReturnType<typeof startTestCatalog>>;
let now = Date.UTC(2026, 0, 1);

beforeEach(async () => {
  rig = await startTestCatalog({ now: () => now });
});
afterEach(() => rig.close());

const uploaded = async (n: number, media: number | null, owner = ann) => {
  await rig.catalog.createTitle({ id: testId(n), owner, name: `Upload ${n}`, tags: ["t"], sizeBytes: 1 });
  const mediaId = media === null ? null : testMediaId(media);
  await rig.catalog.completeTitle({ id: testId(n), mediaId, info: someInfo });
};
const remove = (n: number, who = ann) => rig.as(who).send("DELETE", `/api/titles/${testId(n)}`);
const restore = (n: number) => rig.as(ann).send("POST", `/api/titles/${testId(n)}/restore`);
/** Lets time pass; the service notices at its next start. */
const later = async (ms: number) => {
  now += ms;
  await rig.restart();
};
const purged = (n: number) => eventually(async () => (await rig.repository.get(testId(n))) === null);
const announcedAgain = (n: number, media: number | null) =>
  rig.announce(
    libraryFile(n, { origin: "upload", ownerId: ann.userId, mediaId: media === null ? null : testMediaId(media) }),
  );

test("a deleted title can be restored for 60 s, also over a restart, and not a moment longer", async () => {
  await uploaded(1, 1);
  await remove(1);
  await later(59_999);
  expect((await restore(1)).status).toBe(200);
  await remove(1);
  now += 60_000;
  expect((await restore(1)).status).toBe(404);
  expect(rig.released).toEqual([]);
});

test("after 60 s it is purged, the bytes are released, and the id is never used again", async () => {
  await uploaded(1, 1);
  await rig.as(ann).send("PUT", `/api/titles/${testId(1)}/progress`, { positionSeconds: 5 });
  await remove(1);
  await later(60_000);
  await purged(1);
  await eventually(() => rig.released.length > 0);
  expect(rig.released).toEqual([{ sourceIds: [testId(1)], mediaId: testMediaId(1) }]);
  expect(rig.catalog.createTitle({ id: testId(1), owner: ann, name: "x", tags: [], sizeBytes: 1 })).rejects.toThrow(
    "was deleted",
  );
});

test("the purge comes by itself when its time has come", async () => {
  await rig.restart({ now: Date.now, restoreWindowMs: 20 });
  await uploaded(1, 1);
  await remove(1);
  await purged(1);
  await eventually(() => rig.released.length === 1);
});

test("bytes are released when the last title of them is purged, with all purged uploads of them", async () => {
  await uploaded(1, 7);
  await uploaded(2, 7, ben);
  await remove(1);
  await later(HOUR_MS);
  await purged(1);
  expect(rig.released).toEqual([]);
  await remove(2, ben);
  await later(HOUR_MS);
  await purged(2);
  await eventually(() => rig.released.length > 0);
  expect(rig.released).toHaveLength(1);
  expect(rig.released[0]?.sourceIds.toSorted()).toEqual([testId(1), testId(2)]);
});

test("a title that can still be restored holds its bytes", async () => {
  await uploaded(1, 7);
  await uploaded(2, 7, ben);
  await remove(1);
  now += 30_000;
  await remove(2, ben);
  await later(30_000);
  await purged(1);
  expect(rig.released).toEqual([]);
  expect((await rig.as(ben).send("POST", `/api/titles/${testId(2)}/restore`)).status).toBe(200);
});

test("a purged upload that is announced again stays gone and is released again", async () => {
  await uploaded(1, 1);
  await remove(1);
  await later(HOUR_MS);
  await eventually(() => rig.released.length === 1);
  await announcedAgain(1, 1);
  await eventually(() => rig.released.length === 2);
  expect(rig.released[1]).toEqual({ sourceIds: [testId(1)], mediaId: testMediaId(1) });
  expect(await rig.repository.get(testId(1))).toBeNull();
});

test("a purged upload that is announced again is not released while another title has its bytes", async () => {
  await uploaded(1, null);
  await uploaded(2, 7, ben);
  await remove(1);
  await later(HOUR_MS);
  await eventually(() => rig.released.length === 1);
  await announcedAgain(1, 7);
  await rig.announce(libraryFile(3));
  await eventually(() => rig.repository.get(testId(3)));
  expect(rig.released).toEqual([{ sourceIds: [testId(1)], mediaId: null }]);
});

test("a deleted library title never comes back with its file, and its file is never released", async () => {
  await rig.announce(libraryFile(1));
  await rig.announce(libraryFile(2, { mediaId: testMediaId(1) }));
  await rig.announce(libraryFile(3));
  await eventually(() => rig.repository.get(testId(3)));
  expect((await remove(1, ben)).status).toBe(204);
  await rig.announce(libraryFile(1));
  await later(HOUR_MS);
  await purged(1);
  for (const n of [1, 2]) await rig.announce(libraryFile(n, { mediaId: testMediaId(1) }));
  await rig.announce(libraryFile(4));
  await eventually(() => rig.repository.get(testId(4)));
  const { items } = (await rig.as(ben).get("/api/titles")).body;
  expect(items.map(({ id }: { id: string }) => id)).toEqual([testId(4), testId(3)]);
  expect(rig.released).toEqual([]);
});

test("an admin sees library titles that were deleted for good, and brings them back; nobody else does", async () => {
  const admin = person(3, "admin");
  const files = [libraryFile(1), libraryFile(2, { mediaId: testMediaId(1) })];
  const other = await fakeStreaming(rig.bus, "streaming-2", () => files);
  await other.announce(...files);
  await rig.catalog.settleAnnouncements({});
  const { name } = (await rig.as(ben).get(`/api/titles/${testId(1)}`)).body;
  await remove(1, ben);
  expect((await rig.as(admin).get("/api/titles/buried")).body).toEqual({ items: [] });
  await later(HOUR_MS);
  await purged(1);
  const back = `/api/titles/buried/${testId(1)}/restore`;
  for (const who of [ann, person(0, "viewer")]) {
    expect((await rig.as(who).get("/api/titles/buried")).status).toBe(403);
    expect((await rig.as(who).send("POST", back)).status).toBe(403);
  }
  expect((await rig.as(null).get("/api/titles/buried")).status).toBe(401);
  const { items } = (await rig.as(admin).get("/api/titles/buried")).body;
  expect(items).toEqual([{ id: testId(1), name, purgedAt: expect.any(String) }]);
  // As long as it is not brought back it does not come back.
  await other.announce(...files);
  await rig.catalog.settleAnnouncements({});
  expect(await rig.repository.get(testId(1))).toBeNull();
  expect((await rig.as(admin).send("POST", back)).status).toBe(204);
  const title = await eventually(() => rig.repository.get(testId(1)));
  expect(title).toMatchObject({ name, availability: "ready", deletedAt: null });
  await eventually(async () => (await rig.repository.getBySource(testId(2)))?.id === testId(1));
  expect((await rig.as(admin).get("/api/titles/buried")).body).toEqual({ items: [] });
  expect((await rig.as(admin).send("POST", back)).status).toBe(404);
  await other.close();
});

test("the last library title of some bytes lets go those of purged uploads of them", async () => {
  await rig.announce(libraryFile(9, { mediaId: testMediaId(7) }));
  await eventually(() => rig.repository.get(testId(9)));
  await uploaded(1, 7);
  await remove(1);
  await later(HOUR_MS);
  await purged(1);
  expect(rig.released).toEqual([]);
  await remove(9, ben);
  await later(HOUR_MS);
  await eventually(() => rig.released.length > 0);
  expect(rig.released).toEqual([{ sourceIds: [testId(1)], mediaId: testMediaId(7) }]);
});

test("with a user go their titles and their places in others' titles, at once", async () => {
  await uploaded(1, 1);
  await uploaded(2, 2, ben);
  await rig.as(ben).send("PATCH", `/api/titles/${testId(2)}`, { visibility: "members" });
  await rig.as(ann).send("PUT", `/api/titles/${testId(2)}/progress`, { positionSeconds: 5 });
  await publish(rig.connections.auth, AuthenticationStatus, { type: "user-deleted", userId: ann.userId });
  await eventually(() => rig.released.length > 0);
  await eventually(() => rig.changes.at(-1)?.type === "deleted");
  expect(rig.released).toEqual([{ sourceIds: [testId(1)], mediaId: testMediaId(1) }]);
  expect(rig.changes.at(-1)).toEqual({ titleId: testId(1), type: "deleted" });
  expect(await rig.repository.get(testId(1))).toBeNull();
  expect((await rig.repository.getStates(ann.userId, [testId(2)])).size).toBe(0);
  expect((await rig.as(ben).get(`/api/titles/${testId(2)}`)).status).toBe(200);
});

test("a deleted user's titles and collections go to their heir as they are; what was not uploaded to its end does not", async () => {
  await uploaded(1, 1);
  await uploaded(2, null);
  await rig.catalog.createTitle({ id: testId(3), owner: ann, name: "Under way", tags: [], sizeBytes: 1 });
  await rig.as(ann).send("PATCH", `/api/titles/${testId(2)}`, { visibility: "members" });
  await rig.as(ann).send("PUT", `/api/titles/${testId(1)}/progress`, { positionSeconds: 5 });
  const made = await rig.as(ann).send("POST", "/api/collections", { name: "Summer" });
  await rig.as(ann).send("POST", `/api/collections/${made.body.id}/titles`, { titleIds: [testId(1)] });
  const heir = { id: ben.userId, username: ben.username };
  const tell = () =>
    publish(rig.connections.auth, AuthenticationStatus, { type: "user-deleted", userId: ann.userId, heir });
  await tell();
  await eventually(async () => (await rig.repository.get(testId(3))) === null);
  const { items } = (await rig.as(ben).get("/api/titles?owner=me&sort=name")).body;
  expect(items).toMatchObject([
    { id: testId(1), name: "Upload 1", tags: ["t"], visibility: "private", owner: heir },
    { id: testId(2), name: "Upload 2", tags: ["t"], visibility: "members", owner: heir },
  ]);
  expect((await rig.as(ben).get("/api/titles?tag=t&q=upload")).body.items).toHaveLength(2);
  const facets = (await rig.as(ben).get("/api/titles/facets")).body;
  expect(facets.tags).toEqual([{ value: "t", count: 2 }]);
  expect((await rig.as(ben).get("/api/collections")).body.items).toMatchObject([
    { name: "Summer", owner: heir, titles: 1 },
  ]);
  expect((await rig.repository.getStates(ann.userId, [testId(1)])).size).toBe(0);
  expect(rig.released.flatMap(({ sourceIds }) => sourceIds)).not.toContain(testId(1));
  // Told once more, as after a restart, it changes nothing: also when the heir has given it a new name.
  await rig.as(ben).send("PATCH", `/api/titles/${testId(1)}`, { name: "Of Ben" });
  const before = rig.changes.length;
  await tell();
  await rig.as(ben).get("/api/titles");
  expect(rig.changes.length).toBe(before);
  expect((await rig.as(ben).get(`/api/titles/${testId(1)}`)).body.name).toBe("Of Ben");
  expect((await rig.as(ben).send("DELETE", `/api/titles/${testId(1)}`)).status).toBe(204);
});

test("what was deleted is listed for its owner, and for editors where it was the library's, as long as it can be restored", async () => {
  await uploaded(1, 1);
  await uploaded(2, 2, ben);
  await rig.announce(libraryFile(9));
  await eventually(() => rig.repository.get(testId(9)));
  const listed = async (who = ann) => {
    const { body, status } = await rig.as(who).get("/api/titles/deleted");
    expect(status).toBe(200);
    return body.items.map(({ name }: { name: string }) => name);
  };
  expect(await listed()).toEqual([]);
  await remove(1);
  now += 1_000;
  await remove(9, ben);
  expect(await listed()).toEqual(["File 9", "Upload 1"]);
  expect(await listed(ben)).toEqual(["File 9"]);
  expect(await listed(person(3, "viewer"))).toEqual([]);
  expect((await rig.as(null).get("/api/titles/deleted")).status).toBe(401);
  const { items, keepSeconds } = (await rig.as(ann).get("/api/titles/deleted")).body;
  expect(keepSeconds).toBe(60);
  const deletedAt = now - 1_000;
  expect(items[1]).toEqual({
    ...{ id: testId(1), name: "Upload 1", owner: { id: ann.userId, username: ann.username } },
    ...{ sizeBytes: someInfo.sizeBytes, durationSeconds: someInfo.durationSeconds },
    deletedAt: new Date(deletedAt).toISOString(),
    until: new Date(deletedAt + 60_000).toISOString(),
  });
  expect((await restore(1)).status).toBe(200);
  expect(await listed()).toEqual(["File 9"]);
  now += 60_000;
  expect(await listed()).toEqual([]);
});

test("with a longer time to restore, nothing is purged before that, also over a restart", async () => {
  await rig.close();
  rig = await startTestCatalog({ now: () => now, restoreWindowMs: 30 * 24 * HOUR_MS });
  await uploaded(1, 1);
  await remove(1);
  await later(29 * 24 * HOUR_MS);
  expect((await rig.as(ann).get("/api/titles/deleted")).body).toMatchObject({
    items: [{ id: testId(1) }],
    keepSeconds: 30 * 86_400,
  });
  expect(rig.released).toEqual([]);
  expect((await restore(1)).status).toBe(200);
  await remove(1);
  await later(31 * 24 * HOUR_MS);
  await purged(1);
});
