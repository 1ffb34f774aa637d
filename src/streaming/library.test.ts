import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fixture } from "../../test/support/fixtures.ts";
import { temporaryFolder } from "../../test/support/folder.ts";
import { Stage } from "../../test/support/streaming-stage.ts";
import { until } from "../../test/support/until.ts";
import type { Announcement, KeptFolders, LibraryReport } from "./contract.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await new Stage().start();
});
afterEach(() => stage.close());

/** What was announced last of each source, by the name of its title. */
const latest = () => {
  const bySource = new Map(stage.announced.map((one) => [one.sourceId, one]));
  return new Map([...bySource.values()].map((one) => [one.name, one]));
};
const at = (name: string) => join(stage.library, name);
const video = await fixture("h264-aac.mp4");
const other = await fixture("h264-aac-faststart.mp4");
/** Another content for each `mark`: players skip a `free` box at the end. */
const bytesOf = (mark: number, padding = 8) => {
  const box = Buffer.alloc(8 + padding, mark);
  box.writeUInt32BE(box.length);
  box.write("free", 4);
  return Buffer.concat([readFileSync(video), box]);
};

function put(name: string, bytes: Uint8Array | string = video): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  if (typeof bytes === "string") copyFileSync(bytes, at(name));
  else writeFileSync(at(name), bytes);
}

const rescan = async () => (await stage.report()).rescan();
const announcementOf = (name: string) => until(() => latest().get(name));
const unavailable = (name: string) => until(() => latest().get(name)?.availability === "unavailable");
const report = async () => (await (await stage.askAdmin("GET", "/api/library")).json()) as LibraryReport;
const again = async (settings = {}, meanwhile: () => void = () => undefined) => {
  await stage.stopService();
  meanwhile();
  await stage.startService(undefined, settings);
  await (await stage.report()).settled();
};

test("a file that is renamed or moved keeps its source, and its title follows", async () => {
  put("Trips/old name.mp4");
  await rescan();
  const { sourceId } = await announcementOf("old name");
  renameSync(at("Trips/old name.mp4"), at("Trips/new name.mp4"));
  await rescan();
  expect(await announcementOf("new name")).toMatchObject({ sourceId, availability: "ready", tags: ["Trips"] });
  mkdirSync(at("Walks/2020"), { recursive: true });
  renameSync(at("Trips/new name.mp4"), at("Walks/2020/new name.mp4"));
  await again();
  const moved = await announcementOf("new name");
  expect(moved).toMatchObject({ sourceId, availability: "ready", tags: ["Walks", "2020"] });
  expect(moved.folders.map(({ name }) => name)).toEqual(["library", "Walks", "2020"]);
  renameSync(at("Walks"), at("Hikes"));
  await rescan();
  await until(() => latest().get("new name")?.tags[0] === "Hikes");
  expect(new Set(stage.announced.map((one) => one.sourceId)).size).toBe(1);
  expect((await stage.ask(`/stream/${sourceId}/original`, { method: "HEAD" })).status).toBe(404);
});

test("files that exchange their names, or take another's place, keep their sources", async () => {
  put("a.mp4", bytesOf(1));
  put("b.mp4", bytesOf(2));
  utimesSync(at("b.mp4"), statSync(at("a.mp4")).mtime, statSync(at("a.mp4")).mtime);
  await rescan();
  const [a, b] = [await announcementOf("a"), await announcementOf("b")];
  await again({}, () => {
    renameSync(at("a.mp4"), at("c.mp4"));
    renameSync(at("b.mp4"), at("a.mp4"));
    renameSync(at("c.mp4"), at("b.mp4"));
  });
  await until(() => latest().get("a")?.sourceId === b.sourceId && latest().get("b")?.sourceId === a.sourceId);
  expect([latest().get("a")?.mediaId, latest().get("b")?.mediaId]).toEqual([b.mediaId, a.mediaId]);
  await again({}, () => {
    renameSync(at("a.mp4"), at("z of b.mp4"));
    put("a.mp4", bytesOf(3));
  });
  await until(() => latest().get("z of b")?.sourceId === b.sourceId && latest().get("a")?.availability === "ready");
  expect(latest().get("a")?.sourceId).not.toBe(b.sourceId);
});

test("a file that vanished comes back under its title, also at another place and after a restart", async () => {
  put("film.mp4");
  await rescan();
  const { sourceId } = await announcementOf("film");
  const aside = join(stage.folder.path, "aside.mp4");
  await again({}, () => renameSync(at("film.mp4"), aside));
  await unavailable("film");
  await again({}, () => renameSync(aside, at("film again.mp4")));
  expect(await announcementOf("film again")).toMatchObject({ sourceId, availability: "ready" });
});

test("a file with two names, and equal files in two places, are all known with one content", async () => {
  put("one.mp4");
  put("sub/two.mp4");
  linkSync(at("one.mp4"), at("three.mp4"));
  await rescan();
  const found = ["one", "two", "three"].map((name) => latest().get(name));
  expect(new Set(found.map((one) => one?.mediaId)).size).toBe(1);
  expect(new Set(found.map((one) => one?.sourceId)).size).toBe(3);
  expect((await report()).items[0]?.files).toBe(3);
});

test("a large file is announced and can be watched before its SHA-256 is known, which comes after", async () => {
  const bytes = bytesOf(9, 12 * 2 ** 20);
  put("large.mp4", bytes);
  await rescan();
  await until(() => latest().get("large")?.mediaId != null);
  const steps = stage.announced.filter(({ name }) => name === "large").map(({ mediaId }) => mediaId);
  const sha = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  expect(steps).toEqual([null, sha]);
  await until(async () => (await report()).unhashedBytes === 0);
});

/** Shows a file as a title, and tells the tags of its original, of what is made of it, and of a segment. */
async function tagsOf(name: string, bodies: string[] = []): Promise<(string | null)[]> {
  const { sourceId: id, mediaId } = await announcementOf(name);
  stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId, name });
  const paths = ["original", "faststart", "hls/master.m3u8", "hls/1/init.mp4", "hls/1/1.m4s", "dash/manifest.mpd"];
  const answers = paths.map(async (path) => {
    const answer = await stage.ask(`/stream/${id}/${path}`);
    bodies.push(`${path} ${Bun.SHA256.hash(await answer.bytes(), "hex")}`);
    return answer.ok ? answer.headers.get("ETag") : `${path}: ${answer.status}`;
  });
  return Promise.all(answers);
}

test("equal content has the same tags wherever it lies and however old it is, so that another instance can go on with a download", async () => {
  put("one.mp4");
  put("sub/two.mp4");
  const past = new Date(Date.now() - 3_600_000);
  utimesSync(at("sub/two.mp4"), past, past);
  put("other.mp4", bytesOf(1));
  await rescan();
  const bodies: [string[], string[]] = [[], []];
  const [one, two, third] = [await tagsOf("one", bodies[0]), await tagsOf("two", bodies[1]), await tagsOf("other")];
  expect(one).toEqual(two);
  expect(bodies[0].sort()).toEqual(bodies[1].sort());
  expect(one.every((tag) => /^"[\w-]{27}"$/.test(tag ?? ""))).toBe(true);
  expect(new Set([...one, ...third]).size).toBe(12);
  const { sourceId } = await announcementOf("two");
  const headers = { Range: "bytes=100-", "If-Range": one[0] ?? "" };
  expect((await stage.ask(`/stream/${sourceId}/original`, { headers })).status).toBe(206);
});

test("a file that changes under its name changes all its tags, known by its content or not yet, and has the old ones again with the old content", async () => {
  const padding = 9 * 2 ** 20;
  const put2 = async (mark: number) => {
    const before = latest().get("large")?.mediaId;
    put("large.mp4", bytesOf(mark, padding));
    await rescan();
    await until(() => latest().get("large")?.mediaId != null && latest().get("large")?.mediaId !== before);
    await until(async () => (await report()).unhashedBytes === 0);
    return tagsOf("large");
  };
  const [first, second, third] = [await put2(1), await put2(2), await put2(1)];
  expect(new Set([...first, ...second]).size).toBe(12);
  expect(third).toEqual(first);
  // What was answered before its content was known.
  put("large.mp4", bytesOf(3, padding));
  const { sourceId: id } = await announcementOf("large");
  const during = await stage.ask(`/stream/${id}/original`, { headers: { "If-None-Match": first[0] ?? "" } });
  expect([503, 200]).toContain(during.status);
  expect(first).not.toContain(during.headers.get("ETag"));
  await during.body?.cancel();
});

test("a file that grows while it is scanned is taken when it is whole", async () => {
  await again({ settleMs: 400 });
  const whole = readFileSync(video);
  const growing = at("growing.mp4");
  for (let from = 0; from < whole.length; from += Math.ceil(whole.length / 6)) {
    appendFileSync(growing, whole.subarray(from, from + Math.ceil(whole.length / 6)));
    await rescan();
    await Bun.sleep(120);
  }
  const { info, mediaId } = await announcementOf("growing");
  expect(info.sizeBytes).toBe(whole.length);
  expect(mediaId).toBe(new Bun.CryptoHasher("sha256").update(whole).digest("hex"));
  expect(
    stage.announced.filter(({ name }) => name === "growing").every(({ info }) => info.sizeBytes === whole.length),
  ).toBe(true);
  await until(async () => (await report()).items[0]?.refusedFiles === 0);
});

test("what has the size and time it had is not announced anew at the next start, and is read when its time is another", async () => {
  put("kept.mp4", bytesOf(1));
  const past = new Date(Date.now() - 60_000);
  utimesSync(at("kept.mp4"), past, past);
  await rescan();
  const { mediaId } = await announcementOf("kept");
  expect(mediaId).toMatch(/^[0-9a-f]{64}$/);
  const announced = stage.announced.length;
  await again();
  expect((await report()).items[0]?.files).toBe(1);
  expect(stage.announced.length).toBe(announced);
  writeFileSync(at("kept.mp4"), bytesOf(2));
  await rescan();
  await until(() => latest().get("kept")?.mediaId !== mediaId);
});

test("unfinished downloads, hidden files and what systems keep for themselves are passed over", async () => {
  const passed = ["a.mp4.part", "b.mp4.crdownload", "~c.mp4", ".d.mp4", "@eaDir/e.mp4", "#recycle/f.mp4"];
  for (const name of [...passed, "lost+found/g.mp4", ".Trash-1000/files/h.mp4", ".git/i.mp4", "fine.mp4"]) put(name);
  await rescan();
  expect([...latest().keys()]).toEqual(["fine"]);
  expect((await report()).items[0]).toMatchObject({ files: 1, refused: [] });
  renameSync(at("a.mp4.part"), at("a.mp4"));
  await rescan();
  expect(latest().has("a")).toBe(true);
});

test("a damaged file is listed once, not opened again while it stays the same, and taken when it is mended", async () => {
  put("cut.mp4", readFileSync(video).subarray(0, 50_000));
  const past = new Date(Date.now() - 60_000);
  utimesSync(at("cut.mp4"), past, past);
  await rescan();
  await rescan();
  expect((await report()).items[0]?.refused).toEqual([expect.objectContaining({ path: "cut.mp4", code: "truncated" })]);
  const size = statSync(at("cut.mp4")).size;
  // Other bytes under the same size and time would be refused for another reason, if they were read.
  await again({}, () => {
    writeFileSync(at("cut.mp4"), Buffer.alloc(size));
    utimesSync(at("cut.mp4"), past, past);
  });
  expect((await report()).items[0]?.refused).toMatchObject([{ path: "cut.mp4", code: "truncated" }]);
  copyFileSync(video, at("cut.mp4"));
  await rescan();
  expect((await report()).items[0]).toMatchObject({ files: 1, refused: [], refusedFiles: 0 });
});

test("a change is noticed by itself: new, renamed, removed, in new folders too", async () => {
  await until(async () => (await report()).items[0]?.watched === "events");
  const timed = async (what: string, change: () => void, seen: () => unknown) => {
    change();
    const begin = performance.now();
    await until(() => Boolean(seen()), 30_000);
    console.log(`${what}: noticed after ${Math.round(performance.now() - begin)} ms`);
  };
  await timed(
    "new file",
    () => put("new.mp4"),
    () => latest().has("new"),
  );
  await timed(
    "renamed file",
    () => renameSync(at("new.mp4"), at("renamed.mp4")),
    () => latest().get("renamed")?.availability === "ready",
  );
  await timed(
    "file in new folders",
    () => put("x/y/z/deep.mp4", other),
    () => latest().has("deep"),
  );
  await timed(
    "renamed folder",
    () => renameSync(at("x"), at("w")),
    () => latest().get("deep")?.tags[0] === "w" && latest().get("deep")?.availability === "ready",
  );
  await timed(
    "removed folder",
    () => rmSync(at("w"), { recursive: true }),
    () => latest().get("deep")?.availability === "unavailable",
  );
  expect((await report()).items[0]?.files).toBe(1);
});

test("a folder that cannot be watched is scanned by interval, and says why", async () => {
  await stage.stopService();
  renameSync(stage.library, `${stage.library}-away`);
  await stage.startService(undefined, { rescanIntervalMs: 150 });
  await until(async () => (await report()).items[0]?.state === "unreadable");
  expect((await report()).items[0]).toMatchObject({
    watched: "interval",
    watchedDetail: expect.stringContaining("not there"),
  });
  renameSync(`${stage.library}-away`, stage.library);
  put("found.mp4");
  await announcementOf("found");
  await until(async () => (await report()).items[0]?.watched === "events");
});

test("an admin adds and removes folders while Kinora runs; nothing on disk is touched", async () => {
  using films = temporaryFolder();
  copyFileSync(video, join(films.path, "added.mp4"));
  const added = await stage.askAdmin("POST", "/api/library/folders", { path: films.path, visibility: "public" });
  expect(added.status).toBe(201);
  expect(await announcementOf("added")).toMatchObject({ visibility: "public" });
  await again();
  const folder = (await report()).items.find((one) => one.folder === films.path);
  expect(folder).toMatchObject({ origin: "added", files: 1, state: "ready" });
  expect((await stage.askAdmin("DELETE", `/api/library/folders/${folder?.id}`)).status).toBe(204);
  await unavailable("added");
  expect((await report()).items.map(({ origin }) => origin)).toEqual(["configuration"]);
  expect(statSync(join(films.path, "added.mp4")).size).toBeGreaterThan(0);
  const before: Announcement | undefined = latest().get("added");
  await stage.askAdmin("POST", "/api/library/folders", { path: films.path });
  await until(() => latest().get("added")?.availability === "ready");
  expect(latest().get("added")?.sourceId).toBe(before?.sourceId ?? "");
});

const kept = async () => ((await (await stage.askAdmin("GET", "/api/library/kept")).json()) as KeptFolders).items;
const addFolder = async (path: string) => {
  await stage.askAdmin("POST", "/api/library/folders", { path });
  const { items } = await report();
  return items.find((one) => one.folder === path)?.id ?? "";
};

test("the titles of a removed folder wait for it, in no folder that people could browse, and come back with it", async () => {
  using films = temporaryFolder();
  copyFileSync(video, join(films.path, "kept.mp4"));
  const id = await addFolder(films.path);
  const { sourceId, folders } = await announcementOf("kept");
  expect(folders).toHaveLength(1);
  expect((await stage.askAdmin("DELETE", `/api/library/folders/${id}?titles=keep`)).status).toBe(204);
  expect(await until(() => latest().get("kept")?.folders.length === 0 && latest().get("kept"))).toMatchObject({
    availability: "unavailable",
    folders: [],
    tags: [],
  });
  expect(await kept()).toMatchObject([{ folder: films.path, files: 1, isRemoved: true, isForgetting: false }]);
  await again();
  // Told anew at every start, as of what was removed by an earlier version.
  stage.announced.length = 0;
  await stage.streaming.reannounce({});
  expect(latest().get("kept")).toMatchObject({ sourceId, availability: "unavailable", folders: [] });
  await addFolder(films.path);
  await until(() => latest().get("kept")?.availability === "ready");
  expect(latest().get("kept")).toMatchObject({ sourceId, folders });
  expect((await kept()).map(({ isRemoved }) => isRemoved)).toEqual([false]);
  expect(stage.forgotten).toEqual([]);
});

test("the titles of a removed folder are forgotten when an admin says so, at once or later; the files stay", async () => {
  using films = temporaryFolder();
  copyFileSync(video, join(films.path, "gone.mp4"));
  put("stays.mp4");
  await rescan();
  const { sourceId: stays } = await announcementOf("stays");
  const id = await addFolder(films.path);
  const { sourceId } = await announcementOf("gone");
  expect((await stage.askAdmin("DELETE", `/api/library/folders/${id}?titles=all`)).status).toBe(400);
  expect((await stage.askAdmin("DELETE", `/api/library/folders/${id}?titles=forget`)).status).toBe(204);
  await until(async () => (await kept()).every(({ isRemoved }) => !isRemoved));
  expect(stage.forgotten).toEqual([sourceId]);
  expect(statSync(join(films.path, "gone.mp4")).size).toBeGreaterThan(0);
  // What comes back is new.
  await addFolder(films.path);
  const { sourceId: second } = await until(() => {
    const now = latest().get("gone");
    return now?.sourceId !== sourceId && now;
  });
  await stage.askAdmin("DELETE", `/api/library/folders/${id}`);
  expect((await stage.ask("/api/library/kept", { method: "DELETE" })).status).toBe(403);
  expect((await stage.ask("/api/library/kept")).status).toBe(403);
  // Folders that are library folders are none of these, and there are others that nobody knows.
  const refused = async (folder: string | undefined) => {
    const answer = await stage.askAdmin("DELETE", `/api/library/kept?folder=${folder}`);
    return [answer.status, ((await answer.json()) as { code: string }).code];
  };
  expect(await refused((await report()).items[0]?.id)).toEqual([409, "conflict"]);
  expect(await refused(Bun.randomUUIDv7())).toEqual([404, "not-found"]);
  const begun = await stage.askAdmin("DELETE", "/api/library/kept");
  expect(((await begun.json()) as KeptFolders).items).toMatchObject([
    { folder: films.path, files: 1, isForgetting: true },
  ]);
  await until(async () => (await kept()).every(({ isRemoved }) => !isRemoved));
  expect(stage.forgotten).toEqual([sourceId, second]);
  expect(await refused(id)).toEqual([404, "not-found"]);
  expect((await stage.ask(`/stream/${stays}/original`, { method: "HEAD" })).status).toBe(404);
  stage.announced.length = 0;
  await stage.streaming.reannounce({});
  expect([...latest().keys()]).toEqual(["stays"]);
});

test("titles that cannot be forgotten yet are forgotten after the next start, also when the folder is added again meanwhile", async () => {
  using films = temporaryFolder();
  for (let n = 0; n < 3; n++) writeFileSync(join(films.path, `${n}.mp4`), bytesOf(n));
  const id = await addFolder(films.path);
  const first = await Promise.all(["0", "1", "2"].map(announcementOf));
  stage.catalogIsDown = true;
  await stage.askAdmin("DELETE", `/api/library/folders/${id}?titles=forget`);
  expect(await kept()).toMatchObject([{ isForgetting: true, files: 3 }]);
  // Asked once more it is the same.
  const again2 = await stage.askAdmin("DELETE", `/api/library/kept?folder=${id}`);
  expect([again2.status, ((await again2.json()) as KeptFolders).items]).toMatchObject([202, [{ isForgetting: true }]]);
  stage.announced.length = 0;
  await stage.streaming.reannounce({});
  expect(stage.announced).toEqual([]);
  await addFolder(films.path);
  await again({}, () => {
    stage.catalogIsDown = false;
  });
  await until(() => ["0", "1", "2"].every((name) => latest().get(name)?.availability === "ready"));
  expect(stage.forgotten.toSorted()).toEqual(first.map(({ sourceId }) => sourceId).toSorted());
  for (const { sourceId, name } of first) expect(latest().get(name)?.sourceId).not.toBe(sourceId);
});

test("a folder that is removed while it is scanned is forgotten whole", async () => {
  using films = temporaryFolder();
  for (let n = 0; n < 60; n++) writeFileSync(join(films.path, `${n}.mp4`), bytesOf(n));
  const id = await addFolder(films.path);
  await until(() => stage.announced.length > 0);
  await stage.askAdmin("DELETE", `/api/library/folders/${id}?titles=forget`);
  await until(async () => (await kept()).length === 0);
  expect(stage.forgotten).toEqual(expect.arrayContaining(stage.announced.map(({ sourceId }) => sourceId)));
  await rescan();
  expect(await kept()).toEqual([]);
  stage.announced.length = 0;
  await stage.streaming.reannounce({});
  expect(stage.announced).toEqual([]);
});

test("the system's folders, Kinora's own, overlapping and unreadable ones are refused, and all when it is switched off", async () => {
  mkdirSync(at("sub"));
  const statusOf = async (path: unknown) => (await stage.askAdmin("POST", "/api/library/folders", { path })).status;
  const refused = [
    "/",
    "/etc",
    "/proc/self",
    "/usr/share",
    stage.media,
    join(stage.media, "uploads"),
    stage.folder.path,
  ];
  for (const path of refused) expect([path, await statusOf(path)]).toEqual([path, 403]);
  for (const path of [at("sub"), stage.library]) expect(await statusOf(path)).toBe(409);
  for (const path of ["relative", "/does/not/exist", video, "", 7]) expect(await statusOf(path)).toBe(400);
  // What is wrong has a code, for texts that say what to do.
  for (const [path, reason] of [
    ["relative", "is-relative"],
    ["/does/not/exist", "is-missing"],
    [video, "is-no-folder"],
  ]) {
    const answer = await stage.askAdmin("POST", "/api/library/folders", { path });
    expect(await answer.json()).toMatchObject({ code: "invalid-request", reason });
  }
  const configured = (await report()).items[0]?.id ?? "";
  expect((await stage.askAdmin("DELETE", `/api/library/folders/${configured}`)).status).toBe(409);
  expect((await stage.askAdmin("DELETE", "/api/library/folders/x")).status).toBe(404);
  expect((await stage.ask("/api/library/folders", { method: "POST" })).status).toBe(403);
  expect((await stage.ask("/api/library/folders", { method: "POST", as: null })).status).toBe(401);
  await again({ mayAdd: false });
  using films = temporaryFolder();
  expect(await statusOf(films.path)).toBe(403);
});

test("the end of a scan is told with all files of the folder, those that were refused included", async () => {
  put("one.mp4");
  put("damaged.mp4", Buffer.alloc(2_000, 7));
  utimesSync(at("damaged.mp4"), 1_600_000_000, 1_600_000_000);
  await rescan();
  await until(() => stage.progress.some(({ kind, state }) => kind === "scan" && state === "done"));
  const ended = stage.progress.findLast(({ kind, state }) => kind === "scan" && state === "done");
  expect(ended).toMatchObject({ done: 2, total: 2 });
  expect((await report()).items).toMatchObject([{ state: "ready", files: 1, refusedFiles: 1 }]);
});
