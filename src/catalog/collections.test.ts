import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { person, someInfo, startTestCatalog, testId, testMediaId } from "../../test/support/catalog.ts";

const [ann, ben, admin, viewer] = [person(1), person(2), person(3, "admin"), person(4, "viewer")];
let rig: Awaited<ReturnType<typeof startTestCatalog>>;
let next = 1;
/** Ann's titles: three for members, one private. */
let [a, b, c, secret] = ["", "", "", ""];
let id = "";

beforeAll(async () => {
  rig = await startTestCatalog();
});
afterAll(() => rig.close());

beforeEach(async () => {
  [a, b, c, secret] = [await title("members"), await title("members"), await title("members"), await title("private")];
  id = (await create(ann, { name: "Summer", visibility: "members" })).id;
});

async function title(visibility: string): Promise<string> {
  const n = next++;
  await rig.catalog.createTitle({ id: testId(n), owner: ann, name: `Title ${n}`, tags: [], sizeBytes: 1 });
  await rig.catalog.completeTitle({ id: testId(n), mediaId: testMediaId(n), info: someInfo });
  await rig.as(ann).send("PATCH", `/api/titles/${testId(n)}`, { visibility });
  return testId(n);
}

async function create(who: typeof ann, body: object) {
  const answer = await rig.as(who).send("POST", "/api/collections", body);
  expect(answer.status).toBe(201);
  return answer.body;
}

const path = () => `/api/collections/${id}`;
const add = (titleIds: string[], more: object = {}, who = ann) =>
  rig.as(who).send("POST", `${path()}/titles`, { titleIds, ...more });
const inside = async (who: typeof ann | null = ann, more = ""): Promise<string[]> =>
  (await rig.as(who).get(`/api/titles?collection=${id}${more}`)).body.items.map((item: { id: string }) => item.id);

test("a collection is private and empty at first", async () => {
  const made = await create(ann, { name: "  My  films ", description: "All\r\nof them" });
  expect(made).toEqual({
    id: expect.any(String),
    name: "My films",
    description: "All\nof them",
    visibility: "private",
    owner: { id: ann.userId, username: ann.username },
    titles: 0,
    durationSeconds: 0,
    coverTitleId: null,
    createdAt: expect.any(String),
    updatedAt: made.createdAt,
  });
  expect((await rig.as(ann).get(`/api/collections/${made.id}`)).body).toEqual(made);
});

test("what reorders text is taken out of names, descriptions and tags", async () => {
  const spoof = "a\u202Egpj\u202C.\u2066exe\u2069\u200E";
  expect(await create(ann, { name: spoof, description: `${spoof}\nb` })).toMatchObject({
    name: "a gpj . exe",
    description: "agpj.exe\nb",
  });
  expect((await rig.as(ann).send("PATCH", path(), { name: spoof })).body.name).toBe("a gpj . exe");
  expect((await rig.as(ann).send("PATCH", path(), { name: "\u202E" })).status).toBe(400);
  expect((await rig.as(ann).send("PATCH", `/api/titles/${a}`, { name: spoof })).body.name).toBe("a gpj . exe");
  const tagged = await rig.as(ann).send("POST", `/api/titles/${a}/tags`, { tags: [spoof] });
  expect(tagged.body.tags).toEqual(["a gpj . exe"]);
  // These join letters and emoji.
  expect((await create(ann, { name: "می\u200Cخواهم 👩\u200D👧" })).name).toBe("می\u200Cخواهم 👩\u200D👧");
});

test("titles keep the order they are put in, and are moved", async () => {
  expect((await add([b, a])).body).toMatchObject({ titles: 2, durationSeconds: 20, coverTitleId: b });
  await add([c, b]);
  expect(await inside()).toEqual([b, a, c]);
  await add([c], { before: b });
  expect(await inside()).toEqual([c, b, a]);
  await add([c, b], { before: null });
  expect(await inside()).toEqual([a, c, b]);
  await add([b, c], { before: a });
  await add([b, c], { before: a });
  expect(await inside()).toEqual([b, c, a]);
  expect(await inside(ann, "&sort=newest")).toEqual([c, b, a]);
  const first = (await rig.as(ann).get(`/api/titles?collection=${id}&limit=2`)).body;
  expect(await inside(ann, `&limit=2&cursor=${first.nextCursor}`)).toEqual([a]);
  expect((await add([a], { before: secret })).status).toBe(400);
  expect((await add([a], { before: a })).status).toBe(400);
  expect(await inside(ann, `&q=${"title"}`)).toEqual([b, c, a]);
});

test("titles are taken out, again and again", async () => {
  await add([a, b, c]);
  for (let i = 0; i < 2; i++) {
    const answer = await rig.as(ann).send("DELETE", `${path()}/titles?title=${a}&title=${c}&title=${testId(5_000)}`);
    expect([answer.status, answer.body.titles]).toEqual([200, 1]);
  }
  expect(await inside()).toEqual([b]);
});

test("a deleted title is left out and comes back in its place; a purged one goes", async () => {
  await add([a, b, c]);
  await rig.as(ann).send("DELETE", `/api/titles/${b}`);
  expect(await inside()).toEqual([a, c]);
  await rig.as(ann).send("POST", `/api/titles/${b}/restore`);
  expect(await inside()).toEqual([a, b, c]);
  await rig.repository.purge(a, () => true);
  expect((await rig.as(ann).get(path())).body).toMatchObject({ titles: 2, coverTitleId: b });
});

test("titles that somebody may not see are left out for them, and out of the counts", async () => {
  await add([secret, a]);
  expect(await inside(ben)).toEqual([a]);
  expect((await rig.as(ben).get(path())).body).toMatchObject({ titles: 1, durationSeconds: 10, coverTitleId: a });
  expect((await rig.as(ann).get(path())).body).toMatchObject({ titles: 2, coverTitleId: secret });
});

test("a private collection is there for its owner and admins, with everybody else it is as if it were not", async () => {
  await add([a]);
  await rig.as(ann).send("PATCH", path(), { visibility: "private" });
  for (const request of [
    ["GET", path()],
    ["GET", `/api/titles?collection=${id}`],
    ["PATCH", path(), { name: "x" }],
    ["DELETE", path()],
    ["POST", `${path()}/titles`, { titleIds: [a] }],
    ["DELETE", `${path()}/titles?title=${a}`],
  ] as const) {
    const [method, address, body] = request;
    const answers = [await rig.as(ben).send(method, address, body), await rig.as(null).send(method, address, body)];
    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual([
      [404, "not-found"],
      [401, "unauthorized"],
    ]);
    const nowhere = await rig.as(ben).send(method, address.replaceAll(id, testId(6_000)), body);
    expect(nowhere.body.detail).toBe(answers[0]?.body.detail);
  }
  expect((await rig.as(admin).get(path())).status).toBe(200);
  expect(await inside(admin)).toEqual([a]);
});

test("whoever sees a collection without owning it may not change it; admins may", async () => {
  await add([a]);
  for (const who of [ben, viewer]) {
    expect((await rig.as(who).send("PATCH", path(), { name: "x" })).status).toBe(403);
    expect((await add([a], {}, who)).status).toBe(403);
    expect((await rig.as(who).send("DELETE", `${path()}/titles?title=${a}`)).status).toBe(403);
    expect((await rig.as(who).send("DELETE", path())).status).toBe(403);
  }
  expect((await rig.as(admin).send("PATCH", path(), { name: "By admin" })).body.name).toBe("By admin");
});

test("only titles that one may see can be added", async () => {
  id = (await create(ben, { name: "Ben's" })).id;
  const answer = await add([a, secret], {}, ben);
  expect([answer.status, answer.body.code]).toEqual([404, "wrong-media-id"]);
  expect(await inside(ben)).toEqual([]);
});

test("viewers keep collections for themselves", async () => {
  const { id: own } = await create(viewer, { name: "Mine" });
  const shared = await rig.as(viewer).send("PATCH", `/api/collections/${own}`, { visibility: "members" });
  expect(shared.status).toBe(403);
  expect((await rig.as(viewer).send("POST", "/api/collections", { name: "x", visibility: "public" })).status).toBe(403);
});

test("a public collection is open to everybody, with its public titles", async () => {
  await add([a, b]);
  await rig.as(ann).send("PATCH", path(), { visibility: "public" });
  await rig.as(ann).send("PATCH", `/api/titles/${b}`, { visibility: "public" });
  expect((await rig.as(null).get(path())).body).toMatchObject({ titles: 1, coverTitleId: b });
  expect(await inside(null)).toEqual([b]);
  expect((await rig.as(null).get(`/api/titles?collection=${id}&owner=me`)).status).toBe(401);
});

test("collections are listed by name, found by a part of it, and by owner, page by page", async () => {
  const cat = await startTestCatalog();
  try {
    const make = (who: typeof ann, name: string, visibility = "members") =>
      cat.as(who).send("POST", "/api/collections", { name, visibility });
    for (const name of ["Émile", "zebra", "Apple pie", "apple"]) await make(ann, name);
    await make(ben, "Apples of Ben", "private");
    const names = async (who: typeof ann, query = "") => {
      const { items, nextCursor } = (await cat.as(who).get(`/api/collections?${query}`)).body;
      return [items.map(({ name }: { name: string }) => name), nextCursor] as const;
    };
    expect(await names(ann)).toEqual([["apple", "Apple pie", "Émile", "zebra"], null]);
    expect(await names(ben, "q=APPLE")).toEqual([["apple", "Apple pie", "Apples of Ben"], null]);
    expect((await names(ben, "owner=me"))[0]).toEqual(["Apples of Ben"]);
    expect((await names(ben, `owner=${ann.userId}&q=mil`))[0]).toEqual(["Émile"]);
    const [first, cursor] = await names(ann, "limit=3");
    expect(first).toEqual(["apple", "Apple pie", "Émile"]);
    expect(await names(ann, `limit=3&cursor=${cursor}`)).toEqual([["zebra"], null]);
    expect((await cat.as(ann).get(`/api/collections?q=x&cursor=${cursor}`)).status).toBe(400);
    expect((await cat.as(null).get("/api/collections")).status).toBe(401);
  } finally {
    await cat.close();
  }
});

test("a title tells the collections it is in, of those that the caller may see", async () => {
  await add([a]);
  const other = (await create(ann, { name: "Alone" })).id;
  await rig.as(ann).send("POST", `/api/collections/${other}/titles`, { titleIds: [a] });
  const of = async (who: typeof ann) =>
    (await rig.as(who).get(`/api/titles/${a}/collections`)).body.items.map((item: { id: string }) => item.id);
  expect(await of(ann)).toEqual([other, id]);
  expect(await of(ben)).toEqual([id]);
  expect((await rig.as(ben).get(`/api/titles/${secret}/collections`)).status).toBe(404);
});

test("a deleted collection is gone, its titles are not", async () => {
  await add([a]);
  expect((await rig.as(ann).send("DELETE", path())).status).toBe(204);
  expect((await rig.as(ann).get(path())).status).toBe(404);
  expect((await rig.as(ann).get(`/api/titles/${a}`)).status).toBe(200);
  expect(await rig.catalog.getCollectionAccess({ id })).toBeNull();
});

test("a collection has a thousand titles at most", async () => {
  const access = await rig.catalog.getCollectionAccess({ id });
  expect(access).toEqual({ id, ownerId: ann.userId, visibility: "members", name: "Summer", titleIds: [] });
  const many = Array.from({ length: 1_000 }, (_, i) => testId(10_000 + i));
  for (const [i, titleId] of many.entries()) {
    await rig.repository.insert({
      ...{ id: titleId, mediaId: null, name: "Many", description: "", tags: [], owner: null, origin: "library" },
      ...{ visibility: "members", availability: "ready", sizeBytes: 1, info: null, deletedAt: null, sources: [] },
      createdAt: new Date(Date.UTC(2026, 0, 1) + i).toISOString(),
    });
  }
  for (let i = 0; i < 1_000; i += 200) expect((await add(many.slice(i, i + 200))).status).toBe(200);
  const answer = await add([a]);
  expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
  expect((await add([many[0] ?? ""], { before: null })).body.titles).toBe(1_000);
  await rig.repository.purge(many[0] ?? "", () => true);
  expect((await add([a])).status).toBe(200);
});
