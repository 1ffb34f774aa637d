import { turn } from "../turn.ts";
import type { SampleRecord } from "./elementary-stream.ts";
import { differences, forEachIndex, type GrowingColumn } from "./growing-column.ts";
import { clockRate } from "./pes.ts";

/** Time stamps of sound that are off by less than this are rounded or jitter: sound goes on without a gap. */
const toleratedSeconds = 0.005;
/** The length of a picture where nothing tells it. */
const defaultPicture = clockRate / 25;
/** Pictures whose distances tell the usual one. */
const sampledPictures = 1000;

/** When the samples of a track are; durations and offsets in ticks of the track. */
export interface Timing {
  readonly timescale: number;
  /** When the first sample is decoded, and when the first one is presented, in ticks of 90 kHz. */
  readonly firstDecode: number;
  readonly firstPresentation: number;
  readonly durations: Float64Array;
  readonly compositionOffsets: Float64Array;
}

/**
 * Times of pictures, in ticks of 90 kHz. Pictures without stamps lie evenly between those with. `tickSeconds`: of a
 * field, where the stream tells it.
 */
export async function pictureTiming(
  record: SampleRecord,
  hasDecodeTimes: boolean,
  pictureTicks: number | null,
): Promise<Timing> {
  const usual = usualStep(record.dts.values) ?? pictureTicks ?? defaultPicture;
  const pts = record.pts.values.slice();
  const dts = record.dts.values.slice();
  if (record.hasMissingTimes) {
    fillTimes(dts, usual);
    await turn();
    await forEachIndex(pts.length, (i) => {
      if (Number.isNaN(pts[i])) pts[i] = dts[i] ?? 0;
    });
  }
  if (!hasDecodeTimes) await deriveDecodeTimes(pts, dts);
  let firstPresentation = pts[0] ?? 0;
  const durations = new Float64Array(dts.length);
  const makeTimesGoOn = (i: number) => {
    firstPresentation = Math.min(firstPresentation, pts[i] ?? 0);
    dts[i] = Math.max(dts[i] ?? 0, (dts[i - 1] ?? 0) + 1);
    durations[i - 1] = (dts[i] ?? 0) - (dts[i - 1] ?? 0);
  };
  await forEachIndex(dts.length, makeTimesGoOn, 1);
  durations[dts.length - 1] = dts.length > 1 ? Math.min(durations[dts.length - 2] ?? usual, usual * 2) : usual;
  const compositionOffsets = await differences(pts, dts);
  return { timescale: clockRate, firstDecode: dts[0] ?? 0, firstPresentation, durations, compositionOffsets };
}

/** The middle one of the distances between the first stamps; null when there are none. */
function usualStep(times: Float64Array): number | null {
  const steps: number[] = [];
  for (let i = 1; i < Math.min(times.length, sampledPictures); i++) {
    const step = (times[i] ?? 0) - (times[i - 1] ?? 0);
    if (step > 0) steps.push(step);
  }
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? null;
}

/** Puts times where there are none: evenly between the ones around, or one after the other at the end. */
function fillTimes(times: Float64Array, step: number): void {
  const first = times.findIndex((time) => !Number.isNaN(time));
  if (first < 0) {
    for (let i = 0; i < times.length; i++) times[i] = Math.round(i * step);
    return;
  }
  for (let i = first - 1; i >= 0; i--) times[i] = (times[i + 1] ?? 0) - step;
  for (let i = first; i < times.length; ) {
    let next = i + 1;
    while (next < times.length && Number.isNaN(times[next])) next++;
    const start = times[i] ?? 0;
    const pace = next < times.length ? ((times[next] ?? 0) - start) / (next - i) : step;
    for (let missing = i + 1; missing < next; missing++) times[missing] = Math.round(start + (missing - i) * pace);
    i = next;
  }
}

/** Where only presentation times are told: the same times in order, early enough for every picture. */
async function deriveDecodeTimes(pts: Float64Array, dts: Float64Array): Promise<void> {
  let isInOrder = true;
  await forEachIndex(
    pts.length,
    (i) => {
      isInOrder &&= (pts[i] ?? 0) >= (pts[i - 1] ?? 0);
    },
    1,
  );
  if (isInOrder) return;
  dts.set(pts.toSorted());
  let early = 0;
  await forEachIndex(pts.length, (i) => {
    early = Math.max(early, (dts[i] ?? 0) - (pts[i] ?? 0));
  });
  await forEachIndex(dts.length, (i) => {
    dts[i] = (dts[i] ?? 0) - early;
  });
}

interface SoundLengths {
  readonly lengths: GrowingColumn;
  readonly gaps: Float64Array;
  readonly timescale: number;
}

/**
 * Times of sound, in its own samples: frames follow each other, as they do in what was recorded; where time stamps
 * say otherwise a frame lasts longer or shorter. `lengths`: of each frame, in ticks of `timescale`; `gaps`: frames
 * before which others may be missing.
 */
export async function soundTiming(record: SampleRecord, { lengths, gaps, timescale }: SoundLengths): Promise<Timing> {
  const { pts } = record;
  const durations = lengths.values.slice();
  stampGaps(pts, durations, gaps, clockRate / timescale);
  const first = pts.values.findIndex((time) => !Number.isNaN(time));
  const tolerated = toleratedSeconds * timescale;
  let start = first < 0 ? 0 : pts.at(first);
  for (let i = 0; i < first; i++) start -= ((durations[i] ?? 0) * clockRate) / timescale;
  let time = 0;
  const follow = (i: number) => {
    const before = durations[i - 1] ?? 0;
    const told = ((pts.at(i) - start) * timescale) / clockRate;
    const off = told - (time + before);
    // `NaN` is not: most frames have no stamp of their own.
    if (Math.abs(off) > tolerated) durations[i - 1] = Math.max(1, Math.round(before + off));
    time += durations[i - 1] ?? 0;
  };
  await forEachIndex(durations.length, follow, 1);
  return {
    timescale,
    firstDecode: start,
    firstPresentation: start,
    durations,
    compositionOffsets: new Float64Array(durations.length),
  };
}

/** Frames after a gap end where the next stamped one starts. */
function stampGaps(pts: GrowingColumn, durations: Float64Array, gaps: Float64Array, ticks: number): void {
  for (let gap = 0; gap < gaps.length; gap++) {
    const first = gaps[gap] ?? 0;
    const end = gaps[gap + 1] ?? durations.length;
    let [next, length] = [first, 0];
    while (next < end && Number.isNaN(pts.at(next))) length += durations[next++] ?? 0;
    if (next > first && next < end) pts.set(first, pts.at(next) - length * ticks);
  }
}
