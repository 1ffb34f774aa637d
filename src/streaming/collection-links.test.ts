import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";

let kinora: TestKinora;
let admin: TestUser;
let maria: TestUser;
/** Maria's: a film and a clip in a collection, another one outside of it; Root's, which she may not see. */
let [film, clip, outside, hidden] = ["", "", "", ""];
let collectionId = "";
let grant = "";

beforeAll(async () => {
  kinora = await startTestKinora();
  admin = await TestUser.signIn(kinora, "root");
  maria = await TestUser.signIn(kinora, "maria");
  const upload = async (user: TestUser, name: string) =>
    (await user.upload(await fixture("h264-only.mp4"), { name })).id;
  [film, clip, outside] = [await upload(maria, "Film"), await upload(maria, "Clip"), await upload(maria, "Outside")];
  hidden = await upload(admin, "Hidden");
  await maria.send("PATCH", `/api/titles/${film}`, { description: "Only for me" });
  await maria.post(`/api/titles/${film}/tags`, { tags: ["unpaid leave"] });
});
afterAll(() => kinora.close());

beforeEach(async () => {
  const made = await maria.post("/api/collections", { name: "Summer", description: "Private words" });
  ({ id: collectionId } = await made.json());
  await maria.post(`/api/collections/${collectionId}/titles`, { titleIds: [clip, film] });
  grant = (await link()).grant;
});

async function link(user = maria, body: object = { collectionId }) {
  const response = await user.post("/api/links", body);
  const made = await response.json();
  expect({ status: response.status, made }).toMatchObject({ status: 201 });
  return { ...made, grant: new URL(made.pageUrl).searchParams.get("grant") ?? "" };
}

const nobody = () => new TestUser(kinora);
const get = (path: string, text = grant) => nobody().get(`${path}${path.includes("?") ? "&" : "?"}grant=${text}`);
const statusOf = async (path: string, text = grant) => {
  const response = await get(path, text);
  await response.body?.cancel();
  return response.status;
};
const original = (id: string) => `/stream/${id}/original`;
const listed = () => `/api/titles?collection=${collectionId}`;

test("a link to a collection is a page, and is listed with its name", async () => {
  const made = await link();
  const { host } = new URL(kinora.url);
  const page = `http://${host}/collections/${collectionId}?grant=${made.grant}`;
  expect(made).toMatchObject({ url: page, pageUrl: page, hlsUrl: null, dashUrl: null, rtspUrl: null });
  const { items } = await (await maria.get("/api/links?limit=1")).json();
  expect(items[0]).toMatchObject({
    id: made.id,
    collectionId,
    collectionName: "Summer",
    titleId: null,
    titleName: null,
  });
});

test("it opens the collection, its titles and their media, and nothing that its owner wrote", async () => {
  const collection = await (await get(`/api/collections/${collectionId}`)).json();
  expect(collection).toMatchObject({ name: "Summer", description: "", owner: null, titles: 2, coverTitleId: clip });
  const page = await get(listed());
  expect(page.headers.get("Referrer-Policy")).toBe("no-referrer");
  expect(page.headers.get("Access-Control-Allow-Origin")).toBeNull();
  const { items } = await page.json();
  expect(items.map(({ id }: { id: string }) => id)).toEqual([clip, film]);
  const bare = { name: "Film", description: "", tags: [], owner: null, mediaId: null, mine: null, container: "mp4" };
  expect(items[1]).toMatchObject(bare);
  expect(await (await get(`/api/titles/${film}`)).json()).toEqual(items[1]);
  for (const id of [film, clip]) {
    expect(await statusOf(original(id))).toBe(200);
    const playlist = await (await get(`/stream/${id}/hls/master.m3u8`)).text();
    expect(playlist).toContain(grant);
  }
  const first = await (await get(`${listed()}&limit=1`)).json();
  const second = await (await get(`${listed()}&limit=1&cursor=${first.nextCursor}`)).json();
  expect([first.items[0].id, second.items[0].id, second.nextCursor]).toEqual([clip, film, null]);
});

test("it opens nothing else, whoever else the request comes from", async () => {
  const other = (await (await maria.post("/api/collections", { name: "Other" })).json()).id;
  for (const path of [
    original(outside),
    `/api/titles/${outside}`,
    `/api/titles/${hidden}`,
    `/api/collections/${other}`,
    `/api/titles?collection=${other}`,
    "/api/titles",
  ]) {
    expect({ path, status: await statusOf(path) }).toEqual({ path, status: 404 });
    // It alone decides, beside a session that could more.
    const beside = await maria.get(`${path}${path.includes("?") ? "&" : "?"}grant=${grant}`);
    await beside.body?.cancel();
    expect({ path, status: beside.status }).toEqual({ path, status: 404 });
  }
  for (const path of ["/api/links", "/api/collections", "/api/tags", `/api/titles/${film}/progress`])
    expect({ path, status: await statusOf(path) }).toEqual({ path, status: 401 });
  for (const query of ["q=only", "tag=unpaid", "owner=me", "favourite=true", "sort=last-watched", "name=f"])
    expect({ query, status: await statusOf(`${listed()}&${query}`) }).toEqual({ query, status: 400 });
  const changes: [method: string, path: string, body?: object][] = [
    ["PATCH", `/api/collections/${collectionId}`, { name: "x" }],
    ["DELETE", `/api/collections/${collectionId}`],
    ["PATCH", `/api/titles/${film}`, { name: "x" }],
    ["DELETE", `/api/titles/${film}`],
  ];
  for (const [method, path, body] of changes) {
    const response = await nobody().send(method, `${path}?grant=${grant}`, body);
    expect({ method, path, status: response.status }).toEqual({ method, path, status: 401 });
  }
});

test("a title taken out is refused at once, one put in is there", async () => {
  expect(await statusOf(original(film))).toBe(200);
  await maria.send("DELETE", `/api/collections/${collectionId}/titles?title=${film}`);
  expect([await statusOf(original(film)), await statusOf(`/api/titles/${film}`)]).toEqual([404, 404]);
  await maria.post(`/api/collections/${collectionId}/titles`, { titleIds: [film] });
  expect(await statusOf(original(film))).toBe(200);
});

test("revoked, or the collection deleted, it opens nothing from the next request on", async () => {
  const made = await link();
  expect(await statusOf(original(film), made.grant)).toBe(200);
  expect((await maria.send("DELETE", `/api/links/${made.id}`)).status).toBe(204);
  for (const path of [original(film), listed(), `/api/collections/${collectionId}`, `/api/titles/${film}`])
    expect({ path, status: await statusOf(path, made.grant) }).toEqual({ path, status: 401 });
  expect(await statusOf(original(film))).toBe(200);
  await maria.send("DELETE", `/api/collections/${collectionId}`);
  for (const path of [original(film), listed(), `/api/collections/${collectionId}`, `/api/titles/${film}`])
    expect({ path, status: await statusOf(path) }).toEqual({ path, status: 404 });
});

test("it opens no more than its maker may see", async () => {
  const shared = (await (await admin.post("/api/collections", { name: "Shared", visibility: "members" })).json()).id;
  await admin.send("PATCH", `/api/titles/${hidden}`, { visibility: "members" });
  await admin.post(`/api/collections/${shared}/titles`, { titleIds: [hidden, film] });
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "members" });
  const bob = await TestUser.signIn(kinora, "bob");
  const { grant: bobs } = await link(bob, { collectionId: shared });
  expect([await statusOf(original(hidden), bobs), await statusOf(original(film), bobs)]).toEqual([200, 200]);
  await admin.send("PATCH", `/api/titles/${hidden}`, { visibility: "private" });
  expect([await statusOf(original(hidden), bobs), await statusOf(original(film), bobs)]).toEqual([404, 200]);
  const { items } = await (await get(`/api/titles?collection=${shared}`, bobs)).json();
  expect(items.map(({ id }: { id: string }) => id)).toEqual([film]);
  await admin.send("PATCH", `/api/collections/${shared}`, { visibility: "private" });
  expect(await statusOf(original(film), bobs)).toBe(404);
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "private" });
});

test("an admin's link shows nothing that somebody else keeps private, and ends when the collection is made private", async () => {
  const ofMaria = (visibility: string) => maria.send("PATCH", `/api/collections/${collectionId}`, { visibility });
  const ask = () => admin.post("/api/links", { collectionId });
  expect((await (await ask()).json()).code).toBe("private-to-owner");
  await ofMaria("members");
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "members" });
  const { grant: admins } = await link(admin);
  const page = `/api/collections/${collectionId}`;
  expect([await statusOf(original(film), admins), await statusOf(original(clip), admins)]).toEqual([200, 404]);
  expect(await statusOf(`/api/titles/${clip}`, admins)).toBe(404);
  const { items } = await (await get(listed(), admins)).json();
  expect(items.map(({ id }: { id: string }) => id)).toEqual([film]);
  expect(await (await get(page, admins)).json()).toMatchObject({ titles: 1, coverTitleId: film });
  await ofMaria("private");
  for (const path of [page, listed(), original(film), `/api/titles/${film}`])
    expect({ path, status: await statusOf(path, admins) }).toEqual({ path, status: 404 });
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "private" });
});

test("a link is for a title or a collection that one may see, never for both", async () => {
  const ask = async (user: TestUser, body: object) => (await user.post("/api/links", body)).status;
  expect(await ask(maria, {})).toBe(400);
  expect(await ask(maria, { titleId: film, collectionId })).toBe(400);
  expect(await ask(maria, { collectionId: Bun.randomUUIDv7() })).toBe(404);
  expect(await ask(await TestUser.signIn(kinora, "bob"), { collectionId })).toBe(404);
  expect(await ask(nobody(), { collectionId })).toBe(401);
});

test("a link to a title has a page, which reads the title and nothing else of it", async () => {
  const made = await link(maria, { titleId: film });
  expect(made.pageUrl).toContain(`/watch/${film}?grant=`);
  expect(await (await get(`/api/titles/${film}`, made.grant)).json()).toMatchObject({
    ...{ id: film, name: "Film", description: "", tags: [], owner: null, mine: null },
  });
  expect(await statusOf(`/api/titles/${clip}`, made.grant)).toBe(404);
  expect(await statusOf(listed(), made.grant)).toBe(404);
  const stream = await maria.post("/api/streams", { titleId: film, protocol: "hls" });
  const { url } = await stream.json();
  expect(await statusOf(`/api/titles/${film}`, new URL(url).searchParams.get("grant") ?? "")).toBe(404);
});
