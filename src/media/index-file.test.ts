import { expect, test } from "bun:test";
import { fixture } from "../../test/support/fixtures.ts";
import { fileSource, movieOf } from "../../test/support/packets.ts";
import { initSegment } from "./cmaf/init-segment.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import { decodeIndex, encodeIndex, StaleIndexError } from "./index-file.ts";
import { openMedia } from "./open.ts";

async function indexed(name: "h264-many-sounds.mp4" | "h264-aac-60s.mp4") {
  const source = await fileSource(await fixture(name));
  const { presentation } = await openMedia(source);
  if (presentation === null) throw new Error("no index");
  return { source, presentation };
}

test("an index read back gives the same playlists and segments, byte for byte", async () => {
  const { source, presentation: first } = await indexed("h264-many-sounds.mp4");
  const again = decodeIndex(encodeIndex(first));
  expect(again.description).toEqual(first.description);
  expect(hlsMultivariantPlaylist(again)).toBe(hlsMultivariantPlaylist(first));
  for (const { id } of first.tracks) {
    expect(hlsMediaPlaylist(again, id)).toBe(hlsMediaPlaylist(first, id));
    expect(initSegment(again, id)).toEqual(initSegment(first, id));
    expect(await again.plan(source, id, 1)).toEqual(await first.plan(source, id, 1));
  }
});

test("an index lying anywhere in a larger buffer is read", async () => {
  const bytes = encodeIndex((await indexed("h264-many-sounds.mp4")).presentation);
  const buffer = new Uint8Array(bytes.length + 3);
  buffer.set(bytes, 3);
  expect(decodeIndex(buffer.subarray(3)).tracks.length).toBe(5);
});

test("an index takes at most 12 bytes for each sample", async () => {
  const { presentation } = await indexed("h264-aac-60s.mp4");
  const samples = movieOf(presentation).tracks.reduce((sum, track) => sum + track.samples.count, 0);
  expect(encodeIndex(presentation).length).toBeLessThan(samples * 12);
});

test("a damaged, short, foreign or older index is refused", async () => {
  const bytes = encodeIndex((await indexed("h264-many-sounds.mp4")).presentation);
  for (let at = 0; at < bytes.length; at += at < 24 ? 1 : 97) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x55;
    expect(() => decodeIndex(damaged)).toThrow(StaleIndexError);
  }
  for (const length of [0, 10, 24, bytes.length - 8]) {
    expect(() => decodeIndex(bytes.slice(0, length))).toThrow(StaleIndexError);
  }
  const older = bytes.slice();
  new DataView(older.buffer).setUint8(4, 0);
  expect(() => decodeIndex(older)).toThrow("version 0");
});
