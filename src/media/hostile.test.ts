import { expect, test } from "bun:test";
import { type CraftedTrack, craftMovie } from "../../test/support/crafted-movie.ts";
import { fixture } from "../../test/support/fixtures.ts";
import { bytesSource } from "../../test/support/packets.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import { box, u16, zeros } from "./mp4/box-writer.ts";
import { openMedia } from "./open.ts";
import type { Presentation } from "./presentation.ts";
import { uniqueNames } from "./track-names.ts";

async function open(track: CraftedTrack): Promise<Presentation> {
  const { presentation } = await openMedia(bytesSource(craftMovie([track], 4 * track.count)));
  if (presentation === null) throw new Error("it is not packaged");
  return presentation;
}

test("a clock that jumps back and forth gives segments that follow each other", async () => {
  const jumps = Uint32Array.from({ length: 2000 }, (_, i) => [1, i % 4 === 1 ? 0 : 9000][i % 2] ?? 0);
  const presentation = await open({ count: 1000, offsets: jumps });
  const times = presentation.segmentTimes(1);
  expect(times).toEqual(times.toSorted());
  expect(/EXTINF:-/.test(hlsMediaPlaylist(presentation, 1))).toBe(false);
});

test("the four characters that name a codec cannot end a line or a string of a playlist", async () => {
  for (const type of ['a"\nb', "a,b=", "<a&>", "\0\0\0\0"]) {
    const entry = box(type, zeros(6), u16(1), zeros(16), u16(320), u16(180), zeros(50));
    const presentation = await open({ count: 1000, sampleEntries: [entry] });
    expect(hlsMultivariantPlaylist(presentation)).toContain('CODECS=""');
  }
});

test("damage after damage in a Matroska file is read about once", async () => {
  const original = await Bun.file(await fixture("vp9-opus-live.webm")).bytes();
  const broken = Buffer.from("1f43b675ff0000", "hex");
  const file = Buffer.concat([original, ...new Array<Uint8Array>(50_000).fill(broken)]);
  const source = bytesSource(file);
  let bytesRead = 0;
  const { presentation } = await openMedia({
    size: file.length,
    read: (offset, length) => {
      bytesRead += length;
      return source.read(offset, length);
    },
  });
  expect(presentation).not.toBeNull();
  expect(bytesRead).toBeLessThan(4 * file.length);
});

test("a language tag with more than a language in it still has a name", () => {
  const tracks = ["en-x-commentary", "de-u-ca-buddhist", "zh-Hant"].map((language) => ({ language, name: null }));
  expect(uniqueNames(tracks, "Audio")).toEqual(["English", "German", "Traditional Chinese"]);
});
