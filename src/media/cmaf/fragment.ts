import type { Track } from "../movie.ts";
import { valueAt } from "../sample-table.ts";
import type { ByteRange } from "../segment-plan.ts";

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

/** What a fragment (`moof`, `mdat`) of these samples looks like, before its bytes are made. */
export interface Fragment {
  readonly track: Track;
  readonly from: number;
  readonly to: number;
  /** One `trun` each. */
  readonly runs: readonly Run[];
  /** Whether the original's bytes are sent as they are, with what lies in between. */
  readonly verbatim: boolean;
  /** What `mdat` holds, in order. */
  readonly ranges: readonly ByteRange[];
  readonly payloadBytes: number;
  /** Same for all samples, or null when each `trun` entry tells. */
  readonly duration: number | null;
  readonly size: number | null;
  readonly hasCompositionOffsets: boolean;
  readonly hasNegativeOffsets: boolean;
  readonly sync: "all" | "first" | "each";
}

/** Looks at samples `from` up to `to` of a track. */
export function layOutFragment(track: Track, from: number, to: number): Fragment {
  const found = findRuns(track, from, to);
  const first = Math.min(...found.map((run) => run.offset));
  const end = Math.max(...found.map((run) => run.offset + run.length));
  const sampleBytes = found.reduce((sum, run) => sum + run.length, 0);
  const span = end - first;
  const verbatim =
    track.kind === "video" && span >= sampleBytes && span - sampleBytes <= span * maxWaste && span <= maxVerbatimBytes;
  const gathered: Run = { firstSample: from, count: to - from, offset: 0, length: sampleBytes };
  return {
    track,
    from,
    to,
    runs: verbatim ? found : [gathered],
    verbatim,
    ranges: verbatim
      ? [{ offset: first, length: span }]
      : found.filter(({ length }) => length > 0).map(({ offset, length }) => ({ offset, length })),
    payloadBytes: verbatim ? span : sampleBytes,
    ...samplePattern(track, from, to),
  };
}

function findRuns({ samples }: Track, from: number, to: number): Run[] {
  const { chunkStarts } = samples.columns;
  const runs: Run[] = [];
  let chunk = samples.chunkOf(from);
  let offset = samples.offsetOf(from);
  let last: Run | null = null;
  for (let sample = from; sample < to; chunk++) {
    const end = Math.min(to, chunkStarts[chunk + 1] ?? to);
    const start = offset;
    const first = sample;
    for (; sample < end; sample++) offset += samples.sizeOf(sample);
    if (last !== null && last.offset + last.length === start) {
      last.count += end - first;
      last.length += offset - start;
    } else {
      last = { firstSample: first, count: end - first, offset: start, length: offset - start };
      runs.push(last);
    }
    offset = valueAt(samples.columns.chunkOffsets, chunk + 1);
  }
  return runs;
}

function samplePattern({ samples }: Track, from: number, to: number) {
  const firstDuration = samples.durationOf(from);
  const firstSize = samples.sizeOf(from);
  let sameDuration = true;
  let sameSize = true;
  let hasCompositionOffsets = false;
  let hasNegativeOffsets = false;
  for (let sample = from; sample < to; sample++) {
    sameDuration &&= samples.durationOf(sample) === firstDuration;
    sameSize &&= samples.sizeOf(sample) === firstSize;
    const offset = samples.compositionOffsetOf(sample);
    hasCompositionOffsets ||= offset !== 0;
    hasNegativeOffsets ||= offset < 0;
  }
  return {
    duration: sameDuration ? firstDuration : null,
    size: sameSize ? firstSize : null,
    hasCompositionOffsets,
    hasNegativeOffsets,
    sync: syncPattern(samples, from, to),
  };
}

function syncPattern(samples: Track["samples"], from: number, to: number): Fragment["sync"] {
  if (samples.columns.syncSamples === null) return "all";
  const inside = samples.syncSamplesBetween(from, to);
  if (inside.length === to - from) return "all";
  return inside.length === 1 && inside[0] === from ? "first" : "each";
}
