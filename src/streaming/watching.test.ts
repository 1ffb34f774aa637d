import { afterAll, beforeAll, expect, test } from "bun:test";
import { fixture } from "../../test/support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "../../test/support/kinora.ts";
import type { Principal } from "../auth/contract.ts";
import type { Watched } from "./contract.ts";
import { type MediaRequest, Watching } from "./watching.ts";

let kinora: TestKinora;
let root: TestUser;
let maria: TestUser;
let film: string;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
  maria = await TestUser.signIn(kinora, "maria");
  ({ id: film } = await maria.upload(await fixture("h264-aac.mp4"), { name: "Concert" }));
});
afterAll(() => kinora.close());

const watchedNow = async (): Promise<Watched[]> => (await (await root.get("/api/watching")).json()).items;
const bytesOf = async (who: TestUser, path: string) => (await (await who.get(path)).arrayBuffer()).byteLength;

test("an admin sees who watches what in a browser or by a link, over what, since when and how much", async () => {
  const before = Date.now();
  await bytesOf(maria, `/stream/${film}/poster`).catch(() => 0);
  expect(await watchedNow()).toEqual([]);
  const base = `/stream/${film}/hls`;
  let bytes = 0;
  for (const path of ["master.m3u8", "1/playlist.m3u8", "1/init.mp4", "1/1.m4s", "2/1.m4s"])
    bytes += await bytesOf(maria, `${base}/${path}`);
  const [viewing, ...others] = await watchedNow();
  expect(others).toEqual([]);
  expect(viewing).toMatchObject({
    ...{ title: { id: film, name: "Concert" }, user: { username: "maria" }, by: "session", protocol: "hls" },
  });
  expect(viewing?.bytes).toBeGreaterThan(bytes / 2);
  expect(viewing?.bytes).toBeLessThanOrEqual(bytes);
  expect(Date.parse(viewing?.since ?? "")).toBeGreaterThanOrEqual(before);
  const { hlsUrl, url } = await (await maria.post("/api/links", { titleId: film })).json();
  await (await fetch(hlsUrl)).text();
  await (await fetch(url)).arrayBuffer();
  await maria.send("PATCH", `/api/titles/${film}`, { visibility: "public" });
  await bytesOf(new TestUser(kinora), `/stream/${film}/dash/manifest.mpd`);
  const shown = (await watchedNow()).map(({ by, user, protocol }) => [by, user?.username ?? null, protocol]);
  expect(shown.toSorted()).toEqual([
    ["link", "maria", "file"],
    ["public", null, "dash"],
    ["session", "maria", "hls"],
  ]);
});

test("what a controller steers is listed with the controllers alone; others than admins learn nothing", async () => {
  const count = (await watchedNow()).length;
  const { url } = await (await maria.post("/api/streams", { titleId: film, protocol: "hls" })).json();
  expect((await fetch(url)).status).toBe(200);
  expect(await watchedNow()).toHaveLength(count);
  expect((await maria.get("/api/watching")).status).toBe(403);
  expect((await new TestUser(kinora).get("/api/watching")).status).toBe(401);
  expect((await root.get("/api/watching?x=1")).status).toBe(400);
});

let now = 0;
const ann: Principal = {
  ...{ userId: "u1", username: "ann", role: "viewer" },
  credential: { kind: "session", id: "s1" },
};
const asked = (path: string, more: Partial<MediaRequest> = {}): MediaRequest => ({
  ...{ who: ann, clientAddress: "192.0.2.1", titleId: "t1", titleName: "Film", durationSeconds: 600 },
  ...{ path, bytes: 1_000, signal: new AbortController().signal },
  ...more,
});

test("whoever asks for nothing for a minute is gone, and comes back as a new viewing", () => {
  const watching = new Watching(() => now);
  watching.note(asked("hls/1/1.m4s"));
  now += 59_000;
  watching.note(asked("hls/1/2.m4s"));
  now += 59_000;
  expect(watching.list()).toMatchObject([{ bytes: 2_000, since: new Date(now - 118_000).toISOString() }]);
  now += 1_000;
  expect(watching.list()).toEqual([]);
  watching.note(asked("hls/1/3.m4s"));
  expect(watching.list()).toMatchObject([{ bytes: 1_000 }]);
});

test("a file that comes in one answer counts for as long as it plays, unless its player leaves", () => {
  const watching = new Watching(() => now);
  const leaving = new AbortController();
  watching.note(asked("original", { signal: leaving.signal }));
  now += 600_000;
  expect(watching.list()).toMatchObject([{ protocol: "file", bytes: null }]);
  leaving.abort();
  now += 60_000;
  expect(watching.list()).toEqual([]);
});

test("two devices of one user are two viewings, pictures and subtitles are none", () => {
  const watching = new Watching(() => now);
  watching.note(asked("hls/1/1.m4s"));
  watching.note(asked("hls/1/1.m4s", { who: { ...ann, credential: { kind: "session", id: "s2" } } }));
  for (const path of ["poster", "storyboard.vtt", "subtitles/en.vtt", "chapters"])
    watching.note(asked(path, { titleId: "t2" }));
  expect(watching.list()).toHaveLength(2);
});
