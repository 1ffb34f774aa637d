import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { has } from "../support/debian.ts";
import { playWithFfmpeg } from "../support/players/ffmpeg.ts";
import { playWithGstreamer } from "../support/players/gstreamer.ts";
import { Stage } from "../support/players/stage.ts";
import { playWithVlc } from "../support/players/vlc.ts";

const fixtures = ["h264-aac.mp4", "h264-late-aac.mp4", "vp9-opus.mp4"] as const;
const protocols = ["hls"] as const;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const cases = fixtures.flatMap((name) => protocols.map((protocol) => [protocol, name] as const));

describe.skipIf(!has("ffmpeg"))("ffmpeg", () => {
  test.each(cases)("plays %s of %s to the end and after seeks", async (protocol, name) => {
    expect(await playWithFfmpeg(await stage.task(name, protocol))).toEqual([]);
  });
});

describe.skipIf(
  !has("ffmpeg", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad", "gstreamer1.0-libav", "python3-gi"),
)("GStreamer", () => {
  for (const stack of ["adaptivedemux2", "adaptivedemux"] as const) {
    test.each(cases)(`with ${stack} plays %s of %s to the end and after seeks`, async (protocol, name) => {
      expect(await playWithGstreamer(await stage.task(name, protocol), stack)).toEqual([]);
    });
  }
});

describe.skipIf(!has("cvlc", "vlc-plugin-base", "ffmpeg"))("VLC", () => {
  test.each(cases)("plays %s of %s to the end and after seeks", async (protocol, name) => {
    expect(await playWithVlc(await stage.task(name, protocol, 1))).toEqual([]);
  });
});
