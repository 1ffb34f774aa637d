import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { fileSource, movieOf, packetsOf, planBytes } from "../../../test/support/packets.ts";
import { initSegment } from "../cmaf/init-segment.ts";
import { segmentStarts } from "../cmaf/segments.ts";
import { videoTrack } from "../movie.ts";
import { openMedia } from "../open.ts";
import type { SegmentPlan } from "../segment-plan.ts";
import { hlsKeyFramePlaylist } from "./hls-key-frames.ts";
import { hlsMultivariantPlaylist } from "./hls-playlist.ts";

async function opened(name: FixtureName) {
  const source = await fileSource(await fixture(name));
  const { presentation } = await openMedia(source);
  const video = presentation && videoTrack(presentation);
  if (presentation === null || video === null) throw new Error(`${name} cannot be packaged`);
  return { source, presentation, video, playlist: hlsKeyFramePlaylist(presentation, video.id) ?? "" };
}

/** Segment, bytes and seconds of each entry. */
const entriesOf = (playlist: string) =>
  [...playlist.matchAll(/#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@0\n(\d+)\.m4s/g)].map(([, seconds, bytes, n]) => ({
    n: Number(n),
    bytes: Number(bytes),
    seconds: Number(seconds),
  }));

// Segments that are one range of the original, gathered ones, every frame a key frame, fragments, HEVC, odd key frames.
const names: readonly FixtureName[] = [
  "h264-aac-heavy.mp4",
  "h264-late-aac.mp4",
  "prores-pcm.mov",
  "h264-aac-fragmented.mp4",
  "h265-aac.mp4",
  "h264-variable.mp4",
];

for (const name of names) {
  test(`each entry of ${name} holds exactly the picture that its segment starts with`, async () => {
    const { source, presentation, video, playlist } = await opened(name);
    const movie = movieOf(presentation);
    const { samples } = movie.tracks[0] ?? { samples: null };
    const entries = entriesOf(playlist);
    const starts = segmentStarts(movie, movie.tracks[0] as never);
    expect(entries.map(({ n }) => n)).toEqual(Array.from({ length: starts.length - 1 }, (_, i) => i + 1));
    for (const { n, bytes } of entries) {
      const plan = await presentation.plan(source, video.id, n);
      const segment = plan === null ? new Uint8Array() : await planBytes(source, plan);
      const sample = starts[n - 1] ?? 0;
      const [offset, size] = [samples?.offsetOf(sample) ?? 0, samples?.sizeOf(sample) ?? 0];
      const picture = segment.subarray(bytes - size, bytes);
      expect(Buffer.from(picture).equals(await source.read(offset, size))).toBe(true);
    }
  });
}

test("ffmpeg reads one key frame from the init segment and an entry's bytes", async () => {
  const { source, presentation, video, playlist } = await opened("h264-aac-heavy.mp4");
  const folder = await mkdtemp(join(tmpdir(), "kinora-key-frame-"));
  for (const { n, bytes } of entriesOf(playlist)) {
    const plan = await presentation.plan(source, video.id, n);
    const segment = plan === null ? new Uint8Array() : await planBytes(source, plan);
    const path = join(folder, `${n}.mp4`);
    await Bun.write(path, Buffer.concat([initSegment(presentation, video.id), segment.subarray(0, bytes)]));
    const [first] = await packetsOf(path, "-v", "fatal", "-read_intervals", "%+#1");
    expect(first?.isKey).toBe(true);
  }
  await rm(folder, { recursive: true });
});

test("entries last until the next one, to the end of the video", async () => {
  const { presentation, video, playlist } = await opened("h264-variable.mp4");
  const times = presentation.segmentTimes(video.id);
  const seconds = entriesOf(playlist).map((entry) => entry.seconds);
  expect(
    seconds.map((value, i) => value - ((times[i + 1] ?? 0) - (times[i] ?? 0))).every((x) => Math.abs(x) < 1e-6),
  ).toBe(true);
  expect(playlist).toContain("\n#EXT-X-I-FRAMES-ONLY\n");
  expect(playlist).toContain('\n#EXT-X-MAP:URI="init.mp4"\n');
});

test("BANDWIDTH of key frames counts what is sent for them", async () => {
  const { presentation, playlist } = await opened("h264-aac-heavy.mp4");
  const entries = entriesOf(playlist);
  const line = /I-FRAME-STREAM-INF:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)/.exec(hlsMultivariantPlaylist(presentation));
  const bits = entries.reduce((sum, { bytes }) => sum + bytes * 8, 0);
  const seconds = entries.reduce((sum, entry) => sum + entry.seconds, 0);
  expect(Number(line?.[2])).toBe(Math.ceil(bits / seconds));
  expect(Number(line?.[1])).toBeGreaterThanOrEqual(Number(line?.[2]));
});

test("of Matroska with cues key frames are sent by themselves", async () => {
  for (const name of ["h264-aac-60s.mkv", "h264-open-gop.mkv"] as const) {
    const { source, presentation, video, playlist } = await opened(name);
    const numbers = [...playlist.matchAll(/#EXTINF:[\d.]+,\nkey\/(\d+)\.m4s/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from(presentation.segmentSizes(video.id), (_, i) => i + 1));
    const original = await packetsOf(await fixture(name));
    const folder = await mkdtemp(join(tmpdir(), "kinora-key-frame-"));
    const init = initSegment(presentation, video.id);
    const most = Number(/I-FRAME-STREAM-INF:BANDWIDTH=(\d+)/.exec(hlsMultivariantPlaylist(presentation))?.[1]);
    for (const n of numbers.slice(0, 4)) {
      const read = async (plan: SegmentPlan | null) => {
        const path = join(folder, "segment.mp4");
        await Bun.write(path, Buffer.concat([init, plan === null ? init : await planBytes(source, plan)]));
        return (await packetsOf(path)).filter(({ stream }) => stream === 0);
      };
      const plan = await presentation.planKeyFrame(source, video.id, n);
      const [picture, ...more] = await read(plan);
      const [first] = await read(await presentation.plan(source, video.id, n));
      expect([picture?.hash, picture?.isKey, more.length]).toEqual([first?.hash ?? "", true, 0]);
      expect(picture?.seconds).toBeCloseTo(first?.seconds ?? -1, 6);
      expect(original.some(({ hash, isKey }) => isKey && hash === picture?.hash)).toBe(true);
      expect((plan?.sizeBytes ?? 0) * 8).toBeLessThan(most * 4);
    }
    expect(await presentation.planKeyFrame(source, video.id, numbers.length + 1)).toBeNull();
    expect(await presentation.planKeyFrame(source, 2, 1)).toBeNull();
    await rm(folder, { recursive: true });
  }
});

test("there is none for sound", async () => {
  const { presentation } = await opened("h264-aac.mp4");
  expect(hlsKeyFramePlaylist(presentation, 2)).toBeNull();
  expect(() => hlsKeyFramePlaylist(presentation, 99)).toThrow(RangeError);
});
