import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { eventually, libraryFile, person, someInfo, startTestCatalog, testId } from "../../test/support/catalog.ts";

const [ann, ben, admin] = [person(1), person(2), person(3, "admin")];
let rig: Awaited<ReturnType<typeof startTestCatalog>>;
let next = 1;
let film: string;
let long: string;

beforeAll(async () => {
  rig = await startTestCatalog();
});
afterAll(() => rig.close());

/** Before each test two library titles: of 10 seconds and, newer, of 2 hours. */
beforeEach(async () => {
  film = await announced(10);
  long = await announced(7_200);
});

async function announced(durationSeconds: number, more: Partial<Parameters<typeof libraryFile>[1]> = {}) {
  const n = next++;
  await rig.announce(libraryFile(n, { info: { ...someInfo, durationSeconds }, ...more }));
  await eventually(() => rig.catalog.getAccess({ id: testId(n) }));
  return testId(n);
}

const put = (id: string, body: object, who = ann) => rig.as(who).send("PUT", `/api/titles/${id}/progress`, body);
const mine = async (id: string, who = ann) => (await rig.as(who).get(`/api/titles/${id}`)).body.mine;
const ids = async (query: string, who = ann): Promise<string[]> =>
  (await rig.as(who).get(`/api/titles?${query}`)).body.items.map(({ id }: { id: string }) => id);

test("a title says what the caller has done with it, and nothing of others", async () => {
  const nothing = { positionSeconds: null, watched: false, favourite: false, lastWatchedAt: null };
  expect(await mine(film)).toEqual(nothing);
  await put(film, { positionSeconds: 4 });
  await rig.as(ann).send("PUT", `/api/titles/${film}/favourite`);
  expect(await mine(film)).toEqual({
    positionSeconds: 4,
    watched: false,
    favourite: true,
    lastWatchedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  const [listed] = (await rig.as(ann).get("/api/titles?favourite=true&limit=1")).body.items;
  expect(listed.mine).toEqual(await mine(film));
  expect(await mine(film, ben)).toEqual(nothing);
  const tagged = await rig.as(admin).send("POST", `/api/titles/${film}/tags`, { tags: ["a"] });
  expect(tagged.body.mine).toEqual(nothing);
});

test("nobody signed in has done nothing: mine is null", async () => {
  await rig.as(admin).send("PATCH", `/api/titles/${film}`, { visibility: "public" });
  expect((await rig.as(null).get(`/api/titles/${film}`)).body.mine).toBeNull();
});

test("past 90 % a title counts as watched, and stays so when it is begun again", async () => {
  expect((await put(long, { positionSeconds: 6_479 })).body).toEqual({ positionSeconds: 6_479, watched: false });
  expect(await ids("inProgress=true")).toContain(long);
  expect((await put(long, { positionSeconds: 6_480 })).body).toEqual({ positionSeconds: 6_480, watched: true });
  expect(await ids("inProgress=true")).not.toContain(long);
  expect(await ids("watched=true")).toContain(long);
  expect(await ids("watched=false")).not.toContain(long);
  expect((await put(long, { positionSeconds: 60 })).body.watched).toBe(true);
  expect(await ids("inProgress=true")).toContain(long);
});

test("marked as watched or not it starts anew", async () => {
  await put(long, { positionSeconds: 100 });
  expect((await put(long, { watched: true })).body).toEqual({ positionSeconds: 0, watched: true });
  expect(await mine(long)).toMatchObject({ positionSeconds: null, watched: true, lastWatchedAt: expect.any(String) });
  expect(await ids("inProgress=true")).not.toContain(long);
  expect((await put(long, { watched: false })).body).toEqual({ positionSeconds: 0, watched: false });
  expect(await mine(long)).toMatchObject({ watched: false, lastWatchedAt: null });
  expect((await put(long, { positionSeconds: 7_000, watched: false })).body.watched).toBe(false);
});

test("last watched comes first, what was never watched after it, the newest first", async () => {
  const [a, b] = [film, long];
  const [c, d] = [await announced(20), await announced(30)];
  await put(b, { positionSeconds: 1 }, ben);
  await Bun.sleep(2);
  await put(a, { positionSeconds: 1 }, ben);
  expect((await ids("sort=last-watched&limit=4", ben)).slice(0, 4)).toEqual([a, b, d, c]);
  const pages: string[] = [];
  let cursor = "";
  for (let page = 0; page < 4; page++) {
    const { items, nextCursor } = (await rig.as(ben).get(`/api/titles?sort=last-watched&limit=1${cursor}`)).body;
    pages.push(items[0].id);
    cursor = `&cursor=${nextCursor}`;
  }
  expect(pages).toEqual([a, b, d, c]);
});

test("favourites are one's own, and taken back", async () => {
  const path = `/api/titles/${film}/favourite`;
  for (let i = 0; i < 2; i++) expect((await rig.as(ben).send("PUT", path)).status).toBe(204);
  expect(await ids("favourite=true", ben)).toEqual([film]);
  expect(await ids("favourite=true", admin)).toEqual([]);
  for (let i = 0; i < 2; i++) expect((await rig.as(ben).send("DELETE", path)).status).toBe(204);
  expect(await ids("favourite=true", ben)).toEqual([]);
});

test("many titles are changed at once, each with its own result", async () => {
  const own = testId(next++);
  await rig.catalog.createTitle({ id: own, owner: ann, name: "Own", tags: ["old"], sizeBytes: 1 });
  const batch = (body: object, who = ann) => rig.as(who).send("POST", "/api/titles/batch", body);
  const all = [own, film, testId(5_000)];
  const tagged = await batch({ ids: [...all, own], addTags: ["New"], removeTags: ["old"], visibility: "members" });
  expect(tagged.status).toBe(200);
  expect(tagged.body.items).toEqual([
    { id: own, title: expect.objectContaining({ id: own, tags: ["New"], visibility: "members" }), error: null },
    { id: film, title: expect.objectContaining({ id: film, tags: ["New"] }), error: null },
    { id: testId(5_000), title: null, error: { code: "wrong-media-id", status: 404, detail: expect.any(String) } },
  ]);
  const refused = await batch({ ids: [own, film], delete: true }, ben);
  expect(refused.body.items).toEqual([
    { id: own, title: null, error: expect.objectContaining({ code: "forbidden", status: 403 }) },
    { id: film, title: null, error: null },
  ]);
  expect((await rig.as(ann).get(`/api/titles/${film}`)).status).toBe(404);
  const restored = await batch({ ids: [film], restore: true });
  expect(restored.body.items[0].title).toMatchObject({ id: film, tags: ["New"] });
  expect((await batch({ ids: all, addTags: ["x"] }, null as never)).status).toBe(401);
  expect((await batch({ ids: Array.from({ length: 201 }, (_, i) => testId(i)), delete: true })).status).toBe(400);
});

test("tags are told with how many visible titles have them, the most frequent first", async () => {
  const cat = await startTestCatalog();
  try {
    const as = (who: typeof ann, path: string) => cat.as(who).get(path);
    const make = async (n: number, owner: typeof ann, tags: string[]) => {
      await cat.catalog.createTitle({ id: testId(n), owner, name: `T${n}`, tags, sizeBytes: 1 });
      if (n % 2 === 0) await cat.catalog.completeTitle({ id: testId(n), mediaId: null, info: someInfo });
    };
    await make(1, ann, ["Sea", "Boat"]);
    await make(2, ann, ["sea", "Seagull"]);
    await make(3, ben, ["Sea", "Secret"]);
    await make(4, ben, ["boat"]);
    await cat.as(ben).send("PATCH", `/api/titles/${testId(4)}`, { visibility: "members" });
    const items = async (who: typeof ann, query = "") => (await as(who, `/api/tags${query}`)).body.items;
    expect(await items(ann)).toEqual([
      { value: "Boat", count: 2 },
      { value: "Sea", count: 2 },
      { value: "Seagull", count: 1 },
    ]);
    expect(await items(ann, "?q=S%C3%89A&limit=1")).toEqual([{ value: "Sea", count: 2 }]);
    expect(await items(admin, "?q=se")).toEqual([
      { value: "Sea", count: 3 },
      { value: "Seagull", count: 1 },
      { value: "Secret", count: 1 },
    ]);
    const facets = async (who: typeof ann, query = "") => (await as(who, `/api/titles/facets${query}`)).body;
    const all = await facets(ann);
    expect(all).toMatchObject({ titles: 3, complete: true, codecs: [{ value: "h264", count: 2 }] });
    expect(all.heights).toEqual([{ value: 360, count: 2 }]);
    expect((await facets(ann, "?tag=sea")).tags).toEqual([
      { value: "Sea", count: 2 },
      { value: "Boat", count: 1 },
      { value: "Seagull", count: 1 },
    ]);
    await cat.as(ann).send("DELETE", `/api/titles/${testId(1)}`);
    await cat.as(ann).send("DELETE", `/api/titles/${testId(2)}/tags?tag=seagull`);
    expect((await items(ann)).map(({ count }: { count: number }) => count)).toEqual([1, 1]);
    await cat.as(ann).send("POST", `/api/titles/${testId(1)}/restore`);
    expect(await items(ann, "?q=boat")).toEqual([{ value: "Boat", count: 2 }]);
    expect((await cat.as(null).get("/api/tags")).status).toBe(401);
  } finally {
    await cat.close();
  }
});
