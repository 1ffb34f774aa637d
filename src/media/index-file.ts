import { crc32 } from "node:zlib";
import { MatroskaPresentation } from "./matroska/matroska-presentation.ts";
import { MoviePresentation } from "./movie-presentation.ts";
import { PACKAGER_VERSION } from "./packager-version.ts";
import type { Presentation } from "./presentation.ts";
import type { Column } from "./sample-table.ts";
import { atOnce, inTurns, type Work } from "./work.ts";

/** "KNIX" in the machine's own byte order: an index from a machine of the other order is stale. */
const magic = 0x58494e4b;
const prefixBytes = 24;
/** Which of the prefix's 32-bit words is the checksum of everything before and behind it. */
const checksumAt = 4;
const alignment = 8;
/** Bytes that are copied or summed up in one piece of work. */
const bytesAtOnce = 4 * 2 ** 20;

const arrayTypes = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i16: Int16Array,
  i32: Int32Array,
  f64: Float64Array,
} as const;
type ArrayName = keyof typeof arrayTypes;

/** Where an array stands in the file; stands for the array in the JSON. */
interface Place {
  readonly $array: ArrayName;
  readonly offset: number;
  readonly length: number;
}

/** Each kind of presentation, made from what its `stored` gave. */
const kinds: Readonly<Record<string, (stored: never) => Presentation>> = {
  [MoviePresentation.kind]: MoviePresentation.load,
  [MatroskaPresentation.kind]: MatroskaPresentation.load,
};

interface Stored {
  readonly kind: string;
  readonly value: unknown;
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
    const $array = (Object.keys(arrayTypes) as ArrayName[]).find((name) => array instanceof arrayTypes[name]) ?? "u8";
    const offset = this.size;
    this.#parts.push({ offset, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) });
    this.size = aligned(offset + array.byteLength);
    return { $array, offset, length: array.length };
  }

  *writeTo(target: Uint8Array): Generator<void> {
    for (const { offset, bytes } of this.#parts) {
      for (let at = 0; at < bytes.length; at += bytesAtOnce) {
        target.set(bytes.subarray(at, at + bytesAtOnce), offset + at);
        yield;
      }
    }
  }
}

const aligned = (size: number) => Math.ceil(size / alignment) * alignment;

/** The index as bytes for `decodeIndex`: versioned and checksummed. */
export const encodeIndex = (presentation: Presentation): Uint8Array => atOnce(encoding(presentation));

/** The same, with turns for others: an index may have 64 MiB. */
export const encodeIndexInTurns = (presentation: Presentation): Promise<Uint8Array> => inTurns(encoding(presentation));

/** How many bytes the index takes as a file, about as many as in memory. */
export const indexBytes = (presentation: Presentation): number => layOut(presentation).size;

/** What is stored: a text, and the arrays that it refers to. */
function layOut(presentation: Presentation) {
  const store = new ArrayStore();
  const stored: Stored = { kind: presentation.kind, value: presentation.stored() };
  // `this` holds the value before its `toJSON`, which a Buffer has.
  const text = JSON.stringify(stored, function (this: Record<string, unknown>, key, value: unknown) {
    const own = this[key];
    return ArrayBuffer.isView(own) ? store.add(own as Column) : value;
  });
  const json = new TextEncoder().encode(text);
  const arraysAt = prefixBytes + aligned(json.length);
  return { json, store, arraysAt, size: arraysAt + store.size };
}

function* encoding(presentation: Presentation): Work<Uint8Array> {
  const { json, store, arraysAt, size } = layOut(presentation);
  const bytes = new Uint8Array(size);
  bytes.set(json, prefixBytes);
  yield* store.writeTo(bytes.subarray(arraysAt));
  const prefix = new Uint32Array(bytes.buffer, 0, prefixBytes / 4);
  prefix.set([magic, PACKAGER_VERSION, bytes.length % 2 ** 32, json.length]);
  prefix[checksumAt] = yield* checksumOf(bytes);
  return bytes;
}

function* checksumOf(bytes: Uint8Array): Work<number> {
  let checksum = crc32(bytes.subarray(0, checksumAt * 4));
  for (let at = checksumAt * 4 + 4; at < bytes.length; at += bytesAtOnce) {
    checksum = crc32(bytes.subarray(at, at + bytesAtOnce), checksum);
    yield;
  }
  return checksum;
}

/**
 * The index back from `encodeIndex`. It keeps views of `bytes`: do not change them. Throws `StaleIndexError` when they
 * are damaged or of another packager version.
 */
export const decodeIndex = (bytes: Uint8Array): Presentation => atOnce(decoding(bytes));

/** The same, with turns for others. */
export const decodeIndexInTurns = (bytes: Uint8Array): Promise<Presentation> => inTurns(decoding(bytes));

function* decoding(bytes: Uint8Array): Work<Presentation> {
  const whole = bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
  if (whole.length < prefixBytes) throw new StaleIndexError("it is too short");
  const [mark, version, length, jsonBytes = 0, checksum] = new Uint32Array(whole.buffer, whole.byteOffset, 5);
  if (mark !== magic) throw new StaleIndexError("it is no index");
  if (version !== PACKAGER_VERSION) throw new StaleIndexError(`it is of version ${version}, not ${PACKAGER_VERSION}`);
  if (length !== whole.length % 2 ** 32) throw new StaleIndexError("its length is wrong");
  if (checksum !== (yield* checksumOf(whole))) throw new StaleIndexError("its checksum is wrong");
  const json = new TextDecoder().decode(whole.subarray(prefixBytes, prefixBytes + jsonBytes));
  const arrays = whole.subarray(prefixBytes + aligned(jsonBytes));
  // The checksum vouches for the shape: these are the bytes that `encodeIndex` wrote.
  const stored = JSON.parse(json, (_key, value: unknown) =>
    isPlace(value) ? arrayAt(arrays, value) : value,
  ) as Stored;
  const load = kinds[stored.kind];
  if (load === undefined) throw new StaleIndexError(`its kind ${stored.kind} is not known`);
  return load(stored.value as never);
}

const isPlace = (value: unknown): value is Place => typeof value === "object" && value !== null && "$array" in value;

function arrayAt(arrays: Uint8Array, { $array, offset, length }: Place): Column {
  return new arrayTypes[$array](arrays.buffer as ArrayBuffer, arrays.byteOffset + offset, length);
}
