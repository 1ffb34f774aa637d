import type { Track } from "../movie.ts";
import { packetRanges } from "../mpegts/packet-ranges.ts";
import { type Column, valueAt } from "../sample-table.ts";
import type { PlanPart } from "../segment-plan.ts";
import type { Lead } from "./lead.ts";

/** A range that carries more foreign bytes than this is not sent verbatim. */
const maxWaste = 0.1;
/** `data_offset` has 31 bits; farther away the samples are gathered. */
const maxVerbatimBytes = 2 ** 31 - 2 ** 24;

/** Samples that lie one after the other in the original. */
export interface Run {
  readonly firstSample: number;
  count: number;
  readonly offset: number;
  length: number;
}

/** What a fragment (`moof`, `mdat`) of some samples looks like: all that its size depends on. */
export interface FragmentShape {
  readonly track: Track;
  readonly from: number;
  readonly to: number;
  /** What comes before the first sample's own time; null in all segments but the first. */
  readonly lead: Lead | null;
  /** How many samples are sent: silence is none of `from` to `to`. */
  readonly sampleCount: number;
  /** Whether the original's bytes are sent as they are, with what lies in between. */
  readonly verbatim: boolean;
  /** How many `trun` there are. */
  readonly runCount: number;
  readonly payloadBytes: number;
  /** Bytes of the payload before its first sample. */
  readonly leadBytes: number;
  /** Same for all samples, or null when each `trun` entry tells. */
  readonly duration: number | null;
  readonly size: number | null;
  readonly hasCompositionOffsets: boolean;
  readonly hasNegativeOffsets: boolean;
  readonly sync: "all" | "first" | "each";
}

/** A fragment with its samples' places. */
export interface Fragment extends FragmentShape {
  /** One `trun` each. */
  readonly runs: readonly Run[];
  /** Where what `mdat` holds starts, in the offsets of `runs`. */
  readonly base: number;
  /** What `mdat` holds, in order. */
  readonly ranges: readonly PlanPart[];
}

/** Samples of a track, and what comes before them. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly lead: Lead | null;
}

/** Looks at samples of a track. */
export function measureFragment(track: Track, stretch: Stretch): FragmentShape {
  const { from, to } = stretch;
  return shapeOf(track, stretch, isGathered(track) ? sumSizes(track, from, to) : findRuns(track, from, to, null));
}

/** The same, with the places of the samples. */
export function layOutFragment(track: Track, stretch: Stretch): Fragment {
  const { from, to } = stretch;
  const runs: Run[] = [];
  const extent = track.packets ? sumSizes(track, from, to) : findRuns(track, from, to, runs);
  const shape = shapeOf(track, stretch, extent);
  if (shape.verbatim) {
    const { start, end } = extent;
    return { ...shape, runs, base: start, ranges: [{ offset: start, length: end - start }] };
  }
  const gathered: Run = { firstSample: from, count: to - from, offset: 0, length: extent.sampleBytes };
  const ranges = [...silenceBefore(stretch), ...gather(track, from, to, runs)];
  return { ...shape, runs: [gathered], base: 0, ranges };
}

/** Whether its samples are gathered wherever they lie. */
const isGathered = ({ kind, samplePrefix, packets }: Track) =>
  kind !== "video" || samplePrefix !== undefined || packets !== undefined;

function silenceBefore({ lead }: Stretch): PlanPart[] {
  if (lead === null || lead.silence === null) return [];
  const { count, packet } = lead.silence;
  const bytes = new Uint8Array(count * packet.length);
  for (let i = 0; i < count; i++) bytes.set(packet, i * packet.length);
  return [{ bytes }];
}

/** What the samples are sent from where they are not sent as they lie. */
function gather(track: Track, from: number, to: number, runs: readonly Run[]): readonly PlanPart[] {
  const { samples, samplePrefix, packets } = track;
  if (packets) return packetRanges(packets, samples, from, to);
  if (samplePrefix === undefined) return runs.filter(({ length }) => length > 0);
  const parts: PlanPart[] = [];
  for (let sample = from; sample < to; sample++) {
    const length = samples.sizeOf(sample) - samplePrefix.length;
    parts.push({ bytes: samplePrefix });
    if (length > 0) parts.push({ offset: samples.offsetOf(sample), length });
  }
  return parts;
}

function shapeOf(track: Track, { from, to, lead }: Stretch, extent: Extent): FragmentShape {
  const { first, start, end, sampleBytes, runCount } = extent;
  const silence = lead?.silence ?? null;
  const span = end - start;
  const pattern = samplePattern(track, from, to);
  const verbatim =
    !isGathered(track) && span >= sampleBytes && span - sampleBytes <= span * maxWaste && span <= maxVerbatimBytes;
  return {
    track,
    from,
    to,
    lead,
    sampleCount: to - from + (silence?.count ?? 0),
    verbatim,
    runCount: verbatim ? runCount : 1,
    payloadBytes: verbatim ? span : sampleBytes + (silence === null ? 0 : silence.count * silence.packet.length),
    leadBytes: verbatim ? first - start : 0,
    ...pattern,
    ...(lead === null ? {} : { duration: null }),
    // The first sample is one of silence then.
    ...(silence === null ? {} : { size: null, sync: pattern.sync === "first" ? "each" : pattern.sync }),
  };
}

/** The part of the original that some samples lie in. */
interface Extent {
  /** Where the first sample starts. */
  readonly first: number;
  readonly start: number;
  readonly end: number;
  readonly sampleBytes: number;
  readonly runCount: number;
}

/** Of samples that are gathered: where they lie is of no interest. */
function sumSizes({ samples }: Track, from: number, to: number): Extent {
  return { first: 0, start: 0, end: -1, sampleBytes: sumOf(samples.columns.sizes, from, to), runCount: 1 };
}

function sumOf(sizes: Column, from: number, to: number): number {
  if (sizes.length === 1) return valueAt(sizes, 0) * (to - from);
  let sum = 0;
  for (let i = from; i < to; i++) sum += sizes[i] ?? 0;
  return sum;
}

/** Puts the runs into `runs` unless it is null: counting them alone makes no objects. */
function findRuns({ samples }: Track, from: number, to: number, runs: Run[] | null): Extent {
  const { chunkLengths, chunkOffsets, chunkOffsetsHigh, sizes } = samples.columns;
  const sameSize = sizes.length === 1 ? valueAt(sizes, 0) : null;
  const sameLength = chunkLengths.length === 1 ? valueAt(chunkLengths, 0) : null;
  const sameLower = chunkOffsets.length === 1 ? valueAt(chunkOffsets, 0) : null;
  const sameUpper = chunkOffsetsHigh.length === 1 ? valueAt(chunkOffsetsHigh, 0) : null;
  let [start, end, sampleBytes, runCount, lastEnd] = [Number.POSITIVE_INFINITY, 0, 0, 0, -1];
  let chunk = samples.chunkOf(from);
  const chunkStart = samples.chunkStart(chunk);
  let chunkEnd = chunkStart + valueAt(chunkLengths, chunk);
  const first = samples.chunkOffset(chunk) + sumOf(sizes, chunkStart, from);
  let offset = first;
  // Each chunk of a film comes through here before its first segment is sent: no calls that can be done without.
  for (let sample = from; sample < to; ) {
    const next = chunkEnd < to ? chunkEnd : to;
    let length = 0;
    if (sameSize !== null) length = sameSize * (next - sample);
    else for (let i = sample; i < next; i++) length += sizes[i] ?? 0;
    if (lastEnd !== offset) runCount++;
    if (runs !== null) addToRuns(runs, { firstSample: sample, count: next - sample, offset, length }, lastEnd);
    lastEnd = offset + length;
    if (offset < start) start = offset;
    if (lastEnd > end) end = lastEnd;
    sampleBytes += length;
    sample = next;
    chunk++;
    offset = (sameLower ?? chunkOffsets[chunk] ?? 0) + (sameUpper ?? chunkOffsetsHigh[chunk] ?? 0) * 0x1_0000_0000;
    chunkEnd += (sameLength ?? chunkLengths[chunk]) || to;
  }
  return { first, start, end, sampleBytes, runCount };
}

function addToRuns(runs: Run[], run: Run, lastEnd: number): void {
  const last = runs.at(-1);
  if (last === undefined || lastEnd !== run.offset) runs.push(run);
  else {
    last.count += run.count;
    last.length += run.length;
  }
}

/** The value that all samples share, or null. */
function shared(column: Column, from: number, to: number): number | null {
  const first = valueAt(column, from);
  if (column.length === 1) return first;
  for (let i = from + 1; i < to; i++) if (column[i] !== first) return null;
  return first;
}

function someNegative(column: Column, from: number, to: number): boolean {
  if (column instanceof Uint8Array || column instanceof Uint16Array || column instanceof Uint32Array) return false;
  if (column.length === 1) return valueAt(column, 0) < 0;
  for (let i = from; i < to; i++) if ((column[i] ?? 0) < 0) return true;
  return false;
}

function samplePattern({ samples }: Track, from: number, to: number) {
  const { durations, sizes, compositionOffsets } = samples.columns;
  return {
    duration: shared(durations, from, to),
    size: shared(sizes, from, to),
    hasCompositionOffsets: shared(compositionOffsets, from, to) !== 0,
    hasNegativeOffsets: someNegative(compositionOffsets, from, to),
    sync: syncPattern(samples, from, to),
  };
}

function syncPattern(samples: Track["samples"], from: number, to: number): FragmentShape["sync"] {
  if (samples.columns.syncSamples === null) return "all";
  const inside = samples.syncSamplesBetween(from, to);
  if (inside.length === to - from) return "all";
  return inside.length === 1 && inside[0] === from ? "first" : "each";
}
