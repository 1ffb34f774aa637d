import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import {
  fileSource,
  movieOf,
  type Packet,
  packetsOf,
  planBytes,
  run,
  withHlsFolder,
  withoutFirstPicture,
  withoutLead,
} from "../../../test/support/packets.ts";
import { mediaSegment } from "../cmaf/media-segment.ts";
import { decodeIndex, encodeIndex } from "../index-file.ts";
import { openMedia } from "../open.ts";
import { maxDecodedBytes } from "../segment-plan.ts";

/** The packets as ffmpeg puts them into an MP4: start codes turned to lengths, ADTS headers taken off. */
async function remuxed(path: string, ...options: string[]): Promise<Packet[]> {
  using folder = temporaryFolder();
  const copy = join(folder.path, "copy.mp4");
  const input = ["-probesize", "50M", "-i", path, "-map", "0:V:0", "-map", "0:a"];
  await run(["ffmpeg", "-v", "fatal", ...input, "-c", "copy", "-strict", "-2", copy]);
  return await packetsOf(copy, ...options);
}

/** The init segment and all segments of a track in one file. */
async function packetsOfTrack(folder: string): Promise<Packet[]> {
  const playlist = await Bun.file(join(folder, "playlist.m3u8")).text();
  const names = ["init.mp4", ...playlist.split("\n").filter((line) => line.endsWith(".m4s"))];
  const whole = join(folder, "whole.mp4");
  await Bun.write(whole, Buffer.concat(await Promise.all(names.map((name) => Bun.file(join(folder, name)).bytes()))));
  return packetsOf(whole);
}

const packaged: readonly FixtureName[] = [
  "h264-aac.ts",
  "h265-aac.ts",
  "h264-ac3.ts",
  "h264-eac3.ts",
  "h264-mp2.ts",
  "h264-mp3.ts",
  "h264-opus.ts",
  "h264-ac3.m2ts",
  "h264-aac.m2ts",
  "h264-wrap.ts",
  "h264-constant.ts",
  "h264-two-sounds.ts",
  "h264-open-gop.ts",
  "h264-large.ts",
  "h264-no-b-frames.ts",
];

/** A tick of 90 kHz: ffmpeg takes the time of each PES packet, rounded to it, where sound goes on evenly. */
const tickSeconds = 1 / 90_000 + 1e-6;

for (const name of packaged) {
  test(`HLS of ${name} has the original's packets with their times and key flags`, async () => {
    const path = await fixture(name);
    const source = await fileSource(path);
    const { presentation } = await openMedia(source);
    const { tracks } = movieOf(presentation);
    const original = await remuxed(path, "-ignore_editlist", "1");
    await withHlsFolder(source, decodeIndex(encodeIndex(movieAsPresentation(presentation))), async (folder) => {
      for (const track of tracks) {
        const expected = original.filter(({ stream }) => stream === track.id - 1);
        const streamed = withoutLead(await packetsOfTrack(join(folder, String(track.id))), expected);
        const kept = ({ isKey, hash }: Packet) => ({ isKey, hash });
        expect(streamed.map(kept)).toEqual(expected.map(kept));
        const shifts = streamed.map(({ seconds }, i) => seconds - (expected[i]?.seconds ?? 0));
        expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(2 * tickSeconds);
        if (track.kind === "audio") continue;
        const decodeTimes = (packets: readonly Packet[]) => packets.map(({ dts }) => dts - (packets[0]?.dts ?? 0));
        expect(decodeTimes(streamed)).toEqual(decodeTimes(expected));
      }
    });
  });
}

function movieAsPresentation<T>(presentation: T | null): T {
  if (presentation === null) throw new Error("it is not packaged");
  return presentation;
}

for (const name of ["h264-aac.ts", "h265-aac.ts", "h264-wrap.ts", "h264-two-sounds.ts", "h264-ac3.m2ts"] as const) {
  test(`picture and sound of ${name} are as far apart over HLS as in the original`, async () => {
    const path = await fixture(name);
    const source = await fileSource(path);
    const { presentation } = await openMedia(source);
    const original = withoutFirstPicture(await remuxed(path));
    const streamed = await withHlsFolder(source, movieAsPresentation(presentation), (folder) =>
      packetsOf(join(folder, "master.m3u8")),
    );
    const times = new Map(streamed.map(({ hash, seconds }) => [hash, seconds]));
    const shifts = original.map(({ hash, seconds }) => (times.get(hash) ?? Number.NaN) - seconds);
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(0.001);
  });
}

const describeFixture = async (name: FixtureName) =>
  (await openMedia(await fileSource(await fixture(name)))).description;

describe("what a transport stream is", () => {
  const small = { codec: "h264", width: 320, height: 180, frameRate: 25, rotation: 0 };
  const sound = { codec: "aac", channels: 1, sampleRate: 48000, language: null };

  test("is told by its parameter sets and headers of sound", async () => {
    const { durationSeconds, ...rest } = await describeFixture("h264-no-b-frames.ts");
    expect(durationSeconds).toBeCloseTo(5, 1);
    expect(rest).toEqual({ container: "mpegts", video: small, audio: [sound], needsRendition: null });
    expect((await describeFixture("h264-two-sounds.ts")).video?.frameRate).toBe(29.97);
    expect((await describeFixture("h264-large.ts")).video).toMatchObject({ width: 1280, height: 718 });
  });

  test("has languages", async () => {
    const { audio } = await describeFixture("h264-two-sounds.ts");
    expect(audio.map(({ language }) => language)).toEqual(["en", "fr"]);
  });

  test("says what browsers cannot decode, and packages it all the same", async () => {
    for (const [name, codec] of [
      ["h265-aac.ts", "h265"],
      ["h264-ac3.ts", "ac3"],
      ["h264-eac3.ts", "eac3"],
      ["h264-mp2.ts", "mp2"],
    ] as const) {
      const { description, presentation } = await openMedia(await fileSource(await fixture(name)));
      expect(description.needsRendition?.codec).toBe(codec);
      expect(presentation?.tracks.length).toBe(2);
    }
  });

  test("with AAC in LATM is packaged without its sound, which is named", async () => {
    const { description, presentation } = await openMedia(await fileSource(await fixture("h264-latm.ts")));
    expect(description.needsRendition).toEqual({ codec: "aac-latm", reason: "AAC in LATM cannot be taken out of it" });
    expect(presentation?.tracks.map(({ kind }) => kind)).toEqual(["video"]);
  });

  test("with MPEG-2 pictures is described only", async () => {
    const { description, presentation } = await openMedia(await fileSource(await fixture("mpeg2-mp2.ts")));
    expect(presentation).toBeNull();
    expect(description.durationSeconds).toBeCloseTo(5, 1);
    expect(description).toMatchObject({
      video: { codec: "mpeg2", width: 320, height: 180, frameRate: 25 },
      audio: [{ codec: "mp2", channels: 1, sampleRate: 48000 }],
      needsRendition: { codec: "mpeg2" },
    });
  });

  test("of several programs is the first one with a picture", async () => {
    const { description, presentation } = await openMedia(await fileSource(await fixture("h264-two-programs.ts")));
    expect(description).toMatchObject({ video: small, audio: [sound] });
    expect(presentation?.tracks.length).toBe(2);
  });
});

test("pixels that are not square, and colours, are told in the sample entry", async () => {
  const { presentation } = await openMedia(await fileSource(await fixture("h264-large.ts")));
  const entry = Buffer.from(presentation?.tracks[0]?.sampleEntries[0] ?? []);
  const at = entry.indexOf("pasp");
  expect([entry.readUInt32BE(at + 4), entry.readUInt32BE(at + 8)]).toEqual([4, 3]);
});

test("large pictures are read and made in parts, none larger than the most that is decoded at once", async () => {
  const source = await fileSource(await fixture("h264-large.ts"));
  const movie = movieOf((await openMedia(source)).presentation);
  expect(movie.tracks[0]?.samples.sizeOf(0)).toBeGreaterThan(maxDecodedBytes);
  for (const { id } of movie.tracks) {
    const plan = mediaSegment(movie, id, 1);
    if (plan === null) throw new Error("no segment");
    for (const part of plan.ranges) if ("decode" in part) expect(part.length).toBeLessThanOrEqual(maxDecodedBytes);
    await planBytes(source, plan);
  }
});

for (const name of ["h264-aac.ts", "h264-open-gop.ts", "h265-aac.ts", "h264-two-sounds.ts"] as const) {
  test(`ffmpeg decodes all of ${name} over HLS without a complaint`, async () => {
    const source = await fileSource(await fixture(name));
    const { presentation } = await openMedia(source);
    await withHlsFolder(source, movieAsPresentation(presentation), (folder) =>
      run(["ffmpeg", "-v", "warning", "-i", join(folder, "master.m3u8"), "-map", "0", "-f", "null", "-"]),
    );
  });
}
