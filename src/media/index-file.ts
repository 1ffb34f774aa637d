import { crc32 } from "node:zlib";
import type { MediaDescription, Movie, Track } from "./movie.ts";
import { PACKAGER_VERSION } from "./packager-version.ts";
import { type Column, type SampleColumns, SampleTable } from "./sample-table.ts";

/** "KNIX" in the machine's own byte order: an index from a machine of the other order is stale. */
const magic = 0x58494e4b;
const prefixBytes = 24;
const alignment = 8;

const arrayTypes = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i16: Int16Array,
  i32: Int32Array,
  f64: Float64Array,
} as const;
type ArrayName = keyof typeof arrayTypes;

/** Where an array stands in the file. */
interface Place {
  readonly type: ArrayName;
  readonly offset: number;
  readonly length: number;
}

const columnNames = [
  "sizes",
  "durations",
  "compositionOffsets",
  "syncSamples",
  "chunkOffsets",
  "chunkStarts",
  "chunkEntries",
] as const satisfies readonly (keyof SampleColumns)[];

interface StoredTrack {
  readonly fields: Omit<Track, "samples" | "sampleEntries">;
  readonly entries: readonly Place[];
  readonly count: number;
  readonly columns: Readonly<Record<(typeof columnNames)[number], Place | null>>;
}

interface Stored {
  readonly description: MediaDescription;
  readonly timescale: number;
  readonly tracks: readonly StoredTrack[];
}

/** The stored index cannot be used: make it again from the original. */
export class StaleIndexError extends Error {
  constructor(reason: string) {
    super(`The stored index cannot be used: ${reason}`);
    this.name = "StaleIndexError";
  }
}

/** Arrays put one after the other, each aligned for its type. */
class ArrayStore {
  readonly #parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  size = 0;

  add(array: Column): Place {
    const type = (Object.keys(arrayTypes) as ArrayName[]).find((name) => array instanceof arrayTypes[name]) ?? "u8";
    const offset = this.size;
    this.#parts.push({ offset, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) });
    this.size = aligned(offset + array.byteLength);
    return { type, offset, length: array.length };
  }

  writeTo(target: Uint8Array): void {
    for (const { offset, bytes } of this.#parts) target.set(bytes, offset);
  }
}

const aligned = (size: number) => Math.ceil(size / alignment) * alignment;

/** The index as bytes for `decodeIndex`: versioned and checksummed. */
export function encodeIndex(movie: Movie): Uint8Array {
  const store = new ArrayStore();
  const stored: Stored = {
    description: movie.description,
    timescale: movie.timescale,
    tracks: movie.tracks.map((track) => storeTrack(store, track)),
  };
  const json = new TextEncoder().encode(JSON.stringify(stored));
  const arraysAt = prefixBytes + aligned(json.length);
  const bytes = new Uint8Array(arraysAt + store.size);
  bytes.set(json, prefixBytes);
  store.writeTo(bytes.subarray(arraysAt));
  const prefix = new Uint32Array(bytes.buffer, 0, prefixBytes / 4);
  prefix.set([magic, PACKAGER_VERSION, bytes.length % 2 ** 32, json.length, crc32(bytes.subarray(prefixBytes))]);
  return bytes;
}

function storeTrack(store: ArrayStore, track: Track): StoredTrack {
  const { samples, sampleEntries, ...fields } = track;
  const places = columnNames.map((name) => {
    const column = samples.columns[name];
    return [name, column === null ? null : store.add(column)] as const;
  });
  return {
    fields,
    entries: sampleEntries.map((entry) => store.add(entry)),
    count: samples.count,
    columns: Object.fromEntries(places) as StoredTrack["columns"],
  };
}

/**
 * The index back from `encodeIndex`. It keeps views of `bytes`: do not change them. Throws `StaleIndexError` when they
 * are damaged or of another packager version.
 */
export function decodeIndex(bytes: Uint8Array): Movie {
  const whole = bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
  if (whole.length < prefixBytes) throw new StaleIndexError("it is too short");
  const [mark, version, length, jsonBytes = 0, checksum] = new Uint32Array(whole.buffer, whole.byteOffset, 5);
  if (mark !== magic) throw new StaleIndexError("it is no index");
  if (version !== PACKAGER_VERSION) throw new StaleIndexError(`it is of version ${version}, not ${PACKAGER_VERSION}`);
  if (length !== whole.length % 2 ** 32) throw new StaleIndexError("its length is wrong");
  if (checksum !== crc32(whole.subarray(prefixBytes))) throw new StaleIndexError("its checksum is wrong");
  const json = new TextDecoder().decode(whole.subarray(prefixBytes, prefixBytes + jsonBytes));
  // The checksum vouches for the shape: these are the bytes that `encodeIndex` wrote.
  const stored = JSON.parse(json) as Stored;
  const arrays = whole.subarray(prefixBytes + aligned(jsonBytes));
  return {
    description: stored.description,
    timescale: stored.timescale,
    tracks: stored.tracks.map((track) => loadTrack(arrays, track)),
  };
}

function loadTrack(arrays: Uint8Array, { fields, entries, count, columns }: StoredTrack): Track {
  const load = (place: Place | null): Column | null =>
    place && new arrayTypes[place.type](arrays.buffer as ArrayBuffer, arrays.byteOffset + place.offset, place.length);
  const loaded = Object.fromEntries(columnNames.map((name) => [name, load(columns[name])]));
  const samples = new SampleTable({ count, ...loaded } as SampleColumns);
  return { ...fields, sampleEntries: entries.map(load), samples } as unknown as Track;
}
