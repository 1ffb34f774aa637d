import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fixture } from "../../test/support/fixtures.ts";
import { owner, Stage } from "../../test/support/streaming-stage.ts";
import { until } from "../../test/support/until.ts";
import { publish } from "../bus/topics.ts";
import { MediaReleased, TitleChanges } from "../catalog/contract.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await new Stage().start();
});
afterEach(() => stage.close());

describe("a finished upload", () => {
  test("is announced, filed under its SHA-256 and playable when adopt returns", async () => {
    const { id, bytes, sha, adopt } = await stage.upload("h264-aac.mp4");
    const announcement = await adopt();
    expect(announcement).toMatchObject({ sourceId: id, mediaId: sha, ownerId: owner, availability: "ready" });
    expect(announcement.info).toMatchObject({ container: "mp4", video: { codec: "h264", width: 640, height: 360 } });
    expect(stage.originals()).toEqual([sha]);
    expect(existsSync(join(stage.media, "uploads", id))).toBe(false);
    const sent = await stage.ask(`/stream/${id}/original`);
    expect(Buffer.from(await sent.arrayBuffer()).equals(bytes)).toBe(true);
    await until(() => stage.announced.some(({ sourceId }) => sourceId === id) || null);
  });

  test("can be adopted again with the same answer", async () => {
    const { adopt } = await stage.upload("h264-aac.mp4");
    expect(await adopt()).toEqual(await adopt());
  });

  test("shares one file with an equal upload, until the last of both is released", async () => {
    const first = await stage.upload("h264-aac.mp4");
    const second = await stage.upload("h264-aac.mp4");
    await first.adopt();
    await second.adopt();
    expect(stage.originals()).toEqual([first.sha]);
    await publish(stage.catalog, MediaReleased, { sourceIds: [first.id], mediaId: null });
    await until(async () => ((await stage.ask(`/stream/${first.id}/hls/master.m3u8`)).status === 200 ? true : null));
    expect((await stage.ask(`/stream/${second.id}/original`)).status).toBe(200);
    await publish(stage.catalog, MediaReleased, { sourceIds: [second.id], mediaId: second.sha });
    await until(() => stage.originals().length === 0 || null);
    expect((await stage.ask(`/stream/${second.id}/original`)).status).toBe(503);
  });

  test("is playable before its SHA-256 is known, and filed when it is", async () => {
    const { id, sha, adopt } = await stage.upload("h264-aac.mp4", false);
    await adopt();
    expect((await stage.ask(`/stream/${id}/original`, { method: "HEAD" })).status).toBe(200);
    await stage.streaming.identify({ sourceId: id, mediaId: sha });
    expect(stage.originals()).toEqual([sha]);
    expect((await stage.ask(`/stream/${id}/original`)).status).toBe(200);
    await until(() => stage.announced.some(({ mediaId }) => mediaId === sha) || null);
    expect(await stage.streaming.isAvailable({ mediaId: sha })).toBe(true);
  });

  const refused: [string, () => Promise<Uint8Array>, string][] = [
    ["no bytes", async () => new Uint8Array(), "empty"],
    ["text", async () => new TextEncoder().encode("hello, this is no video at all"), "not-a-video"],
    [
      "half a video",
      async () =>
        new Uint8Array(
          await Bun.file(await fixture("h264-aac.mp4"))
            .slice(0, 50_000)
            .arrayBuffer(),
        ),
      "truncated",
    ],
    [
      "sound only",
      async () => new Uint8Array(await Bun.file(await fixture("aac-only.m4a")).arrayBuffer()),
      "not-a-video",
    ],
  ];
  for (const [what, bytes, code] of refused) {
    test(`of ${what} is refused as ${code} and never announced`, async () => {
      const { adopt } = await stage.upload(await bytes());
      expect(await adopt().catch((error: { code: string; status: number }) => [error.code, error.status])).toEqual([
        code,
        422,
      ]);
      expect(stage.announced).toEqual([]);
      expect(stage.originals()).toEqual([]);
    });
  }

  test("of another size than announced is refused", async () => {
    const { id, bytes, sha } = await stage.upload("h264-aac.mp4");
    const wrong = stage.streaming.adopt({
      sourceId: id,
      ownerId: owner,
      name: "F",
      sizeBytes: bytes.length + 1,
      mediaId: sha,
    });
    expect(wrong).rejects.toThrow(`should have ${bytes.length + 1} bytes`);
  });
});

describe("the original", () => {
  test("is sent in ranges with validators", async () => {
    const { id, bytes, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    const path = `/stream/${id}/original`;
    const whole = await stage.ask(path, { method: "HEAD" });
    const etag = whole.headers.get("ETag") ?? "";
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      "content-length": String(bytes.length),
      "content-type": "video/mp4",
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
    });
    expect(whole.headers.get("Content-Disposition")).toBe(
      "inline; filename*=UTF-8''%C3%9Cn%C3%AF%20%22c%C3%B6d%C3%A9%22.mp4",
    );
    const part = await stage.ask(path, { headers: { Range: "bytes=100-199", "If-Range": etag } });
    expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes 100-199/${bytes.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true);
    const tail = await stage.ask(path, { headers: { Range: "bytes=-5" } });
    expect(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-5))).toBe(true);
    const beyond = await stage.ask(path, { headers: { Range: `bytes=${bytes.length}-` } });
    expect([beyond.status, beyond.headers.get("Content-Range")]).toEqual([416, `bytes */${bytes.length}`]);
    expect((await stage.ask(path, { headers: { "If-None-Match": etag } })).status).toBe(304);
    expect((await stage.ask(path, { headers: { Range: "bytes=0-1", "If-Range": '"old"' } })).status).toBe(200);
  });

  test("of a public title goes to anybody and may be kept", async () => {
    const { id, adopt } = await stage.upload("h264-aac.mp4", true, "public");
    await adopt();
    const sent = await stage.ask(`/stream/${id}/original`, { as: null, method: "HEAD" });
    expect([sent.status, sent.headers.get("Cache-Control")]).toEqual([200, "public, max-age=300"]);
  });
});

describe("the faststart view", () => {
  test("has moov first, plays, and is sent in ranges of itself", async () => {
    const { id, bytes, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    const path = `/stream/${id}/faststart`;
    const whole = Buffer.from(await (await stage.ask(path)).arrayBuffer());
    expect(whole.length).toBe(bytes.length);
    expect(whole.indexOf("moov")).toBeLessThan(whole.indexOf("mdat"));
    const head = await stage.ask(path, { method: "HEAD" });
    expect(head.headers.get("Content-Length")).toBe(String(whole.length));
    const part = await stage.ask(path, { headers: { Range: "bytes=1000-400000" } });
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(1000, 400_001))).toBe(true);
  });

  test("of a file that needs none is the file", async () => {
    const { id, bytes, adopt } = await stage.upload("h264-aac-faststart.mp4");
    await adopt();
    const whole = Buffer.from(await (await stage.ask(`/stream/${id}/faststart`)).arrayBuffer());
    expect(whole.equals(bytes)).toBe(true);
  });
});

describe("every media route", () => {
  const paths = [
    ...["original", "faststart", "hls/master.m3u8", "hls/1/playlist.m3u8", "hls/1/init.mp4", "hls/1/1.m4s"],
    ...["hls/1/iframes.m3u8", "dash/manifest.mpd", "subtitles", "subtitles/en.vtt"],
    ...["hls/subtitles/de/playlist.m3u8", "hls/subtitles/de/2.vtt"],
  ];

  test("asks who it is: the owner 200, nobody 401, another user 404, after a delete 404", async () => {
    const { id, adopt } = await stage.upload("h264-aac-subtitles.mp4");
    await adopt();
    const statuses = (as: string | null) =>
      Promise.all(paths.map(async (path) => (await stage.ask(`/stream/${id}/${path}`, { as })).status));
    expect(await statuses(owner)).toEqual(paths.map(() => 200));
    expect(await statuses(null)).toEqual(paths.map(() => 401));
    expect(await statuses(Bun.randomUUIDv7())).toEqual(paths.map(() => 404));
    stage.titles.delete(id);
    await publish(stage.catalog, TitleChanges, { titleId: id, type: "deleted" });
    expect(await statuses(owner)).toEqual(paths.map(() => 404));
  });

  test("that does not exist is 401 to nobody and 404 to members", async () => {
    for (const path of ["/stream/x", `/stream/${Bun.randomUUIDv7()}/nonsense`, "/stream/a/b/c/d"]) {
      expect((await stage.ask(path, { as: null })).status).toBe(401);
      expect((await stage.ask(path)).status).toBe(404);
    }
  });

  test("answers 401 to nobody and 404 to members for ids that do not exist or are none", async () => {
    for (const id of [Bun.randomUUIDv7(), "a".repeat(64), "..%2f..%2fetc", "x"]) {
      expect((await stage.ask(`/stream/${id}/original`, { as: null })).status).toBe(401);
      expect((await stage.ask(`/stream/${id}/original`)).status).toBe(404);
    }
  });

  test("says 503 for a title whose bytes are not here", async () => {
    const id = Bun.randomUUIDv7();
    stage.titles.set(id, { id, ownerId: owner, visibility: "private", mediaId: null, name: "n" });
    const answer = await stage.ask(`/stream/${id}/original`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "temporary-unavailable"]);
    expect(answer.headers.get("Retry-After")).toBe("2");
  });
});

describe("HLS", () => {
  async function linesOf(path: string): Promise<string[]> {
    const answer = await stage.ask(path);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "application/vnd.apple.mpegurl"]);
    return (await answer.text()).split("\n");
  }

  test("leads from the master playlist to every segment, whole, by HEAD and in ranges", async () => {
    const { id, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    const base = `/stream/${id}/hls/`;
    const master = (await linesOf(`${base}master.m3u8`)).join("\n");
    const playlists = new Set([...master.matchAll(/(\d+\/playlist\.m3u8)/g)].map(([path]) => path));
    expect(playlists.size).toBe(2);
    for (const playlist of playlists) {
      const lines = await linesOf(base + playlist);
      const init = /URI="([^"]+)"/.exec(lines.join("\n"))?.[1];
      const names = [init ?? "", ...lines.filter((line) => line.endsWith(".m4s"))];
      expect(names.length).toBeGreaterThan(2);
      for (const name of names) {
        const path = `${base}${playlist.split("/")[0]}/${name}`;
        const whole = await stage.ask(path);
        const bytes = Buffer.from(await whole.arrayBuffer());
        const head = await stage.ask(path, { method: "HEAD" });
        expect([whole.status, head.headers.get("Content-Length")]).toEqual([200, String(bytes.length)]);
        const part = await stage.ask(path, { headers: { Range: "bytes=10-50" } });
        expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 51))).toBe(true);
        const again = await stage.ask(path, { headers: { "If-None-Match": whole.headers.get("ETag") ?? "" } });
        expect(again.status).toBe(304);
      }
    }
  });

  test("of Matroska reads the segments from the file, whole and in ranges, again after a restart", async () => {
    const { id, adopt } = await stage.upload("h264-aac-cues-front.mkv");
    await adopt();
    const bytesOf = async (path: string, headers = {}) =>
      Buffer.from(await (await stage.ask(`/stream/${id}/hls/${path}`, { headers })).arrayBuffer());
    const paths = ["1/init.mp4", "1/1.m4s", "1/3.m4s", "2/2.m4s"];
    const whole = await Promise.all(paths.map((path) => bytesOf(path)));
    expect(whole.every(({ length }) => length > 500)).toBe(true);
    for (const [i, path] of paths.entries()) {
      const part = await bytesOf(path, { Range: "bytes=300-450" });
      expect(part.equals(whole[i]?.subarray(300, 451) ?? Buffer.alloc(0))).toBe(true);
    }
    await stage.stopService();
    await stage.startService();
    expect((await Promise.all(paths.map((path) => bytesOf(path)))).map((bytes, i) => whole[i]?.equals(bytes))).toEqual(
      paths.map(() => true),
    );
    expect((await stage.ask(`/stream/${id}/hls/1/4.m4s`)).status).toBe(404);
  });

  test("of a transport stream is made from its packets, whole and in ranges, and the file is indexed once", async () => {
    const { id, adopt } = await stage.upload("h264-aac.ts");
    await adopt();
    const index = join(stage.folder.path, "index", id);
    const written = statSync(index).mtimeMs;
    const bytesOf = async (path: string, headers = {}) =>
      Buffer.from(await (await stage.ask(`/stream/${id}/hls/${path}`, { headers })).arrayBuffer());
    const paths = ["1/init.mp4", "1/1.m4s", "2/1.m4s"];
    const whole = await Promise.all(paths.map((path) => bytesOf(path)));
    for (const [i, path] of paths.entries()) {
      const part = await bytesOf(path, { Range: "bytes=300-450" });
      expect(part.equals(whole[i]?.subarray(300, 451) ?? Buffer.alloc(0))).toBe(true);
    }
    await stage.stopService();
    await stage.startService();
    const again = await Promise.all(paths.map((path) => bytesOf(path)));
    expect(again.map((bytes, i) => whole[i]?.equals(bytes))).toEqual([true, true, true]);
    expect(statSync(index).mtimeMs).toBe(written);
  });

  test("of a track or segment that is not there is 404", async () => {
    const { id, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    for (const path of ["9/playlist.m3u8", "9/init.mp4", "1/0.m4s", "1/999.m4s", "1/x.m4s", "x/init.mp4"]) {
      expect((await stage.ask(`/stream/${id}/hls/${path}`)).status).toBe(404);
    }
  });

  test("is the same with the index from disk, with a damaged one and with none", async () => {
    const { id, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    const index = join(stage.folder.path, "index", id);
    const segment = async () => {
      await stage.stopService();
      await stage.startService();
      return new Bun.CryptoHasher("sha256")
        .update(await (await stage.ask(`/stream/${id}/hls/1/1.m4s`)).arrayBuffer())
        .digest("hex");
    };
    const first = await segment();
    writeFileSync(index, "damaged");
    expect(await segment()).toBe(first);
    rmSync(index);
    expect(await segment()).toBe(first);
    expect(existsSync(index)).toBe(true);
  });

  test("of a file whose bytes have rotted is refused, with what is wrong", async () => {
    const { id, sha, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    const filed = join(stage.media, "originals", sha.slice(0, 2), sha);
    const { size, atime, mtime } = statSync(filed);
    writeFileSync(filed, new Uint8Array(size));
    utimesSync(filed, atime, mtime);
    rmSync(join(stage.folder.path, "index", id));
    for (const path of ["hls/master.m3u8", "dash/manifest.mpd", "hls/1/1.m4s", "subtitles"]) {
      const refused = await stage.ask(`/stream/${id}/${path}`);
      expect([path, refused.status, await refused.json()]).toMatchObject([path, 422, { code: "not-a-video" }]);
    }
  });

  test("of what is not packaged is refused with container and codecs, and the original plays", async () => {
    const { id, adopt } = await stage.upload("vp9-vorbis.webm");
    await adopt();
    const answer = await stage.ask(`/stream/${id}/hls/master.m3u8`);
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, problem.code]).toEqual([422, "not-packaged"]);
    expect(problem.detail).toContain("webm files with vp9 and vorbis");
    const original = await stage.ask(`/stream/${id}/original`, { method: "HEAD" });
    expect([original.status, original.headers.get("Content-Type")]).toEqual([200, "video/webm"]);
  });
});

describe("DASH", () => {
  test("leads from the manifest to the segments of HLS, and the manifest is sent by HEAD and in ranges", async () => {
    const { id, adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    const path = `/stream/${id}/dash/manifest.mpd`;
    const answer = await stage.ask(path);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "application/dash+xml"]);
    const manifest = await answer.text();
    const base = new URL(/<BaseURL>([^<]+)</.exec(manifest)?.[1] ?? "", `http://kinora${path}`).pathname;
    for (const name of ["1/init.mp4", "1/1.m4s", "2/1.m4s"]) expect((await stage.ask(base + name)).status).toBe(200);
    const head = await stage.ask(path, { method: "HEAD" });
    expect(head.headers.get("Content-Length")).toBe(String(manifest.length));
    const part = await stage.ask(path, { headers: { Range: "bytes=5-20" } });
    expect(await part.text()).toBe(manifest.slice(5, 21));
    const headers = { "If-None-Match": answer.headers.get("ETag") ?? "" };
    expect((await stage.ask(path, { headers })).status).toBe(304);
  });

  test("of a container that is not packaged yet is refused with a reason", async () => {
    const { id, adopt } = await stage.upload("mpeg2-mp2.ts");
    await adopt();
    const answer = await stage.ask(`/stream/${id}/dash/manifest.mpd`);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([422, "not-packaged"]);
  });
});

describe("a library folder", () => {
  const put = async (name: string, source: Parameters<typeof fixture>[0] = "h264-aac.mp4") => {
    mkdirSync(join(stage.library, name, ".."), { recursive: true });
    copyFileSync(await fixture(source), join(stage.library, name));
  };
  const announcedNow = () => new Map(stage.announced.map((announcement) => [announcement.name, announcement]));

  test("is scanned at start: videos are announced with their SHA-256, what claims to be one is named with the reason", async () => {
    await stage.stopService();
    await put("Film (2020).mp4");
    await put("series/S01E01.mkv", "h264-aac.mkv");
    await put("music.m4a", "aac-only.m4a");
    writeFileSync(join(stage.library, "notes.txt"), "no video");
    writeFileSync(join(stage.library, "zero.mp4"), "");
    symlinkSync("/etc/passwd", join(stage.library, "passwd.mp4"));
    await stage.startService();
    const { settled } = await stage.report();
    const [report] = await settled();
    expect(report).toMatchObject({ state: "ready", files: 2 });
    expect(Object.fromEntries((report?.refused ?? []).map(({ path, code }) => [path, code]))).toEqual({
      "passwd.mp4": "outside",
      "zero.mp4": "empty",
    });
    const sha = new Bun.CryptoHasher("sha256")
      .update(await Bun.file(await fixture("h264-aac.mp4")).arrayBuffer())
      .digest("hex");
    expect(announcedNow().get("Film (2020)")).toMatchObject({
      mediaId: sha,
      ownerId: null,
      visibility: "members",
      origin: "library",
    });
    expect(announcedNow().get("series S01E01")?.info.container).toBe("matroska");
  });

  test("keeps its sources over a restart and hashes nothing again", async () => {
    await put("one.mp4");
    const { rescan } = await stage.report();
    await rescan();
    const before = announcedNow().get("one");
    // Other bytes under the same size and time would be noticed only by reading: that they are not shows it is not read.
    const path = join(stage.library, "one.mp4");
    const { size, mtime } = statSync(path);
    writeFileSync(path, new Uint8Array(size));
    utimesSync(path, mtime, mtime);
    await stage.stopService();
    stage.announced.length = 0;
    await stage.startService();
    await (await stage.report()).settled();
    await stage.streaming.reannounce({});
    expect(announcedNow().get("one")).toMatchObject({
      sourceId: before?.sourceId ?? "",
      mediaId: before?.mediaId ?? "",
    });
  });

  test("a file that vanishes becomes unavailable and comes back with the file", async () => {
    await put("one.mp4");
    const { rescan } = await stage.report();
    await rescan();
    const id = announcedNow().get("one")?.sourceId ?? "";
    renameSync(join(stage.library, "one.mp4"), join(stage.folder.path, "aside.mp4"));
    await rescan();
    expect(announcedNow().get("one")).toMatchObject({ sourceId: id, availability: "unavailable" });
    renameSync(join(stage.folder.path, "aside.mp4"), join(stage.library, "one.mp4"));
    await rescan();
    expect(announcedNow().get("one")).toMatchObject({ sourceId: id, availability: "ready" });
  });

  test("a file that changed is announced with its new content", async () => {
    await put("one.mp4");
    const { rescan } = await stage.report();
    await rescan();
    const before = announcedNow().get("one");
    await put("one.mp4", "h264-only.mp4");
    await rescan();
    const after = announcedNow().get("one");
    expect(after?.sourceId).toBe(before?.sourceId ?? "");
    expect(after?.mediaId).not.toBe(before?.mediaId ?? "");
    expect(after?.info.audio).toEqual([]);
  });

  test("that cannot be read is said, and what it had becomes unavailable", async () => {
    await put("one.mp4");
    const { rescan } = await stage.report();
    await rescan();
    renameSync(stage.library, `${stage.library}-away`);
    const [report] = await rescan();
    expect(report).toMatchObject({
      state: "unreadable",
      refused: [{ code: "unreadable", detail: "It is not there, or a link that leads nowhere." }],
    });
    expect(announcedNow().get("one")?.availability).toBe("unavailable");
  });

  test("that is configured no more keeps nothing available", async () => {
    await put("one.mp4");
    await (await stage.report()).rescan();
    await stage.stopService();
    await stage.startService([]);
    await until(() => announcedNow().get("one")?.availability === "unavailable" || null);
  });

  test("is never released: its files stay", async () => {
    await put("one.mp4");
    await (await stage.report()).rescan();
    const announcement = announcedNow().get("one");
    await publish(stage.catalog, MediaReleased, {
      sourceIds: [announcement?.sourceId ?? ""],
      mediaId: announcement?.mediaId ?? null,
    });
    await publish(stage.catalog, TitleChanges, { titleId: Bun.randomUUIDv7(), type: "changed" });
    expect((await stage.streaming.reannounce({})).sources).toBe(1);
    expect(existsSync(join(stage.library, "one.mp4"))).toBe(true);
  });

  test("that holds Kinora's own data is scanned without it, and one inside it is refused", async () => {
    const { adopt } = await stage.upload("h264-aac.mp4");
    await adopt();
    await stage.stopService();
    await put("one.mp4", "h264-only.mp4");
    await stage.startService([{ path: stage.folder.path, visibility: "members" }]);
    const outer = await (await stage.report()).settled();
    expect(outer).toMatchObject([{ state: "ready", files: 1 }]);
    await stage.stopService();
    await stage.startService([{ path: join(stage.media, "originals"), visibility: "members" }]);
    const inner = await (await stage.report()).settled();
    expect(inner).toMatchObject([{ state: "unreadable", files: 0 }]);
    expect(inner[0]?.refused[0]?.detail).toContain("Kinora's own data folder");
  });

  test("never plays what a file has been replaced with: a link out, a folder, other bytes", async () => {
    await put("one.mp4");
    await (await stage.report()).rescan();
    const id = announcedNow().get("one")?.sourceId ?? "";
    stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId: null, name: "one" });
    const path = join(stage.library, "one.mp4");
    const statuses = () =>
      Promise.all(
        ["original", "faststart", "hls/master.m3u8"].map(
          async (view) => (await stage.ask(`/stream/${id}/${view}`)).status,
        ),
      );
    expect(await statuses()).toEqual([200, 200, 200]);
    const secret = join(stage.folder.path, "secret");
    renameSync(path, secret);
    symlinkSync(secret, path);
    expect(await statuses()).toEqual([503, 503, 503]);
    rmSync(path);
    mkdirSync(path);
    expect(await statuses()).toEqual([503, 503, 503]);
    rmSync(path, { recursive: true });
    writeFileSync(path, "other bytes");
    expect(await statuses()).toEqual([503, 503, 503]);
  });

  test("is scanned again when a file that changed is asked for", async () => {
    await put("one.mp4");
    await (await stage.report()).rescan();
    const id = announcedNow().get("one")?.sourceId ?? "";
    stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId: null, name: "one" });
    await put("one.mp4", "h264-only.mp4");
    expect((await stage.ask(`/stream/${id}/original`)).status).toBe(503);
    await until(async () => (await stage.ask(`/stream/${id}/original`, { method: "HEAD" })).status === 200);
  });

  test("is the business of admins", async () => {
    for (const [path, method] of [
      ["/api/library", "GET"],
      ["/api/library/rescan", "POST"],
    ] as const) {
      expect((await stage.ask(path, { method, as: null })).status).toBe(401);
      expect((await stage.ask(path, { method })).status).toBe(403);
    }
  });
});

test("announces only the sources that are asked for, as far as they are there", async () => {
  const [first, second] = [await stage.upload("h264-aac.mp4"), await stage.upload("h264-aac-faststart.mp4")];
  await first.adopt();
  await second.adopt();
  await until(() => stage.announced.length === 2 || null);
  const sourceIds = [second.id, Bun.randomUUIDv7()];
  expect(await stage.streaming.reannounce({ sourceIds })).toEqual({ sources: 1 });
  await until(() => stage.announced.length === 3 || null);
  expect(stage.announced.at(-1)?.sourceId).toBe(second.id);
});

test("announces everything again when asked", async () => {
  const { id, adopt } = await stage.upload("h264-aac.mp4");
  await adopt();
  await until(() => stage.announced.length === 1 || null);
  expect(await stage.streaming.reannounce({})).toEqual({ sources: 1 });
  await until(() => stage.announced.length === 2 || null);
  expect(stage.announced.map(({ sourceId }) => sourceId)).toEqual([id, id]);
});
