import type { ByteSource } from "../../src/media/byte-source.ts";
import { box, fourCc, fullBox, type Part, u16, u32, u64, zeros } from "../../src/media/mp4/box-writer.ts";

/** A track of a movie that nobody encoded. Times in ticks of 1/1000 s. */
export interface SyntheticTrack {
  readonly kind: "video" | "audio";
  readonly samples: number;
  /** Bytes of every sample, or of each. */
  readonly size: number | ((sample: number) => number);
  readonly duration: number | ((sample: number) => number);
  readonly compositionOffset?: (sample: number) => number;
  /** A key frame every so many samples; 1: no `stss`. */
  readonly keyEvery: number;
  readonly samplesPerChunk: number;
  /** Sample entries, which the chunks use in turn. */
  readonly entries?: number;
  /** Type of the sample entries; `avc1` or `mp4a` when missing. */
  readonly type?: string;
}

const timescale = 1000;
const matrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** Big-endian 32-bit values: quicker than `u32` for long tables. */
function words(count: number, value: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(count * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) view.setInt32(i * 4, value(i) | 0);
  return bytes;
}

/** A table of runs, `stts` or `ctts`, with a run for each sample unless all are the same. */
function runs(type: string, samples: number, value: number | ((sample: number) => number)): Uint8Array {
  if (typeof value === "number") return fullBox(type, 0, 0, u32(1), u32(samples), u32(value));
  const table = words(samples * 2, (i) => (i % 2 === 0 ? 1 : value(i >> 1)));
  return fullBox(type, 1, 0, u32(samples), table);
}

function sampleEntry({ kind, type }: SyntheticTrack): Uint8Array {
  if (kind === "video") {
    return box(type ?? "avc1", zeros(6), u16(1), zeros(16), u16(320), u16(180), zeros(50));
  }
  return box(type ?? "mp4a", zeros(6), u16(1), zeros(8), u16(2), u16(16), zeros(4), u32(48000 * 65536));
}

function sampleTable(track: SyntheticTrack, dataOffset: number): Uint8Array {
  const { samples, size, duration, compositionOffset, keyEvery, samplesPerChunk, entries = 1 } = track;
  const chunks = Math.ceil(samples / samplesPerChunk);
  const sizeOf = typeof size === "number" ? () => size : size;
  const last = samples - (chunks - 1) * samplesPerChunk;
  let next = dataOffset;
  const offsets = words(chunks, (chunk) => {
    const offset = next;
    for (let i = 0; i < samplesPerChunk; i++) next += sizeOf(chunk * samplesPerChunk + i);
    return offset;
  });
  const stsc = words(chunks * 3, (i) => {
    const chunk = Math.floor(i / 3);
    return [chunk + 1, chunk === chunks - 1 ? last : samplesPerChunk, 1 + (chunk % entries)][i % 3] ?? 0;
  });
  const parts: Part[] = [
    fullBox("stsd", 0, 0, u32(entries), ...Array.from({ length: entries }, () => sampleEntry(track))),
    runs("stts", samples, duration),
    ...(compositionOffset ? [runs("ctts", samples, compositionOffset)] : []),
    fullBox("stsc", 0, 0, u32(chunks), stsc),
    fullBox(
      "stsz",
      0,
      0,
      u32(typeof size === "number" ? size : 0),
      u32(samples),
      typeof size === "number" ? [] : words(samples, size),
    ),
    fullBox("stco", 0, 0, u32(chunks), offsets),
  ];
  if (keyEvery > 1) {
    const keys = Math.ceil(samples / keyEvery);
    parts.push(
      fullBox(
        "stss",
        0,
        0,
        u32(keys),
        words(keys, (i) => i * keyEvery + 1),
      ),
    );
  }
  return box("stbl", ...parts);
}

function trackBox(track: SyntheticTrack, id: number, dataOffset: number): Uint8Array {
  const handler = track.kind === "video" ? "vide" : "soun";
  const media = box(
    "mdia",
    fullBox("mdhd", 0, 0, zeros(8), u32(timescale), u32(0), u16(0x55c4), u16(0)),
    fullBox("hdlr", 0, 0, zeros(4), fourCc(handler), zeros(13)),
    box("minf", sampleTable(track, dataOffset)),
  );
  const header = fullBox("tkhd", 0, 3, zeros(8), u32(id), zeros(24), matrix.flatMap(u32), zeros(8));
  return box("trak", header, media);
}

/** An MP4 of these tracks, each of which claims the bytes from the start of `mdat`, as a hostile file may. Its media are zeros. */
export function syntheticMovie(tracks: readonly SyntheticTrack[], mediaBytes: number): ByteSource {
  const head = (dataOffset: number) =>
    Buffer.concat([
      box("ftyp", fourCc("isom"), u32(0)),
      box(
        "moov",
        fullBox("mvhd", 0, 0, zeros(8), u32(timescale), u32(0), zeros(80)),
        ...tracks.map((track, i) => trackBox(track, i + 1, dataOffset)),
      ),
      Uint8Array.from([...u32(1), ...fourCc("mdat"), ...u64(mediaBytes + 16)]),
    ]);
  const bytes = head(head(0).length);
  return {
    size: bytes.length + mediaBytes,
    async read(offset, length) {
      const read = new Uint8Array(length);
      read.set(bytes.subarray(offset, offset + length));
      return read;
    },
  };
}
