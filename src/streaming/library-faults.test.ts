import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { asNobody } from "../../test/support/as-nobody.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { Stage } from "../../test/support/streaming-stage.ts";
import { until } from "../../test/support/until.ts";
import type { LibraryReport } from "./contract.ts";
import type { SourceRepository } from "./source-repository.ts";

const video = await fixture("h264-aac.mp4");
const MAY_NOT = "Kinora may not read it: check its permissions.";

let stage: Stage;
/** Sources with these paths cannot be saved. */
let unsaved = /^$/;
beforeEach(async () => {
  unsaved = /^$/;
  stage = await new Stage((sources) => failing(sources)).start();
});
afterEach(() => stage.close());

/** A database that does not take some of the files. */
function failing(sources: SourceRepository): SourceRepository {
  return new Proxy(sources, {
    get(target, name: keyof SourceRepository) {
      if (name === "saveAll") {
        return async (some: Parameters<SourceRepository["saveAll"]>[0]) => {
          if (some.some(({ path }) => unsaved.test(path ?? "")))
            throw new Error("UNIQUE constraint failed: sources.id");
          return target.saveAll(some);
        };
      }
      return target[name].bind(target);
    },
  });
}

const at = (name: string) => join(stage.library, name);
function put(name: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  copyFileSync(video, at(name));
}
const putBytes = (folder: string, name: Buffer) =>
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), "no video");
const folder = async () => {
  const { items } = (await (await stage.askAdmin("GET", "/api/library")).json()) as LibraryReport;
  return items[0];
};
const rescan = async () => (await stage.report()).rescan();
/** What each title is, by name. */
const states = () => Object.fromEntries(stage.announced.map(({ name, availability }) => [name, availability]));
const restart = async (settings = {}) => {
  await stage.stopService();
  await stage.startService(undefined, { settleMs: 0, rootCheckMs: 50, ...settings });
  await (await stage.report()).settled();
};

test("a sub-folder that becomes unreadable takes only its own titles along, and gives them back", async () => {
  put("one.mp4");
  put("n/two.mp4");
  await rescan();
  using _ = asNobody(stage.folder.path);
  chmodSync(at("n"), 0);
  await until(() => states().two === "unavailable");
  const refused = [{ path: "n", code: "unreadable", detail: MAY_NOT }];
  await until(async () => (await folder())?.state === "ready");
  expect(await folder()).toMatchObject({ state: "ready", files: 1, refused, watched: "events" });
  await rescan();
  expect(await folder()).toMatchObject({ state: "ready", files: 1, refused });
  expect(states()).toEqual({ one: "ready", two: "unavailable" });
  chmodSync(at("n"), 0o755);
  await until(() => states().two === "ready");
  await until(async () => (await folder())?.state === "ready");
  expect(await folder()).toMatchObject({ state: "ready", files: 2, refused: [] });
});

test("a sub-folder that may not be read from the start is passed over: the rest is watched, and it as soon as it may be", async () => {
  put("one.mp4");
  put("n/two.mp4");
  await stage.stopService();
  using _ = asNobody(stage.folder.path);
  chmodSync(at("n"), 0);
  await restart();
  await until(async () => (await folder())?.refused[0]?.path === "n");
  expect(await folder()).toMatchObject({ watched: "events", watchedDetail: null, files: 1 });
  renameSync(at("one.mp4"), at("uno.mp4"));
  await until(() => states().uno === "ready");
  chmodSync(at("n"), 0o755);
  await until(() => states().two === "ready");
  renameSync(at("n/two.mp4"), at("n/due.mp4"));
  await until(() => states().due === "ready");
});

test("a name that is not UTF-8 is refused with its own reason, each by itself, and one like it is taken", async () => {
  put("q\uFFFD.mp4");
  putBytes(stage.library, Buffer.from([0x71, 0xff, ...Buffer.from(".mp4")]));
  putBytes(stage.library, Buffer.from([0x71, 0xfe, ...Buffer.from("ü.mp4")]));
  mkdirSync(Buffer.concat([Buffer.from(`${stage.library}/d`), Buffer.from([0xe9])]));
  await rescan();
  const reason = { code: "name-not-utf8", detail: expect.stringContaining("rename it. For many, convmv") };
  const refused = ["d\\xe9", "q\\xfeü.mp4", "q\\xff.mp4"].map((path) => ({ path, ...reason }));
  const sorted = async () => (await folder())?.refused.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  expect(await sorted()).toEqual(refused);
  expect(await folder()).toMatchObject({ state: "ready", files: 1, refusedFiles: 3 });
  rmSync(Buffer.concat([Buffer.from(`${stage.library}/q`), Buffer.from([0xff]), Buffer.from(".mp4")]));
  await until(async () => (await folder())?.refusedFiles === 2);
  putBytes(stage.library, Buffer.from([0x7a, 0xff, ...Buffer.from(".mp4")]));
  await until(async () => (await sorted())?.at(-1)?.path === "z\\xff.mp4");
});

test("a file that the database does not take is refused by itself, and people see no SQL", async () => {
  unsaved = /bad/;
  for (const name of ["a.mp4", "bad.mp4", "c.mp4"]) put(name);
  await rescan();
  const shown = await folder();
  expect(shown).toMatchObject({ state: "ready", files: 2, refused: [{ path: "bad.mp4", code: "not-stored" }] });
  expect(JSON.stringify(shown)).not.toContain("UNIQUE");
  unsaved = /^$/;
  await rescan();
  expect(await folder()).toMatchObject({ state: "ready", files: 3, refused: [] });
});

test("a known file that may not be read any more is refused and unavailable, and playing it says to try later", async () => {
  put("film.mp4");
  await restart({ rootCheckMs: 3_600_000 });
  const { sourceId: id, mediaId } = await until(() => stage.announced[0]);
  stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId, name: "film" });
  expect((await stage.ask(`/stream/${id}/original`, { method: "HEAD" })).status).toBe(200);
  using _ = asNobody(stage.folder.path);
  chmodSync(at("film.mp4"), 0);
  for (const path of ["original", "hls/master.m3u8"]) {
    const answer = await stage.ask(`/stream/${id}/${path}`);
    expect([path, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      path,
      503,
      "temporary-unavailable",
    ]);
  }
  await until(() => states().film === "unavailable");
  await until(async () => (await folder())?.refusedFiles === 1);
  expect((await folder())?.refused).toEqual([{ path: "film.mp4", code: "unreadable", detail: MAY_NOT }]);
  chmodSync(at("film.mp4"), 0o644);
  await until(() => states().film === "ready");
});

test("a library folder that goes away and returns, or may not be read for a while, is noticed by itself", async () => {
  put("film.mp4");
  await restart();
  using _ = asNobody(stage.folder.path);
  const gone = async (away: () => void, back: () => void) => {
    away();
    await until(async () => (await folder())?.state === "unreadable" && states().film === "unavailable");
    back();
    await until(async () => (await folder())?.state === "ready" && states().film === "ready");
    expect(await folder()).toMatchObject({ files: 1, refused: [], watched: "events" });
  };
  await gone(
    () => renameSync(stage.library, `${stage.library}-away`),
    () => renameSync(`${stage.library}-away`, stage.library),
  );
  await gone(
    () => chmodSync(stage.library, 0),
    () => chmodSync(stage.library, 0o755),
  );
});

const mayMount =
  process.getuid?.() === 0 && Bun.which("mount") !== null && Bun.spawnSync(["unshare", "-m", "true"]).success;
test.skipIf(!mayMount)(
  "a disk that is mounted on the folder or in it, or taken away, is noticed by itself (needs root)",
  async () => {
    put("below.mp4");
    put("disk/hidden.mp4");
    await restart();
    const mounted: string[] = [];
    const mount = (path: string) => {
      Bun.spawnSync(["mount", "-t", "tmpfs", "tmpfs", path]);
      mounted.push(path);
    };
    const unmount = (path = mounted.pop()) => path && Bun.spawnSync(["umount", "-l", path]);
    try {
      mount(at("disk"));
      await until(() => states().hidden === "unavailable");
      copyFileSync(video, at("disk/on disk.mp4"));
      await until(() => states()["on disk"] === "ready");
      unmount();
      await until(() => states().hidden === "ready" && states()["on disk"] === "unavailable");
      mount(stage.library);
      await until(async () => (await folder())?.state === "empty");
      expect(await folder()).toMatchObject({ files: 0, refused: [] });
      expect(states()).toMatchObject({ below: "unavailable", hidden: "unavailable" });
      unmount();
      await until(async () => (await folder())?.state === "ready" && states().hidden === "ready");
      expect(await folder()).toMatchObject({ files: 2, watched: "events" });
    } finally {
      while (mounted.length > 0) unmount();
    }
  },
);

test.skipIf(!mayMount || Bun.which("bindfs") === null)(
  "a disk of another machine that does not answer takes nothing but its own titles along, and gives them back (needs root and bindfs)",
  async () => {
    const away = join(stage.folder.path, "away");
    mkdirSync(join(away, "n"), { recursive: true });
    mkdirSync(at("disk"));
    copyFileSync(video, join(away, "n/two.mp4"));
    put("one.mp4");
    const running: { server?: Bun.Subprocess } = {};
    const mount = async () => {
      running.server = Bun.spawn(["bindfs", "-f", away, at("disk")], { stdio: ["ignore", "ignore", "ignore"] });
      await until(() => existsSync(at("disk/n")));
    };
    const unmount = () => Bun.spawnSync(["umount", "-l", at("disk")]);
    const hang = async () => {
      running.server?.kill("SIGKILL");
      await running.server?.exited;
      // "Transport endpoint is not connected", and nothing tells of it.
      expect(() => readdirSync(at("disk"))).toThrow("ENOTCONN");
    };
    const restored = async () => {
      unmount();
      await mount();
      await until(() => states().one === "ready" && states().two === "ready");
    };
    try {
      await mount();
      await restart({ retryMs: 100 });
      await until(() => states().two === "ready");
      await hang();
      await rescan();
      const reason = { code: "unreadable", detail: "Its disk does not answer: check that it is connected." };
      expect(await folder()).toMatchObject({ files: 1, refused: [{ path: "disk", ...reason }] });
      expect(states()).toEqual({ one: "ready", two: "unavailable" });
      await restored();
      // The same when it is the library folder as a whole.
      await stage.stopService();
      await stage.startService([{ path: at("disk"), visibility: "members" }], { settleMs: 0, rootCheckMs: 50 });
      await (await stage.report()).settled();
      await until(() => states().one === "unavailable" && states().two === "ready");
      const { sourceId } = stage.announced.findLast(({ name }) => name === "two") ?? {};
      await hang();
      await rescan();
      expect(await folder()).toMatchObject({ state: "unreadable", refused: [{ path: "", ...reason }] });
      expect(states().two).toBe("unavailable");
      unmount();
      await mount();
      await until(() => states().two === "ready");
      expect(stage.announced.findLast(({ name }) => name === "two")?.sourceId).toBe(sourceId ?? "");
      expect(stage.forgotten).toEqual([]);
    } finally {
      running.server?.kill("SIGKILL");
      unmount();
    }
  },
);

test.skipIf(Bun.which("prlimit") === null)(
  "that Kinora has too many files open for a moment makes no title unavailable, and is tried again",
  async () => {
    // In a process of its own, which may have few files open.
    const script = `
      import { closeSync, copyFileSync, mkdirSync, openSync } from "node:fs";
      import { Stage } from "${join(import.meta.dir, "../../test/support/streaming-stage.ts")}";
      import { until } from "${join(import.meta.dir, "../../test/support/until.ts")}";
      const stage = await new Stage().start();
      const report = async () => (await (await stage.askAdmin("GET", "/api/library")).json()).items[0];
      mkdirSync(stage.library + "/n");
      for (const name of ["one", "n/two"]) copyFileSync("${video}", stage.library + "/" + name + ".mp4");
      await stage.stopService();
      await stage.startService(undefined, { retryMs: 50, rootCheckMs: 3_600_000 });
      await (await stage.report()).settled();
      await until(() => stage.announced.length >= 2);
      const announced = stage.announced.length;
      for (const spare of [0, 1, 2]) {
        const open = [];
        try { for (;;) open.push(openSync("/dev/null", "r")); } catch {}
        for (let n = 0; n < spare; n++) closeSync(open.pop());
        await (await stage.report()).rescan().catch(() => undefined);
        console.log(spare, (await report()).refused.map(({ code }) => code).join());
        for (const one of open) closeSync(one);
        await until(async () => (await report()).refusedFiles === 0 && (await report()).state === "ready");
      }
      console.log((await report()).files, stage.announced.length - announced);
      await stage.close();
      process.exit(0);
    `;
    const child = Bun.spawn(["prlimit", "--nofile=400:400", process.execPath, "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = (await new Response(child.stdout).text()).trim().split("\n");
    expect([lines[0], lines.at(-1)]).toEqual(["0 unfinished", "2 0"]);
  },
  30_000,
);

test("a folder that had videos and is empty says so, one that never had any is ready", async () => {
  await restart();
  expect(await folder()).toMatchObject({ state: "ready", files: 0 });
  put("film.mp4");
  await until(() => states().film === "ready");
  rmSync(at("film.mp4"));
  await until(async () => (await folder())?.state === "empty");
  put("film.mp4");
  await until(async () => (await folder())?.state === "ready");
});

test("files beside the videos that do not claim to be any are counted, not listed", async () => {
  put("inner/film.mp4");
  for (const name of ["notes.txt", "pic.jpg", "README", "empty.nfo"])
    writeFileSync(at(name), name === "empty.nfo" ? "" : name);
  writeFileSync(at("fake.mp4"), "no video");
  for (const name of ["notes.txt", "pic.jpg", "README", "empty.nfo", "fake.mp4"])
    utimesSync(at(name), 1_600_000_000, 1_600_000_000);
  symlinkSync(at("inner"), at("link to inner"));
  await rescan();
  const expected = { files: 1, refused: [{ path: "fake.mp4" }], refusedFiles: 1, otherFiles: 5 };
  expect(await folder()).toMatchObject(expected);
  await rescan();
  expect(await folder()).toMatchObject(expected);
});

test("what is refused is logged once, and again for another reason, without a stack", async () => {
  for (const name of ["a.mp4", "b.mp4"]) {
    writeFileSync(at(name), "no video");
    utimesSync(at(name), 1_600_000_000, 1_600_000_000);
  }
  await rescan();
  await rescan();
  const lines = () => stage.logged.filter((line) => line.includes("not in the library"));
  expect(lines().length).toBe(2);
  expect(stage.logged.join("")).not.toContain("stack");
  rmSync(at("b.mp4"));
  symlinkSync("nowhere", at("b.mp4"));
  await rescan();
  expect(lines().length).toBe(3);
});

test("files that are renamed together are saved and announced together, chains and exchanges of names included", async () => {
  const names = Array.from({ length: 60 }, (_, index) => `film ${index}.mp4`);
  for (const [index, name] of names.entries()) {
    put(`old/${name}`);
    appendFileSync(at(`old/${name}`), new Uint8Array([0, 0, 0, 9, 0x66, 0x72, 0x65, 0x65, index]));
  }
  await rescan();
  const known = new Map(stage.announced.map(({ name, sourceId }) => [sourceId, name]));
  expect(known.size).toBe(60);
  await stage.stopService();
  stage.settled = 0;
  // Each takes the name of the next one, the last that of the first.
  renameSync(at("old"), at("aside"));
  mkdirSync(at("old"));
  for (const [index, name] of names.entries()) renameSync(at(`aside/${name}`), at(`old/${names[(index + 1) % 60]}`));
  await restart();
  await until(() => known.size === new Set(stage.announced.slice(60).map(({ sourceId }) => sourceId)).size);
  const now = new Map(stage.announced.map(({ name, sourceId }) => [sourceId, name]));
  for (const [id, name] of known)
    expect(now.get(id)).toBe(names[(names.indexOf(`${name}.mp4`) + 1) % 60]?.slice(0, -4) ?? "");
  expect(
    [...new Map(stage.announced.map(({ sourceId, availability }) => [sourceId, availability])).values()].every(
      (state) => state === "ready",
    ),
  ).toBe(true);
  expect(await folder()).toMatchObject({ files: 60, refused: [] });
  expect(stage.settled).toBeLessThan(10);
});

test("a file that is replaced under its size and time is read again when the system tells of it, in place or by another file", async () => {
  const past = new Date(1_600_000_000_000);
  const bytesOf = (mark: number) =>
    Buffer.concat([readFileSync(video), Buffer.from([0, 0, 0, 9, ...Buffer.from("free"), mark])]);
  const write = (name: string, mark: number) => {
    writeFileSync(at(name), bytesOf(mark));
    utimesSync(at(name), past, past);
  };
  write("film.mp4", 1);
  await restart();
  const last = () => stage.announced.at(-1);
  const is = (mark: number) => () =>
    last()?.mediaId === new Bun.CryptoHasher("sha256").update(bytesOf(mark)).digest("hex");
  await until(is(1));
  write("film.mp4", 2);
  await until(is(2));
  write(".new", 3);
  renameSync(at(".new"), at("film.mp4"));
  await until(is(3));
  chmodSync(at("film.mp4"), 0o600);
  await Bun.sleep(0);
  await rescan();
  expect(is(3)()).toBe(true);
  expect(new Set(stage.announced.map(({ sourceId }) => sourceId)).size).toBe(1);
});
