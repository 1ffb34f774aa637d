import type { NalConfig } from "./codec-config.ts";
import { maxPayloadBytes, type PacketGroupWriter } from "./packet-group.ts";

/** How a codec's NAL units are named, put together and taken apart. */
export interface NalPayloadFormat {
  /** Bytes of the header of a NAL unit. */
  readonly headerBytes: number;
  typeOf(bytes: Uint8Array, at: number): number;
  isDelimiter(type: number): boolean;
  isSequenceSet(type: number): boolean;
  /** The header of a packet of several units; as long as `headerBytes`. */
  writeAggregationHeader(writer: PacketGroupWriter, units: readonly NalUnit[]): void;
  /** The header of a part of a unit; `fragmentHeaderBytes` long, and stands for the unit's own. */
  writeFragmentHeader(writer: PacketGroupWriter, unit: NalUnit, isFirst: boolean, isLast: boolean): void;
  readonly fragmentHeaderBytes: number;
}

/** A NAL unit with its header: `bytes[start, end)`. */
export interface NalUnit {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** RFC 6184: single NAL unit packets, STAP-A (section 5.7.1), FU-A (section 5.8). */
export const h264Payload: NalPayloadFormat = {
  headerBytes: 1,
  fragmentHeaderBytes: 2,
  typeOf: (bytes, at) => (bytes[at] ?? 0) & 0x1f,
  isDelimiter: (type) => type === 9,
  isSequenceSet: (type) => type === 7,
  writeAggregationHeader(writer, units) {
    let [forbidden, importance] = [0, 0];
    for (const { bytes, start } of units) {
      const header = bytes[start] ?? 0;
      forbidden |= header & 0x80;
      importance = Math.max(importance, header & 0x60);
    }
    writer.u8(forbidden | importance | 24);
  },
  writeFragmentHeader(writer, { bytes, start }, isFirst, isLast) {
    const header = bytes[start] ?? 0;
    writer.u8((header & 0xe0) | 28);
    writer.u8((isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0) | (header & 0x1f));
  },
};

/** RFC 7798: single NAL unit packets, aggregation packets (section 4.4.2), fragmentation units (section 4.4.3). */
export const h265Payload: NalPayloadFormat = {
  headerBytes: 2,
  fragmentHeaderBytes: 3,
  typeOf: (bytes, at) => ((bytes[at] ?? 0) >> 1) & 0x3f,
  isDelimiter: (type) => type === 35,
  isSequenceSet: (type) => type === 33,
  writeAggregationHeader(writer, units) {
    let [forbidden, layer, temporal] = [0, 63, 7];
    for (const { bytes, start } of units) {
      const header = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
      forbidden |= header & 0x8000;
      layer = Math.min(layer, (header >> 3) & 63);
      temporal = Math.min(temporal, header & 7);
    }
    writer.u16(forbidden | (48 << 9) | (layer << 3) | temporal);
  },
  writeFragmentHeader(writer, { bytes, start }, isFirst, isLast) {
    const first = bytes[start] ?? 0;
    writer.u8((first & 0x81) | (49 << 1));
    writer.u8(bytes[start + 1] ?? 0);
    writer.u8((isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0) | ((first >> 1) & 0x3f));
  },
};

/** A picture of real streams has at most a few hundred slices. */
const maxUnits = 10_000;

/**
 * Writes the packets of a picture: small units together, large ones in parts, the marker on the last. Before a key frame
 * that has no parameter sets of its own come those of the configuration. Damaged rests of a sample are left out.
 */
export function packetisePicture(
  writer: PacketGroupWriter,
  format: NalPayloadFormat,
  config: NalConfig,
  sample: Uint8Array,
  isKey: boolean,
): void {
  const units = unitsOf(format, config, sample);
  if (isKey) insertSets(format, config, units);
  for (let i = 0; i < units.length; ) {
    const end = aggregationEnd(format, units, i);
    writePacket(writer, format, units.slice(i, end), end === units.length);
    i = end;
  }
}

function unitsOf(format: NalPayloadFormat, { lengthBytes }: NalConfig, sample: Uint8Array): NalUnit[] {
  const units: NalUnit[] = [];
  for (let at = 0; at + lengthBytes <= sample.length && units.length < maxUnits; ) {
    let length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (sample[at + i] ?? 0);
    const start = at + lengthBytes;
    const end = start + length;
    if (end > sample.length) break;
    if (length > format.headerBytes) units.push({ bytes: sample, start, end });
    at = end;
  }
  return units;
}

/** Parameter sets come after the delimiter, which is first in a picture. */
function insertSets(format: NalPayloadFormat, { vps, sps, pps }: NalConfig, units: NalUnit[]): void {
  const typeOf = ({ bytes, start }: NalUnit) => format.typeOf(bytes, start);
  const [first] = units;
  if (first === undefined || units.some((unit) => format.isSequenceSet(typeOf(unit)))) return;
  const sets = [...vps, ...sps, ...pps].map((bytes) => ({ bytes, start: 0, end: bytes.length }));
  units.splice(format.isDelimiter(typeOf(first)) ? 1 : 0, 0, ...sets);
}

/** The end of the units from `from` on that go into one packet; at least one. */
function aggregationEnd({ headerBytes }: NalPayloadFormat, units: readonly NalUnit[], from: number): number {
  let size = headerBytes;
  let end = from;
  for (; end < units.length; end++) {
    const unit = units[end];
    if (unit === undefined) break;
    size += 2 + unit.end - unit.start;
    if (size > maxPayloadBytes) break;
  }
  return Math.max(end, from + 1);
}

function writePacket(
  writer: PacketGroupWriter,
  format: NalPayloadFormat,
  units: readonly NalUnit[],
  isLast: boolean,
): void {
  const [unit] = units;
  if (unit === undefined) return;
  const length = unit.end - unit.start;
  if (units.length > 1) writeAggregation(writer, format, units, isLast);
  else if (length > maxPayloadBytes) writeFragments(writer, format, unit, isLast);
  else {
    writer.beginPacket(length, isLast);
    writer.copy(unit.bytes, unit.start, unit.end);
  }
}

function writeAggregation(
  writer: PacketGroupWriter,
  format: NalPayloadFormat,
  units: readonly NalUnit[],
  isLast: boolean,
): void {
  const size = units.reduce((sum, { start, end }) => sum + 2 + end - start, format.headerBytes);
  writer.beginPacket(size, isLast);
  format.writeAggregationHeader(writer, units);
  for (const { bytes, start, end } of units) {
    writer.u16(end - start);
    writer.copy(bytes, start, end);
  }
}

function writeFragments(writer: PacketGroupWriter, format: NalPayloadFormat, unit: NalUnit, isLast: boolean): void {
  const room = maxPayloadBytes - format.fragmentHeaderBytes;
  const start = unit.start + format.headerBytes;
  for (let from = start; from < unit.end; from += room) {
    const to = Math.min(from + room, unit.end);
    const isEnd = to === unit.end;
    writer.beginPacket(format.fragmentHeaderBytes + to - from, isLast && isEnd);
    format.writeFragmentHeader(writer, unit, from === start, isEnd);
    writer.copy(unit.bytes, from, to);
  }
}
