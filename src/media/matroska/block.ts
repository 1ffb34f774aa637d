import { vintLength } from "./ebml.ts";

/** The longest header of a block that is looked at: more frames in a lace than fit here are damage. */
export const maxBlockHeaderBytes = 16 * 1024;
const lacing = { none: 0, xiph: 1, fixed: 2, ebml: 3 };
const maxTrackNumberBytes = 4;

/** What stands at the start of `SimpleBlock` and `Block` (RFC 9559 section 10). */
export interface BlockHeader {
  readonly track: number;
  /** Ticks after the cluster's timestamp. */
  readonly relativeTime: number;
  /** Of a `SimpleBlock`; means nothing in a `Block`. */
  readonly isKey: boolean;
  /** Bytes before the first frame. */
  readonly length: number;
  /** Bytes of each frame. */
  readonly sizes: readonly number[];
}

/** Track number, or 0 when the bytes start no block. */
export function blockTrack(bytes: Uint8Array, at: number): number {
  const length = vintLength(bytes[at]);
  if (length === 0 || length > maxTrackNumberBytes || at + length > bytes.length) return 0;
  return readNumber(bytes, at, length);
}

/**
 * Reads the header of a block of `size` bytes, of which `bytes` holds those from `at` on, all or the first
 * `maxBlockHeaderBytes`. Null when it is damaged.
 */
export function readBlockHeader(bytes: Uint8Array, at: number, size: number): BlockHeader | null {
  const track = blockTrack(bytes, at);
  const start = at + vintLength(bytes[at]);
  const flags = bytes[start + 2];
  if (track === 0 || flags === undefined || start + 3 - at > size) return null;
  const relativeTime = new DataView(bytes.buffer, bytes.byteOffset).getInt16(start);
  const base = { track, relativeTime, isKey: (flags & 0x80) !== 0 };
  const end = Math.min(bytes.length, at + size);
  const lace = readLace(bytes.subarray(0, end), start + 3, (flags >> 1) & 3);
  if (lace === null) return null;
  const length = lace.end - at;
  const payload = size - length;
  const last = payload - lace.sizes.reduce((sum, frame) => sum + frame, 0);
  if (lace.isEven) {
    const each = payload / lace.count;
    return Number.isInteger(each) ? { ...base, length, sizes: new Array<number>(lace.count).fill(each) } : null;
  }
  return last < 0 ? null : { ...base, length, sizes: [...lace.sizes, last] };
}

/** How the frames of a block are divided. */
interface Lace {
  /** Where the first frame starts. */
  readonly end: number;
  readonly count: number;
  readonly isEven: boolean;
  /** Of all frames but the last one. */
  readonly sizes: readonly number[];
}

function readLace(bytes: Uint8Array, at: number, kind: number): Lace | null {
  if (kind === lacing.none) return { end: at, count: 1, isEven: false, sizes: [] };
  const last = bytes[at];
  if (last === undefined) return null;
  const count = last + 1;
  if (kind === lacing.fixed) return { end: at + 1, count, isEven: true, sizes: [] };
  const read = kind === lacing.xiph ? readXiphSizes : readEbmlSizes;
  const found = read(bytes, at + 1, count - 1);
  return found && { ...found, count, isEven: false };
}

/** Each size is a sum of bytes up to the first one that is not 255. */
function readXiphSizes(bytes: Uint8Array, from: number, count: number): { end: number; sizes: number[] } | null {
  const sizes: number[] = [];
  let at = from;
  while (sizes.length < count) {
    let size = 0;
    let byte: number | undefined;
    do {
      byte = bytes[at++];
      if (byte === undefined) return null;
      size += byte;
    } while (byte === 255);
    sizes.push(size);
  }
  return { end: at, sizes };
}

/** The first size, then signed differences. */
function readEbmlSizes(bytes: Uint8Array, from: number, count: number): { end: number; sizes: number[] } | null {
  const sizes: number[] = [];
  let at = from;
  let size = 0;
  while (sizes.length < count) {
    const length = vintLength(bytes[at]);
    if (length === 0 || at + length > bytes.length) return null;
    const value = readNumber(bytes, at, length);
    size = sizes.length === 0 ? value : size + value - (2 ** (7 * length - 1) - 1);
    if (size < 0) return null;
    sizes.push(size);
    at += length;
  }
  return { end: at, sizes };
}

function readNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = (bytes[at] ?? 0) & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
