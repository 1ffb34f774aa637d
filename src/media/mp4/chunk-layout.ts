import { type Column, type SampleColumns, valueAt } from "../sample-table.ts";
import type { Box } from "./box.ts";
import { columnOfWords } from "./columns.ts";
import type { FileLimits } from "./file-limits.ts";

/** Longest run of samples that is found by one look-up; `SampleTable.offsetOf` walks at most this far. */
export const maxChunkSamples = 256;

export type Chunks = Pick<SampleColumns, "chunkOffsets" | "chunkOffsetsHigh" | "chunkLengths" | "chunkEntries">;

/** Collects runs of samples: joins neighbours that touch, splits long ones, checks that they lie in the file. */
export class ChunkLayout {
  readonly #box: Box;
  readonly #sizes: Column;
  readonly #fileSize: number;
  /** How many samples there are. */
  readonly samples: number;
  /** Where the runs start: the lower 32 bits, and how many times 2^32 more. */
  readonly #offsets: Uint32Array;
  readonly #high: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #entries: Uint32Array;
  #count = 0;
  #end = -1;

  /** At most how many runs and samples there are. */
  constructor(box: Box, sizes: Column, fileSize: number, { runs, samples }: { runs: number; samples: number }) {
    const capacity = runs + Math.ceil(samples / maxChunkSamples) + 1;
    this.#box = box;
    this.#sizes = sizes;
    this.#fileSize = fileSize;
    this.samples = samples;
    this.#offsets = new Uint32Array(capacity);
    this.#high = new Uint32Array(capacity);
    this.#starts = new Uint32Array(capacity + 1);
    this.#entries = new Uint32Array(capacity);
  }

  /** Samples `first` up to `end` lie one after the other from `offset`. Returns where they end. */
  add(offset: number, first: number, end: number, description: number): number {
    for (let start = first; start < end; start += maxChunkSamples) {
      offset = this.#addRun(offset, start, Math.min(end, start + maxChunkSamples), description);
    }
    return offset;
  }

  /**
   * Chunks `first` up to `next` of so many samples each, `maxChunkSamples` at most; the first one begins with `sample`, the
   * last one may have fewer. `words`: where chunks start, two each when `isWide`. Returns the sample after them. Most films
   * have a chunk for each few samples and are opened by code that has not been compiled yet: one loop, no calls, no objects.
   */
  addChunks(
    words: Uint32Array,
    isWide: boolean,
    first: number,
    next: number,
    perChunk: number,
    sample: number,
    description: number,
  ): number {
    const sizes = this.#sizes;
    const offsets = this.#offsets;
    const high = this.#high;
    const starts = this.#starts;
    const entries = this.#entries;
    const same = sizes.length === 1 ? valueAt(sizes, 0) : -1;
    const samples = this.samples;
    const fileSize = this.#fileSize;
    let count = this.#count;
    let end = this.#end;
    let at = sample;
    for (let chunk = first; chunk < next && at < samples; chunk++) {
      const upper = isWide ? (words[chunk * 2] ?? 0) : 0;
      const lower = (isWide ? words[chunk * 2 + 1] : words[chunk]) ?? 0;
      const offset = upper * 0x1_0000_0000 + lower;
      const stop = at + perChunk < samples ? at + perChunk : samples;
      let bytes = 0;
      if (same >= 0) bytes = same * (stop - at);
      else for (let i = at; i < stop; i++) bytes += sizes[i] ?? 0;
      if (offset + bytes > fileSize) this.#failPastEnd(offset, offset + bytes);
      const last = count - 1;
      const joins = end === offset && entries[last] === description && stop - (starts[last] ?? 0) <= maxChunkSamples;
      if (!joins) {
        offsets[count] = lower;
        high[count] = upper;
        starts[count] = at;
        entries[count++] = description;
      }
      end = offset + bytes;
      at = stop;
    }
    this.#count = count;
    this.#end = end;
    return at;
  }

  #addRun(offset: number, first: number, end: number, description: number): number {
    let next = offset;
    if (this.#sizes.length === 1) next += (end - first) * valueAt(this.#sizes, 0);
    else for (let sample = first; sample < end; sample++) next += this.#sizes[sample] ?? 0;
    if (next > this.#fileSize) this.#failPastEnd(offset, next);
    const last = this.#count - 1;
    const joins =
      this.#end === offset && this.#entries[last] === description && end - (this.#starts[last] ?? 0) <= maxChunkSamples;
    if (!joins) {
      this.#offsets[this.#count] = offset >>> 0;
      this.#high[this.#count] = Math.floor(offset / 2 ** 32);
      this.#starts[this.#count] = first;
      this.#entries[this.#count] = description;
      this.#count++;
    }
    this.#end = next;
    return next;
  }

  #failPastEnd(offset: number, end: number): never {
    const details = { offset, expected: end, got: this.#fileSize };
    this.#box.fail("samples lie past the end of the file", { ...details, code: "truncated" });
  }

  async finish(limits: FileLimits, count: number): Promise<Chunks> {
    const runs = this.#count;
    this.#starts[runs] = count;
    const column = async (numbers: Uint32Array) =>
      (await columnOfWords(limits, this.#box, numbers.subarray(0, runs))).column;
    return {
      chunkOffsets: await column(this.#offsets),
      chunkOffsetsHigh: await column(this.#high),
      chunkLengths: await column(await this.#lengths(limits)),
      chunkEntries: await column(this.#entries),
    };
  }

  async #lengths(limits: FileLimits): Promise<Uint32Array> {
    const [starts, lengths] = [this.#starts, new Uint32Array(this.#count)];
    await limits.inSlices(lengths.length, (from, to) => {
      for (let run = from; run < to; run++) lengths[run] = (starts[run + 1] ?? 0) - (starts[run] ?? 0);
      return true;
    });
    return lengths;
  }
}
