import { afterAll, beforeAll, expect, test } from "bun:test";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

let kinora: TestKinora;
let root: TestUser;
let ids: Readonly<Record<"root" | "ann" | "ben" | "vera", string>>;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
  ids = { root: await idOf(root), ann: "", ben: await create("ben"), vera: await create("vera", "viewer") };
});
afterAll(() => kinora.close());

const password = "correct horse battery";
const idOf = async (user: TestUser): Promise<string> => (await (await user.get("/api/session")).json()).user.id;
const create = async (username: string, role = "editor"): Promise<string> =>
  (await (await root.post("/api/users", { username, password, role })).json()).id;
const statusOf = async (response: Promise<Response>) => {
  const { status, body } = await response;
  await body?.cancel();
  return status;
};
interface Owned {
  readonly user: { readonly username: string };
  readonly files: number;
}
const storageOf = async (): Promise<Record<string, number>> => {
  const { owners } = (await (await root.get("/api/storage")).json()) as { owners: Owned[] };
  return Object.fromEntries(owners.map(({ user, files }) => [user.username, files]));
};

/** Somebody with a video in a collection, and links to both. */
async function withVideo(username: string) {
  const id = await create(username);
  const user = await TestUser.signIn(kinora, username);
  const title = (await user.upload(await fixture("h264-aac.mp4"), { name: `Film of ${username}`, tags: ["sea"] })).id;
  const collection = (await (await user.post("/api/collections", { name: "Summer" })).json()).id as string;
  await user.post(`/api/collections/${collection}/titles`, { titleIds: [title] });
  const link = (await (await user.post("/api/links", { titleId: title })).json()).url as string;
  return { id, user, title, collection, link };
}

test("a deleted user's videos and collections go to whom the admin chooses; their links and sign-ins end", async () => {
  const { id, user, title, collection, link } = await withVideo("ann");
  const ben = await TestUser.signIn(kinora, "ben");
  expect(await statusOf(ben.get(`/stream/${title}/original`))).toBe(404);
  for (const wrong of [id, ids.vera, Bun.randomUUIDv7()]) {
    const refused = await root.send("DELETE", `/api/users/${id}?videosTo=${wrong}`);
    const { code, fields } = await refused.json();
    expect([refused.status, code, fields[0].field]).toEqual([400, "invalid-request", "videosTo"]);
  }
  expect(await statusOf(root.send("DELETE", `/api/users/${id}?heir=${ids.ben}`))).toBe(400);
  expect(await statusOf(user.get("/api/session"))).toBe(200);
  expect(await statusOf(root.send("DELETE", `/api/users/${id}?videosTo=${ids.ben}`))).toBe(204);
  await until(async () => (await statusOf(ben.get(`/api/titles/${title}`))) === 200);
  expect(await (await ben.get(`/api/titles/${title}`)).json()).toMatchObject({
    ...{ name: "Film of ann", tags: ["sea"], visibility: "private", owner: { id: ids.ben, username: "ben" } },
  });
  expect(await statusOf(ben.get(`/stream/${title}/hls/master.m3u8`))).toBe(200);
  expect(await (await ben.get(`/api/collections/${collection}`)).json()).toMatchObject({
    ...{ owner: { id: ids.ben }, titles: 1 },
  });
  expect(await statusOf(ben.send("PATCH", `/api/titles/${title}`, { name: "Of ben now" }))).toBe(200);
  expect([await statusOf(fetch(link)), await statusOf(user.get("/api/session"))]).toEqual([401, 401]);
  // It is measured every few seconds at most.
  await until(async () => (await storageOf()).ben === 1, 20_000);
  expect((await storageOf()).ann).toBeUndefined();
  await kinora.restart();
  expect(await statusOf(ben.get(`/stream/${title}/original`))).toBe(200);
});

test("without an heir they are deleted with the account, and an editor cannot choose", async () => {
  const { id, title, collection } = await withVideo("cleo");
  const ben = await TestUser.signIn(kinora, "ben");
  expect(await statusOf(ben.send("DELETE", `/api/users/${id}?videosTo=${ids.ben}`))).toBe(403);
  expect(await statusOf(root.send("DELETE", `/api/users/${id}`))).toBe(204);
  await until(async () => (await statusOf(root.get(`/api/titles/${title}`))) === 404);
  expect(await statusOf(root.get(`/api/collections/${collection}`))).toBe(404);
});
