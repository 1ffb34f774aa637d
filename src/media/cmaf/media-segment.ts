import { type Movie, type Track, trackById } from "../movie.ts";
import type { SampleRange } from "../sample-range.ts";
import { valueAt } from "../sample-table.ts";
import type { SegmentPlan } from "../segment-plan.ts";
import { type Fragment, type FragmentShape, layOutFragment, measureFragment, type Run } from "./fragment.ts";
import { leadOf } from "./lead.ts";
import { segmentStarts } from "./segments.ts";

const fullBoxBytes = 12;
const trunFixedBytes = fullBoxBytes + 8;
const maxSmallBox = 2 ** 32;

/** `trun` flags, ISO/IEC 14496-12 section 8.8.8. */
const trunFlags = { dataOffset: 1, firstSampleFlags: 4, duration: 0x100, size: 0x200, flags: 0x400, offset: 0x800 };
/** `tfhd` flags, section 8.8.7: `default-base-is-moof` and all defaults. */
const tfhdFlags = 0x020000 | 0x02 | 0x08 | 0x10 | 0x20;
const tfhdBytes = fullBoxBytes + 4 + 16;
const tfdtBytes = fullBoxBytes + 8;
/** `sample_depends_on` 2 (on none), or 1 with `sample_is_non_sync_sample`; section 8.8.3.1. */
const syncFlags = 0x0200_0000;
const nonSyncFlags = 0x0101_0000;

/** Segment `n` (from 1) of a track; null when the movie has no such track or segment. */
export function mediaSegment(movie: Movie, trackId: number, n: number): SegmentPlan | null {
  const range = segmentSamples(movie, trackId, n);
  return range && fragmentPlan(range, n);
}

/** The samples of segment `n` (from 1) of a track; null when the movie has no such track or segment. */
export function segmentSamples(movie: Movie, trackId: number, n: number): SampleRange | null {
  const track = trackById(movie, trackId);
  const bounds = track && segmentBounds(movie, track, n);
  return bounds && { track, ...bounds };
}

/** Samples of a track as a segment with this number; 1 is the track's first. */
export function fragmentPlan({ track, from, to }: SampleRange, sequenceNumber: number): SegmentPlan {
  const fragment = layOutFragment(track, { from, to, lead: sequenceNumber === 1 ? leadOf(track, from) : null });
  const header = writeHeader(fragment, sequenceNumber);
  return { header, ranges: fragment.ranges, sizeBytes: header.byteLength + fragment.payloadBytes };
}

/** Where a segment's header tells when its first sample is decoded. */
const decodeTimeAt = 8 + (fullBoxBytes + 4) + 8 + tfhdBytes + fullBoxBytes;

/** A segment that starts at time 0 instead of its own. */
export function fromZero({ header, ranges, sizeBytes }: SegmentPlan): SegmentPlan {
  const moved = header.slice();
  new DataView(moved.buffer).setBigUint64(decodeTimeAt, 0n);
  return { header: moved, ranges, sizeBytes };
}

/** Bytes of a segment as sent. */
export interface SegmentBytes {
  readonly whole: number;
  /**
   * From its start to the end of its first sample, where that is a key frame: what a player needs to show it. 0 where
   * it is none.
   */
  readonly keyFrame: number;
}

/** Bytes of segment `n`, without making it; zeros where there is no such segment. */
export function segmentBytes(movie: Movie, track: Track, n: number): SegmentBytes {
  const bounds = segmentBounds(movie, track, n);
  if (bounds === null) return { whole: 0, keyFrame: 0 };
  const shape = measureFragment(track, { ...bounds, lead: n === 1 ? leadOf(track, bounds.from) : null });
  const header = moofBytes(shape) + mdatHeaderBytes(shape);
  const isKey = track.samples.isSync(bounds.from);
  return {
    whole: header + shape.payloadBytes,
    keyFrame: isKey ? header + shape.leadBytes + track.samples.sizeOf(bounds.from) : 0,
  };
}

function segmentBounds(movie: Movie, track: Track, n: number): { from: number; to: number } | null {
  const starts = segmentStarts(movie, track);
  const from = starts[n - 1];
  const to = starts[n];
  return !Number.isInteger(n) || from === undefined || to === undefined ? null : { from, to };
}

const mdatHeaderBytes = ({ payloadBytes }: FragmentShape) => (payloadBytes + 8 < maxSmallBox ? 8 : 16);

const entryBytes = ({ duration, size, sync, hasCompositionOffsets }: FragmentShape) =>
  4 * (Number(duration === null) + Number(size === null) + Number(sync === "each") + Number(hasCompositionOffsets));

const trafBytes = (fragment: FragmentShape) =>
  8 +
  tfhdBytes +
  tfdtBytes +
  fragment.runCount * trunFixedBytes +
  (fragment.sync === "first" ? 4 : 0) +
  fragment.sampleCount * entryBytes(fragment);

const moofBytes = (fragment: FragmentShape) => 8 + fullBoxBytes + 4 + trafBytes(fragment);

/** Writes big-endian fields one after the other. */
class Fields {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  i32(value: number): void {
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  u64(value: number): void {
    this.#view.setBigUint64(this.#at, BigInt(value));
    this.#at += 8;
  }

  /** Size and type of a box. */
  box(size: number, type: string): void {
    this.u32(size);
    for (let i = 0; i < 4; i++) this.#view.setUint8(this.#at++, type.charCodeAt(i));
  }

  fullBox(size: number, type: string, version: number, flags: number): void {
    this.box(size, type);
    this.u32(version * 2 ** 24 + flags);
  }
}

/** `moof` and the header of `mdat`. */
function writeHeader(fragment: Fragment, sequenceNumber: number): Uint8Array {
  const { track, from } = fragment;
  const moof = moofBytes(fragment);
  const mdat = mdatHeaderBytes(fragment);
  const fields = new Fields(moof + mdat);
  fields.box(moof, "moof");
  fields.fullBox(fullBoxBytes + 4, "mfhd", 0, 0);
  fields.u32(sequenceNumber);
  fields.box(trafBytes(fragment), "traf");
  writeTrackDefaults(fields, fragment);
  fields.fullBox(tfdtBytes, "tfdt", 1, 0);
  fields.u64(Math.max(0, track.samples.decodeTimeOf(from) + track.delay - (fragment.lead?.ticks ?? 0)));
  const payload = moof + mdat - fragment.base;
  for (const run of fragment.runs) writeRun(fields, fragment, run, payload + run.offset);
  const mdatBytes = mdat + fragment.payloadBytes;
  fields.box(mdat === 8 ? mdatBytes : 1, "mdat");
  if (mdat === 16) fields.u64(mdatBytes);
  return fields.bytes;
}

function writeTrackDefaults(fields: Fields, { track, from, duration, size, sync }: Fragment): void {
  const { chunkEntries } = track.samples.columns;
  fields.fullBox(tfhdBytes, "tfhd", 0, tfhdFlags);
  fields.u32(track.id);
  fields.u32(valueAt(chunkEntries, track.samples.chunkOf(from)));
  fields.u32(duration ?? 0);
  fields.u32(size ?? 0);
  fields.u32(sync === "all" ? syncFlags : nonSyncFlags);
}

function writeRun(fields: Fields, fragment: Fragment, run: Run, dataOffset: number): void {
  const { duration, size, sync, hasCompositionOffsets, hasNegativeOffsets, lead } = fragment;
  const tellsFirst = sync === "first" && run.firstSample === fragment.from;
  const flags =
    trunFlags.dataOffset |
    (tellsFirst ? trunFlags.firstSampleFlags : 0) |
    (duration === null ? trunFlags.duration : 0) |
    (size === null ? trunFlags.size : 0) |
    (sync === "each" ? trunFlags.flags : 0) |
    (hasCompositionOffsets ? trunFlags.offset : 0);
  const count = run.count + (lead?.silence?.count ?? 0);
  const bytes = trunFixedBytes + (tellsFirst ? 4 : 0) + count * entryBytes(fragment);
  fields.fullBox(bytes, "trun", hasNegativeOffsets ? 1 : 0, flags);
  fields.u32(count);
  fields.i32(dataOffset);
  if (tellsFirst) fields.u32(syncFlags);
  writeSilence(fields, fragment);
  for (let sample = run.firstSample; sample < run.firstSample + run.count; sample++) {
    writeSample(fields, fragment, sample);
  }
}

function writeSilence(fields: Fields, { lead, sync, hasCompositionOffsets }: Fragment): void {
  if (lead === null || lead.silence === null) return;
  const { count, packet, ticks, firstTicks } = lead.silence;
  for (let i = 0; i < count; i++) {
    fields.u32(i === 0 ? firstTicks : ticks);
    fields.u32(packet.length);
    if (sync === "each") fields.u32(syncFlags);
    if (hasCompositionOffsets) fields.i32(0);
  }
}

function writeSample(fields: Fields, fragment: Fragment, sample: number): void {
  const { from, duration, size, sync, hasCompositionOffsets, lead, track } = fragment;
  const { samples } = track;
  const held = sample === from && lead !== null && lead.silence === null ? lead : null;
  if (duration === null) fields.u32(samples.durationOf(sample) + (held?.ticks ?? 0));
  if (size === null) fields.u32(samples.sizeOf(sample));
  if (sync === "each") fields.u32(samples.isSync(sample) ? syncFlags : nonSyncFlags);
  if (hasCompositionOffsets) fields.i32(samples.compositionOffsetOf(sample));
}
