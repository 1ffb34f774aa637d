import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { type Rewriting, rewriteMatroska } from "../../../test/support/matroska.ts";
import {
  bytesSource,
  joinSegments,
  type Packet,
  packetsOf,
  run,
  withHlsFolder,
  withoutFirstPicture,
  withoutLead,
} from "../../../test/support/packets.ts";
import type { ByteSource } from "../byte-source.ts";
import { MediaError } from "../errors.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "../hls/hls-playlist.ts";
import { decodeIndex, encodeIndex } from "../index-file.ts";
import { Box } from "../mp4/box.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import { readElementHeader } from "./ebml.ts";

const bytesOf = async (name: FixtureName) => Bun.file(await fixture(name)).bytes();

async function packaged(bytes: Uint8Array): Promise<Presentation> {
  const { presentation } = await openMedia(bytesSource(bytes));
  if (presentation === null) throw new Error("not packaged");
  return presentation;
}

/** Times in seconds from the first packet of the track, to the microsecond. */
const comparable = (packets: readonly Packet[]) =>
  packets.map(({ seconds, isKey, hash }) => ({ seconds: seconds - (packets[0]?.seconds ?? 0), isKey, hash }));

/** Compares all that HLS serves with what ffprobe reads from the file itself. */
async function expectSamePackets(bytes: Uint8Array, tolerance = 0.00005): Promise<Presentation> {
  using folder = temporaryFolder();
  const path = join(folder.path, "original.mkv");
  await Bun.write(path, bytes);
  return await expectSameAsIn(path, bytes, tolerance);
}

/** The same for a file as it is. */
const expectSameAs = async (name: FixtureName) => expectSameAsIn(await fixture(name), await bytesOf(name), 0.00005);

async function expectSameAsIn(path: string, bytes: Uint8Array, tolerance: number): Promise<Presentation> {
  const presentation = await packaged(bytes);
  const original = await packetsOf(path);
  await withHlsFolder(bytesSource(bytes), decodeIndex(encodeIndex(presentation)), async (served) => {
    for (const { id } of presentation.tracks) {
      await expectNoGaps(bytesSource(bytes), presentation, id);
      const streamed = await packetsOf(await joinSegments(join(served, String(id))));
      const expected = original.filter(({ stream }) => stream === id - 1);
      expectSame(withoutLead(streamed, expected), expected, tolerance);
    }
  });
  return presentation;
}

function expectSame(streamed: readonly Packet[], original: readonly Packet[], tolerance: number): void {
  const [found, expected] = [comparable(streamed), comparable(original)];
  expect(found.map(({ hash, isKey }) => ({ hash, isKey }))).toEqual(
    expected.map(({ hash, isKey }) => ({ hash, isKey })),
  );
  const off = found.map(({ seconds }, i) => Math.abs(seconds - (expected[i]?.seconds ?? Number.NaN)));
  expect(Math.max(...off)).toBeLessThan(tolerance);
  const decoded = streamed.map(({ dts }) => dts);
  expect(decoded).toEqual(decoded.toSorted((a, b) => a - b));
}

/** Each segment is decoded up to the moment at which the next one starts. */
async function expectNoGaps(source: ByteSource, presentation: Presentation, id: number): Promise<void> {
  let end: number | null = null;
  for (let n = 1; ; n++) {
    const plan = await presentation.plan(source, id, n);
    if (plan === null) break;
    const traf = new Box("moof", plan.header.subarray(8, plan.header.length - 8), 8).required("traf");
    const [tfhd, tfdt] = [traf.required("tfhd"), traf.required("tfdt")];
    const start = tfdt.u64(4);
    expect(end ?? start).toBe(start);
    end = start;
    for (const trun of traf.children().filter(({ type }) => type === "trun")) {
      const entryFields = [0x100, 0x200, 0x400, 0x800].filter((flag) => trun.flags & flag).length;
      const at = 12 + (trun.flags & 4 ? 4 : 0);
      for (let i = 0; i < trun.u32(4); i++)
        end += trun.flags & 0x100 ? trun.u32(at + i * entryFields * 4) : tfhd.u32(12);
    }
  }
}

/** Where a cluster starts, counted from 0. */
function clusterStart(bytes: Uint8Array, index: number): number {
  const mark = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);
  let at = Buffer.from(bytes).indexOf(mark);
  for (let i = 0; i < index; i++) at = Buffer.from(bytes).indexOf(mark, at + 1);
  return at;
}

/** The same with another element where cues would be. */
function withoutCues(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  const mark = Buffer.from([0x1c, 0x53, 0xbb, 0x6b]);
  for (let at = copy.indexOf(mark); at >= 0; at = copy.indexOf(mark)) copy[at + 3] = 0x60;
  return copy;
}

/** How many samples a segment has whose header this is. */
function samplesIn(header: Uint8Array): number {
  const traf = new Box("moof", header.subarray(8, header.length - 8), 8).required("traf");
  return traf.children().reduce((sum, box) => sum + (box.type === "trun" ? box.u32(4) : 0), 0);
}

async function allSegments(presentation: Presentation, bytes: Uint8Array): Promise<void> {
  for (const { id } of presentation.tracks) {
    for (let n = 1; (await presentation.plan(bytesSource(bytes), id, n)) !== null; n++);
  }
}

describe("HLS has the packets of the original with their times and key flags", () => {
  const cued: readonly FixtureName[] = [
    "h264-aac.mkv",
    "h264-many-sounds.mkv",
    "h264-aac-cues-front.mkv",
    "h264-open-gop.mkv",
    "h264-late-aac.mkv",
    "h264-long-aac.mkv",
    "h265-ac3.mkv",
    "vp9-opus.webm",
    "vp9-opus-long.webm",
    "av1-opus.webm",
    "vp8-opus.webm",
  ];
  for (const name of cued) {
    test(`of ${name}, cut by its cues`, async () => {
      expect((await expectSameAs(name)).kind).toBe("matroska");
    });
  }

  test("of a live recording without cues, indexed whole", async () => {
    expect((await expectSameAs("h264-aac-live.mkv")).kind).toBe("movie");
  });

  const rewritten: Readonly<Record<string, Rewriting & { name: FixtureName; kind: string; tolerance?: number }>> = {
    "whose cues stand at the end": { name: "h264-aac-cues-front.mkv", cues: "end", kind: "matroska" },
    "without cues": { name: "h264-open-gop.mkv", cues: "none", kind: "movie" },
    "of unknown sizes with cues in front": {
      name: "vp9-opus-long.webm",
      cues: "front",
      unknownSizes: true,
      kind: "matroska",
    },
    "with laced sound (Xiph)": {
      name: "h264-aac-cues-front.mkv",
      lacing: "xiph",
      cues: "front",
      kind: "matroska",
      tolerance: 0.003,
    },
    "with laced sound (EBML)": { name: "h264-aac-cues-front.mkv", lacing: "ebml", kind: "matroska", tolerance: 0.003 },
    "with laced sound (fixed)": { name: "h265-ac3.mkv", lacing: "fixed", kind: "matroska", tolerance: 0.003 },
    "with laced sound and without cues": {
      name: "h265-ac3.mkv",
      lacing: "fixed",
      cues: "none",
      kind: "movie",
      tolerance: 0.003,
    },
    "with block groups": { name: "h264-open-gop.mkv", groups: { duration: 40 }, kind: "matroska" },
    "with stripped headers": {
      name: "h265-ac3.mkv",
      stripped: { track: 2, bytes: Uint8Array.of(0x0b, 0x77) },
      kind: "matroska",
    },
    "with stripped headers and laces": {
      ...{ name: "h265-ac3.mkv", lacing: "xiph", stripped: { track: 2, bytes: Uint8Array.of(0x0b, 0x77) } },
      ...{ kind: "matroska", tolerance: 0.003 },
    },
    "with stripped pictures, without cues": {
      ...{
        name: "h264-aac-cues-front.mkv",
        stripped: { track: 1, bytes: Uint8Array.of(0) },
        cues: "none",
        kind: "movie",
      },
    },
  };
  for (const [title, { name, kind, tolerance, ...how }] of Object.entries(rewritten)) {
    test(`of a file ${title}`, async () => {
      const bytes = rewriteMatroska(await bytesOf(name), how);
      expect((await expectSamePackets(bytes, tolerance)).kind).toBe(kind);
    });
  }
});

test("picture and sound are as far apart over HLS as in the original", async () => {
  for (const name of ["h264-many-sounds.mkv", "h264-late-aac.mkv", "vp9-opus-long.webm"] as const) {
    const bytes = await bytesOf(name);
    const original = withoutFirstPicture(await packetsOf(await fixture(name)));
    const streamed = await withHlsFolder(bytesSource(bytes), await packaged(bytes), (folder) =>
      packetsOf(join(folder, "master.m3u8")),
    );
    const times = new Map(streamed.map(({ hash, seconds }) => [hash, seconds]));
    const shifts = original.map(({ hash, seconds }) => (times.get(hash) ?? Number.NaN) - seconds);
    // ffprobe gives the original's times in whole milliseconds, after it took off the priming.
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(0.0015);
  }
});

test("picture and sound are together in players that overlook edit lists", async () => {
  for (const name of ["h264-aac.mkv", "matrix.mkv-live.h264.aac.mkv"] as const) {
    const bytes = await bytesOf(name);
    const presentation = await packaged(bytes);
    const original = await packetsOf(await fixture(name));
    const lasts = await withHlsFolder(bytesSource(bytes), presentation, (folder) =>
      Promise.all(
        presentation.tracks.map(async ({ id }) => {
          const path = await joinSegments(join(folder, String(id)));
          const streamed = await packetsOf(path, "-ignore_editlist", "1");
          const times = (packets: readonly Packet[]) => Math.max(...packets.map(({ seconds }) => seconds));
          return times(streamed) - times(original.filter(({ stream }) => stream === id - 1));
        }),
      ),
    );
    expect(Math.max(...lasts) - Math.min(...lasts)).toBeLessThan(0.0015);
  }
});

test("ffmpeg decodes all of it without a complaint", async () => {
  for (const name of ["h264-open-gop.mkv", "vp9-opus-long.webm", "av1-opus.webm"] as const) {
    const bytes = await bytesOf(name);
    await withHlsFolder(bytesSource(bytes), await packaged(bytes), (folder) =>
      run(["ffmpeg", "-v", "warning", "-i", join(folder, "master.m3u8"), "-map", "0", "-f", "null", "-"]),
    );
  }
});

test("the multivariant playlist names codecs, languages, names and what plays unless chosen otherwise", async () => {
  const playlist = hlsMultivariantPlaylist(await packaged(await bytesOf("h264-many-sounds.mkv")));
  const lines = playlist.split("\n").map((line) => line.replace(/BANDWIDTH=\d+/g, "BANDWIDTH=N"));
  const sound = (group: string, id: number, attributes: string, channels = 1) =>
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-${group}",${attributes},DEFAULT=YES,AUTOSELECT=YES,CHANNELS="${channels}",URI="${id}/playlist.m3u8"`;
  expect(lines).toEqual([
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    sound("aac", 2, 'NAME="English",LANGUAGE="en"'),
    sound("mp3", 6, 'NAME="Audio"'),
    sound("opus", 4, 'NAME="Japanese",LANGUAGE="ja"'),
    sound("flac", 5, 'NAME="Commentary"'),
    sound("ac3", 3, 'NAME="French",LANGUAGE="fr"'),
    sound("eac3", 7, 'NAME="Audio 2"', 6),
    ...["mp4a.40.2", "mp4a.40.34", "Opus", "fLaC", "ac-3", "ec-3"].flatMap((codec, i) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=N,AVERAGE-BANDWIDTH=N,CODECS="avc1.64000c,${codec}",RESOLUTION=320x180,FRAME-RATE=25.000,AUDIO="audio-${["aac", "mp3", "opus", "flac", "ac3", "eac3"][i]}"`,
      "1/playlist.m3u8",
    ]),
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=N,AVERAGE-BANDWIDTH=N,CODECS="avc1.64000c",RESOLUTION=320x180,URI="1/iframes.m3u8"',
    "",
  ]);
});

test("segments are cut at the cues nearest to 4 s, sound goes on after the picture", async () => {
  const rounded = async (name: FixtureName) => {
    const presentation = await packaged(await bytesOf(name));
    return presentation.tracks.map(({ id }) => [...presentation.segmentTimes(id)].map((time) => Math.round(time)));
  };
  expect(await rounded("h264-aac-cues-front.mkv")).toEqual([
    [0, 4, 8, 9],
    [0, 4, 8, 9],
  ]);
  expect(await rounded("h264-long-aac.mkv")).toEqual([
    [0, 4],
    [0, 4, 8, 13],
  ]);
  expect(await rounded("h264-late-aac.mkv")).toEqual([
    [0, 4, 8, 9],
    [0, 8, 9],
  ]);
});

test("sound that is said to go on for ages is cut no oftener than there is any", async () => {
  const original = await bytesOf("h264-long-aac.mkv");
  for (const years of [100, 200_000]) {
    const presentation = await packaged(withLateEnd(original, years * 365 * 24 * 3_600_000));
    const times = presentation.segmentTimes(2);
    expect(times.at(-1)).toBeGreaterThan(years * 365 * 24 * 3600);
    expect(times.length).toBeLessThan(10);
  }
});

/** The last cluster is that much later; its first block makes room. */
function withLateEnd(bytes: Uint8Array, milliseconds: number): Uint8Array {
  const changed = Buffer.from(bytes);
  const time = changed.indexOf(0xe7, changed.lastIndexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75])));
  const block = readElementHeader(changed, changed.indexOf(0xa3, time)) ?? { length: 0, size: 0 };
  const end = changed.indexOf(0xa3, time) + block.length + (block.size ?? 0);
  changed[time + 1] = 0x88;
  changed.writeBigUInt64BE(BigInt(milliseconds), time + 2);
  Buffer.from([0xec, 0x10]).copy(changed, time + 10);
  changed.writeUIntBE(end - time - 15, time + 12, 3);
  return changed;
}

test("with cues, the start and the end are read to open it, and for a segment little more than the segment", async () => {
  const long = await bytesOf("h264-aac-60s.mkv");
  let read = 0;
  const source: ByteSource = {
    size: long.length,
    async read(offset, length) {
      read += length;
      return long.slice(offset, offset + length);
    },
  };
  const { presentation } = await openMedia(source);
  expect(read).toBeLessThan(long.length / 5);
  read = 0;
  const plan = await presentation?.plan(source, 1, 7);
  expect(read).toBeLessThan((plan?.sizeBytes ?? 0) * 2);
  // What was read for the picture serves the sound as well.
  read = 0;
  await presentation?.plan(source, 2, 7);
  expect(read).toBe(0);
});

test("what no segment carries is left out by name; where that is all the sound, the original is what plays", async () => {
  expect((await openMedia(bytesSource(await bytesOf("vp9-vorbis.webm")))).presentation).toBeNull();
  const bytes = await bytesOf("h265-ac3.mkv");
  // The sound as zlib would have it.
  const stripped = { track: 2, bytes: Uint8Array.of(0x0b, 0x77) };
  const other = Buffer.from(rewriteMatroska(bytes, { stripped }));
  const algorithm = other.indexOf(Buffer.from([0x42, 0x54, 0x08, 0, 0, 0, 1, 3]));
  other[algorithm + 7] = 0;
  const presentation = await packaged(other);
  expect(presentation.tracks.map(({ codec }) => codec)).toEqual(["h265"]);
  expect(hlsMultivariantPlaylist(presentation)).toContain("# Track 2 (ac3) is left out: its frames are compressed");
});

test("of a damaged cluster only its own frames are lost, with cues and without", async () => {
  const bytes = await bytesOf("h264-aac-cues-front.mkv");
  const before = await packaged(bytes);
  const middle = clusterStart(bytes, 2);
  const damaged = bytes.slice();
  damaged.fill(0, middle + 12, middle + 40);
  const source = bytesSource(damaged);
  for (const form of [damaged, withoutCues(damaged)]) {
    const again = await packaged(form);
    expect(again.description.durationSeconds).toBeCloseTo(before.description.durationSeconds, 2);
  }
  const again = await packaged(damaged);
  const plans = await Promise.all([1, 2, 3].map((n) => again.plan(source, 1, n)));
  const whole = await Promise.all([1, 2, 3].map((n) => before.plan(bytesSource(bytes), 1, n)));
  const samples = (all: typeof plans) => all.map((plan) => samplesIn(plan?.header ?? new Uint8Array(0)));
  expect(samples(whole)).toEqual([100, 100, 25]);
  expect(samples(plans)).toEqual([100, 50, 25]);
});

test("a cue that leads nowhere is named with its place when its segment is asked for", async () => {
  const bytes = await bytesOf("h264-aac-60s.mkv");
  const damaged = bytes.slice();
  const before = await packaged(bytes);
  damaged.fill(0, clusterStart(bytes, 9), clusterStart(bytes, 9) + 4);
  const again = await packaged(damaged);
  expect(hlsMediaPlaylist(again, 1)).toBe(hlsMediaPlaylist(before, 1));
  const error = await allSegments(again, damaged).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MediaError);
  expect(error).toMatchObject({ code: "not-a-video", box: "Segment/Cluster", offset: clusterStart(bytes, 9) });
});

test("cues that lead nowhere count as none", async () => {
  const bytes = await bytesOf("h264-aac-cues-front.mkv");
  const original = await packaged(bytes);
  const cues = Buffer.from(bytes).indexOf(Buffer.from([0x1c, 0x53, 0xbb, 0x6b]), 200);
  const damaged = bytes.slice();
  for (let at = cues; at < cues + 100; at++) {
    const last = at + 1 + ((damaged[at + 1] ?? 0) & 7);
    if (damaged[at] === 0xf1) damaged[last] = (damaged[last] ?? 0) ^ 1;
  }
  const indexed = await packaged(damaged);
  expect([original.kind, indexed.kind]).toEqual(["matroska", "movie"]);
  expect(hlsMediaPlaylist(indexed, 1)).toBe(hlsMediaPlaylist(original, 1));
});

test("there is no segment 0, none after the last, and none of an unknown track", async () => {
  const bytes = await bytesOf("h264-aac-cues-front.mkv");
  const presentation = await packaged(bytes);
  for (const n of [0, -1, 1.5, Number.NaN, 4]) expect(await presentation.plan(bytesSource(bytes), 1, n)).toBeNull();
  expect(await presentation.plan(bytesSource(bytes), 9, 1)).toBeNull();
  expect(() => hlsMediaPlaylist(presentation, 9)).toThrow(RangeError);
});

test("BANDWIDTH is no less than what is sent, and not much more", async () => {
  const bytes = await bytesOf("h264-aac-60s.mkv");
  const presentation = await packaged(bytes);
  const [, peak, average] = /BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)/.exec(hlsMultivariantPlaylist(presentation)) ?? [];
  let [sent, highest] = [0, 0];
  const times = presentation.segmentTimes(1);
  for (let n = 1; n < times.length; n++) {
    const plans = await Promise.all([1, 2].map((id) => presentation.plan(bytesSource(bytes), id, n)));
    const bits = plans.reduce((sum, plan) => sum + (plan?.sizeBytes ?? 0) * 8, 0);
    sent += bits;
    highest = Math.max(highest, bits / ((times[n] ?? 0) - (times[n - 1] ?? 0)));
  }
  expect(Number(peak)).toBeGreaterThan(highest * 0.98);
  expect(Number(peak)).toBeLessThan(highest * 1.25);
  expect(Number(average)).toBeGreaterThan((sent / 60) * 0.98);
  expect(Number(average)).toBeLessThan((sent / 60) * 1.25);
});
