/**
 * Sets of small numbers, as they are kept: titles are numbered, and of each term there is for each chunk of numbers
 * one row that says which of them have it. Few are written as their offsets in order (two bytes each, the lower one
 * first), more as a bit for each.
 */

/** Numbers in a chunk. */
export const CHUNK = 8_192;
/** Words of 32 bits in a chunk. */
export const WORDS = CHUNK / 32;
const BYTES = CHUNK / 8;

/** With so few bits set in a word, going by them takes less time than looking at all 32. */
export const FEW_BITS = 10;

/** The bits of one chunk while they are worked with. */
export const newChunk = () => new Uint32Array(WORDS);

/** What is kept of one chunk, as it is worked with: a bit for each number, or the numbers. */
export type Held = Uint32Array | Uint16Array;

/** A copy of what is kept, so that nothing of what it was read with stays in memory. */
export function heldOf(kept: Uint8Array): Held {
  const { buffer } = new Uint8Array(kept);
  return kept.length === BYTES ? new Uint32Array(buffer) : new Uint16Array(buffer);
}

/** Adds numbers to those of a chunk. */
export function add(chunk: Uint32Array, held: Held): void {
  if (held instanceof Uint32Array) {
    for (let i = 0; i < WORDS; i++) chunk[i] = (chunk[i] ?? 0) | (held[i] ?? 0);
    return;
  }
  const { length } = held;
  for (let i = 0; i < length; i++) {
    const offset = held[i] ?? 0;
    chunk[offset >>> 5] = (chunk[offset >>> 5] ?? 0) | (1 << (offset & 31));
  }
}

/** What a chunk is kept as; null when nothing is in it. */
export function toKept(chunk: Uint32Array): Uint8Array | null {
  const count = countOf(chunk);
  if (count === 0) return null;
  if (2 * count >= BYTES) return new Uint8Array(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + BYTES));
  const kept = new Uint8Array(2 * count);
  let at = 0;
  forEach(chunk, (offset) => {
    kept[at++] = offset & 0xff;
    kept[at++] = offset >>> 8;
  });
  return kept;
}

/** Leaves only what is in both. */
export function keepCommon(chunk: Uint32Array, other: Uint32Array): void {
  const { length } = chunk;
  for (let i = 0; i < length; i++) chunk[i] = (chunk[i] ?? 0) & (other[i] ?? 0);
}

/** Takes out what is in the other. */
export function takeOut(chunk: Uint32Array, other: Uint32Array): void {
  const { length } = chunk;
  for (let i = 0; i < length; i++) chunk[i] = (chunk[i] ?? 0) & ~(other[i] ?? 0);
}

export function setBit(chunk: Uint32Array, offset: number, isSet: boolean): void {
  const before = chunk[offset >>> 5] ?? 0;
  chunk[offset >>> 5] = isSet ? before | (1 << (offset & 31)) : before & ~(1 << (offset & 31));
}

export const hasBit = (chunk: Uint32Array, offset: number): boolean =>
  (((chunk[offset >>> 5] ?? 0) >>> (offset & 31)) & 1) === 1;

/** How many bits of a word are set. */
export function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export function countOf(chunk: Uint32Array): number {
  let count = 0;
  const { length } = chunk;
  for (let i = 0; i < length; i++) count += bitsIn(chunk[i] ?? 0);
  return count;
}

/** Tells all numbers in their order. */
export function forEach(chunk: Uint32Array, tell: (offset: number) => void): void {
  const { length } = chunk;
  for (let i = 0; i < length; i++) {
    for (let word = chunk[i] ?? 0; word !== 0; word &= word - 1) tell(32 * i + 31 - Math.clz32(word & -word));
  }
}
