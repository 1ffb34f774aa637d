import { describe, expect, test } from "bun:test";
import { keyFrameList, nearest, parseKeyFrames } from "./key-frames.ts";

const playlist = (...lines: string[]) =>
  ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-I-FRAMES-ONLY", '#EXT-X-MAP:URI="init.mp4?grant=g"', ...lines, ""].join("\n");

describe("key frames of a playlist", () => {
  test("are found by the multivariant playlist, with commas inside of quotes", () => {
    const line =
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9,CODECS="avc1.640028,x",RESOLUTION=360x640,URI="1/iframes.m3u8?grant=g"';
    expect(keyFrameList(`#EXTM3U\r\n${line}\r\n`)).toBe("1/iframes.m3u8?grant=g");
    expect(keyFrameList('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n1/playlist.m3u8?URI="x"\n')).toBeNull();
  });

  test("have a time, an address and, where they are part of a segment, a size", () => {
    const frames = parseKeyFrames(
      playlist("#EXTINF:4.000000,", "#EXT-X-BYTERANGE:700@0", "1.m4s?grant=g", "#EXTINF:3.5,", "key/2.m4s?grant=g"),
    );
    expect(frames).toEqual({
      times: Float64Array.of(0, 4),
      uris: ["1.m4s?grant=g", "key/2.m4s?grant=g"],
      sizes: Float64Array.of(700, 0),
      initUri: "init.mp4?grant=g",
    });
  });

  test("are none where the playlist names none, or what cannot be asked for", () => {
    expect(parseKeyFrames(playlist())).toBeNull();
    expect(parseKeyFrames("#EXTM3U\n#EXTINF:4,\n1.m4s\n")).toBeNull();
    expect(parseKeyFrames(playlist("#EXTINF:x,", "1.m4s"))).toBeNull();
    expect(parseKeyFrames(playlist("#EXTINF:4,", "#EXT-X-BYTERANGE:700@900", "1.m4s"))).toBeNull();
    expect(parseKeyFrames("<html></html>")).toBeNull();
  });

  test("are looked up by the nearest time, also among thousands", () => {
    const times = Float64Array.from({ length: 50_000 }, (_, i) => i * 4);
    for (const [seconds, n] of [
      [-3, 0],
      [0, 0],
      [1.9, 0],
      [2.1, 1],
      [100_001, 25_000],
      [100_003, 25_001],
      [1e9, 49_999],
    ] as const) {
      expect(nearest(times, seconds)).toBe(n);
    }
    expect(nearest(new Float64Array(), 3)).toBe(-1);
  });
});
