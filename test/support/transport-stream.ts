import { crc32 } from "../../src/media/mpegts/program-tables.ts";

/** Makes and changes transport streams of packets of 188 bytes. */

const packetBytes = 188;
const sync = 0x47;
export const videoPid = 0x100;

/** The packets of a stream. */
export function packetsIn(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / packetBytes) }, (_, i) =>
    bytes.slice(i * packetBytes, (i + 1) * packetBytes),
  );
}

export const join = (packets: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat([...packets]));
export const pidOf = (packet: Uint8Array): number => (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0);
export const startsUnit = (packet: Uint8Array): boolean => ((packet[1] ?? 0) & 0x40) !== 0;

/** A packet of stuffing. */
export const nullPacket = (): Uint8Array =>
  new Uint8Array(packetBytes).fill(0xff).fill(sync, 0, 1).fill(0x1f, 1, 2).fill(0x10, 3, 4);

/** A PES packet to be written. Times in ticks of 90 kHz; null for none. */
export interface Pes {
  readonly content: Uint8Array;
  readonly pts: number | null;
  readonly isRandomAccess?: boolean;
}

const stamp = (prefix: number, value: number): number[] => [
  (prefix << 4) | (Math.floor(value / 2 ** 29) & 0x0e) | 1,
  Math.floor(value / 2 ** 22) & 0xff,
  (Math.floor(value / 2 ** 14) & 0xfe) | 1,
  Math.floor(value / 2 ** 7) & 0xff,
  ((value * 2) & 0xfe) | 1,
];

/** A stream of one video with these PES packets of unbounded length. `streamType`: 0x1b is H.264. */
export function writeTransportStream(units: readonly Pes[], streamType = 0x1b): Uint8Array {
  const mapPid = 0x1000;
  const pat = section([0, 1, 0xe0 | (mapPid >> 8), mapPid & 0xff], 0);
  const stream = [streamType, 0xe0 | (videoPid >> 8), videoPid & 0xff, 0xf0, 0];
  const pmt = section([0xe0 | (videoPid >> 8), videoPid & 0xff, 0xf0, 0, ...stream], 2);
  const packets = [...packetize(0, [0, ...pat], { counter: 0 }), ...packetize(mapPid, [0, ...pmt], { counter: 0 })];
  let counter = 0;
  for (const { content, pts, isRandomAccess = false } of units) {
    const times = pts === null ? [0x80, 0, 0] : [0x80, 0x80, 5, ...stamp(2, pts)];
    const made = packetize(videoPid, [0, 0, 1, 0xe0, 0, 0, ...times, ...content], { counter, isRandomAccess });
    counter = (counter + made.length) & 15;
    packets.push(...made);
  }
  return join(packets);
}

/** A program table section with its checksum; program 1. */
function section(content: readonly number[], tableId: number): number[] {
  const length = content.length + 9;
  const bytes = Uint8Array.from([tableId, 0xb0 | (length >> 8), length & 0xff, 0, 1, 0xc1, 0, 0, ...content]);
  const sum = crc32(bytes);
  return [...bytes, sum >>> 24, (sum >>> 16) & 0xff, (sum >>> 8) & 0xff, sum & 0xff];
}

function packetize(
  pid: number,
  content: readonly number[],
  { counter, isRandomAccess = false }: { counter: number; isRandomAccess?: boolean },
): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const isFirst = at === 0;
    const flags = isFirst && isRandomAccess ? 0x40 : 0;
    const least = flags === 0 ? 0 : 2;
    const size = Math.min(packetBytes - 4 - least, content.length - at);
    const stuffing = packetBytes - 4 - size;
    const field =
      stuffing === 0 ? [] : stuffing === 1 ? [0] : [stuffing - 1, flags, ...new Array<number>(stuffing - 2).fill(0xff)];
    const control = (stuffing === 0 ? 0x10 : 0x30) | ((counter + packets.length) & 15);
    const head = [sync, (isFirst ? 0x40 : 0) | (pid >> 8), pid & 0xff, control];
    packets.push(Uint8Array.from([...head, ...field, ...content.slice(at, at + size)]));
    at += size;
  }
  return packets;
}
