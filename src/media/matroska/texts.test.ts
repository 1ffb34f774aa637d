import { describe, expect, test } from "bun:test";
import { deflateSync } from "node:zlib";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { element } from "../../../test/support/matroska.ts";
import { bytesSource, run } from "../../../test/support/packets.ts";
import type { ByteSource } from "../byte-source.ts";
import { hlsMultivariantPlaylist } from "../hls/hls-playlist.ts";
import { hlsSubtitleSpan } from "../hls/hls-subtitles.ts";
import { decodeIndex, encodeIndex } from "../index-file.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import type { Cue } from "../text/cue.ts";
import { readWebVtt } from "../text/webvtt.ts";
import { childOf, childrenOf, type Element, readElementHeader } from "./ebml.ts";
import { ids } from "./ids.ts";

const everything = [0, Number.POSITIVE_INFINITY] as const;
const bytesOf = async (name: FixtureName) => Bun.file(await fixture(name)).bytes();

async function packaged(bytes: Uint8Array): Promise<Presentation> {
  const { presentation } = await openMedia(bytesSource(bytes));
  if (presentation === null) throw new Error("not packaged");
  return decodeIndex(encodeIndex(presentation));
}

/** What ffmpeg makes of the subtitles `index` of a file. */
async function byFfmpeg(name: FixtureName, index: number): Promise<Cue[]> {
  const path = await fixture(name);
  return readWebVtt(await run(["ffmpeg", "-v", "error", "-i", path, "-map", `0:s:${index}`, "-f", "webvtt", "-"]));
}

/** The cues of all HLS segments, each once. */
async function overHls(source: ByteSource, presentation: Presentation, id: number): Promise<Cue[]> {
  const cues = new Map<string, Cue>();
  for (let n = 1; ; n++) {
    const span = hlsSubtitleSpan(presentation, n);
    if (span === null) return [...cues.values()].sort((a, b) => a.startMs - b.startMs);
    for (const cue of await presentation.cues(source, id, span.fromMs, span.toMs)) cues.set(JSON.stringify(cue), cue);
  }
}

/** The same with other elements where cues tell which block they mean. */
function withoutBlockCues(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const within = (parent: Element) => {
    for (const child of childrenOf(parent)) {
      if (child.id === ids.cueRelativePosition) copy[child.offset - 2] = 0xec;
      if (child.id === ids.cuePoint || child.id === ids.cueTrackPositions) within(child);
    }
  };
  const start = (readElementHeader(bytes, 0)?.length ?? 0) + (readElementHeader(bytes, 0)?.size ?? 0);
  const segmentStart = start + (readElementHeader(bytes, start)?.length ?? 0);
  for (const child of childrenOf({ content: bytes.subarray(segmentStart), offset: segmentStart })) {
    if (child.id === ids.cues) within(child);
  }
  return copy;
}

/** Counts the bytes that are read. */
function counted(bytes: Uint8Array) {
  const source = bytesSource(bytes);
  const read = { bytes: 0 };
  return {
    read,
    source: {
      size: source.size,
      read(offset: number, length: number) {
        read.bytes += length;
        return source.read(offset, length);
      },
    },
  };
}

const forms: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "with cues for text": () => bytesOf("h264-texts.mkv"),
  "with cues for the picture only": async () => withoutBlockCues(await bytesOf("h264-texts.mkv")),
  "without cues": () => bytesOf("h264-texts-live.mkv"),
};

describe("the subtitles of a file are those that ffmpeg reads", () => {
  for (const [form, make] of Object.entries(forms)) {
    test(form, async () => {
      const bytes = await make();
      const presentation = await packaged(bytes);
      expect(presentation.kind).toBe(form === "without cues" ? "movie" : "matroska");
      expect(presentation.texts.map(({ id, language, name, forced }) => [id, language, name, forced])).toEqual([
        [3, "en", null, false],
        [4, "en", null, false],
        [5, "de", "Zwangsweise", true],
      ]);
      for (const [i, { id }] of presentation.texts.entries()) {
        const told = await byFfmpeg("h264-texts.mkv", i);
        const cues = await overHls(bytesSource(bytes), presentation, id);
        const times = (list: readonly Cue[]) => list.map(({ startMs, endMs }) => [startMs, endMs]);
        expect(times(cues)).toEqual(times(told));
        expect(await presentation.cues(bytesSource(bytes), id, ...everything)).toEqual(cues);
        // Once all of it was looked for, that is what windows are taken from.
        expect(await overHls(bytesSource(bytes), presentation, id)).toEqual(cues);
      }
      const [first, second] = await presentation.cues(bytesSource(bytes), 3, ...everything);
      // ffmpeg put everything later by the priming of the sound.
      expect(first).toEqual({ startMs: 771, endMs: 30_021, text: "For a long time", settings: "line:0" });
      expect(second?.text).toBe("Line 1 <i>of</i> nineteen");
      const styled = await presentation.cues(bytesSource(bytes), 4, ...everything);
      expect(styled.map(({ text }) => text)).toEqual([
        "Hello <b>world</b>",
        "Over the cut\n&amp; on  lines",
        "<i>Nearly</i> the end",
      ]);
    });
  }

  test("WebVTT in WebM, with its settings", async () => {
    const bytes = await bytesOf("vp9-webvtt.webm");
    const presentation = await packaged(bytes);
    const cues = await presentation.cues(bytesSource(bytes), 3, ...everything);
    expect(cues).toEqual(await overHls(bytesSource(bytes), presentation, 3));
    expect(cues).toEqual([
      { startMs: 500, endMs: 2000, text: "<v Ann>At the top</v>", settings: "line:0 align:start" },
      { startMs: 3000, endMs: 7500, text: "Over the cut\n&amp; on", settings: "" },
    ]);
  });
});

test("with cues for text little more than the blocks is read; else the clusters of that time, or all of them once", async () => {
  const bytes = await bytesOf("h264-texts.mkv");
  const named = counted(bytes);
  await (await packaged(bytes)).cues(named.source, 3, ...everything);
  expect(named.read.bytes).toBeLessThan(40_000);
  const other = withoutBlockCues(bytes);
  const presentation = await packaged(other);
  const searched = counted(other);
  await presentation.cues(searched.source, 3, 24_000, 28_000);
  expect(searched.read.bytes).toBeLessThan(bytes.length * 0.6);
  await Promise.all([3, 4].map((id) => presentation.cues(searched.source, id, ...everything)));
  const once = searched.read.bytes;
  await presentation.cues(searched.source, 5, ...everything);
  expect(searched.read.bytes - once).toBeLessThan(20_000);
  expect(once).toBeLessThan(bytes.length * 2);
});

interface CraftedText {
  readonly codecId: string;
  readonly block: Uint8Array;
  readonly more?: Uint8Array;
  readonly entry?: Uint8Array;
}

const encode = (text: string) => new TextEncoder().encode(text);

/** A live recording with one more track, whose only block starts at second 1 of the first cluster and lasts 2 s. */
async function withText({ codecId, block, more, entry }: CraftedText): Promise<Uint8Array> {
  const bytes = await bytesOf("h264-aac-live.mkv");
  const head = readElementHeader(bytes, 0);
  const at = (head?.length ?? 0) + (head?.size ?? 0);
  const start = at + (readElementHeader(bytes, at)?.length ?? 0);
  const header = { content: bytes.subarray(start), offset: start };
  const tracks = childOf(header, ids.tracks);
  if (tracks === null) throw new Error("no tracks");
  const after = tracks.offset + tracks.content.length;
  const track = element(
    ids.trackEntry,
    ...[element(ids.trackNumber, [9]), element(ids.trackType, [17]), element(ids.codecId, encode(codecId))],
    entry ?? [],
  );
  const group = element(
    ids.blockGroup,
    element(ids.block, [0x89, 1000 >> 8, 1000 & 0xff, 0], block),
    element(ids.blockDuration, [2000 >> 8, 2000 & 0xff]),
    more ?? [],
  );
  const cluster = element(ids.cluster, element(ids.timestamp, [0]), group);
  const kept = [...childrenOf(header)].filter(({ id }) => id === ids.info);
  const parts = [
    ...[bytes.subarray(0, start), ...kept.map(({ id, content }) => element(id, content))],
    ...[element(ids.tracks, tracks.content, track), cluster, bytes.subarray(after)],
  ];
  return Buffer.concat(parts);
}

const compression = (...settings: readonly Uint8Array[]) =>
  element(ids.contentEncodings, element(ids.contentEncoding, element(ids.contentCompression, ...settings)));

test("WebVTT in Matroska has its settings beside the block", async () => {
  const addition = element(ids.blockAdditional, encode("line:10% evil:1\nname"));
  const bytes = await withText({
    codecId: "S_TEXT/WEBVTT",
    block: encode("<b>One</b> & <script>"),
    more: element(ids.blockAdditions, element(ids.blockMore, addition)),
  });
  expect(await (await packaged(bytes)).cues(bytesSource(bytes), 9, ...everything)).toEqual([
    { startMs: 1000, endMs: 3000, text: "<b>One</b> &amp; &lt;script&gt;", settings: "line:10%" },
  ]);
});

test("compressed text is read: zlib and stripped headers; what is damaged or far too long is passed over", async () => {
  const shown = async (text: CraftedText) => {
    const bytes = await withText(text);
    return (await (await packaged(bytes)).cues(bytesSource(bytes), 9, ...everything)).map((cue) => cue.text);
  };
  const codecId = "S_TEXT/UTF8";
  const zlib = compression(element(ids.contentCompAlgo, [0]));
  expect(await shown({ codecId, entry: zlib, block: deflateSync(encode("Deflated")) })).toEqual(["Deflated"]);
  expect(await shown({ codecId, entry: zlib, block: encode("Deflated") })).toEqual([]);
  expect(await shown({ codecId, entry: zlib, block: deflateSync(encode("bomb".repeat(2 ** 20))) })).toEqual([]);
  const stripped = compression(element(ids.contentCompAlgo, [3]), element(ids.contentCompSettings, encode("St")));
  expect(await shown({ codecId, entry: stripped, block: encode("ripped") })).toEqual(["Stripped"]);
});

test("SubStation Alpha becomes plain text with faces and place; drawings go", async () => {
  const shown = async (event: string) => {
    const bytes = await withText({ codecId: "S_TEXT/ASS", block: encode(event) });
    const [cue] = await (await packaged(bytes)).cues(bytesSource(bytes), 9, ...everything);
    return cue === undefined ? null : [cue.text, cue.settings];
  };
  const before = "4,0,Default,Ann,0,0,0,,";
  expect(await shown(`${before}{\\an8\\i1\\fs20}One{\\i0}, two\\N<three> \\h& {\\b1}four`)).toEqual([
    "<i>One</i>, two\n&lt;three&gt;  &amp; <b>four</b>",
    "line:0",
  ]);
  expect(await shown(`${before}{\\p1}m 0 0 l 10 10{\\p0}`)).toBeNull();
  expect(await shown("no event at all")).toBeNull();
});

test("subtitles that are pictures are left out and named", async () => {
  const presentation = await packaged(await withText({ codecId: "S_HDMV/PGS", block: encode("x") }));
  expect(presentation.texts).toEqual([]);
  expect(hlsMultivariantPlaylist(presentation)).toContain(
    "# Track 9 (hdmv-pgs) is left out: its subtitles are pictures.",
  );
});
