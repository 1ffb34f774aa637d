import { MediaError } from "../errors.ts";
import { u32 } from "../mp4/box-writer.ts";
import { type Column, lowerBound, type SampleTable, valueAt } from "../sample-table.ts";
import { type DecodedRange, maxDecodedBytes, type PlanPart } from "../segment-plan.ts";
import { toLengthPrefixed } from "./annex-b.ts";
import { adtsHeaderBytes, opusPacket } from "./audio-syntaxes.ts";
import type { StreamPlace } from "./elementary-buffer.ts";
import { type PacketLayout, packetBytes, payloadAt, pidAt, syncByte } from "./packet.ts";
import { PesStripper } from "./pes.ts";

/** How a sample is made of its bytes in the stream. */
export type SampleForm = "as-is" | "annex-b" | "adts" | "opus";

/** Where the samples of a track are in a transport stream: plain values, kept in the index. */
export interface PacketColumns {
  readonly layout: PacketLayout;
  readonly form: SampleForm;
  /** From which sample on they are in packets of which identifier. */
  readonly pids: readonly { readonly sample: number; readonly pid: number }[];
  /** Bytes that `steps` and `spans` count in. */
  readonly unit: number;
  /** Where the first sample's first packet is. */
  readonly firstPacket: number;
  /** From the first packet of the sample before to that of each. */
  readonly steps: Column;
  /** From the first packet of each to its last one. */
  readonly spans: Column;
  /** Payload bytes of the first packet that come before the sample. */
  readonly skips: Column;
  /** How many bytes a sample has more than in the stream. */
  readonly growths: Column;
  /** Where packets stop following each other, and where they go on, in turn. */
  readonly breaks: Float64Array;
  readonly parts: PartColumns;
}

/** Parts of those samples that are not read in one piece, by sample. */
export interface PartColumns {
  readonly samples: Uint32Array;
  readonly packets: Float64Array;
  readonly skips: Uint8Array;
  /** In bytes. */
  readonly spans: Uint32Array;
  readonly rawSizes: Uint32Array;
  readonly sizes: Uint32Array;
  /** The NAL unit length that is sent before the part; 0 for none. */
  readonly heads: Uint32Array;
  /** 1: whole NAL units after start codes; 0: bytes that stay as they are. */
  readonly areUnits: Uint8Array;
}

/** Samples farther apart than this are read apart. */
const maxGapBytes = 16 * 1024;
const checkpointInterval = 256;

/** Offsets of every 256th sample's first packet. */
const checkpoints = new WeakMap<PacketColumns, Float64Array>();

/** The bytes of samples `from` up to `to`, in pieces that are each read and made by themselves. */
export function packetRanges(columns: PacketColumns, samples: SampleTable, from: number, to: number): PlanPart[] {
  const { unit, form, parts, steps, spans, layout } = columns;
  const ranges: PlanPart[] = [];
  let packet = packetOf(columns, samples.count, from);
  let part = lowerBound(parts.samples, from);
  let piece: Piece | null = null;
  for (let sample = from; sample < to; packet += valueAt(steps, ++sample) * unit) {
    if (parts.samples[part] === sample) {
      if (piece !== null) ranges.push(rangeOf(columns, piece));
      piece = null;
      for (; parts.samples[part] === sample; part++) ranges.push(...rangesOfPart(columns, part));
      continue;
    }
    const end = packet + valueAt(spans, sample) * unit + layout.stride;
    if (piece !== null && (end - piece.start > maxDecodedBytes || packet - piece.end > maxGapBytes)) {
      ranges.push(rangeOf(columns, piece));
      piece = null;
    }
    piece ??= { start: packet, end, samples: [], form };
    piece.samples.push(placeOf(columns, samples, sample, packet));
    piece.end = Math.max(piece.end, end);
  }
  if (piece !== null) ranges.push(rangeOf(columns, piece));
  return ranges;
}

/** Samples that are read together. */
interface Piece {
  readonly start: number;
  /** Where the packet after the last one starts. */
  end: number;
  readonly samples: Place[];
  readonly form: SampleForm;
}

/** Where a sample, or part of one, is. */
interface Place extends StreamPlace {
  readonly pid: number;
  readonly rawSize: number;
  readonly size: number;
}

function placeOf(columns: PacketColumns, samples: SampleTable, sample: number, packet: number): Place {
  const size = samples.sizeOf(sample);
  const rawSize = size - valueAt(columns.growths, sample);
  return { packet, pid: pidOf(columns, sample), size, skip: valueAt(columns.skips, sample), rawSize };
}

const pidOf = ({ pids }: PacketColumns, sample: number) => pids.findLast((entry) => entry.sample <= sample)?.pid ?? -1;

function rangesOfPart(columns: PacketColumns, part: number): PlanPart[] {
  const { parts, layout } = columns;
  const [packet = 0, size = 0, rawSize = 0] = [parts.packets[part], parts.sizes[part], parts.rawSizes[part]];
  const head = parts.heads[part] ?? 0;
  const place = { packet, size, rawSize, skip: parts.skips[part] ?? 0, pid: pidOf(columns, parts.samples[part] ?? 0) };
  const range = rangeOf(columns, {
    ...{ start: packet, end: packet + (parts.spans[part] ?? 0) + layout.stride, samples: [place] },
    form: parts.areUnits[part] === 1 ? columns.form : "as-is",
  });
  return head === 0 ? [range] : [{ bytes: Uint8Array.from(u32(head)) }, range];
}

function rangeOf(columns: PacketColumns, { start, end, samples, form }: Piece): DecodedRange {
  const sizeBytes = samples.reduce((sum, { size }) => sum + size, 0);
  const length = end - columns.layout.stride - start + columns.layout.lead + packetBytes;
  const make = (bytes: Uint8Array) => decode(columns, form, samples, start, bytes, sizeBytes);
  return { offset: start, length, sizeBytes, decode: make };
}

function packetOf(columns: PacketColumns, count: number, sample: number): number {
  let known = checkpoints.get(columns);
  if (known === undefined) {
    known = findCheckpoints(columns, count);
    checkpoints.set(columns, known);
  }
  const checkpoint = Math.floor(sample / checkpointInterval);
  let packet = known[checkpoint] ?? 0;
  for (let i = checkpoint * checkpointInterval + 1; i <= sample; i++)
    packet += valueAt(columns.steps, i) * columns.unit;
  return packet;
}

function findCheckpoints({ steps, unit, firstPacket }: PacketColumns, count: number): Float64Array {
  const found = new Float64Array(Math.ceil(count / checkpointInterval));
  let packet = firstPacket;
  for (let sample = 0; sample < count; sample++) {
    if (sample > 0) packet += valueAt(steps, sample) * unit;
    if (sample % checkpointInterval === 0) found[sample / checkpointInterval] = packet;
  }
  return found;
}

/** What the samples are made of `bytes`, which lie at `start` in the file. */
function decode(
  columns: PacketColumns,
  form: SampleForm,
  samples: readonly Place[],
  start: number,
  bytes: Uint8Array,
  sizeBytes: number,
): Uint8Array {
  const out = new Uint8Array(sizeBytes);
  let at = 0;
  for (const sample of samples) {
    const made = makeSample(form, gather(columns, sample, start, bytes), sample.size);
    if (made?.length !== sample.size) fail(sample);
    out.set(made, at);
    at += sample.size;
  }
  return out;
}

function makeSample(form: SampleForm, raw: Uint8Array, size: number): Uint8Array | null {
  if (form === "annex-b") return toLengthPrefixed(raw, size);
  if (form === "adts") return raw.subarray(adtsHeaderBytes(raw, 0));
  if (form === "opus") return raw.subarray(opusPacket(raw, 0).headerBytes);
  return raw;
}

/** The bytes of a sample in the stream, out of the packets that hold it. */
function gather({ layout, breaks }: PacketColumns, sample: Place, start: number, bytes: Uint8Array): Uint8Array {
  const raw = new Uint8Array(sample.rawSize);
  const pes = new PesStripper("payload");
  let [have, skip, counter] = [0, sample.skip, -1];
  let offset = sample.packet;
  let nextBreak = breakAfter(breaks, offset);
  while (have < raw.length) {
    const at = offset - start + layout.lead;
    if (at + packetBytes > bytes.length || bytes[at] !== syncByte) fail(sample);
    if (pidAt(bytes, at) === sample.pid && isNewPayload(bytes, at, counter)) {
      counter = (bytes[at + 3] ?? 0) & 0x0f;
      const isUnitStart = ((bytes[at + 1] ?? 0) & 0x40) !== 0;
      const from = pes.strip(bytes, payloadAt(bytes, at), at + packetBytes, isUnitStart) + skip;
      const part = bytes.subarray(from, Math.min(at + packetBytes, from + raw.length - have));
      raw.set(part, have);
      have += part.length;
      skip = 0;
    }
    offset += layout.stride;
    if (offset === breaks[nextBreak]) {
      offset = breaks[nextBreak + 1] ?? offset;
      nextBreak += 2;
    }
  }
  return raw;
}

/** The first of the breaks, which come in pairs, that is after an offset. */
function breakAfter(breaks: Float64Array, offset: number): number {
  let low = 0;
  let high = breaks.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((breaks[middle * 2] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

/** Whether a packet has payload that the one before, with this counter, had not. */
function isNewPayload(bytes: Uint8Array, at: number, counter: number): boolean {
  const control = bytes[at + 3] ?? 0;
  if ((control & 0xd0) !== 0x10) return false;
  const isAnnounced = (control & 0x20) !== 0 && (bytes[at + 4] ?? 0) > 0 && ((bytes[at + 5] ?? 0) & 0x80) !== 0;
  return isAnnounced || (control & 0x0f) !== counter;
}

function fail(sample: Place): never {
  throw new MediaError("not-a-video", "The video's packets are not those of its index", {
    box: "mpegts",
    offset: sample.packet,
  });
}
