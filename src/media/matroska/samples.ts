import { narrow, offsetColumns, type SampleColumns, SampleTable } from "../sample-table.ts";
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

/**
 * The samples of some frames, which follow each other in the file, and the decode time of the first one in ticks, lead included.
 * Matroska tells when pictures are shown; they are decoded at the same times in ascending order, and shown
 * `reorderTicks` later, which is the media time of the edit list. `nextTime` is when the first frame after them is shown
 * in segment ticks, null when there is none.
 */
export function samplesOf(
  frames: FrameList,
  clock: FrameClock,
  nextTime: number | null,
): { samples: SampleTable; startTicks: number } {
  const { count } = frames;
  const shown = frames.times.slice(0, count).map((time) => toTicks(clock, time));
  const decoded = clock.kind === "video" ? shown.toSorted() : rising(shown);
  const end = nextTime === null ? endOf(frames, decoded, clock) : toTicks(clock, nextTime);
  const durations = decoded.map((time, i) => Math.max(0, (i + 1 < count ? (decoded[i + 1] ?? 0) : end) - time));
  const offsets =
    clock.kind === "video"
      ? shown.map((time, i) => time - (decoded[i] ?? 0) + clock.reorderTicks)
      : new Float64Array(1);
  const columns: SampleColumns = {
    count,
    sizes: narrow(frames.sizes.slice(0, count).map((size) => size + clock.prefixBytes)),
    durations: narrow(durations),
    compositionOffsets: narrow(offsets),
    syncSamples: clock.kind === "video" ? keyFrames(frames) : null,
    ...offsetColumns(frames.offsets.slice(0, count)),
    chunkLengths: new Uint8Array([1]),
    chunkEntries: new Uint8Array([1]),
  };
  return { samples: new SampleTable(columns), startTicks: (decoded[0] ?? 0) + clock.leadTicks };
}

/** How far some pictures are shown before others that are decoded first, in ticks of the track. */
export function reorderTicksOf(frames: FrameList, clock: Pick<FrameClock, "ratio">): number {
  const shown = frames.times.slice(0, frames.count).map((time) => toTicks(clock, time));
  const decoded = shown.toSorted();
  return shown.reduce((most, time, i) => Math.max(most, (decoded[i] ?? 0) - time), 0);
}

/** Sound is not reordered: a packet that is said to come before the last one comes with it. */
function rising(times: Float64Array): Float64Array {
  let latest = Number.NEGATIVE_INFINITY;
  return times.map((time) => {
    latest = Math.max(latest, time);
    return latest;
  });
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
export function latestFrame({ times, count }: FrameList): number {
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
