import { expect, test } from "bun:test";
import { hasSegments } from "./attach.ts";

const title = (container: string | null, videoCodec: string | null, ...audioCodecs: string[]) => ({
  container,
  video: videoCodec === null ? null : { codec: videoCodec, width: 640, height: 360, frameRate: 25, rotation: 0 },
  audio: audioCodecs.map((codec) => ({ codec, channels: 2, sampleRate: 48_000, language: null })),
});

test.each([
  ["mp4", "h264", ["aac"], true],
  ["webm", "vp9", ["opus"], true],
  ["webm", "vp9", [], true],
  ["matroska", "h264", ["vorbis", "aac"], true],
  ["mpegts", "h264", ["aac"], true],
  ["webm", "vp8", ["vorbis"], false],
  ["webm", "vp9", ["vorbis"], false],
  ["mov", "h264", ["pcm"], false],
  ["mpegts", "mpeg2", ["mp2"], false],
  ["mp4", "prores", [], false],
  [null, "h264", [], false],
] as const)("HLS is asked for in %p with %p and %p: %p", (container, videoCodec, audioCodecs, expected) => {
  expect(hasSegments(title(container, videoCodec, ...audioCodecs))).toBe(expected);
});
