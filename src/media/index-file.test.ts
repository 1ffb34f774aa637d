import { expect, test } from "bun:test";
import { fixture } from "../../test/support/fixtures.ts";
import { fileSource } from "../../test/support/packets.ts";
import { initSegment } from "./cmaf/init-segment.ts";
import { mediaSegment } from "./cmaf/media-segment.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import { decodeIndex, encodeIndex, StaleIndexError } from "./index-file.ts";
import { openMedia } from "./open.ts";

async function movieOf(name: "h264-many-sounds.mp4" | "h264-aac-60s.mp4") {
  const { movie } = await openMedia(await fileSource(await fixture(name)));
  if (movie === null) throw new Error("no index");
  return movie;
}

test("an index read back gives the same playlists and segments, byte for byte", async () => {
  const movie = await movieOf("h264-many-sounds.mp4");
  const again = decodeIndex(encodeIndex(movie));
  expect(again.description).toEqual(movie.description);
  expect(hlsMultivariantPlaylist(again)).toBe(hlsMultivariantPlaylist(movie));
  for (const { id } of movie.tracks) {
    expect(hlsMediaPlaylist(again, id)).toBe(hlsMediaPlaylist(movie, id));
    expect(initSegment(again, id)).toEqual(initSegment(movie, id));
    expect(mediaSegment(again, id, 1)).toEqual(mediaSegment(movie, id, 1));
  }
});

test("an index lying anywhere in a larger buffer is read", async () => {
  const bytes = encodeIndex(await movieOf("h264-many-sounds.mp4"));
  const buffer = new Uint8Array(bytes.length + 3);
  buffer.set(bytes, 3);
  expect(decodeIndex(buffer.subarray(3)).tracks.length).toBe(5);
});

test("an index takes at most 12 bytes for each sample", async () => {
  const movie = await movieOf("h264-aac-60s.mp4");
  const samples = movie.tracks.reduce((sum, track) => sum + track.samples.count, 0);
  expect(encodeIndex(movie).length).toBeLessThan(samples * 12);
});

test("a damaged, short, foreign or older index is refused", async () => {
  const bytes = encodeIndex(await movieOf("h264-many-sounds.mp4"));
  for (let at = 0; at < bytes.length; at += 97) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x55;
    if (at < 20 || at >= 24) expect(() => decodeIndex(damaged)).toThrow(StaleIndexError);
  }
  for (const length of [0, 10, 24, bytes.length - 8]) {
    expect(() => decodeIndex(bytes.slice(0, length))).toThrow(StaleIndexError);
  }
  const older = bytes.slice();
  new DataView(older.buffer).setUint8(4, 0);
  expect(() => decodeIndex(older)).toThrow("version 0");
});
