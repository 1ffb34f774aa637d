import { expect, test } from "bun:test";
import { join } from "node:path";
import { checkBoxes } from "../../../test/fuzz/checks.ts";
import { fixture } from "../../../test/support/fixtures.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import {
  bytesSource,
  fileSource,
  joinSegments,
  movieOf,
  packetsOf,
  run,
  withHlsFolder,
} from "../../../test/support/packets.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import { SampleTable } from "../sample-table.ts";
import { mediaSegment } from "./media-segment.ts";

async function packaged(path: string): Promise<Presentation> {
  const { presentation } = await openMedia(await fileSource(path));
  if (presentation === null) throw new Error("it is not packaged");
  return presentation;
}

/** Packs a file and gives the whole of one of its tracks to `use`. */
async function withTrack<T>(path: string, id: number, use: (whole: string) => Promise<T>): Promise<T> {
  const source = await fileSource(path);
  return withHlsFolder(source, await packaged(path), async (folder) =>
    use(await joinSegments(join(folder, String(id)))),
  );
}

/** The loudest that a decoder hears between two times, in dB. */
async function loudest(path: string, from: number, to: number): Promise<number> {
  const filter = `atrim=${from}:${to},astats=metadata=1:reset=0,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=-`;
  const told = await run(["ffmpeg", "-v", "warning", "-i", path, "-af", filter, "-f", "null", "-"]);
  const levels = [...told.matchAll(/Peak_level=(\S+)/g)].map(([, level]) => Number(level?.replace("-inf", "-999")));
  return Math.max(...levels);
}

const picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=4"];
const encoded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50"];

const sounds = [
  ...[1, 2, 4, 5, 6].map((channels) => ["aac", String(channels), "mp4"] as const),
  ...[1, 2].map((channels) => ["libopus", String(channels), "mp4"] as const),
  ["aac", "2", "mkv"],
  ["libopus", "2", "mkv"],
  ["aac", "2", "ts"],
] as const;

test.each(sounds)(
  "%s of %s channels that starts late in %s begins with silence, and is heard when it should be",
  async (codec, channels, container) => {
    using folder = temporaryFolder();
    const path = join(folder.path, `late.${container}`);
    const tone = ["-itsoffset", "1.5", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2.5"];
    const sound = ["-c:a", codec, "-ac", channels, "-b:a", "128k"];
    await run(["ffmpeg", "-v", "error", ...picture, ...tone, ...encoded, ...sound, path]);
    const id = (await packaged(path)).tracks.find(({ kind }) => kind === "audio")?.id ?? 0;
    await withTrack(path, id, async (whole) => {
      const packets = await packetsOf(whole);
      expect(Math.abs(packets[0]?.seconds ?? 9)).toBeLessThan(0.001);
      expect(await loudest(whole, 0, 1.45)).toBeLessThan(-60);
      expect(await loudest(whole, 1.6, 3.9)).toBeGreaterThan(-40);
    });
  },
);

test("a picture that starts late is shown from the start on, and the others when they should be", async () => {
  const path = await fixture("late-h264-aac.mp4");
  const original = (await packetsOf(path)).filter(({ stream }) => stream === 0);
  await withTrack(path, 1, async (whole) => {
    const streamed = await packetsOf(whole);
    expect(streamed[0]?.seconds).toBe(0);
    const shifts = streamed.slice(1).map(({ seconds }, i) => seconds - (original[i + 1]?.seconds ?? 0));
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(0.001);
    expect(Math.abs(shifts[0] ?? 9)).toBeLessThan(0.03);
  });
});

test("segments are decoded from the times of the playlist on, also where the original has no edit list", async () => {
  const presentation = await packaged(await fixture("h264-aac-fragmented.mp4"));
  const [video] = presentation.tracks;
  const source = bytesSource(await Bun.file(await fixture("h264-aac-fragmented.mp4")).bytes());
  const second = await presentation.plan(source, video?.id ?? 0, 2);
  const header = Buffer.from(second?.header ?? []);
  const decodeTime = Number(header.readBigUInt64BE(header.indexOf("tfdt") + 8)) / (video?.timescale ?? 1);
  expect(decodeTime).toBeCloseTo(presentation.segmentTimes(video?.id ?? 0)[1] ?? 0, 3);
});

test("silence is a key packet whether all packets are, some, or only the first", async () => {
  const movie = movieOf(await packaged(await fixture("h264-late-aac.mp4")));
  for (const syncSamples of [null, Uint32Array.of(0, 2), Uint32Array.of(0)]) {
    const tracks = movie.tracks.map(({ segments, ...track }) => {
      const isSound = track.kind === "audio";
      return isSound ? { ...track, samples: new SampleTable({ ...track.samples.columns, syncSamples }) } : track;
    });
    const plan = mediaSegment({ ...movie, tracks }, 2, 1);
    const header = Buffer.from(plan?.header ?? []);
    checkBoxes(header, (plan?.sizeBytes ?? 0) - header.length);
    const run = header.indexOf("trun");
    const [flags, fieldsAt] = [header.readUInt32BE(run + 4) & 0xffffff, run + 16];
    // Duration and size come first.
    const own = (flags & 0x400) === 0 ? header.indexOf("tfhd") + 24 : fieldsAt + 8;
    expect(header.readUInt32BE(own)).toBe(0x0200_0000);
  }
});
