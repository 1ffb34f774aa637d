import { expect, test } from "bun:test";
import { type SyntheticTrack, syntheticMovie } from "../../test/support/synthetic-movie.ts";
import { MediaError } from "./errors.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import { openMedia } from "./open.ts";
import type { Presentation } from "./presentation.ts";
import { uniqueNames } from "./track-names.ts";

const film: SyntheticTrack = {
  kind: "video",
  samples: 1000,
  size: 100,
  duration: 40,
  keyEvery: 50,
  samplesPerChunk: 10,
};

async function presentationOf(tracks: readonly SyntheticTrack[], mediaBytes: number): Promise<Presentation> {
  const { presentation } = await openMedia(syntheticMovie(tracks, mediaBytes));
  if (presentation === null) throw new Error("it is not packaged");
  return presentation;
}

async function refusal(tracks: readonly SyntheticTrack[], mediaBytes: number): Promise<MediaError> {
  const error = await openMedia(syntheticMovie(tracks, mediaBytes)).catch((thrown: unknown) => thrown);
  if (error instanceof MediaError) return error;
  throw new Error("it was not refused", { cause: error });
}

function seconds(work: () => void): number {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
}

test("an ordinary synthetic film is packaged in segments of 4 s", async () => {
  const presentation = await presentationOf([film], 100_000);
  expect([...presentation.segmentTimes(1)]).toEqual([0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
});

test("tracks that all claim the same bytes cannot multiply what is allocated for them", async () => {
  const sound: SyntheticTrack = {
    ...film,
    kind: "audio",
    samples: 2 ** 20,
    size: 1,
    keyEvery: 1,
    samplesPerChunk: 2 ** 20,
  };
  const error = await refusal([film, ...Array.from({ length: 200 }, () => sound)], 2 ** 20);
  expect(error.message).toContain("too many samples");
  expect(error.box).toBe("moov/trak/mdia/minf/stbl/stsz");
});

test("a hundred thousand segments without length do not hold up the playlists", async () => {
  const flicker = { ...film, samples: 100_000, size: 1, duration: 0, keyEvery: 1, samplesPerChunk: 1, entries: 2 };
  const presentation = await presentationOf([flicker], 100_000);
  expect(seconds(() => hlsMultivariantPlaylist(presentation))).toBeLessThan(2);
});

test("more segments than any film has are refused", async () => {
  const flicker = { ...film, samples: 1_000_000, size: 1, duration: 0, keyEvery: 1, samplesPerChunk: 1, entries: 2 };
  const error = await refusal([flicker], 1_000_000);
  expect(error.code).toBe("unsupported");
  expect(error.message).toContain("too many segments");
});

test("a clock that jumps back and forth gives segments that follow each other", async () => {
  const jumping = { ...film, keyEvery: 1, compositionOffset: (sample: number) => (sample % 2 === 0 ? 0 : 9000) };
  const presentation = await presentationOf([jumping], 100_000);
  const times = presentation.segmentTimes(1);
  expect(times).toEqual(times.toSorted());
  expect(/EXTINF:-/.test(hlsMediaPlaylist(presentation, 1))).toBe(false);
});

test("the four characters that name a codec cannot end a line or a string of a playlist", async () => {
  for (const type of ['a"\nb', "a,b=", "<a&>", "\0\0\0\0"]) {
    const presentation = await presentationOf([{ ...film, type }], 100_000);
    expect(hlsMultivariantPlaylist(presentation)).toContain('CODECS=""');
  }
});

test("a language tag with more than a language in it still has a name", () => {
  const tracks = ["en-x-commentary", "de-u-ca-buddhist", "zh-Hant"].map((language) => ({ language, name: null }));
  expect(uniqueNames(tracks, "Audio")).toEqual(["English", "German", "Traditional Chinese"]);
});
