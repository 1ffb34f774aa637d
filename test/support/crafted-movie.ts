import { box, fourCc, fullBox, type Part, u16, u32, zeros } from "../../src/media/mp4/box-writer.ts";

/** A track made by hand: its tables say what the test wants. One sample in a byte each, in chunks from 0 on, unless told. */
export interface CraftedTrack {
  readonly kind?: "video" | "audio";
  readonly timescale?: number;
  readonly count: number;
  /** Bytes of every sample, or of each. */
  readonly sizes?: number | Uint32Array;
  /** `stts`: how many samples, how many ticks. */
  readonly durations?: readonly (readonly [number, number])[] | Uint32Array;
  /** `ctts`. */
  readonly offsets?: readonly (readonly [number, number])[] | Uint32Array;
  /** `stsc`: first chunk, samples in each, sample entry. */
  readonly chunkRuns?: readonly (readonly [number, number, number])[] | Uint32Array;
  /** `stco`. */
  readonly chunkOffsets?: readonly number[] | Uint32Array;
  /** `stss`; left out: all are sync samples. */
  readonly sync?: Uint32Array;
  readonly sampleEntries?: readonly Uint8Array[];
  /** Put before the children of every container of the track. */
  readonly padding?: Uint8Array;
}

/** 32-bit numbers as a table has them. */
export function table(values: Iterable<number>): Uint8Array {
  const numbers = Uint32Array.from(values);
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  for (let i = 0; i < numbers.length; i++) view.setUint32(i * 4, numbers[i] ?? 0);
  return new Uint8Array(view.buffer);
}

const rows = (values: readonly (readonly number[])[] | Uint32Array) =>
  values instanceof Uint32Array ? values : values.flat();

const tableBox = (type: string, values: readonly (readonly number[])[] | Uint32Array, columns: number) =>
  fullBox(type, 0, 0, u32(rows(values).length / columns), table(rows(values)));

/** A sample entry of H.264 without its configuration. */
export const avc1 = (width = 320) =>
  box("avc1", zeros(6), u16(1), zeros(16), u16(width), u16(180), zeros(50), box("avcC", [1, 100, 0, 31, 255, 224, 0]));
export const mp4a = () => box("mp4a", zeros(6), u16(1), zeros(8), u16(2), u16(16), zeros(4), u32(48000 * 65536));

const matrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].flatMap(u32);

function trackBox(track: CraftedTrack, id: number, dataAt: number): Uint8Array {
  const { kind = "video", timescale = 1000, count, sizes = 1, padding = new Uint8Array(0) } = track;
  const entries = track.sampleEntries ?? [kind === "video" ? avc1() : mp4a()];
  const one: Part = typeof sizes === "number" ? u32(sizes) : u32(0);
  const each: Part = typeof sizes === "number" ? [] : table(sizes);
  const chunkOffsets = Uint32Array.from(track.chunkOffsets ?? [0], (offset) => offset + dataAt);
  const stbl = box(
    "stbl",
    padding,
    fullBox("stsd", 0, 0, u32(entries.length), ...entries),
    tableBox("stts", track.durations ?? [[count, 40]], 2),
    ...(track.offsets ? [tableBox("ctts", track.offsets, 2)] : []),
    ...(track.sync ? [tableBox("stss", track.sync, 1)] : []),
    fullBox("stsz", 0, 0, one, u32(count), each),
    tableBox("stsc", track.chunkRuns ?? [[1, count, 1]], 3),
    tableBox("stco", chunkOffsets, 1),
  );
  return box(
    "trak",
    padding,
    fullBox("tkhd", 0, 3, zeros(8), u32(id), zeros(24), matrix, zeros(8)),
    box(
      "mdia",
      padding,
      fullBox("mdhd", 0, 0, zeros(8), u32(timescale), u32(0), u16(0x55c4), u16(0)),
      fullBox("hdlr", 0, 0, u32(0), fourCc(kind === "video" ? "vide" : "soun"), zeros(13)),
      box("minf", padding, stbl),
    ),
  );
}

/** An MP4 whose `mdat` comes first and has `dataBytes` bytes of zeros; tracks are numbered from 1. */
export function craftMovie(tracks: readonly CraftedTrack[], dataBytes: number): Uint8Array {
  const fileType = box("ftyp", fourCc("isom"), u32(0));
  const dataAt = fileType.length + 8;
  const header = fullBox("mvhd", 0, 0, zeros(8), u32(1000), u32(0), zeros(80));
  const moov = box("moov", header, ...tracks.map((track, i) => trackBox(track, i + 1, dataAt)));
  const file = new Uint8Array(dataAt + dataBytes + moov.length);
  file.set(fileType);
  file.set([...u32(8 + dataBytes), ...fourCc("mdat")], fileType.length);
  file.set(moov, dataAt + dataBytes);
  return file;
}
