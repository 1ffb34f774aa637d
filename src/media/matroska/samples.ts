import { type Column, narrow, type SampleColumns, SampleTable } from "../sample-table.ts";
import { ascending, atOnce, eachIndex, inTurns, type Work } from "../work.ts";
import type { FrameList } from "./frames.ts";

/** How frames of a track become samples. */
export interface FrameClock {
  readonly kind: "video" | "audio";
  /** Ticks of the track for each tick of the segment. */
  readonly ratio: number;
  /** Segment ticks of a frame; 0 when not known. */
  readonly frameTicks: number;
  /** What each frame is sent with at its start. */
  readonly prefixBytes: number;
  /** Ticks of the track that pictures are decoded earlier than they are first shown: 0 where none waits for another. */
  readonly reorderTicks: number;
  /** Ticks of the track that all of it is sent later, which its media time makes up for. */
  readonly leadTicks: number;
}

/** A time of the segment in ticks of the track. */
export const toTicks = ({ ratio }: Pick<FrameClock, "ratio">, time: number) => Math.round(time * ratio);

/** Samples, and when the first one is decoded in ticks, lead included. */
export interface TimedSamples {
  readonly samples: SampleTable;
  readonly startTicks: number;
}

/**
 * The samples of some frames, which follow each other in the file. Matroska tells when pictures are shown; they are
 * decoded at the same times in ascending order, and shown `reorderTicks` later, which is the media time of the edit list.
 * `nextTime` is when the first frame after them is shown in segment ticks, null when there is none.
 */
export const samplesOf = (frames: FrameList, clock: FrameClock, nextTime: number | null): TimedSamples =>
  atOnce(sampling(frames, clock, nextTime));

/** The same for all frames of a file, with turns for others. */
export const samplesInTurns = (frames: FrameList, clock: FrameClock): Promise<TimedSamples> =>
  inTurns(sampling(frames, clock, null));

function* sampling(frames: FrameList, clock: FrameClock, nextTime: number | null): Work<TimedSamples> {
  const { count } = frames;
  const isVideo = clock.kind === "video";
  const shown = yield* shownTicks(frames, clock);
  const decoded = isVideo ? yield* ascending(shown) : yield* rising(shown);
  const end = nextTime === null ? endOf(frames, decoded, clock) : toTicks(clock, nextTime);
  const durations = yield* columnOf(count, (i) =>
    Math.max(0, (i + 1 < count ? (decoded[i + 1] ?? 0) : end) - (decoded[i] ?? 0)),
  );
  const offsets = yield* columnOf(isVideo ? count : 1, (i) =>
    isVideo ? (shown[i] ?? 0) - (decoded[i] ?? 0) + clock.reorderTicks : 0,
  );
  const columns: SampleColumns = {
    count,
    sizes: yield* columnOf(count, (i) => (frames.sizes[i] ?? 0) + clock.prefixBytes),
    durations,
    compositionOffsets: offsets,
    syncSamples: isVideo ? keyFrames(frames) : null,
    chunkOffsets: yield* columnOf(count, (i) => (frames.offsets[i] ?? 0) % 2 ** 32),
    chunkOffsetsHigh: yield* columnOf(count, (i) => Math.floor((frames.offsets[i] ?? 0) / 2 ** 32)),
    chunkLengths: new Uint8Array([1]),
    chunkEntries: new Uint8Array([1]),
  };
  yield;
  return { samples: new SampleTable(columns), startTicks: (decoded[0] ?? 0) + clock.leadTicks };
}

function* columnOf(count: number, valueAt: (index: number) => number): Work<Column> {
  const values = new Float64Array(count);
  yield* eachIndex(count, (i) => {
    values[i] = valueAt(i);
  });
  return narrow(values);
}

/** When frames are shown, in ticks of the track. */
function* shownTicks({ times, count }: FrameList, clock: Pick<FrameClock, "ratio">): Work<Float64Array> {
  const shown = new Float64Array(count);
  yield* eachIndex(count, (i) => {
    shown[i] = toTicks(clock, times[i] ?? 0);
  });
  return shown;
}

/** How far some pictures are shown before others that are decoded first, in ticks of the track; with turns for others. */
export const reorderTicksOf = (frames: FrameList, clock: Pick<FrameClock, "ratio">): Promise<number> =>
  inTurns(reordering(frames, clock));

function* reordering(frames: FrameList, clock: Pick<FrameClock, "ratio">): Work<number> {
  const shown = yield* shownTicks(frames, clock);
  const decoded = yield* ascending(shown);
  let most = 0;
  yield* eachIndex(frames.count, (i) => {
    most = Math.max(most, (decoded[i] ?? 0) - (shown[i] ?? 0));
  });
  return most;
}

/** Sound is not reordered: a packet that is said to come before the last one comes with it. */
function* rising(times: Float64Array): Work<Float64Array> {
  let latest = Number.NEGATIVE_INFINITY;
  const risen = new Float64Array(times.length);
  yield* eachIndex(times.length, (i) => {
    latest = Math.max(latest, times[i] ?? 0);
    risen[i] = latest;
  });
  return risen;
}

/** When the last frame ends: as its block tells, else as all frames last, else as the one before lasts. */
function endOf(frames: FrameList, decoded: Float64Array, clock: FrameClock): number {
  const last = decoded.at(-1) ?? 0;
  const latest = latestFrame(frames);
  const ticks = frames.durations[latest] || clock.frameTicks;
  const padding = Math.min(frames.paddings[latest] ?? 0, ticks);
  if (ticks > 0) return toTicks(clock, (frames.times[latest] ?? 0) + ticks - padding);
  return last + Math.max(0, last - (decoded.at(-2) ?? last));
}

/** The frame that is shown last. */
function latestFrame({ times, count }: FrameList): number {
  let latest = Math.max(0, count - 1);
  for (let i = count - 1; i >= 0; i--) if ((times[i] ?? 0) > (times[latest] ?? 0)) latest = i;
  return latest;
}

function keyFrames({ keys, count }: FrameList): Uint32Array | null {
  let total = 0;
  for (let i = 0; i < count; i++) total += keys[i] ?? 0;
  if (total === count) return null;
  const found = new Uint32Array(total);
  for (let i = 0, at = 0; i < count; i++) if (keys[i] === 1) found[at++] = i;
  return found;
}
