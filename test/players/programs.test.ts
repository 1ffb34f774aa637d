import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { has } from "../support/debian.ts";
import { casesFor } from "../support/players/cases.ts";
import { playWithFfmpeg } from "../support/players/ffmpeg.ts";
import { playWithGstreamer } from "../support/players/gstreamer.ts";
import { Stage } from "../support/players/stage.ts";
import { playWithVlc } from "../support/players/vlc.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe.skipIf(!has("ffmpeg"))("ffmpeg", () => {
  test.each(casesFor("ffmpeg"))("plays %s of %s to the end and after seeks", async (protocol, name) => {
    expect(await playWithFfmpeg(await stage.task(name, protocol))).toEqual([]);
  });
});

describe.skipIf(
  !has("ffmpeg", "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad", "gstreamer1.0-libav", "python3-gi"),
)("GStreamer", () => {
  for (const stack of ["adaptivedemux2", "adaptivedemux"] as const) {
    test.each(casesFor("GStreamer"))(
      `with ${stack} plays %s of %s to the end and after seeks`,
      async (protocol, name) => {
        expect(await playWithGstreamer(await stage.task(name, protocol), stack)).toEqual([]);
      },
    );
  }
});

describe.skipIf(!has("cvlc", "vlc-plugin-base", "ffmpeg"))("VLC", () => {
  test.each(casesFor("VLC"))("plays %s of %s to the end and after seeks", async (protocol, name) => {
    expect(await playWithVlc(await stage.task(name, protocol, 1))).toEqual([]);
  });
});
