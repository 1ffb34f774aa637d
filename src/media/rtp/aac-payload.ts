import { maxPayloadBytes, type PacketGroupWriter, type SampleTime } from "./packet-group.ts";

/** `AU-headers-length`, and the one header of 13 bits of size and 3 of index that each access unit has. */
const lengthBytes = 2;
const headerBytes = 2;
/** What 13 bits hold. */
export const maxUnitBytes = 8191;
/** Longer than this no sound waits for the packet that it is in. */
const maxPacketSeconds = 0.1;
/** Receivers reckon the times of all units but the first; a unit farther from where it is thought begins a packet. */
const maxJitterSeconds = 0.01;

interface Unit {
  readonly bytes: Uint8Array;
  readonly time: SampleTime;
}

/** Writes AAC as RFC 3640 has it in its mode `AAC-hbr` (section 3.3.6): several units in a packet, or parts of one. */
export class AacPayloadWriter {
  readonly #writer: PacketGroupWriter;
  #units: Unit[] = [];
  #size = lengthBytes;

  constructor(writer: PacketGroupWriter) {
    this.#writer = writer;
  }

  /** Takes the next access unit, a view that must stay. Those that the format has no place for are left out. */
  push(bytes: Uint8Array, time: SampleTime): void {
    if (bytes.length === 0 || bytes.length > maxUnitBytes) return;
    if (!this.#fits(bytes, time)) this.flush();
    this.#units.push({ bytes, time });
    this.#size += headerBytes + bytes.length;
  }

  /** Writes what is held back. */
  flush(): void {
    const [first] = this.#units;
    if (first === undefined) return;
    const last = this.#units.at(-1) ?? first;
    const { dueSeconds } = first.time;
    const durationSeconds = last.time.dueSeconds + last.time.durationSeconds - dueSeconds;
    this.#writer.beginSample({ ...first.time, durationSeconds }, false);
    if (this.#size > maxPayloadBytes) this.#writeParts(first.bytes);
    else this.#writeUnits();
    this.#writer.endSample();
    this.#units = [];
    this.#size = lengthBytes;
  }

  #fits(bytes: Uint8Array, { dueSeconds, durationSeconds }: SampleTime): boolean {
    const first = this.#units[0]?.time;
    const last = this.#units.at(-1)?.time;
    if (first === undefined || last === undefined) return true;
    const expected = last.dueSeconds + last.durationSeconds;
    return (
      this.#size + headerBytes + bytes.length <= maxPayloadBytes &&
      dueSeconds + durationSeconds - first.dueSeconds <= maxPacketSeconds &&
      Math.abs(dueSeconds - expected) <= maxJitterSeconds &&
      Math.abs(last.durationSeconds - durationSeconds) <= maxJitterSeconds
    );
  }

  #writeUnits(): void {
    const writer = this.#writer;
    writer.beginPacket(this.#size, true);
    writer.u16(this.#units.length * headerBytes * 8);
    for (const { bytes } of this.#units) writer.u16(bytes.length << 3);
    for (const { bytes } of this.#units) writer.copy(bytes, 0, bytes.length);
  }

  /** Each part tells the size of the whole unit; the last one has the marker (section 3.2.3.2). */
  #writeParts(bytes: Uint8Array): void {
    const room = maxPayloadBytes - lengthBytes - headerBytes;
    for (let from = 0; from < bytes.length; from += room) {
      const to = Math.min(from + room, bytes.length);
      this.#writer.beginPacket(lengthBytes + headerBytes + to - from, to === bytes.length);
      this.#writer.u16(headerBytes * 8);
      this.#writer.u16(bytes.length << 3);
      this.#writer.copy(bytes, from, to);
    }
  }
}
