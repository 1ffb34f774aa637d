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

/** A table of runs: how many samples have the same value. */
export interface Runs {
  readonly entries: number;
  readonly samplesOf: (entry: number) => number;
  readonly valueAt: (entry: number) => number;
  /** What the samples after the last run have. */
  readonly otherwise: number;
}

/** The values of `count` samples from the runs of `stts` and `ctts`. */
export async function expandRuns(limits: FileLimits, box: Box, count: number, runs: Runs): Promise<Column> {
  const { entries, samplesOf, valueAt, otherwise } = runs;
  let [sample, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const include = (value: number) => {
    if (value < min) min = value;
    if (value > max) max = value;
  };
  await limits.inSlices(entries, (from, to) => {
    for (let entry = from; entry < to && sample < count; entry++) {
      const samples = samplesOf(entry);
      if (samples > 0) include(valueAt(entry));
      sample += samples;
    }
    return sample < count;
  });
  if (sample < count) include(otherwise);
  const column = allocate(limits, box, { min, max, count });
  if (min >= max) return column.fill(min);
  sample = 0;
  await limits.inSlices(entries, (from, to) => {
    for (let entry = from; entry < to && sample < count; entry++) {
      const end = Math.min(count, sample + samplesOf(entry));
      column.fill(valueAt(entry), sample, end);
      sample = end;
    }
    return sample < count;
  });
  return column.fill(otherwise, sample);
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
