import { forEachPacket } from "../../src/rtp/packet-sink.ts";

/** An RTP packet, taken apart as RFC 3550 section 5.1 has it. */
export interface RtpPacket {
  readonly channel: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly seq: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

/** An access unit put together again. */
export interface AccessUnit {
  readonly timestamp: number;
  /** NAL units, or one frame of sound. */
  readonly units: readonly Uint8Array[];
}

export function rtpPackets(frames: Uint8Array, isRtp = (channel: number) => channel % 2 === 0): RtpPacket[] {
  const packets: RtpPacket[] = [];
  forEachPacket(frames, (channel, packet) => {
    if (isRtp(channel)) packets.push(rtpPacket(channel, packet.slice()));
  });
  return packets;
}

function rtpPacket(channel: number, packet: Uint8Array): RtpPacket {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (view.getUint8(0) !== 0x80) throw new Error(`no plain RTP packet: ${view.getUint8(0)}`);
  return {
    channel,
    marker: (view.getUint8(1) & 0x80) !== 0,
    payloadType: view.getUint8(1) & 0x7f,
    seq: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: packet.subarray(12),
  };
}

/** Puts access units together; written after the RFCs alone, knows nothing of the packetiser. */
export function depacketise(codec: string, packets: readonly RtpPacket[]): AccessUnit[] {
  if (codec === "h264") return pictures(packets, h264Units);
  if (codec === "h265") return pictures(packets, h265Units);
  if (codec === "aac") return aacUnits(packets);
  return packets.map(({ timestamp, payload }) => ({ timestamp, units: [payload] }));
}

type Units = (payload: Uint8Array, parts: Uint8Array[]) => Uint8Array[];

function pictures(packets: readonly RtpPacket[], unitsOf: Units): AccessUnit[] {
  const found: AccessUnit[] = [];
  let units: Uint8Array[] = [];
  const parts: Uint8Array[] = [];
  let timestamp: number | null = null;
  for (const packet of packets) {
    if (timestamp !== null && packet.timestamp !== timestamp) throw new Error("a picture ends without a marker");
    timestamp = packet.timestamp;
    units.push(...unitsOf(packet.payload, parts));
    if (!packet.marker) continue;
    if (parts.length > 0) throw new Error("a picture ends within a unit");
    found.push({ timestamp, units });
    [units, timestamp] = [[], null];
  }
  if (units.length > 0) throw new Error("the last picture has no marker");
  return found;
}

/** RFC 6184 sections 5.6 to 5.8. */
function h264Units(payload: Uint8Array, parts: Uint8Array[]): Uint8Array[] {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type >= 1 && type <= 23) return [payload];
  if (type === 24) return aggregated(payload, 1);
  if (type !== 28) throw new Error(`packet type ${type}`);
  const header = payload[1] ?? 0;
  const restored = Uint8Array.of(((payload[0] ?? 0) & 0xe0) | (header & 0x1f));
  return fragment(header, restored, payload.subarray(2), parts);
}

/** RFC 7798 sections 4.4.1 to 4.4.3. */
function h265Units(payload: Uint8Array, parts: Uint8Array[]): Uint8Array[] {
  const type = ((payload[0] ?? 0) & 0x7e) >> 1;
  if (type < 48) return [payload];
  if (type === 48) return aggregated(payload, 2);
  if (type !== 49) throw new Error(`packet type ${type}`);
  const header = payload[2] ?? 0;
  const restored = Uint8Array.of(((payload[0] ?? 0) & 0x81) | ((header & 0x3f) << 1), payload[1] ?? 0);
  return fragment(header, restored, payload.subarray(3), parts);
}

function aggregated(payload: Uint8Array, from: number): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let at = from; at < payload.length; ) {
    const size = (payload[at] ?? 0) * 256 + (payload[at + 1] ?? 0);
    units.push(payload.subarray(at + 2, at + 2 + size));
    at += 2 + size;
  }
  if (units.length < 2) throw new Error("an aggregate of one");
  return units;
}

function fragment(header: number, restored: Uint8Array, bytes: Uint8Array, parts: Uint8Array[]): Uint8Array[] {
  const [isFirst, isLast] = [(header & 0x80) !== 0, (header & 0x40) !== 0];
  if (isFirst !== (parts.length === 0) || (isFirst && isLast)) throw new Error("fragments are out of order");
  if (isFirst) parts.push(restored);
  parts.push(bytes);
  return isLast ? [Buffer.concat(parts.splice(0))] : [];
}

/** RFC 3640 section 3.2 with the sizes of `AAC-hbr`; units of a packet are 1024 ticks apart. */
function aacUnits(packets: readonly RtpPacket[]): AccessUnit[] {
  const found: AccessUnit[] = [];
  let parts: Uint8Array[] = [];
  for (const { payload, marker, timestamp } of packets) {
    const count = ((payload[0] ?? 0) * 256 + (payload[1] ?? 0)) / 16;
    const sizes = Array.from({ length: count }, (_, i) => {
      const header = (payload[2 + i * 2] ?? 0) * 256 + (payload[3 + i * 2] ?? 0);
      if ((header & 7) !== 0) throw new Error("an index that is not 0");
      return header >> 3;
    });
    let at = 2 + count * 2;
    if (count === 1 && (sizes[0] ?? 0) > payload.length - at) {
      parts.push(payload.subarray(at));
      const whole = Buffer.concat(parts);
      if (marker !== whole.length >= (sizes[0] ?? 0)) throw new Error("the marker is not on the last part");
      if (marker) found.push({ timestamp, units: [whole] });
      if (marker) parts = [];
      continue;
    }
    if (!marker) throw new Error("whole units have a marker");
    for (const [i, size] of sizes.entries()) {
      found.push({ timestamp: timestamp + i * 1024, units: [payload.subarray(at, at + size)] });
      at += size;
    }
    if (at !== payload.length) throw new Error("the sizes are not those of the packet");
  }
  return found;
}
