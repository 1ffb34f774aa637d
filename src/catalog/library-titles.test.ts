import { afterEach, beforeEach, expect, test } from "bun:test";
import { eventually, libraryFile, person, startTestCatalog, testId, testMediaId } from "../../test/support/catalog.ts";
import type { Announcement } from "../streaming/contract.ts";

const [ann, ben, admin, viewer] = [person(1), person(2), person(3, "admin"), person(0, "viewer")];
let rig: Awaited<ReturnType<typeof startTestCatalog>>;

beforeEach(async () => {
  rig = await startTestCatalog();
});
afterEach(() => rig.close());

const [films, drama, season] = [
  { id: testId(801), name: "films" },
  { id: testId(802), name: "Drama" },
  { id: testId(803), name: "Season 10" },
];
const early = { id: testId(804), name: "Season 2" };

const announceAll = async (...files: Announcement[]) => {
  for (const file of files) await rig.announce(file);
  await rig.catalog.settleAnnouncements({});
};
const titleOf = async (n: number) => (await rig.as(ann).get(`/api/titles/${testId(n)}`)).body;
const namesIn = async (path: string, who = ann) =>
  (await rig.as(who).get(path)).body.items.map(({ name }: { name: string }) => name);

test("folders are browsed from the library folder down, with how many titles there are to see", async () => {
  await announceAll(
    libraryFile(1, { folders: [films] }),
    libraryFile(2, { folders: [films, drama, season] }),
    libraryFile(3, { folders: [films, drama, early] }),
    libraryFile(4, { folders: [films, drama, early] }),
  );
  const { body } = await rig.as(ann).get("/api/folders");
  expect(body).toEqual({ items: [{ ...films, titles: 4, parent: null }], path: [], nextCursor: null });
  const below = (await rig.as(ann).get(`/api/folders?parent=${drama.id}`)).body;
  expect(below.items).toEqual([
    { ...early, titles: 2, parent: drama.id },
    { ...season, titles: 1, parent: drama.id },
  ]);
  expect(below.path).toEqual([films, drama]);
  expect(await namesIn(`/api/titles?folder=${films.id}`)).toEqual(["File 1"]);
  expect(await namesIn(`/api/titles?folder=${films.id}&below=true&sort=oldest`)).toEqual(
    [1, 2, 3, 4].map((n) => `File ${n}`),
  );
  expect(await namesIn(`/api/titles?folder=${early.id}&sort=name&q=file`)).toEqual(["File 3", "File 4"]);
  expect(await namesIn(`/api/titles?folder=${early.id}&name=4`)).toEqual(["File 4"]);
});

test("folders come page by page", async () => {
  await announceAll(
    libraryFile(2, { folders: [drama, season] }),
    libraryFile(3, { folders: [drama, early] }),
    libraryFile(4, { folders: [drama, films] }),
  );
  const first = (await rig.as(ann).get(`/api/folders?parent=${drama.id}&limit=2`)).body;
  expect(first.items.map(({ name }: { name: string }) => name)).toEqual(["films", "Season 2"]);
  const rest = (await rig.as(ann).get(`/api/folders?parent=${drama.id}&limit=2&cursor=${first.nextCursor}`)).body;
  expect([rest.items.map(({ name }: { name: string }) => name), rest.nextCursor]).toEqual([["Season 10"], null]);
  const { status, body } = await rig.as(ann).get("/api/folders?cursor=x");
  expect([status, body.code]).toEqual([400, "invalid-request"]);
});

test("a folder whose titles one may not see is not there, nor is one that does not exist", async () => {
  await announceAll(libraryFile(1, { folders: [films, drama], visibility: "private" }));
  expect((await rig.as(ann).get("/api/folders")).body.items).toEqual([]);
  const answers = [drama.id, testId(899)].map((id) => rig.as(ann).get(`/api/folders?parent=${id}`));
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([404, 404]);
  expect((await rig.as(admin).get("/api/folders")).body.items).toHaveLength(1);
  expect((await rig.as(null).get("/api/folders")).status).toBe(401);
  await rig.as(admin).send("PATCH", `/api/titles/${testId(1)}`, { visibility: "members" });
  expect((await rig.as(viewer).get(`/api/folders?parent=${films.id}`)).body.items).toHaveLength(1);
  await rig.as(admin).send("DELETE", `/api/titles/${testId(1)}`);
  expect((await rig.as(ann).get("/api/folders")).body.items).toEqual([]);
});

test("a title follows its file's name and tags, but for what somebody has edited", async () => {
  const file = libraryFile(1, { name: "Alps", tags: ["Trips", "2019"], folders: [films] });
  await announceAll(file);
  expect(await titleOf(1)).toMatchObject({ name: "Alps", tags: ["Trips", "2019"] });
  await rig.as(ann).send("DELETE", `/api/titles/${testId(1)}/tags?tag=2019`);
  await rig.as(ann).send("POST", `/api/titles/${testId(1)}/tags`, { tags: ["Snow"] });
  await announceAll({ ...file, name: "Alps again", tags: ["Walks", "2019"], folders: [drama] });
  expect(await titleOf(1)).toMatchObject({ name: "Alps again", tags: ["Snow", "Walks"] });
  expect(await namesIn(`/api/titles?folder=${drama.id}`)).toEqual(["Alps again"]);
  expect(await namesIn(`/api/titles?folder=${films.id}`)).toEqual([]);
  await rig.as(ann).send("PATCH", `/api/titles/${testId(1)}`, { name: "My Alps", description: "Mine" });
  await announceAll({ ...file, name: "Third", description: "From the file" });
  expect(await titleOf(1)).toMatchObject({ name: "My Alps", description: "Mine", tags: ["Snow", "Trips"] });
});

test("a tag that somebody added stays when a folder of that name comes and goes, whichever was there first", async () => {
  const file = libraryFile(1, { tags: ["Trips"], folders: [films] });
  const tags = async () => (await titleOf(1)).tags;
  await announceAll(file);
  await rig.as(ann).send("POST", `/api/titles/${testId(1)}/tags`, { tags: ["Snow"] });
  await announceAll({ ...file, tags: ["Snow"] });
  expect(await tags()).toEqual(["Snow"]);
  await announceAll({ ...file, tags: ["Walks"] });
  expect(await tags()).toEqual(["Snow", "Walks"]);
  // One that the folder gives already is said once more.
  await rig.as(ann).send("POST", `/api/titles/${testId(1)}/tags`, { tags: ["walks"] });
  await announceAll({ ...file, tags: [] });
  expect(await tags()).toEqual(["Snow", "Walks"]);
  // Taken back, it is the folder's again.
  await rig.as(ann).send("DELETE", `/api/titles/${testId(1)}/tags?tag=Walks`);
  await announceAll({ ...file, tags: ["Walks"] });
  expect(await tags()).toEqual(["Snow", "Walks"]);
  // Whoever saves the whole list says something of what is new in it, and of what is missing.
  await rig.as(ann).send("PATCH", `/api/titles/${testId(1)}`, { tags: ["Walks", "Mine"] });
  await announceAll({ ...file, tags: ["Mine"] });
  expect(await tags()).toEqual(["Mine"]);
  await announceAll({ ...file, tags: [] });
  expect(await tags()).toEqual(["Mine"]);
});

test("a folder's tag that somebody removed does not come back with any folder of that name, until somebody adds it", async () => {
  const file = libraryFile(1, { tags: ["Trips", "2019"], folders: [films] });
  const tags = async () => (await titleOf(1)).tags;
  await announceAll(file);
  await rig.as(ann).send("DELETE", `/api/titles/${testId(1)}/tags?tag=trips`);
  await announceAll({ ...file, tags: ["Walks"] });
  await announceAll({ ...file, tags: ["TRIPS", "2020"] });
  expect(await tags()).toEqual(["2020"]);
  // A further copy in such a folder does not bring it either.
  await announceAll(libraryFile(2, { mediaId: testMediaId(1), tags: ["Trips", "Copies"] }));
  expect(await tags()).toEqual(["2020", "Copies"]);
  await rig.as(ann).send("POST", `/api/titles/${testId(1)}/tags`, { tags: ["Trips"] });
  await announceAll({ ...file, tags: [] });
  expect(await tags()).toEqual(["Copies", "Trips"]);
});

test("a folder's tag stays as long as a copy lies in a folder of that name, and goes with the last", async () => {
  const copy = libraryFile(2, { mediaId: testMediaId(1), tags: ["Trips"] });
  await announceAll(libraryFile(1, { tags: ["Trips"] }), copy);
  await announceAll({ ...copy, tags: ["Copies"] });
  expect((await titleOf(1)).tags).toEqual(["Trips", "Copies"]);
  // The copy turns out to be another video.
  await announceAll({ ...copy, mediaId: testMediaId(2), tags: ["Copies"] });
  expect((await titleOf(1)).tags).toEqual(["Trips"]);
});

test("what people did with tags before it was kept is seen from what the file gave last", async () => {
  const file = libraryFile(1, { tags: ["Trips", "2019"] });
  await announceAll(file);
  await rig.repository.edit(testId(1), ({ tagWords: _, ...title }) => ({ ...title, tags: ["Trips", "Snow"] }));
  await announceAll({ ...file, tags: ["Snow"] });
  await announceAll({ ...file, tags: ["Walks", "2019"] });
  expect((await titleOf(1)).tags).toEqual(["Snow", "Walks"]);
});

test("tags of folders that are too many for one title wait for room, and are nobody's word", async () => {
  const many = (from: number, count: number) => Array.from({ length: count }, (_, n) => `tag ${from + n}`);
  const file = libraryFile(1, { tags: many(0, 60) });
  await announceAll(file);
  await rig.as(ann).send("POST", `/api/titles/${testId(1)}/tags`, { tags: many(100, 40) });
  await announceAll({ ...file, tags: many(0, 62) });
  expect((await titleOf(1)).tags).toHaveLength(100);
  await rig.as(ann).send("DELETE", `/api/titles/${testId(1)}/tags?tag=tag%20100`);
  await announceAll({ ...file, tags: many(1, 61) });
  expect(new Set((await titleOf(1)).tags)).toEqual(new Set([...many(1, 61), ...many(101, 39)]));
  await announceAll({ ...file, tags: [] });
  expect((await titleOf(1)).tags).toEqual(many(101, 39));
});

test("a title whose tags somebody has said something of stays beside one with the same content", async () => {
  const file = libraryFile(2, { mediaId: null, tags: ["Trips"] });
  await announceAll(libraryFile(1), file);
  await rig.as(ann).send("DELETE", `/api/titles/${testId(2)}/tags?tag=Trips`);
  await announceAll({ ...file, tags: [] });
  await announceAll({ ...file, tags: [], mediaId: testMediaId(1) });
  expect((await namesIn("/api/titles?sort=name")).sort()).toEqual(["File 1", "File 2"]);
});

test("a title known by its path becomes part of the one with its content, with where people stopped", async () => {
  await announceAll(libraryFile(1), libraryFile(2, { mediaId: null, folders: [films], tags: ["Copies"] }));
  await rig.as(ann).send("PUT", `/api/titles/${testId(2)}/progress`, { positionSeconds: 7 });
  await rig.as(ben).send("PUT", `/api/titles/${testId(1)}/progress`, { positionSeconds: 3 });
  await rig.as(ben).send("PUT", `/api/titles/${testId(2)}/progress`, { positionSeconds: 9 });
  await announceAll(libraryFile(2, { mediaId: testMediaId(1), folders: [films], tags: ["Copies"] }));
  expect(await namesIn("/api/titles")).toEqual(["File 1"]);
  expect(await titleOf(1)).toMatchObject({ tags: ["Copies"], availability: "ready" });
  const progress = async (who: typeof ann) => (await rig.as(who).get(`/api/titles/${testId(1)}/progress`)).body;
  expect([await progress(ann), await progress(ben)]).toMatchObject([{ positionSeconds: 7 }, { positionSeconds: 3 }]);
  // Whoever was watching it under its own id goes on.
  expect(await titleOf(2)).toMatchObject({ id: testId(1) });
  expect(await rig.catalog.getAccess({ id: testId(2) })).toMatchObject({ id: testId(1) });
});

test("a copy in a folder that fewer people may see is a title of its own, and tells others nothing of that folder", async () => {
  const secret = { id: testId(805), name: "secret" };
  const inSecret: Partial<Announcement> = {
    mediaId: testMediaId(1),
    visibility: "private",
    folders: [secret, drama],
    tags: ["Drama"],
  } as const;
  const copies = [libraryFile(2, { ...inSecret, mediaId: null }), libraryFile(2, inSecret), libraryFile(3, inSecret)];
  await announceAll(libraryFile(1, { folders: [films] }), ...copies);
  const foldersOf = async (who: typeof ann) =>
    (await rig.as(who).get("/api/folders")).body.items.map(({ name }: { name: string }) => name);
  expect(await foldersOf(ann)).toEqual(["films"]);
  expect((await rig.as(ann).get(`/api/folders?parent=${secret.id}`)).status).toBe(404);
  expect(await namesIn("/api/titles")).toEqual(["File 1"]);
  expect((await titleOf(1)).tags).toEqual([]);
  expect((await rig.as(ann).get("/api/tags")).body.items).toEqual([]);
  // Both copies in it are one title there.
  expect((await namesIn("/api/titles?sort=name", admin)).sort()).toEqual(["File 1", "File 2"]);
  expect((await foldersOf(admin)).sort()).toEqual(["films", "secret"]);
});

test("a title that calls itself otherwise is found by its file's name, also when the file is renamed", async () => {
  const file = libraryFile(1, { name: "The Voyage", fileName: "VID_0815", folders: [films], tags: ["Trips"] });
  await announceAll(file);
  expect(await namesIn("/api/titles?q=vid_0815.mkv")).toEqual(["The Voyage"]);
  expect(await namesIn("/api/titles?q=trips%200815")).toEqual(["The Voyage"]);
  await announceAll({ ...file, fileName: "ANOTHER" });
  expect([await namesIn("/api/titles?q=0815"), await namesIn("/api/titles?q=another")]).toEqual([[], ["The Voyage"]]);
  // What it was called by its file it keeps being found by.
  await announceAll(libraryFile(2, { name: "IMG 0007" }));
  await rig.as(ann).send("PATCH", `/api/titles/${testId(2)}`, { name: "A better name" });
  expect(await namesIn("/api/titles?q=img%200007")).toEqual(["A better name"]);
  expect(JSON.stringify(await titleOf(1))).not.toContain("ANOTHER");
});

test("a title follows its file into a folder that fewer people may see, whatever was said of it before", async () => {
  const secret = { id: testId(805), name: "secret" };
  const moved: Partial<Announcement> = { visibility: "private", folders: [secret], tags: ["Secret"] };
  await announceAll(libraryFile(1, { folders: [films] }), libraryFile(2, { folders: [films] }));
  await rig.as(admin).send("PATCH", `/api/titles/${testId(2)}`, { visibility: "public" });
  await announceAll(libraryFile(1, moved), libraryFile(2, moved));
  expect(await namesIn("/api/titles")).toEqual([]);
  expect((await rig.as(ann).get("/api/tags")).body.items).toEqual([]);
  expect((await rig.as(ann).get(`/api/titles/${testId(1)}`)).status).toBe(404);
  expect((await rig.as(admin).get(`/api/titles/${testId(1)}`)).body).toMatchObject({ visibility: "private" });
  await announceAll(libraryFile(1, { folders: [films] }));
  expect(await titleOf(1)).toMatchObject({ visibility: "members" });
  // What is said of it there stays, also when the file is called otherwise or comes back.
  await rig.as(admin).send("PATCH", `/api/titles/${testId(2)}`, { visibility: "public" });
  await announceAll(libraryFile(2, { ...moved, name: "Other" }));
  await announceAll(libraryFile(2, { folders: [films] }));
  expect(await titleOf(2)).toMatchObject({ visibility: "public" });
});

test("of a further copy that moves into a folder that fewer people may see nothing is told", async () => {
  const secret = { id: testId(805), name: "secret" };
  const copy = { mediaId: testMediaId(1) };
  await announceAll(
    libraryFile(1, { folders: [films] }),
    libraryFile(2, { ...copy, folders: [films], tags: ["Copies"] }),
  );
  expect(await titleOf(1)).toMatchObject({ tags: ["Copies"] });
  await announceAll(libraryFile(2, { ...copy, visibility: "private", folders: [secret, drama], tags: ["Drama"] }));
  expect(await titleOf(1)).toMatchObject({ tags: [], visibility: "members" });
  const folders = (await rig.as(ann).get("/api/folders")).body.items;
  expect(folders.map(({ name }: { name: string }) => name)).toEqual(["films"]);
});

test("sources that are forgotten take their titles along, with tags, progress and places in collections, and leave no memory", async () => {
  const files = [
    libraryFile(1, { tags: ["Trips"] }),
    libraryFile(2),
    libraryFile(3, { mediaId: testMediaId(2), folders: [films], tags: ["Copies"] }),
    libraryFile(4),
    libraryFile(5),
  ];
  await announceAll(...files);
  await rig.as(ann).send("PUT", `/api/titles/${testId(1)}/progress`, { positionSeconds: 7 });
  const { body: list } = await rig.as(ann).send("POST", "/api/collections", { name: "Mine" });
  const add = { titleIds: [testId(1), testId(5)] };
  expect((await rig.as(ann).send("POST", `/api/collections/${list.id}/titles`, add)).status).toBe(200);
  await rig.as(ann).send("DELETE", `/api/titles/${testId(4)}`);
  await rig.repository.purge(testId(5), () => true);
  const ids = [1, 2, 4, 5].map(testId);
  await rig.catalog.forgetSources({ sourceIds: ids });
  await rig.catalog.forgetSources({ sourceIds: ids });
  // The copy elsewhere is the title now.
  expect(await namesIn("/api/titles")).toEqual(["File 2"]);
  expect(await titleOf(2)).toMatchObject({ tags: ["Copies"], availability: "ready" });
  expect((await rig.as(admin).get("/api/titles/buried")).body.items).toEqual([]);
  expect((await rig.as(ann).get("/api/titles/deleted")).body.items).toEqual([]);
  expect((await rig.as(ann).get(`/api/collections/${list.id}`)).body).toMatchObject({ titles: 0 });
  expect((await rig.as(ann).get("/api/tags")).body.items).toEqual([{ value: "Copies", count: 1 }]);
  await eventually(() => rig.changes.some(({ titleId, type }) => titleId === testId(1) && type === "deleted"));
  // The same file again is a title like a new one.
  await announceAll(libraryFile(1));
  expect(await titleOf(1)).toMatchObject({ mine: { positionSeconds: null } });
});

test("a title that somebody has edited stays beside one with the same content", async () => {
  await announceAll(libraryFile(1), libraryFile(2, { mediaId: null }));
  await rig.as(ann).send("PATCH", `/api/titles/${testId(2)}`, { name: "Mine" });
  await announceAll(libraryFile(2, { mediaId: testMediaId(1) }));
  expect((await namesIn("/api/titles?sort=name")).sort()).toEqual(["File 1", "Mine"]);
});

test("titles of files that are moved together follow them, one that is replaced or deleted for good among them", async () => {
  const files = Array.from({ length: 120 }, (_, n) => libraryFile(n + 1, { folders: [films], tags: ["Films"] }));
  const copy = libraryFile(500, { mediaId: testMediaId(7), folders: [films], tags: ["Films"] });
  await announceAll(...files, copy);
  await rig.repository.purge(testId(60), () => true);
  await eventually(() => rig.changes.length > files.length);
  const before = rig.changes.length;
  const moved = [...files, copy].map((file) => ({ ...file, folders: [drama], tags: ["Drama"] }));
  await announceAll(...moved.with(90, { ...moved[90], mediaId: testMediaId(700) } as Announcement));
  const { items } = (await rig.as(ann).get(`/api/titles?folder=${drama.id}&sort=oldest&limit=200`)).body;
  expect(items.length).toBe(119);
  expect(items.every(({ tags }: { tags: string[] }) => tags.join() === "Drama")).toBe(true);
  expect(items[89]).toMatchObject({ id: testId(91), mediaId: testMediaId(700) });
  expect((await rig.as(ann).get("/api/tags")).body.items).toEqual([{ value: "Drama", count: 119 }]);
  expect(await namesIn(`/api/titles?folder=${films.id}`)).toEqual([]);
  // Each is told of.
  await eventually(() => new Set(rig.changes.slice(before).map(({ titleId }) => titleId)).size === 119);
});

test("what was announced before costs nothing, and comes from its instance of today", async () => {
  const files = Array.from({ length: 150 }, (_, n) => libraryFile(n + 1, { folders: [films, drama] }));
  await announceAll(...files);
  await eventually(() => rig.changes.length === files.length);
  await announceAll(...files.map((file) => ({ ...file, provider: "streaming-2" })));
  // Events of one publisher arrive in order: what came before this one is here with it.
  await announceAll(libraryFile(500));
  await eventually(() => rig.changes.some(({ titleId }) => titleId === testId(500)));
  expect(rig.changes.length).toBe(files.length + 1);
  expect(await rig.catalog.getPlaces({ id: testId(150) })).toEqual({ providers: ["streaming-2"] });
});
