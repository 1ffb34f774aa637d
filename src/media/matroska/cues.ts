import { type Element, eachChild, numberAt } from "./ebml.ts";
import { ids } from "./ids.ts";
import type { Segment } from "./segment.ts";
import { maxCues, msOf, type TextClock, type TextPlaces } from "./text-blocks.ts";

/** Seconds between two cues at most; where they are farther apart, the file is indexed whole. */
const maxGapSeconds = 30;
/** Bytes between two cues at most. */
const maxGapBytes = 2 ** 30;
/** Seconds of a region at least, unless its cluster is shorter. */
const minRegionSeconds = 1;

/** Key frames of a track and where their clusters start, in ascending order. */
export interface Cues {
  /** In ticks of the segment. */
  readonly times: Float64Array;
  /** In which region (`regionOffsets`) the cluster of each lies. */
  readonly regions: Uint32Array;
  /** Where each region starts, which is where a cluster does; and the end of the last one. */
  readonly regionOffsets: Float64Array;
}

interface Cue {
  readonly time: number;
  readonly offset: number;
}

/** The cues of a track; null when there are none or when they do not cover the file. */
export function readCues(segment: Segment, trackNumber: number): Cues | null {
  const { cues, firstCluster, end, timestampScale, durationSeconds } = segment;
  if (cues === null || firstCluster === null) return null;
  const found = ascending(cuesOf(segment, cues, trackNumber), firstCluster.offset, end);
  const first = found[0];
  const last = found.at(-1);
  if (first === undefined || last === undefined) return null;
  const ticks = 1e9 / timestampScale;
  const places = [
    { time: 0, offset: firstCluster.offset },
    ...found,
    { time: Math.max(last.time, durationSeconds * ticks), offset: end },
  ];
  const isSparse = places.some(({ time, offset }, i) => {
    const next = places[i + 1] ?? { time, offset };
    return next.time - time > maxGapSeconds * ticks || next.offset - offset > maxGapBytes;
  });
  if (isSparse) return null;
  const offsets = regionsOf(found, firstCluster.offset, minRegionSeconds * ticks);
  return {
    times: Float64Array.from(found, ({ time }) => time),
    regions: Uint32Array.from(found, ({ offset }) => regionAt(offsets, offset)),
    regionOffsets: Float64Array.from([...offsets, end]),
  };
}

function cuesOf({ place }: Segment, cues: Element, trackNumber: number): Cue[] {
  const found: Cue[] = [];
  eachPosition(cues, ({ time, track, position }) => {
    if (track === trackNumber && time >= 0 && position >= 0)
      found.push({ time, offset: place.contentOffset + position });
  });
  return found;
}

/** What `CueTrackPositions` tells, and the time of its `CuePoint`; -1 and 0 where it does not. */
interface CuePosition {
  time: number;
  track: number;
  /** Of the cluster, after the start of the segment's content. */
  position: number;
  inCluster: number;
  duration: number;
}

/** Gives each position to `take`, which must not keep it: a long film has thousands, so no objects are made of them. */
function eachPosition({ content }: Element, take: (cue: Readonly<CuePosition>) => void): void {
  const cue: CuePosition = { time: -1, track: 0, position: -1, inCluster: -1, duration: 0 };
  const readPosition = (id: number, at: number, end: number) => {
    if (id === ids.cueTrack) cue.track = numberAt(content, at, end);
    else if (id === ids.cueClusterPosition) cue.position = numberAt(content, at, end);
    else if (id === ids.cueRelativePosition) cue.inCluster = numberAt(content, at, end);
    else if (id === ids.cueDuration) cue.duration = numberAt(content, at, end);
  };
  const readPoint = (id: number, at: number, end: number) => {
    if (id === ids.cueTime) cue.time = numberAt(content, at, end);
    if (id !== ids.cueTrackPositions) return;
    [cue.track, cue.position, cue.inCluster, cue.duration] = [0, -1, -1, 0];
    eachChild(content, at, end, readPosition);
    take(cue);
  };
  eachChild(content, 0, content.length, (id, at, end) => {
    if (id !== ids.cuePoint) return;
    cue.time = -1;
    eachChild(content, at, end, readPoint);
  });
}

/** By time; without those that lie outside of the clusters or lead back. */
function ascending(cues: Iterable<Cue>, from: number, end: number): Cue[] {
  const kept: Cue[] = [];
  for (const cue of [...cues].sort((a, b) => a.time - b.time)) {
    const last = kept.at(-1);
    const isAhead = last === undefined || (cue.time > last.time && cue.offset >= last.offset);
    if (isAhead && cue.offset >= from && cue.offset < end) kept.push(cue);
  }
  return kept;
}

function regionsOf(cues: readonly Cue[], firstOffset: number, minTicks: number): number[] {
  const offsets = [firstOffset];
  let lastTime = cues[0]?.time ?? 0;
  for (const { time, offset } of cues) {
    if (offset === offsets.at(-1) || time - lastTime < minTicks) continue;
    offsets.push(offset);
    lastTime = time;
  }
  return offsets;
}

/** The last region that starts at or before a place. */
function regionAt(offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((offsets[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface TextCue extends Cue {
  readonly inCluster: number;
  readonly duration: number;
}

/** Where the blocks of these tracks are; without those tracks whose cues do not name the blocks themselves. */
export function readTextCues(
  { cues, place }: Segment,
  numbers: readonly number[],
  clock: TextClock,
): ReadonlyMap<number, TextPlaces> {
  const found = new Map<number, TextCue[]>(numbers.map((number) => [number, []]));
  if (cues === null || numbers.length === 0) return new Map();
  eachPosition(cues, ({ time, track, position, inCluster, duration }) => {
    const offset = place.contentOffset + Math.max(0, position);
    if (time >= 0) found.get(track)?.push({ time, offset, inCluster, duration });
  });
  const named = [...found].filter(([, list]) => list.length > 0 && list.every(({ inCluster }) => inCluster >= 0));
  return new Map(named.map(([number, list]) => [number, textPlacesOf(list, clock)]));
}

function textPlacesOf(cues: readonly TextCue[], clock: TextClock): TextPlaces {
  const sorted = cues.toSorted((a, b) => a.time - b.time).slice(0, maxCues);
  return {
    startMs: Float64Array.from(sorted, ({ time }) => msOf(time, clock)),
    endMs: Float64Array.from(sorted, ({ time, duration }) => (duration > 0 ? msOf(time + duration, clock) : 0)),
    offsets: Float64Array.from(sorted, ({ offset }) => offset),
    inClusters: Uint32Array.from(sorted, ({ inCluster }) => inCluster),
  };
}
