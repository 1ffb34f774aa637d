import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fixture } from "../../test/support/fixtures.ts";
import { packetsOf, run } from "../../test/support/packets.ts";
import { owner, Stage } from "../../test/support/streaming-stage.ts";
import { until } from "../../test/support/until.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await new Stage().start();
});
afterEach(() => stage.close());

const text = async (path: string) => (await stage.ask(path)).text();
const srt = (words: string) => `1\n00:00:01,000 --> 00:00:02,000\n${words}\n`;

interface List {
  readonly items: readonly {
    key: string;
    language: string | null;
    name: string;
    forced: boolean;
    isDefault: boolean;
  }[];
}
const listOf = async (id: string) => (await (await stage.ask(`/stream/${id}/subtitles`)).json()) as List;
const keysOf = async (id: string) => (await listOf(id)).items.map(({ key }) => key);

async function uploaded(name: Parameters<Stage["upload"]>[0]): Promise<string> {
  const { id, adopt } = await stage.upload(name);
  await adopt();
  return id;
}

/** A video in the library with files beside it, scanned; the id of its title. */
async function inLibrary(path: string, beside: Record<string, string | Uint8Array>): Promise<string> {
  mkdirSync(join(stage.library, dirname(path)), { recursive: true });
  copyFileSync(await fixture(path.endsWith(".ts") ? "mpeg2-mp2.ts" : "h264-aac.mp4"), join(stage.library, path));
  for (const [name, content] of Object.entries(beside))
    writeFileSync(join(stage.library, dirname(path), name), content);
  await (await stage.report()).rescan();
  const id = await until(() => stage.announced.find(({ origin }) => origin === "library")?.sourceId ?? null);
  stage.titles.set(id, { id, ownerId: null, visibility: "members", mediaId: null, name: "Film" });
  return id;
}

describe("subtitles in the file", () => {
  test("are listed, and sent whole as WebVTT with validators, by HEAD and in ranges", async () => {
    const id = await uploaded("h264-aac-subtitles.mp4");
    expect((await listOf(id)).items).toEqual([
      { key: "en", language: "en", name: "English", forced: false, isDefault: false },
      { key: "de", language: "de", name: "German", forced: false, isDefault: false },
    ]);
    const path = `/stream/${id}/subtitles/en.vtt`;
    const answer = await stage.ask(path);
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, "text/vtt; charset=utf-8"]);
    const whole = await answer.text();
    expect(whole).toBe(
      "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nHello <b>world</b>\n\n00:00:03.000 --> 00:00:05.000\nOver the cut\n&amp; on  lines\n\n00:00:07.250 --> 00:00:08.125\n<i>Nearly</i> the end\n",
    );
    const head = await stage.ask(path, { method: "HEAD" });
    expect([head.status, head.headers.get("Content-Length")]).toEqual([200, String(whole.length)]);
    const part = await stage.ask(path, { headers: { Range: "bytes=0-5" } });
    expect([part.status, await part.text()]).toEqual([206, "WEBVTT"]);
    const headers = { "If-None-Match": answer.headers.get("ETag") ?? "" };
    expect((await stage.ask(path, { headers })).status).toBe(304);
  });

  test("in Matroska are what ffmpeg reads, whole and over HLS", async () => {
    const id = await uploaded("h264-texts.mkv");
    expect(await keysOf(id)).toEqual(["en", "en-2", "de"]);
    const path = await fixture("h264-texts.mkv");
    const told = await run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:s:0", "-f", "webvtt", "-"]);
    const times = (body: string) =>
      (body.match(/[\d:.]+ --> [\d:.]+/g) ?? []).map((line) => line.replaceAll(/\b00:(?=\d\d:\d\d\.)/g, ""));
    expect(times(await text(`/stream/${id}/subtitles/en.vtt`))).toEqual(times(told));
    const base = `/stream/${id}/hls/subtitles/en`;
    const names = (await text(`${base}/playlist.m3u8`)).split("\n").filter((line) => line.endsWith(".vtt"));
    const segments = await Promise.all(names.map((name) => text(`${base}/${name}`)));
    expect([...new Set(segments.flatMap(times))]).toEqual(times(told));
    expect(await text(`/stream/${id}/hls/master.m3u8`)).toContain('NAME="Zwangsweise (forced)",LANGUAGE="de"');
  });

  test("lead from the multivariant playlist to segments that have all cues", async () => {
    const id = await uploaded("h264-aac-subtitles.mp4");
    const master = await text(`/stream/${id}/hls/master.m3u8`);
    const uri = /TYPE=SUBTITLES.*LANGUAGE="en".*URI="([^"]+)"/.exec(master)?.[1] ?? "";
    const playlist = new URL(uri, `http://kinora/stream/${id}/hls/master.m3u8`).pathname;
    const names = (await text(playlist)).match(/^\d+\.vtt$/gm) ?? [];
    const segments = await Promise.all(names.map((name) => text(playlist.replace("playlist.m3u8", name))));
    expect(segments.map((segment) => segment.match(/-->/g)?.length ?? 0)).toEqual([2, 2, 1]);
    for (const segment of segments)
      expect(segment).toStartWith("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n");
    expect((await stage.ask(playlist.replace("playlist.m3u8", "4.vtt"))).status).toBe(404);
    expect((await stage.ask(playlist.replace("playlist.m3u8", "0.vtt"))).status).toBe(404);
  });

  test("of a language that is not there are 404", async () => {
    const id = await uploaded("h264-aac-subtitles.mp4");
    for (const path of [
      "subtitles/fr.vtt",
      "subtitles/en-2.vtt",
      "subtitles/.vtt",
      "subtitles/en.srt",
      "hls/subtitles/fr/playlist.m3u8",
      "hls/subtitles/fr/1.vtt",
      "subtitles/..%2f..%2fen.vtt",
    ]) {
      expect([path, (await stage.ask(`/stream/${id}/${path}`)).status]).toEqual([path, 404]);
    }
  });

  test("reach ffmpeg over DASH with language and times", async () => {
    const id = await uploaded("h264-aac-subtitles.mp4");
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url, method }) => stage.ask(new URL(url).pathname, { method }),
    });
    try {
      const manifest = `${server.url}stream/${id}/dash/manifest.mpd`;
      const entries = "stream=codec_name:stream_tags=language";
      const command = ["ffprobe", "-v", "error", "-select_streams", "s", "-show_entries", entries, "-of", "csv=p=0"];
      expect((await run([...command, manifest])).split("\n").filter((line) => line.length > "webvtt".length)).toEqual([
        "webvtt,en",
        "webvtt,de",
      ]);
      const packets = await packetsOf(manifest, "-select_streams", "s:0");
      expect(packets.map(({ seconds }) => seconds)).toEqual([0.5, 3, 7.25]);
    } finally {
      await server.stop(true);
    }
  });
});

describe("subtitle files beside a library file", () => {
  test("are subtitles of its title, and no refused files", async () => {
    const id = await inLibrary("films/film.mp4", {
      "film.en.srt": srt("Hello"),
      "film.en.forced.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nSigns\n",
      "film.srt": Uint8Array.from(srt("Olé"), (c) => c.charCodeAt(0)),
      "other.en.srt": srt("Other"),
    });
    expect((await listOf(id)).items).toEqual([
      { key: "en", language: "en", name: "English (forced)", forced: true, isDefault: false },
      { key: "en-2", language: "en", name: "English", forced: false, isDefault: false },
      { key: "und", language: null, name: "Subtitles", forced: false, isDefault: false },
    ]);
    expect(await text(`/stream/${id}/subtitles/en-2.vtt`)).toContain("\nHello\n");
    expect(await text(`/stream/${id}/subtitles/und.vtt`)).toContain("\nOlé\n");
    expect(await text(`/stream/${id}/hls/subtitles/en/1.vtt`)).toContain("\nSigns\n");
    expect(await text(`/stream/${id}/hls/master.m3u8`)).toContain('SUBTITLES="subtitles"');
    expect(await text(`/stream/${id}/dash/manifest.mpd`)).toContain("../subtitles/en-2.vtt");
    const [report] = await (await stage.report()).settled();
    expect(report?.refused).toEqual([]);
  });

  test("come, change and go with the files, and so do the tags of what depends on them", async () => {
    const id = await inLibrary("film.mp4", {});
    const tagOf = async (path: string) => (await stage.ask(`/stream/${id}/${path}`)).headers.get("ETag");
    const tags = [await tagOf("hls/master.m3u8"), await tagOf("dash/manifest.mpd")];
    expect(await keysOf(id)).toEqual([]);
    writeFileSync(join(stage.library, "film.en.srt"), srt("One"));
    expect(await keysOf(id)).toEqual(["en"]);
    tags.push(await tagOf("hls/master.m3u8"), await tagOf("dash/manifest.mpd"), await tagOf("subtitles/en.vtt"));
    writeFileSync(join(stage.library, "film.en.srt"), srt("Two, longer"));
    expect(await text(`/stream/${id}/subtitles/en.vtt`)).toContain("\nTwo, longer\n");
    tags.push(await tagOf("subtitles/en.vtt"));
    expect(new Set(tags).size).toBe(tags.length);
    unlinkSync(join(stage.library, "film.en.srt"));
    expect(await keysOf(id)).toEqual([]);
    expect((await stage.ask(`/stream/${id}/subtitles/en.vtt`)).status).toBe(404);
  });

  test("that lead out of the folder, are too large, or no files are left out", async () => {
    writeFileSync(join(stage.folder.path, "secret.srt"), srt("Secret"));
    const id = await inLibrary("film.mp4", { "film.de.srt": srt("Da"), "film.fr.srt": new Uint8Array(5 * 2 ** 20) });
    symlinkSync(join(stage.folder.path, "secret.srt"), join(stage.library, "film.en.srt"));
    mkdirSync(join(stage.library, "film.it.srt"));
    symlinkSync("nowhere", join(stage.library, "film.es.srt"));
    expect(await keysOf(id)).toEqual(["de"]);
  });

  test("are not shown with another title of the same bytes", async () => {
    const library = await inLibrary("film.mp4", { "film.en.srt": srt("Notes") });
    const [source] = stage.announced.filter(({ sourceId }) => sourceId === library);
    const other = Bun.randomUUIDv7();
    const mediaId = source?.mediaId ?? null;
    stage.titles.set(other, { id: other, ownerId: owner, visibility: "private", mediaId, name: "Mine" });
    expect((await stage.ask(`/stream/${other}/original`, { method: "HEAD" })).status).toBe(200);
    expect(await keysOf(other)).toEqual([]);
  });

  test("are there for a container that is not packaged as well", async () => {
    const id = await inLibrary("film.ts", { "film.en.srt": srt("Hello") });
    expect(await keysOf(id)).toEqual(["en"]);
    expect(await text(`/stream/${id}/subtitles/en.vtt`)).toContain("\nHello\n");
  });

  test("with markup in them say it and do nothing", async () => {
    const evil =
      '<script>alert(1)</script>\n\n00:00:03.000 --> 00:00:04.000\n<img src=x onerror="alert(2)"> & <i>fine</i>';
    const id = await inLibrary("film.mp4", { "film.en.srt": srt(evil) });
    const shown = await text(`/stream/${id}/subtitles/en.vtt`);
    expect(shown).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(shown).toContain('&lt;img src=x onerror="alert(2)"&gt; &amp; <i>fine</i>');
    expect(shown.match(/<[^>]*>/g)).toEqual(["<i>", "</i>"]);
  });
});
