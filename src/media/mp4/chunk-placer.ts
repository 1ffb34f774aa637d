import type { Box } from "./box.ts";
import { type ChunkLayout, maxChunkSamples } from "./chunk-layout.ts";

/** `stsc` with `stco` or `co64`. */
export interface ChunkTables {
  readonly stsc: Box;
  /** The words of its entries, three each. */
  readonly runs: Uint32Array;
  /** The words of where chunks start, and whether each has two, the upper one first. */
  readonly offsets: Uint32Array;
  readonly isWide: boolean;
  readonly chunks: number;
  /** For each entry of `stsd` the number of the one to use. */
  readonly descriptions: readonly number[];
}

const wordsOfRun = 3;

/** Puts the samples of all chunks into a layout, a piece at a time. */
export class ChunkPlacer {
  /** The first sample that has no place yet. */
  sample = 0;
  readonly #layout: ChunkLayout;
  readonly #tables: ChunkTables;
  #run = 0;
  /** The next chunk of the run; before its first one: none was placed. */
  #chunk = 0;
  /** Where the rest of a chunk with many samples starts, and the sample after them. */
  #offset = 0;
  #chunkEnd = 0;

  constructor(layout: ChunkLayout, tables: ChunkTables) {
    this.#layout = layout;
    this.#tables = tables;
  }

  /** Does about so many steps; returns how many, 0 when there is nothing left to do. */
  place(most: number): number {
    const { runs, chunks } = this.#tables;
    const count = runs.length / wordsOfRun;
    const layout = this.#layout;
    let steps = 0;
    while (steps < most && this.#run < count && this.sample < layout.samples) {
      const at = this.#run * wordsOfRun;
      const first = (runs[at] ?? 0) - 1;
      const next = this.#run + 1 < count ? (runs[at + wordsOfRun] ?? 0) - 1 : chunks;
      if (first < 0 || next < first) this.#failOrder(first, next);
      const description = this.#description(runs[at + 2] ?? 0);
      const perChunk = runs[at + 1] ?? 0;
      const end = next < chunks ? next : chunks;
      const from = this.#chunk > first ? this.#chunk : first;
      steps += 1 + (from < end ? this.#placeChunks(from, end, perChunk, description, most - steps) : 0);
      if (from >= end || this.#chunk >= end) this.#run++;
    }
    return steps;
  }

  /** Chunks `from` up to `end`, or as many as `most` steps take; returns how many those were. */
  #placeChunks(from: number, end: number, perChunk: number, description: number, most: number): number {
    const { offsets, isWide } = this.#tables;
    const before = this.sample;
    if (perChunk > maxChunkSamples) {
      this.#chunk = from;
      this.#placeLong(perChunk, description, most);
      return this.sample - before;
    }
    const limit = from + 1 + Math.floor(most / (perChunk + 1));
    const to = end < limit ? end : limit;
    this.sample = this.#layout.addChunks(offsets, isWide, from, to, perChunk, this.sample, description);
    this.#chunk = to;
    return this.sample - before + to - from;
  }

  /** A chunk, or as much of it as `most` steps take. */
  #placeLong(perChunk: number, description: number, most: number): void {
    const { offsets, isWide } = this.#tables;
    if (this.#chunkEnd <= this.sample) {
      const at = this.#chunk;
      this.#offset = isWide ? (offsets[at * 2] ?? 0) * 2 ** 32 + (offsets[at * 2 + 1] ?? 0) : (offsets[at] ?? 0);
      this.#chunkEnd = Math.min(this.#layout.samples, this.sample + perChunk);
    }
    const stop = Math.min(this.#chunkEnd, this.sample + Math.max(most, maxChunkSamples));
    this.#offset = this.#layout.add(this.#offset, this.sample, stop, description);
    this.sample = stop;
    if (stop === this.#chunkEnd) this.#chunk++;
  }

  #description(number: number): number {
    const { stsc, descriptions } = this.#tables;
    const found = descriptions[number - 1];
    if (found !== undefined) return found;
    return stsc.fail("no such sample entry", { expected: `1 to ${descriptions.length}`, got: number });
  }

  #failOrder(first: number, next: number): never {
    const details = { expected: `at least ${first + 1}`, got: next + 1 };
    this.#tables.stsc.fail("chunks are out of order", details);
  }
}
