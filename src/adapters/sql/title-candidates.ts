import {
  add,
  bitsIn,
  countOf,
  FEW_BITS,
  forEach,
  hasBit,
  keepCommon,
  newChunk,
  setBit,
  takeOut,
  WORDS,
} from "./posting-bits.ts";
import { heightOf } from "./title-columns.ts";
import type { TitleView } from "./title-memory.ts";
import type { Term } from "./title-terms.ts";

/** Titles by number that a search may find. */
export class Candidates {
  readonly #bits: Uint32Array;
  readonly count: number;

  constructor(bits: Uint32Array) {
    this.#bits = bits;
    this.count = countOf(bits);
  }

  /** Numbers below this are told apart. */
  get size(): number {
    return 32 * this.#bits.length;
  }

  /** Those of one chunk. */
  chunk(chunk: number): Uint32Array {
    return this.#bits.subarray(chunk * WORDS, (chunk + 1) * WORDS);
  }

  /** Chunks that have any. */
  chunks(): number[] {
    return Array.from({ length: this.#bits.length / WORDS }, (_, chunk) => chunk).filter((chunk) =>
      this.chunk(chunk).some((word) => word !== 0),
    );
  }

  has(num: number): boolean {
    return num < this.size && hasBit(this.#bits, num);
  }

  nums(): number[] {
    const nums: number[] = [];
    forEach(this.#bits, (num) => nums.push(num));
    return nums;
  }

  /** Those that are among these; `without`: those that are not. */
  only(nums: Iterable<number>): Candidates {
    const bits = new Uint32Array(this.#bits.length);
    for (const num of nums) if (this.has(num)) setBit(bits, num, true);
    return new Candidates(bits);
  }

  without(others: Candidates): Candidates {
    const bits = this.#bits.slice();
    takeOut(bits, others.#bits);
    return new Candidates(bits);
  }

  /** Those whose duration, or height as part of their kind, is between two numbers, both included. */
  async within(
    view: TitleView,
    column: "duration" | "kind",
    [low, high]: readonly [number, number],
  ): Promise<Candidates> {
    const chunks = this.chunks();
    await view.loadColumns([column], chunks);
    const bits = new Uint32Array(this.#bits.length);
    for (const chunk of chunks) {
      const values = view.column(column, chunk)?.values;
      if (!values) continue;
      const part = bits.subarray(chunk * WORDS, (chunk + 1) * WORDS);
      if (column === "kind") keepHeights(part, this.chunk(chunk), values, low, high);
      else keepBetween(part, this.chunk(chunk), values, low, high);
    }
    return new Candidates(bits);
  }
}

// Both are written out, as they go over a million titles: a closure for each takes five times as long.

/** Sets the bits of `from` whose numbers are between two. */
function keepBetween(to: Uint32Array, from: Uint32Array, values: Float64Array, low: number, high: number): void {
  for (let i = 0; i < WORDS; i++) {
    const word = from[i] ?? 0;
    let kept = 0;
    if (bitsIn(word) <= FEW_BITS) {
      for (let left = word; left !== 0; left &= left - 1) {
        const value = values[32 * i + 31 - Math.clz32(left & -left)] ?? 0;
        if (value >= low && value <= high) kept |= left & -left;
      }
    } else {
      for (let bit = 0; bit < 32; bit++) {
        const value = values[32 * i + bit] ?? 0;
        kept |= (Number(value >= low) & Number(value <= high)) << bit;
      }
    }
    to[i] = kept & word;
  }
}

/** The same by the height in a title's kind. */
function keepHeights(to: Uint32Array, from: Uint32Array, kinds: Float64Array, low: number, high: number): void {
  for (let i = 0; i < WORDS; i++) {
    const word = from[i] ?? 0;
    let kept = 0;
    if (bitsIn(word) <= FEW_BITS) {
      for (let left = word; left !== 0; left &= left - 1) {
        const height = heightOf(kinds[32 * i + 31 - Math.clz32(left & -left)] ?? 0);
        if (height >= low && height <= high) kept |= left & -left;
      }
    } else {
      for (let bit = 0; bit < 32; bit++) {
        const height = heightOf(kinds[32 * i + bit] ?? 0);
        kept |= (Number(height >= low) & Number(height <= high)) << bit;
      }
    }
    to[i] = kept & word;
  }
}

/** What a search asks of the postings: of each group a title must have one term, and of `none` nothing. */
export interface Asked {
  /** Those first of which the fewest titles may be expected. */
  readonly groups: readonly (readonly Term[])[];
  readonly none: readonly Term[];
}

/** The titles that have what is asked for, of all that there are. */
export async function findCandidates(view: TitleView, { groups, none }: Asked): Promise<Candidates> {
  const all = Array.from({ length: view.chunks }, (_, chunk) => chunk);
  const bits = new Uint32Array(view.chunks * WORDS);
  const chunkOf = (chunk: number) => bits.subarray(chunk * WORDS, (chunk + 1) * WORDS);
  const [first = [], ...others] = groups;
  await view.loadTerms(first, all);
  const left = all.filter((chunk) => addTerms(view, chunkOf(chunk), chunk, first));
  await view.loadTerms([...others.flat(), ...none], left);
  const group = newChunk();
  for (const chunk of left) {
    const here = chunkOf(chunk);
    for (const terms of others) {
      group.fill(0);
      addTerms(view, group, chunk, terms);
      keepCommon(here, group);
    }
    group.fill(0);
    if (addTerms(view, group, chunk, none)) takeOut(here, group);
  }
  return new Candidates(bits);
}

/** Adds what has any of the terms; whether there is any. */
function addTerms(view: TitleView, target: Uint32Array, chunk: number, terms: readonly Term[]): boolean {
  let isThere = false;
  for (const term of terms) {
    const held = view.term(term, chunk);
    if (!held) continue;
    add(target, held);
    isThere = true;
  }
  return isThere;
}
