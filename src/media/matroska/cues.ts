import { childOf, childrenOf, type Element, unsigned } from "./ebml.ts";
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

function* cuesOf({ place }: Segment, cues: Element, trackNumber: number): Generator<Cue> {
  for (const point of childrenOf(cues)) {
    if (point.id !== ids.cuePoint) continue;
    let time = -1;
    for (const child of childrenOf(point)) {
      if (child.id === ids.cueTime) time = unsigned(child, -1);
      const position = child.id === ids.cueTrackPositions ? clusterPosition(child, trackNumber) : -1;
      if (time >= 0 && position >= 0) yield { time, offset: place.contentOffset + position };
    }
  }
}

/** Where the cluster is that these positions name, after the start of the segment; -1 when they are another track's. */
function clusterPosition(positions: Element, trackNumber: number): number {
  let [track, position] = [0, -1];
  for (const child of childrenOf(positions)) {
    if (child.id === ids.cueTrack) track = unsigned(child, 0);
    else if (child.id === ids.cueClusterPosition) position = unsigned(child, -1);
  }
  return track === trackNumber ? position : -1;
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
  for (const point of cues === null || numbers.length === 0 ? [] : childrenOf(cues)) {
    const time = unsigned(childOf(point, ids.cueTime), -1);
    for (const positions of childrenOf(point)) {
      if (positions.id !== ids.cueTrackPositions || time < 0) continue;
      const list = found.get(unsigned(childOf(positions, ids.cueTrack), 0));
      const inCluster = unsigned(childOf(positions, ids.cueRelativePosition), -1);
      const offset = place.contentOffset + unsigned(childOf(positions, ids.cueClusterPosition), 0);
      const duration = unsigned(childOf(positions, ids.cueDuration), 0);
      list?.push({ time, offset, inCluster, duration });
    }
  }
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
