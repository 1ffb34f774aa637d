import { type Column, type SampleColumns, valueAt } from "../sample-table.ts";
import type { Box } from "./box.ts";
import { columnOfWords } from "./columns.ts";
import type { FileLimits } from "./file-limits.ts";

/** Longest run of samples that is found by one look-up; `SampleTable.offsetOf` walks at most this far. */
const maxChunkSamples = 256;

export type Chunks = Pick<SampleColumns, "chunkOffsets" | "chunkOffsetsHigh" | "chunkLengths" | "chunkEntries">;

/** Collects runs of samples: joins neighbours that touch, splits long ones, checks that they lie in the file. */
export class ChunkLayout {
  readonly #box: Box;
  readonly #sizes: Column;
  readonly #fileSize: number;
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

  #addRun(offset: number, first: number, end: number, description: number): number {
    let next = offset;
    if (this.#sizes.length === 1) next += (end - first) * valueAt(this.#sizes, 0);
    else for (let sample = first; sample < end; sample++) next += this.#sizes[sample] ?? 0;
    if (next > this.#fileSize) {
      this.#box.fail("samples lie past the end of the file", {
        offset,
        expected: next,
        got: this.#fileSize,
        code: "truncated",
      });
    }
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
