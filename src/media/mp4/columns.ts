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

/** Numbers that were read, all of them, in the narrowest array. */
export function columnOf(
  limits: FileLimits,
  box: Box,
  values: Uint32Array | Uint16Array,
  { min, max }: { min: number; max: number },
): Column {
  const column = allocate(limits, box, { min, max, count: values.length });
  column.set(values.subarray(0, column.length));
  return column;
}

/** The same as `readColumn` for numbers that were read already. */
export async function columnOfWords(
  limits: FileLimits,
  box: Box,
  words: Uint32Array,
): Promise<{ column: Column; sum: number }> {
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  await limits.inSlices(words.length, (from, to) => {
    for (let i = from; i < to; i++) {
      const value = words[i] ?? 0;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
  });
  return { column: columnOf(limits, box, words, { min, max }), sum };
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
  const { entries, words, least, otherwise } = runs;
  const values = new Int32Array(words.buffer, words.byteOffset, words.length);
  let [sample, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  await limits.inSlices(entries, (from, to) => {
    for (let entry = from; entry < to && sample < count; entry++) {
      const samples = words[entry * 2] ?? 0;
      if (samples === 0) continue;
      const value = values[entry * 2 + 1] ?? 0;
      if (value < min) min = value;
      if (value > max) max = value;
      sample += samples;
    }
    return sample < count;
  });
  [min, max] = [Math.max(min, least), Math.max(max, least)];
  if (sample < count) [min, max] = [Math.min(min, otherwise), Math.max(max, otherwise)];
  const column = allocate(limits, box, { min, max, count });
  if (min >= max) return column.fill(min);
  sample = 0;
  await limits.inSlices(entries, (from, to) => {
    for (let entry = from; entry < to && sample < count; entry++) {
      const samples = words[entry * 2] ?? 0;
      const own = values[entry * 2 + 1] ?? 0;
      const value = own < least ? least : own;
      if (samples === 1) column[sample] = value;
      else column.fill(value, sample, Math.min(count, sample + samples));
      sample += samples;
    }
    return sample < count;
  });
  return sample < count ? column.fill(otherwise, sample) : column;
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
