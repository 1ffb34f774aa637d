import { type Column, columnFor } from "../sample-table.ts";
import type { Box } from "./box.ts";
import type { FileLimits } from "./file-limits.ts";

/** `count` values in the narrowest array, one element when they are all the same, and their sum. */
export async function readColumn(
  limits: FileLimits,
  box: Box,
  count: number,
  valueAt: (index: number) => number,
): Promise<{ column: Column; sum: number }> {
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  await limits.inSlices(count, (from, to) => {
    for (let i = from; i < to; i++) {
      const value = valueAt(i);
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
  });
  const column = allocate(limits, box, { min, max, count });
  await limits.inSlices(column.length, (from, to) => {
    for (let i = from; i < to; i++) column[i] = valueAt(i);
  });
  return { column, sum };
}

/** What some numbers are between, and their sum. */
interface Bounds {
  min: number;
  max: number;
  sum: number;
}

const noBounds = (): Bounds => ({ min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0 });

/** Takes in some of these numbers. One function for all columns: it is compiled while the first is read. */
function include(words: Uint32Array, from: number, to: number, bounds: Bounds): void {
  let { min, max, sum } = bounds;
  for (let i = from; i < to; i++) {
    const value = words[i] ?? 0;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  Object.assign(bounds, { min, max, sum });
}

/** The same as `readColumn` for numbers that were read already. */
export async function columnOfWords(
  limits: FileLimits,
  box: Box,
  words: Uint32Array,
): Promise<{ column: Column; sum: number }> {
  const bounds = noBounds();
  await limits.inSlices(words.length, (from, to) => {
    include(words, from, to, bounds);
    return true;
  });
  const column = allocate(limits, box, { ...bounds, count: words.length });
  column.set(words.subarray(0, column.length));
  return { column, sum: bounds.sum };
}

/** Bytes that are turned around in one piece of work. */
const turnedAtOnce = 2 ** 20;

/**
 * `count` numbers of 32 bits from `at`, copied to an array of the machine's own order: most films are opened by code that
 * has not been compiled yet, for which a call for each number is what takes the time.
 */
export async function readWords(limits: FileLimits, box: Box, at: number, count: number): Promise<Uint32Array> {
  box.need(at, count * 4);
  const words = new Uint32Array(count);
  const bytes = Buffer.from(words.buffer);
  for (let from = 0; from < bytes.length; from += turnedAtOnce) {
    const part = bytes.subarray(from, from + turnedAtOnce);
    part.set(box.content.subarray(at + from, at + from + part.length));
    // Every machine that Bun runs on is a little-endian one.
    part.swap32();
    await limits.worked(part.length / 64);
  }
  return words;
}

/** A table of runs: how many samples have the same value. */
export interface Runs {
  readonly entries: number;
  /** Of each entry how many samples, and their value. */
  readonly words: Uint32Array;
  /** Values are signed; what is below this counts as this. */
  readonly least: number;
  /** What the samples after the last run have. */
  readonly otherwise: number;
}

/** The values of `count` samples from the runs of `stts` and `ctts`. */
export async function expandRuns(limits: FileLimits, box: Box, count: number, runs: Runs): Promise<Column> {
  const { entries, least, otherwise } = runs;
  const table = { words: runs.words, values: new Int32Array(runs.words.buffer) };
  const bounds = { ...noBounds(), samples: 0 };
  await limits.inSlices(entries, (from, to) => {
    includeRuns(table, from, to, { bounds, count });
    return bounds.samples < count;
  });
  const isShort = bounds.samples < count;
  const min = Math.min(Math.max(bounds.min, least), isShort ? otherwise : Number.POSITIVE_INFINITY);
  const max = Math.max(Math.max(bounds.max, least), isShort ? otherwise : Number.NEGATIVE_INFINITY);
  const column = allocate(limits, box, { min, max, count });
  if (min >= max) return column.fill(min);
  let sample = 0;
  await limits.inSlices(entries, (from, to) => {
    sample = spreadRuns(table, from, to, { column, sample, least });
    return sample < count;
  });
  return sample < count ? column.fill(otherwise, sample) : column;
}

/** The words of a table of runs, and the same as signed numbers. */
interface RunTable {
  readonly words: Uint32Array;
  readonly values: Int32Array;
}

function includeRuns(
  { words, values }: RunTable,
  from: number,
  to: number,
  { bounds, count }: { bounds: Bounds & { samples: number }; count: number },
): void {
  let { min, max, samples } = bounds;
  for (let at = from * 2; at < to * 2 && samples < count; at += 2) {
    const run = words[at] ?? 0;
    if (run === 0) continue;
    const value = values[at + 1] ?? 0;
    if (value < min) min = value;
    if (value > max) max = value;
    samples += run;
  }
  Object.assign(bounds, { min, max, samples });
}

/** Returns the sample after the last one that has its value. */
function spreadRuns(
  { words, values }: RunTable,
  from: number,
  to: number,
  { column, sample, least }: { column: Column; sample: number; least: number },
): number {
  let next = sample;
  for (let at = from * 2; at < to * 2; at += 2) {
    const run = words[at] ?? 0;
    const value = values[at + 1] ?? 0;
    if (run === 1) column[next] = value < least ? least : value;
    else column.fill(value < least ? least : value, next, next + run);
    next += run;
  }
  return next;
}

function allocate(
  limits: FileLimits,
  box: Box,
  { min, max, count }: { min: number; max: number; count: number },
): Column {
  const length = min < max ? count : Math.min(count, 1);
  // The least: most columns are narrower than what `stsz` and its like have.
  limits.addIndexBytes(box, length);
  const column = columnFor(min, max, length);
  limits.addIndexBytes(box, column.byteLength - length);
  return column;
}
