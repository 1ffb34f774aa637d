import { type Buffers, freshBuffers } from "../buffers.ts";

/**
 * Packets of consecutive samples of a track, made once and sent by many streams. Each is a frame as RTSP interleaves
 * it: `$`, channel, length, RTP header, payload. Of the frames all is filled in but what differs between streams:
 * the channel, the sequence number, the timestamp and the SSRC.
 */
export interface PacketGroup {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Where each frame starts in `bytes`, and the end of the last one. */
  readonly starts: Uint32Array;
  /** When the packet's first sample is presented, in ticks of the clock rate from 0; before 0 for the decoder only. */
  readonly rtpTimes: Float64Array;
  /** When each packet is to be there, in seconds from 0: its sample's decode time, large samples spread a little. */
  readonly dues: Float64Array;
  /** 1 for the first packet of a key frame. */
  readonly keys: Uint8Array;
  /** When the last sample is over, in seconds. */
  readonly endSeconds: number;
}

export const rtpHeaderBytes = 12;
/** `$`, channel, length, and the RTP header. */
export const slotBytes = 4 + rtpHeaderBytes;
/** Payload of a packet: with its headers it fits into one Ethernet frame, IPv6 and a tunnel included. */
export const maxPayloadBytes = 1400;
/** What a group takes beside its bytes, for each packet. */
export const packetOverheadBytes = 21;

const startPackets = 64;
/** Of a group's bytes, what may be kept unused: more where the array is used again. */
const maxSpare = 0.05;
const maxSharedSpare = 0.25;
/** A picture is sent within this time, not all of it at once. */
const maxSpreadSeconds = 0.04;

/** When a sample is presented and decoded. */
export interface SampleTime {
  readonly rtpTime: number;
  readonly dueSeconds: number;
  readonly durationSeconds: number;
}

/** Writes the packets of a group one after the other. */
export class PacketGroupWriter {
  readonly #payloadType: number;
  readonly #buffers: Buffers;
  #bytes: Uint8Array;
  #length = 0;
  #count = 0;
  #starts = new Uint32Array(startPackets);
  #rtpTimes = new Float64Array(startPackets);
  #dues = new Float64Array(startPackets);
  #keys = new Uint8Array(startPackets);
  #endSeconds = Number.NEGATIVE_INFINITY;
  #firstOfSample = 0;
  #isKey = false;
  #time: SampleTime = { rtpTime: 0, dueSeconds: 0, durationSeconds: 0 };

  /** `expectedBytes`: of the samples; more is no harm. */
  constructor(payloadType: number, expectedBytes: number, buffers: Buffers = freshBuffers) {
    this.#payloadType = payloadType;
    this.#buffers = buffers;
    this.#bytes = buffers.take(expectedBytes);
  }

  /** What follows belongs to this sample. */
  beginSample(time: SampleTime, isKey: boolean): void {
    this.#time = time;
    this.#isKey = isKey;
    this.#firstOfSample = this.#count;
  }

  /** Spreads the packets of the sample over the time until the next one. */
  endSample(): void {
    const { dueSeconds, durationSeconds } = this.#time;
    const packets = this.#count - this.#firstOfSample;
    const spread = Math.min(Math.max(0, durationSeconds), maxSpreadSeconds);
    for (let i = 1; i < packets; i++) this.#dues[this.#firstOfSample + i] = dueSeconds + (spread * i) / packets;
    this.#endSeconds = Math.max(this.#endSeconds, dueSeconds + durationSeconds);
  }

  /** Begins a packet of the current sample, with room for `payloadBytes`, which must be written next. */
  beginPacket(payloadBytes: number, marker: boolean): void {
    this.#makeRoom(slotBytes + payloadBytes);
    const bytes = this.#bytes;
    const at = this.#length;
    const length = rtpHeaderBytes + payloadBytes;
    bytes[at] = 0x24;
    bytes[at + 2] = length >> 8;
    bytes[at + 3] = length;
    bytes[at + 4] = 0x80;
    bytes[at + 5] = (marker ? 0x80 : 0) | this.#payloadType;
    this.#starts[this.#count] = at;
    this.#rtpTimes[this.#count] = this.#time.rtpTime;
    this.#dues[this.#count] = this.#time.dueSeconds;
    this.#keys[this.#count] = this.#isKey && this.#count === this.#firstOfSample ? 1 : 0;
    this.#count++;
    this.#length = at + slotBytes;
  }

  u8(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.u8(value >> 8);
    this.u8(value);
  }

  /** Writes `source[from, to)`. */
  copy(source: Uint8Array, from: number, to: number): void {
    this.#bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), this.#length);
    this.#length += to - from;
  }

  finish(): PacketGroup {
    const starts = this.#starts.slice(0, this.#count + 1);
    starts[this.#count] = this.#length;
    // It is kept for long: where much more was expected than came, the rest is given back.
    const spare = this.#buffers === freshBuffers ? maxSpare : maxSharedSpare;
    const isTight = this.#bytes.buffer.byteLength - this.#length <= this.#length * spare;
    const bytes = isTight ? this.#bytes.subarray(0, this.#length) : this.#bytes.slice(0, this.#length);
    if (!isTight) this.#buffers.give(this.#bytes);
    return {
      bytes,
      count: this.#count,
      starts,
      rtpTimes: this.#rtpTimes.slice(0, this.#count),
      dues: this.#dues.slice(0, this.#count),
      keys: this.#keys.slice(0, this.#count),
      endSeconds: this.#endSeconds,
    };
  }

  #makeRoom(needed: number): void {
    if (this.#length + needed > this.#bytes.length) {
      const larger = this.#buffers.take(Math.max(this.#length + needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#buffers.give(this.#bytes);
      this.#bytes = larger;
    }
    // One more: `finish` notes the end.
    if (this.#count + 1 < this.#starts.length) return;
    const size = this.#starts.length * 2;
    this.#starts = copyInto(new Uint32Array(size), this.#starts);
    this.#rtpTimes = copyInto(new Float64Array(size), this.#rtpTimes);
    this.#dues = copyInto(new Float64Array(size), this.#dues);
    this.#keys = copyInto(new Uint8Array(size), this.#keys);
  }
}

function copyInto<T extends Uint32Array | Float64Array | Uint8Array>(larger: T, array: T): T {
  larger.set(array);
  return larger;
}
