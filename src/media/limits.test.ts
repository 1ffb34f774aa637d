import { expect, test } from "bun:test";
import { avc1, type CraftedTrack, craftMovie } from "../../test/support/crafted-movie.ts";
import { bytesSource } from "../../test/support/packets.ts";
import type { ByteSource } from "./byte-source.ts";
import { dashManifest } from "./dash/dash-manifest.ts";
import { MediaError } from "./errors.ts";
import { faststartPlan } from "./faststart.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import { box } from "./mp4/box-writer.ts";
import { openMedia } from "./open.ts";
import type { Presentation } from "./presentation.ts";

const open = (tracks: readonly CraftedTrack[], dataBytes: number) =>
  presentationOf(bytesSource(craftMovie(tracks, dataBytes)));

async function refusal(tracks: readonly CraftedTrack[], dataBytes: number): Promise<MediaError> {
  try {
    await open(tracks, dataBytes);
  } catch (error) {
    if (error instanceof MediaError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

/** Everything that is asked for before the first segment. */
function allText(presentation: Presentation): string {
  const playlists = presentation.tracks.map(({ id }) => hlsMediaPlaylist(presentation, id));
  return [hlsMultivariantPlaylist(presentation), dashManifest(presentation), ...playlists].join("");
}

function msOf(work: () => unknown): number {
  const start = workedMs();
  work();
  return workedMs() - start;
}

/** Milliseconds of this process's own work: what else the machine does at the time does not count. */
const workedMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Reads while a timer ticks every 5 ms: the most work between two ticks, and in all. */
async function watched<T>(file: Uint8Array, read: (source: ByteSource) => Promise<T>) {
  // As of a file: reading takes time, but nobody's turn.
  const source = { size: file.length, read: async (at: number, length: number) => file.subarray(at, at + length) };
  Bun.gc(true);
  const start = workedMs();
  let [last, longestMs] = [start, 0];
  const tick = () => {
    longestMs = Math.max(longestMs, workedMs() - last);
    last = workedMs();
  };
  const timer = setInterval(tick, 5);
  try {
    const result = await read(source);
    tick();
    return { result, ms: workedMs() - start, longestMs };
  } finally {
    clearInterval(timer);
  }
}

async function presentationOf(source: ByteSource): Promise<Presentation> {
  const { presentation } = await openMedia(source);
  if (presentation === null) throw new Error("it is not packaged");
  return presentation;
}

/** A film with a size, a duration and a composition offset of its own for every sample. */
function film(count: number): CraftedTrack {
  const runs = (value: (i: number) => number) =>
    Uint32Array.from({ length: count * 2 }, (_, i) => (i % 2 === 0 ? 1 : value(i)));
  const chunks = Math.ceil(count / 10);
  return {
    count,
    timescale: 25_000,
    sizes: Uint32Array.from({ length: count }, (_, i) => i % 3),
    durations: runs((i) => 1000 + (i % 7)),
    offsets: runs((i) => (i % 5) * 1000),
    sync: Uint32Array.from({ length: Math.ceil(count / 50) }, (_, i) => i * 50 + 1),
    chunkRuns: [[1, 10, 1]],
    chunkOffsets: Uint32Array.from({ length: chunks }, (_, i) => i * 10),
  };
}

/** Samples of a byte, each a chunk of its own, with two sample entries in turn. */
const alternating = (count: number, sampleEntries: readonly Uint8Array[], ticks: number): CraftedTrack => ({
  count,
  sampleEntries,
  durations: [[count, ticks]],
  chunkOffsets: Uint32Array.from({ length: count }, (_, i) => i),
  chunkRuns: Uint32Array.from({ length: count * 3 }, (_, i) => [i / 3 + 1, 1, (Math.floor(i / 3) % 2) + 1][i % 3] ?? 0),
});

test("a damaged length of 200 years of sound makes no more segments than there are samples", async () => {
  const sound: CraftedTrack = {
    kind: "audio",
    timescale: 1,
    count: 100,
    durations: [
      [99, 1],
      [1, 0x7fffffff],
    ],
  };
  expect((await refusal([{ count: 100 }, sound], 100)).message).toContain("clock is impossible");
  const year = 31_000_000;
  const presentation = await open(
    [
      { count: 100 },
      {
        ...sound,
        durations: [
          [99, 1],
          [1, year],
        ],
      },
    ],
    100,
  );
  expect(presentation.segmentSizes(2).length).toBeLessThan(100);
});

test("sample entries that are the same need no cut between them", async () => {
  const presentation = await open([alternating(1000, [avc1(), avc1()], 40)], 1000);
  expect(presentation.segmentSizes(1).length).toBe(10);
});

test("a rate is found in time that grows with the segments, though they all start at once", async () => {
  const presentation = await open([alternating(60_000, [avc1(), avc1(640)], 0)], 60_000);
  expect(presentation.segmentSizes(1).length).toBeGreaterThan(59_000);
  expect(msOf(() => allText(presentation))).toBeLessThan(1500);
});

test("a track of more than 100,000 segments is refused when it is opened", async () => {
  const pictures: CraftedTrack = { count: 150_000, timescale: 1, durations: [[150_000, 4]] };
  expect((await refusal([pictures], 600_000)).message).toContain("too many segments");
  expect((await refusal([alternating(150_000, [avc1(), avc1(640)], 0)], 600_000)).message).toContain("segments");
});

test("a timescale that no clock has is refused", async () => {
  expect((await refusal([{ count: 100, timescale: 2 ** 32 - 1 }], 400)).message).toContain("timescale");
});

test("tracks cannot claim more samples together than the file has room for", async () => {
  const claims: CraftedTrack = {
    kind: "audio",
    count: 1_000_000,
    durations: [
      [500_000, 40],
      [500_000, 41],
    ],
  };
  expect((await refusal([claims, claims, { ...claims, kind: "video" }], 1_000_000)).message).toContain(
    "too many samples",
  );
  const overlapping: CraftedTrack = { count: 1000, sizes: 100_000, chunkOffsets: [0] };
  expect((await refusal([overlapping], 100_000)).code).toBe("truncated");
  const same = {
    ...overlapping,
    chunkRuns: [[1, 1, 1]] as const,
    chunkOffsets: new Uint32Array(1000),
    sizes: new Uint32Array(1000).fill(100_000),
  };
  expect((await refusal([same], 100_000)).message).toContain("overlap");
});

test("a file with more tracks or boxes than any video is refused, and at once", async () => {
  const padding = Buffer.concat(new Array<Uint8Array>(9000).fill(box("free")));
  const sounds = new Array<CraftedTrack>(60).fill({ kind: "audio", count: 10, padding });
  const start = workedMs();
  expect((await refusal([{ count: 10 }, ...sounds], 1000)).message).toContain("too many boxes");
  expect(workedMs() - start).toBeLessThan(1000);
  const many = new Array<CraftedTrack>(64).fill({ kind: "audio", count: 10 });
  expect((await refusal([{ count: 10 }, ...many], 10_000)).message).toContain("too many tracks");
});

test("reading 500,000 samples, each of its own size, duration and offset, lets others have their turn", async () => {
  const file = craftMovie([film(500_000)], 600_000);
  const tries = [];
  // The first time pays for compilation, and any may for a collection of garbage: work in one piece would show in all.
  for (let i = 0; i < 3; i++) tries.push(await watched(file, presentationOf));
  expect(tries[0]?.result.segmentSizes(1).length).toBeGreaterThan(4500);
  expect(Math.min(...tries.map(({ longestMs }) => longestMs))).toBeLessThan(50);
});

test("moving the offsets of 2 million chunks to the front lets others have their turn", async () => {
  const file = craftMovie([{ count: 2_000_000, chunkOffsets: new Uint32Array(2_000_000) }], 8_000_000);
  const tries = [];
  for (let i = 0; i < 3; i++) tries.push(await watched(file, faststartPlan));
  expect(tries[0]?.result?.sizeBytes).toBe(file.length);
  expect(Math.min(...tries.map(({ longestMs }) => longestMs))).toBeLessThan(50);
});

const perTrack = process.env.KINORA_TEST_LONG === "1" ? 5_000_000 : 1_500_000;

test("millions of samples are read within seconds, and their playlists are made once", async () => {
  const pictures = film(perTrack);
  const file = craftMovie([pictures, { ...pictures, kind: "audio" }], perTrack);
  const { result: presentation, ms } = await watched(file, presentationOf);
  expect(presentation.tracks.length).toBe(2);
  expect(ms).toBeLessThan(perTrack / 500);
  const first = allText(presentation);
  expect(msOf(() => expect(allText(presentation)).toBe(first))).toBeLessThan(100);
}, 30_000);
