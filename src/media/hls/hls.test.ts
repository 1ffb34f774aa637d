import { expect, test } from "bun:test";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import {
  fileSource,
  joinSegments,
  movieOf,
  type Packet,
  packetsOf,
  run,
  withHlsFolder,
  withoutLead,
} from "../../../test/support/packets.ts";
import type { ByteSource } from "../byte-source.ts";
import { mediaSegment } from "../cmaf/media-segment.ts";
import { segmentStarts, segmentTimes } from "../cmaf/segments.ts";
import { decodeIndex, encodeIndex } from "../index-file.ts";
import { type Movie, type Track, videoTrack } from "../movie.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import { partBytes } from "../segment-plan.ts";
import { withQuery } from "./hls-lines.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls-playlist.ts";

async function packaged(
  name: FixtureName,
): Promise<{ path: string; source: ByteSource; presentation: Presentation; movie: Movie }> {
  const path = await fixture(name);
  const source = await fileSource(path);
  const { presentation } = await openMedia(source);
  if (presentation === null) throw new Error(`${name} cannot be packaged`);
  return { path, source, presentation, movie: movieOf(presentation) };
}

/**
 * What must be the same, times counted from the first packet of the track. Durations are compared apart: of fragmented
 * files ffmpeg tells some that it makes up.
 */
const comparable = (packets: readonly Packet[]) =>
  packets.map(({ pts, dts, isKey, hash }) => ({
    pts: pts - (packets[0]?.pts ?? 0),
    dts: dts - (packets[0]?.dts ?? 0),
    isKey,
    hash,
  }));

const durationsOf = ({ samples }: Track) => Array.from({ length: samples.count }, (_, i) => samples.durationOf(i));

const whole: readonly FixtureName[] = [
  "h264-aac.mp4",
  "h264-aac-faststart.mp4",
  "h264-aac-heavy.mp4",
  "h264-only.mp4",
  "h264-negative-offsets.mp4",
  "h264-aac-rotated.mov",
  "h264-many-sounds.mp4",
  "h264-late-aac.mp4",
  "late-h264-aac.mp4",
  "h264-long-aac.mp4",
  "h264-variable.mp4",
  "h264-aac-trimmed.mp4",
  "h264-aac-fragmented.mp4",
  "h265-aac.mp4",
  "vp9-opus.mp4",
  "av1-aac.mp4",
  "h264-eac3.mp4",
  "prores-pcm.mov",
  "mpeg4-mp3.mp4",
];

for (const name of whole) {
  test(`HLS of ${name} has the original's packets with their times and key flags`, async () => {
    const { path, source, presentation, movie } = await packaged(name);
    const original = await packetsOf(path, "-ignore_editlist", "1");
    await withHlsFolder(source, decodeIndex(encodeIndex(presentation)), async (folder) => {
      for (const track of movie.tracks) {
        const streamed = await packetsOf(await joinSegments(join(folder, String(track.id))));
        const expected = original.filter(({ stream }) => stream === track.id - 1);
        expect(comparable(withoutLead(streamed, expected))).toEqual(comparable(expected));
      }
    });
  });
}

for (const name of ["h264-aac.mp4", "h264-variable.mp4", "vp9-opus.mp4"] as const) {
  test(`the durations of all pictures of ${name} arrive, the last one's too`, async () => {
    const { source, presentation, movie } = await packaged(name);
    const video = videoTrack(movie);
    if (video === null) throw new Error("no video");
    await withHlsFolder(source, presentation, async (folder) => {
      const again = await openMedia(await fileSource(await joinSegments(join(folder, String(video.id)))));
      expect(movieOf(again.presentation).tracks.map(durationsOf)).toEqual([durationsOf(video)]);
    });
  });
}

const edited: readonly FixtureName[] = [
  "h264-aac.mp4",
  "h264-aac-heavy.mp4",
  "h264-late-aac.mp4",
  "h264-aac-trimmed.mp4",
  "h264-variable.mp4",
  "vp9-opus.mp4",
];

for (const name of edited) {
  test(`picture and sound of ${name} are as far apart over HLS as in the original`, async () => {
    const { path, source, presentation } = await packaged(name);
    const original = (await packetsOf(path)).filter(({ isDiscarded }) => !isDiscarded);
    const streamed = await withHlsFolder(source, presentation, (folder) => packetsOf(join(folder, "master.m3u8")));
    const times = new Map(streamed.map(({ hash, seconds }) => [hash, seconds]));
    const shifts = original.map(({ hash, seconds }) => (times.get(hash) ?? Number.NaN) - seconds);
    expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(0.001);
  });
}

for (const name of ["h264-aac.mp4", "h264-late-aac.mp4", "h264-aac-trimmed.mp4", "h264-many-sounds.mp4"] as const) {
  test(`picture and sound of ${name} are together in players that overlook edit lists`, async () => {
    const { path, source, presentation, movie } = await packaged(name);
    const original = await packetsOf(path);
    await withHlsFolder(source, presentation, async (folder) => {
      const shifts: number[] = [];
      for (const track of movie.tracks) {
        const whole = await joinSegments(join(folder, String(track.id)));
        const streamed = await packetsOf(whole, "-ignore_editlist", "1");
        const times = new Map(streamed.map(({ hash, seconds }) => [hash, seconds]));
        const known = original.find(({ stream, hash }) => stream === track.id - 1 && times.has(hash));
        shifts.push((times.get(known?.hash ?? "") ?? Number.NaN) - (known?.seconds ?? Number.NaN));
      }
      expect(Math.max(...shifts) - Math.min(...shifts)).toBeLessThan(0.001);
    });
  });
}

test("segments are cut at key frames nearest to 4 s and cover everything", async () => {
  const { movie } = await packaged("h264-variable.mp4");
  const video = videoTrack(movie);
  if (video === null) throw new Error("no video");
  const starts = segmentStarts(movie, video);
  expect([...starts].slice(0, -1).every((sample) => video.samples.isSync(sample))).toBe(true);
  expect(starts[0]).toBe(0);
  expect(starts.at(-1)).toBe(video.samples.count);
  const times = [...segmentTimes(movie, video)].map((time) => Math.round(time * 10) / 10);
  expect(times).toEqual([0, 3.4, 7.6, 8.9]);
});

test("sound follows the picture's cuts and goes on after its end in segments of 4 s", async () => {
  const { movie } = await packaged("h264-long-aac.mp4");
  const [video, audio] = movie.tracks;
  if (video === undefined || audio === undefined) throw new Error("tracks are missing");
  const rounded = (track: typeof video) => [...segmentTimes(movie, track)].map((time) => Math.round(time));
  expect(rounded(video)).toEqual([0, 4]);
  expect(rounded(audio)).toEqual([0, 4, 8, 13]);
});

test("all playlists of a video have one target duration, which no segment exceeds", async () => {
  const { presentation, movie } = await packaged("h264-variable.mp4");
  const playlists = movie.tracks.map(({ id }) => hlsMediaPlaylist(presentation, id));
  expect(playlists.map((text) => /TARGETDURATION:(\d+)/.exec(text)?.[1])).toEqual(["5", "5"]);
  const longest = Math.max(
    ...playlists.flatMap((text) => [...text.matchAll(/#EXTINF:([\d.]+)/g)].map((m) => Number(m[1]))),
  );
  expect(longest).toBeGreaterThan(4.1);
});

test("a segment is one range of the original where little lies between its samples, gathered otherwise", async () => {
  const heavy = await packaged("h264-aac-heavy.mp4");
  const plan = mediaSegment(heavy.movie, 1, 1);
  expect(plan?.ranges.length).toBe(1);
  const samples = videoTrack(heavy.movie)?.samples;
  const starts = segmentStarts(heavy.movie, heavy.movie.tracks[0] as never);
  let payload = 0;
  for (let sample = 0; sample < (starts[1] ?? 0); sample++) payload += samples?.sizeOf(sample) ?? 0;
  const sent = plan?.ranges.reduce((sum, part) => sum + partBytes(part), 0) ?? 0;
  expect(sent).toBeGreaterThan(payload);
  expect(sent - payload).toBeLessThan(sent * 0.1);

  const light = await packaged("h264-late-aac.mp4");
  expect(mediaSegment(light.movie, 1, 1)?.ranges.length).toBeGreaterThan(1);
  expect(mediaSegment(light.movie, 2, 1)?.ranges.length).toBeGreaterThan(1);
});

test("there is no segment 0, none after the last, and none of an unknown track", async () => {
  const { presentation, movie } = await packaged("h264-aac.mp4");
  const [video] = movie.tracks;
  if (video === undefined) throw new Error("no video");
  const last = segmentStarts(movie, video).length - 1;
  expect(mediaSegment(movie, video.id, last)).not.toBeNull();
  for (const n of [0, -1, 1.5, Number.NaN, last + 1]) expect(mediaSegment(movie, video.id, n)).toBeNull();
  expect(mediaSegment(movie, 99, 1)).toBeNull();
  expect(() => hlsMediaPlaylist(presentation, 99)).toThrow(RangeError);
});

test("the multivariant playlist names codecs, size, rate, bandwidth and sounds by language", async () => {
  const { presentation } = await packaged("h264-many-sounds.mp4");
  const playlist = hlsMultivariantPlaylist(presentation);
  const attributes = (line: string) => line.replace(/BANDWIDTH=\d+/g, "BANDWIDTH=N");
  expect(playlist.split("\n").map(attributes)).toEqual([
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-aac",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="2/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-opus",NAME="Japanese",LANGUAGE="ja",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="4/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-flac",NAME="English 2",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="5/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-ac3",NAME="French",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="3/playlist.m3u8"',
    ...["mp4a.40.2", "Opus", "fLaC", "ac-3"].flatMap((codec, i) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=N,AVERAGE-BANDWIDTH=N,CODECS="avc1.64000c,${codec}",RESOLUTION=320x180,FRAME-RATE=25.000,AUDIO="audio-${["aac", "opus", "flac", "ac3"][i]}"`,
      "1/playlist.m3u8",
    ]),
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=N,AVERAGE-BANDWIDTH=N,CODECS="avc1.64000c",RESOLUTION=320x180,URI="1/iframes.m3u8"',
    "",
  ]);
});

test("BANDWIDTH counts every byte that is sent", async () => {
  const { presentation, movie } = await packaged("h264-aac-heavy.mp4");
  const [, peak, average] = /BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)/.exec(hlsMultivariantPlaylist(presentation)) ?? [];
  let bits = 0;
  let highest = 0;
  for (const track of movie.tracks) {
    const times = segmentTimes(movie, track);
    const sizes = Array.from({ length: segmentStarts(movie, track).length - 1 }, (_, i) => {
      return (mediaSegment(movie, track.id, i + 1)?.sizeBytes ?? 0) * 8;
    });
    bits += sizes.reduce((sum, size) => sum + size, 0) / (times.at(-1) ?? 0);
    highest += Math.max(...sizes.map((size, i) => size / ((times[i + 1] ?? 0) - (times[i] ?? 0))));
  }
  expect(Number(average)).toBeCloseTo(bits, -1);
  expect(Number(peak)).toBeGreaterThanOrEqual(Number(average));
  expect(Number(peak)).toBeLessThanOrEqual(Math.ceil(highest) + 2);
});

test("ffmpeg decodes all of a packaged movie without a complaint", async () => {
  const { source, presentation } = await packaged("h264-aac-heavy.mp4");
  await withHlsFolder(source, presentation, (folder) =>
    run(["ffmpeg", "-v", "warning", "-i", join(folder, "master.m3u8"), "-map", "0", "-f", "null", "-"]),
  );
});

test("a query is added to what a playlist refers to, and to nothing else", () => {
  const playlist = [
    "#EXTM3U",
    '# Track 2 (x,URI="y") is left out.',
    '#EXT-X-MEDIA:TYPE=AUDIO,NAME="a,URI=",DEFAULT=YES,URI="2/playlist.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,NAME=",URI="',
    '#EXT-X-STREAM-INF:CODECS="a,b"',
    "1/playlist.m3u8",
    '#EXT-X-MAP:URI="init.mp4"',
    "#EXTINF:4.000000,",
    "1.m4s",
    "",
  ].join("\n");
  expect(withQuery(playlist, "")).toBe(playlist);
  expect(withQuery(playlist, "?a=$&$1").split("\n")).toEqual([
    "#EXTM3U",
    '# Track 2 (x,URI="y") is left out.',
    '#EXT-X-MEDIA:TYPE=AUDIO,NAME="a,URI=",DEFAULT=YES,URI="2/playlist.m3u8?a=$&$1"',
    '#EXT-X-MEDIA:TYPE=AUDIO,NAME=",URI="',
    '#EXT-X-STREAM-INF:CODECS="a,b"',
    "1/playlist.m3u8?a=$&$1",
    '#EXT-X-MAP:URI="init.mp4?a=$&$1"',
    "#EXTINF:4.000000,",
    "1.m4s?a=$&$1",
    "",
  ]);
});
