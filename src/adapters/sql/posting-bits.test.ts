import { expect, test } from "bun:test";
import {
  add,
  CHUNK,
  countOf,
  forEach,
  hasBit,
  heldOf,
  keepCommon,
  newChunk,
  setBit,
  takeOut,
  toKept,
} from "./posting-bits.ts";

const chunkOf = (offsets: Iterable<number>) => {
  const chunk = newChunk();
  for (const offset of offsets) setBit(chunk, offset, true);
  return chunk;
};
const offsetsOf = (chunk: Uint32Array) => {
  const offsets: number[] = [];
  forEach(chunk, (offset) => offsets.push(offset));
  return offsets;
};
const every = (step: number, from = 0) =>
  Array.from({ length: Math.ceil((CHUNK - from) / step) }, (_, i) => from + i * step);

const sets: Readonly<Record<string, readonly number[]>> = {
  "one at the beginning": [0],
  "one at the end": [CHUNK - 1],
  "both ends of a word": [31, 32, 63, 64],
  "as many as are just written one by one": every(16).slice(0, 511),
  "as many as are just written as bits": every(16),
  most: every(1, 1),
  all: every(1),
};

for (const [what, offsets] of Object.entries(sets)) {
  test(`${what}: kept, read and counted it is the same`, () => {
    const kept = toKept(chunkOf(offsets));
    expect(kept?.length).toBe(Math.min(2 * offsets.length, CHUNK / 8));
    const read = newChunk();
    add(read, heldOf(kept ?? new Uint8Array()));
    expect(offsetsOf(read)).toEqual([...offsets]);
    expect(countOf(read)).toBe(offsets.length);
    expect(hasBit(read, offsets[0] ?? -1)).toBe(true);
  });
}

test("nothing is kept of nothing", () => {
  expect(toKept(newChunk())).toBeNull();
});

test("what is in both, and what is in one alone", () => {
  const both = chunkOf(every(2));
  keepCommon(both, chunkOf(every(3)));
  expect(offsetsOf(both)).toEqual(every(6));
  const one = chunkOf(every(2));
  takeOut(one, chunkOf(every(4)));
  expect(offsetsOf(one)).toEqual(every(4, 2));
  setBit(one, 2, false);
  expect(offsetsOf(one)).toEqual(every(4, 6));
});
