import { expect, test } from "bun:test";
import { findBox, rebuildMovieBox } from "../../../test/support/boxes.ts";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { bytesSource, fileSource, movieOf, packetsOf } from "../../../test/support/packets.ts";
import type { ByteSource } from "../byte-source.ts";
import { decodeIndex, encodeIndex } from "../index-file.ts";
import { box, fullBox, u16, u32, zeros } from "../mp4/box-writer.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import { withKeys } from "../text/subtitle-info.ts";
import { hlsMultivariantPlaylist } from "./hls-playlist.ts";
import { hlsSubtitlePlaylist, hlsSubtitleSpan } from "./hls-subtitles.ts";

const everything = [0, Number.POSITIVE_INFINITY] as const;

async function opened(name: FixtureName) {
  return present(await fileSource(await fixture(name)));
}

async function present(source: ByteSource): Promise<{ source: ByteSource; presentation: Presentation }> {
  const { presentation } = await openMedia(source);
  if (presentation === null) throw new Error("it cannot be packaged");
  return { source, presentation: decodeIndex(encodeIndex(presentation)) };
}

const english = [
  { startMs: 500, endMs: 2000, text: "Hello <b>world</b>", settings: "" },
  { startMs: 3000, endMs: 5000, text: "Over the cut\n&amp; on  lines", settings: "" },
  { startMs: 7250, endMs: 8125, text: "<i>Nearly</i> the end", settings: "" },
];

test("tx3g subtitles are read with language, times and styles", async () => {
  const { source, presentation } = await opened("h264-aac-subtitles.mp4");
  expect(presentation.texts.map(({ id, language, forced }) => [id, language, forced])).toEqual([
    [3, "en", false],
    [4, "de", false],
  ]);
  expect(await presentation.cues(source, 3, ...everything)).toEqual(english);
  expect(await presentation.cues(source, 4, ...everything)).toEqual([
    { startMs: 1000, endMs: 9000, text: "<i>Durchgehend: äöü</i>", settings: "" },
  ]);
  expect(presentation.cues(source, 1, ...everything)).rejects.toThrow(RangeError);
});

test("a cue is in every segment that it is shown in, with the same times", async () => {
  const { source, presentation } = await opened("h264-aac-subtitles.mp4");
  const segments: string[][] = [];
  for (let n = 1; ; n++) {
    const span = hlsSubtitleSpan(presentation, n);
    if (span === null) break;
    const cues = await presentation.cues(source, 3, span.fromMs, span.toMs);
    segments.push(cues.map(({ startMs, endMs }) => `${startMs}-${endMs}`));
  }
  expect(segments).toEqual([["500-2000", "3000-5000"], ["3000-5000", "7250-8125"], ["7250-8125"]]);
  expect(hlsSubtitleSpan(presentation, 0)).toBeNull();
  expect(hlsSubtitlePlaylist(presentation).match(/^\d+\.vtt$/gm)).toEqual(["1.vtt", "2.vtt", "3.vtt"]);
});

test("a segment reads only its own samples", async () => {
  const { source, presentation } = await opened("h264-aac-subtitles.mp4");
  const read: number[] = [];
  const counted: ByteSource = {
    size: source.size,
    read(offset, length) {
      read.push(length);
      return source.read(offset, length);
    },
  };
  await presentation.cues(counted, 3, 0, 2500);
  expect(read.length).toBe(1);
  expect(Math.max(...read)).toBeLessThan(100);
});

test("after a cut between key frames subtitles stay with the picture they belong to", async () => {
  const { source, presentation } = await opened("h264-aac-subtitles-trimmed.mp4");
  const [video] = movieOf(presentation).tracks;
  const first = video?.firstSample ?? 0;
  const bytes = await source.read(video?.samples.offsetOf(first) ?? 0, video?.samples.sizeOf(first) ?? 0);
  const original = await packetsOf(await fixture("h264-aac-subtitles.mp4"));
  const same = original.find(({ hash }) => hash === `MD5:${new Bun.CryptoHasher("md5").update(bytes).digest("hex")}`);
  // What is sent starts with the key frame at 2 s of the uncut video, so all cues are 2 s earlier.
  expect(same?.seconds).toBe(2);
  const cues = await presentation.cues(source, 3, ...everything);
  expect(cues.map(({ startMs, text }) => [startMs, text])).toEqual([
    [1000, english[1]?.text ?? ""],
    [5250, english[2]?.text ?? ""],
  ]);
});

test("the multivariant playlist has a group of subtitles with language, name and purpose", async () => {
  const { presentation } = await opened("h264-aac-subtitles.mp4");
  const plain = { name: null, forced: false, isDefault: false, forHearingImpaired: false };
  const subtitles = withKeys([
    { ...plain, language: "en" },
    { ...plain, language: "en", forced: true },
    { ...plain, language: "en", name: "Director", isDefault: true, forHearingImpaired: true },
    { ...plain, language: null },
  ]);
  const lines = hlsMultivariantPlaylist(presentation, subtitles).split("\n");
  expect(lines.filter((line) => line.includes("TYPE=SUBTITLES"))).toEqual([
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="subtitles/en/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="English (forced)",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="subtitles/en-2/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="Director (SDH)",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",URI="subtitles/en-3/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subtitles",NAME="Subtitles",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="subtitles/und/playlist.m3u8"',
  ]);
  expect(
    lines.filter((line) => line.startsWith("#EXT-X-STREAM-INF") && !line.endsWith(',SUBTITLES="subtitles"')),
  ).toEqual([]);
  expect(hlsMultivariantPlaylist(presentation)).not.toContain("SUBTITLES");
});

/** A file with its first tx3g track made into one of `wvtt`, whose samples are appended. */
async function withWebVttTrack(samples: readonly Uint8Array[], sizesAreWrong = false): Promise<Uint8Array> {
  const bytes = await Bun.file(await fixture("h264-aac-subtitles.mp4")).bytes();
  const moovAt = findBox(bytes, "moov").start;
  let traks = 0;
  let isText = false;
  const build = (mdatAt: number) => {
    traks = 0;
    return rebuildMovieBox(bytes, (child) => {
      if (child.type === "trak") isText = ++traks === 3;
      if (child.type === "edts" && isText) return new Uint8Array();
      if (child.type !== "stbl" || !isText) return null;
      return box(
        "stbl",
        fullBox("stsd", 0, 0, u32(1), box("wvtt", zeros(6), u16(1), box("vttC", new TextEncoder().encode("WEBVTT")))),
        fullBox("stts", 0, 0, u32(1), u32(samples.length), u32(2_000_000)),
        fullBox("stsc", 0, 0, u32(1), u32(1), u32(samples.length), u32(1)),
        fullBox(
          "stsz",
          0,
          0,
          u32(0),
          u32(samples.length),
          samples.flatMap(({ length }) => u32(sizesAreWrong ? 2 ** 20 : length)),
        ),
        fullBox("stco", 0, 0, u32(1), u32(mdatAt + 8)),
      );
    });
  };
  const before = bytes.subarray(0, moovAt);
  const moov = build(moovAt + build(0).length);
  return Buffer.concat([before, moov, box("mdat", ...samples)]);
}

test("wvtt subtitles are read with settings, several cues at once and gaps", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const cue = (text: string) => box("vttc", box("sttg", encode("line:0 evil:1")), box("payl", encode(text)));
  const file = await withWebVttTrack([box("vtte"), Buffer.concat([cue("<i>a</i>"), cue("<script>")]), box("vtte")]);
  const { source, presentation } = await present(bytesSource(file));
  expect(await presentation.cues(source, 3, ...everything)).toEqual([
    { startMs: 2000, endMs: 4000, text: "<i>a</i>", settings: "line:0" },
    { startMs: 2000, endMs: 4000, text: "&lt;script&gt;", settings: "line:0" },
  ]);
});

test("damaged subtitles are left out and the video plays", async () => {
  const { presentation } = await present(bytesSource(await withWebVttTrack([box("vtte")], true)));
  expect(presentation.texts.map(({ id }) => id)).toEqual([4]);
  expect(presentation.tracks.map(({ kind }) => kind)).toEqual(["video", "audio"]);
});

test("chapters are no subtitles", async () => {
  const { presentation } = await opened("h264-chapters.mp4");
  expect(presentation.texts).toEqual([]);
});
