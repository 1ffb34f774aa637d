import { describe, expect, test } from "bun:test";
import type { Title } from "../../catalog/contract.ts";
import { findUndecodable } from "./decode.ts";

const video = (codec: string): Title["video"] => ({ codec, width: 640, height: 360, frameRate: 25, rotation: 0 });
const audio = (...codecs: string[]): Title["audio"] =>
  codecs.map((codec) => ({ codec, channels: 2, sampleRate: 48_000, language: null }));
/** A browser like Debian's Chromium: no H.265, no Dolby. */
const chromium = (mimeType: string) => !/hvc1|ac-3|ec-3/.test(mimeType);

describe("what a browser without H.265 and Dolby cannot decode", () => {
  test.each([
    ["H.264 with AAC: nothing", "h264", ["aac"], { video: null, audio: null }],
    ["H.265: the picture", "h265", ["aac"], { video: "h265", audio: null }],
    ["only AC-3: the sound", "h264", ["ac3"], { video: null, audio: "ac3" }],
    ["AC-3 beside AAC: nothing, there is another track", "h264", ["ac3", "aac"], { video: null, audio: null }],
    ["no sound at all: nothing", "h264", [], { video: null, audio: null }],
    ["a codec nobody has heard of is left to the player", "xyz", ["abc"], { video: null, audio: null }],
  ] as const)("%s", (_, videoCodec, audioCodecs, expected) => {
    const title = { video: video(videoCodec), audio: audio(...audioCodecs), needsRendition: null };
    expect(findUndecodable(title, chromium)).toEqual(expected);
  });

  test.each([
    ["mpeg2", "mp2", "mpeg2", { video: "mpeg2", audio: null }],
    ["h264", "aac-latm", "aac-latm", { video: null, audio: "aac-latm" }],
  ] as const)(
    "%s with %s, of which the server says that %s is not decoded",
    (videoCodec, audioCodec, codec, expected) => {
      const title = { video: video(videoCodec), audio: audio(audioCodec), needsRendition: { codec, reason: "" } };
      expect(findUndecodable(title, chromium)).toEqual(expected);
    },
  );
});
