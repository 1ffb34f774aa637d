import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type FixtureName, fixture } from "../../test/support/fixtures.ts";
import { element } from "../../test/support/matroska.ts";
import { fileSource, joinSegments, run, withHlsFolder } from "../../test/support/packets.ts";
import { initSegment } from "./cmaf/init-segment.ts";
import { hlsMultivariantPlaylist } from "./hls/hls-playlist.ts";
import { childOf } from "./matroska/ebml.ts";
import { ids } from "./matroska/ids.ts";
import { readTracks } from "./matroska/tracks.ts";
import { videoEntry } from "./matroska/video-entry.ts";
import { openMedia } from "./open.ts";
import type { Presentation } from "./presentation.ts";

/** How a picture is meant to be seen, as ffprobe tells it. */
async function shownAs(path: string): Promise<unknown> {
  const fields = "sample_aspect_ratio,color_space,color_transfer,color_primaries,color_range";
  const entries = `stream=${fields}:stream_side_data=rotation`;
  const told = await run([
    ...["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", entries],
    ...["-of", "json", path],
  ]);
  return (JSON.parse(told) as { streams: readonly unknown[] }).streams[0];
}

async function packaged(name: FixtureName): Promise<Presentation> {
  const { presentation } = await openMedia(await fileSource(await fixture(name)));
  if (presentation === null) throw new Error("not packaged");
  return presentation;
}

const pictures: readonly (readonly [FixtureName, string])[] = [
  ["h264-anamorphic.mp4", "RESOLUTION=427x240,FRAME-RATE"],
  ["h264-anamorphic.mkv", "RESOLUTION=427x240,FRAME-RATE"],
  ["h264-anamorphic.ts", "RESOLUTION=427x240,FRAME-RATE"],
  ["h264-aac-rotated.mov", "RESOLUTION=360x640,FRAME-RATE"],
  ["h265-hdr10.mp4", "RESOLUTION=320x180,VIDEO-RANGE=PQ,FRAME-RATE"],
  ["h265-hdr10.mkv", "RESOLUTION=320x180,VIDEO-RANGE=PQ,FRAME-RATE"],
  ["h265-hdr10.ts", "RESOLUTION=320x180,VIDEO-RANGE=PQ,FRAME-RATE"],
  ["h265-hlg.mp4", "RESOLUTION=320x180,VIDEO-RANGE=HLG,FRAME-RATE"],
];

describe("shape, turn and colours of the picture are those of the original", () => {
  for (const [name, attributes] of pictures) {
    test(name, async () => {
      const presentation = await packaged(name);
      expect(hlsMultivariantPlaylist(presentation)).toContain(attributes);
      const id = presentation.tracks[0]?.id ?? 0;
      await withHlsFolder(await fileSource(await fixture(name)), presentation, async (folder) => {
        expect(await shownAs(await joinSegments(join(folder, String(id))))).toEqual(await shownAs(await fixture(name)));
      });
    });
  }
});

test("the range of brightness is told by the sequence parameter set where there is no colour box", async () => {
  const presentation = await packaged("h265-hdr10.mp4");
  const [video] = presentation.tracks;
  const entry = video?.sampleEntries[0]?.slice() ?? new Uint8Array(0);
  const colr = Buffer.from(entry).indexOf("colr");
  if (colr >= 0) entry.set(new TextEncoder().encode("free"), colr);
  const plain: Presentation = Object.create(presentation, {
    tracks: { value: [{ ...video, sampleEntries: [entry] }] },
  });
  expect(hlsMultivariantPlaylist(plain)).toContain("VIDEO-RANGE=PQ");
});

test("the width of the track in the init segment is that of square pixels", async () => {
  const presentation = await packaged("h264-anamorphic.mp4");
  const init = initSegment(presentation, presentation.tracks[0]?.id ?? 0);
  const at = Buffer.from(init).indexOf("tkhd") + 4 + 76;
  const view = new DataView(init.buffer, init.byteOffset);
  expect([view.getUint32(at) / 65536, view.getUint32(at + 4) / 65536]).toEqual([427, 240]);
});

const double = (value: number) => {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, value);
  return new Uint8Array(bytes.buffer);
};

test("Matroska's mastering display, light level and Dolby Vision become boxes of the sample entry", async () => {
  const { greenX, greenY, blueX, blueY, redX, redY, whiteX, whiteY } = ids;
  const places = { greenX, greenY, blueX, blueY, redX, redY, whiteX, whiteY };
  const dolby = Uint8Array.from({ length: 24 }, (_, i) => i);
  const entry = element(
    ids.trackEntry,
    ...[element(ids.trackNumber, [1]), element(ids.trackType, [1])],
    element(ids.codecId, new TextEncoder().encode("V_MPEG4/ISO/AVC")),
    element(ids.codecPrivate, [1, 100, 0, 31, 255, 224, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    element(
      ids.video,
      ...[element(ids.pixelWidth, [1, 64]), element(ids.pixelHeight, [180])],
      element(
        ids.colour,
        ...[element(ids.maxCll, [3, 232]), element(ids.maxFall, [1, 144]), element(ids.transferCharacteristics, [16])],
        element(
          ids.masteringMetadata,
          ...Object.values(places).map((id, i) => element(id, double((i + 1) / 10))),
          ...[element(ids.luminanceMax, double(1000)), element(ids.luminanceMin, double(0.0001))],
        ),
      ),
    ),
    element(
      ids.blockAdditionMapping,
      element(ids.blockAddIdType, new TextEncoder().encode("dvcC")),
      element(ids.blockAddIdExtraData, dolby),
    ),
  );
  const tracks = childOf({ content: element(ids.tracks, entry), offset: 0 }, ids.tracks);
  const [track] = tracks === null ? [] : readTracks(tracks);
  const bytes = track === undefined ? null : videoEntry(track, null);
  const contentOf = (type: string) => {
    const at = Buffer.from(bytes ?? []).indexOf(type);
    const size = Buffer.from(bytes ?? []).readUInt32BE(at - 4);
    return new DataView(Uint8Array.from(bytes?.subarray(at + 4, at - 4 + size) ?? []).buffer);
  };
  const mdcv = contentOf("mdcv");
  expect(Array.from({ length: 8 }, (_, i) => mdcv.getUint16(i * 2))).toEqual(
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8].map((value) => Math.round(value * 50_000)),
  );
  expect([mdcv.getUint32(16), mdcv.getUint32(20)]).toEqual([10_000_000, 1]);
  expect([contentOf("clli").getUint16(0), contentOf("clli").getUint16(2)]).toEqual([1000, 400]);
  expect(new Uint8Array(contentOf("dvcC").buffer)).toEqual(dolby);
});

test("boxes of an MP4's sample entry that are not looked at stay in the init segment", async () => {
  const bytes = await Bun.file(await fixture("h265-hdr10.mp4")).bytes();
  const presentation = await packaged("h265-hdr10.mp4");
  const init = initSegment(presentation, presentation.tracks[0]?.id ?? 0);
  const kept = ["hvcC", "colr", "pasp"].filter((type) => Buffer.from(bytes).includes(type));
  expect(kept).toContain("colr");
  for (const type of kept) expect(Buffer.from(init).includes(type)).toBe(true);
});
