import { turn } from "../turn.ts";
import type { Box } from "./box.ts";

/** Samples of all tracks of a file: a day of 60 pictures a second with two tracks of 48 kHz AAC has 13 million. */
const maxSamples = 16_000_000;
/** A real sample takes at least this much of its file: an entry of `stsz` or `trun`, or as many bytes of its own. */
const minBytesPerSample = 4;
/** How often the bytes of a file may be named by samples: editors repeat still pictures. */
const maxOverlap = 8;
/** Bytes of all columns of a file's index: half of what is kept in memory for all videos. */
const maxIndexBytes = 64 * 2 ** 20;
/** Steps (a number read, a box looked at) after which others have their turn: a few milliseconds. */
const stepsPerTurn = 2 ** 15;
/** Steps that are done without asking whether the turn is over. */
const sliceSteps = 2 ** 13;

/** What all tracks of one file may take together, so that time and memory are bounded by the file's real size. */
export class FileLimits {
  readonly fileSize: number;
  #samples = 0;
  #sampleBytes = 0;
  #indexBytes = 0;
  #steps = 0;

  constructor(fileSize: number) {
    this.fileSize = fileSize;
  }

  /** To be called before anything is allocated for so many samples. */
  addSamples(box: Box, count: number): void {
    this.#samples += count;
    const most = Math.min(maxSamples, Math.floor(this.fileSize / minBytesPerSample));
    if (this.#samples > most) {
      const code = this.#samples > maxSamples ? "unsupported" : "not-a-video";
      box.fail("too many samples", { expected: `at most ${most}`, got: this.#samples, code });
    }
  }

  /** Bytes of samples: tracks that overlap each other are sent as if they did not. */
  addSampleBytes(box: Box, bytes: number): void {
    this.#sampleBytes += bytes;
    const most = this.fileSize * maxOverlap;
    if (this.#sampleBytes > most) {
      box.fail("samples overlap", { expected: `at most ${most} bytes`, got: this.#sampleBytes });
    }
  }

  /** To be called before so many bytes are allocated for the index. */
  addIndexBytes(box: Box, bytes: number): void {
    this.#indexBytes += bytes;
    if (this.#indexBytes > maxIndexBytes) {
      const details = { expected: `at most ${maxIndexBytes} bytes`, got: this.#indexBytes };
      box.fail("the index is too large", { ...details, code: "unsupported" });
    }
  }

  /** Counts steps; lets the rest of the process run when there were many. */
  async worked(steps: number): Promise<void> {
    this.#steps += steps;
    if (this.#steps < stepsPerTurn) return;
    this.#steps = 0;
    await turn();
  }

  /** Does `work` for 0 up to `count`, a slice at a time, until it returns false. */
  async inSlices(count: number, work: (from: number, to: number) => boolean | undefined): Promise<void> {
    for (let from = 0; from < count; from += sliceSteps) {
      const to = Math.min(count, from + sliceSteps);
      if (work(from, to) === false) return;
      await this.worked(to - from);
    }
  }
}
