/** Annex B byte streams of H.264 and H.265: NAL units after start codes 00 00 01, with any zeros before and after. */

export const startCodeBytes = 3;
/** Bytes of the length that stands for a start code in MP4. */
export const lengthBytes = 4;

/** Where the next 00 00 01 starts at or after `from`, wholly before `to`; -1 when there is none. */
export function findStartCode(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (i + 2 < to) {
    const third = bytes[i + 2] ?? 0;
    if (third > 1) i += 3;
    else if (third === 1) {
      if (bytes[i] === 0 && bytes[i + 1] === 0) return i;
      i += 3;
    } else i++;
  }
  return -1;
}

/**
 * The end of the NAL unit that starts at `from`, with the next start code at `to`: one zero before that belongs to it.
 * More zeros stay with the unit: they mean nothing, and ffmpeg keeps them as well. `from` for units of zeros only.
 */
export function unitEnd(bytes: Uint8Array, from: number, to: number): number {
  const end = to > from && bytes[to - 1] === 0 ? to - 1 : to;
  for (let i = from; i < end; i++) if (bytes[i] !== 0) return end;
  return from;
}

/** A NAL unit that is not empty: where its start code and its content start, and where it ends. */
export interface NalUnit {
  readonly code: number;
  readonly start: number;
  readonly end: number;
}

/** The NAL units of an access unit that begins with a start code; the last one ends where the access unit does. */
export function* nalUnits(unit: Uint8Array): Generator<NalUnit> {
  for (let code = findStartCode(unit, 0, unit.length); code >= 0; ) {
    const start = code + startCodeBytes;
    const next = findStartCode(unit, start, unit.length);
    const end = next < 0 ? unit.length : unitEnd(unit, start, next);
    if (end > start) yield { code, start, end };
    code = next;
  }
}

/**
 * An access unit that begins with a start code, as MP4 wants it: each NAL unit after its length in four bytes. The
 * result must have `size` bytes; null when it has not.
 */
export function toLengthPrefixed(unit: Uint8Array, size: number): Uint8Array | null {
  const out = new Uint8Array(size);
  let at = 0;
  for (const { start, end } of nalUnits(unit)) {
    const length = end - start;
    if (at + lengthBytes + length > size) return null;
    out[at] = length >>> 24;
    out[at + 1] = length >>> 16;
    out[at + 2] = length >>> 8;
    out[at + 3] = length;
    out.set(unit.subarray(start, end), at + lengthBytes);
    at += lengthBytes + length;
  }
  return at === size ? out : null;
}
