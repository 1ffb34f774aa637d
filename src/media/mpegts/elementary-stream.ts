import { MediaError } from "../errors.ts";
import { maxDecodedBytes } from "../segment-plan.ts";
import { ElementaryBuffer } from "./elementary-buffer.ts";
import { GrowingColumn } from "./growing-column.ts";
import { maxStride, packetBytes, payloadAt } from "./packet.ts";
import { PartRecord } from "./part-record.ts";
import { clockRate, type PesHeader, PesStripper } from "./pes.ts";
import { clockDistance, newStreamClock, type ProgramClock } from "./program-clock.ts";

/** Samples of one stream: 24 h at 50 a second fit in. */
export const maxSamples = 4_500_000;
/** A stream is cut into frames at each PES packet, and when this much of it has come. */
const feedBytes = 256 * 1024;
/** A picture is shown at most this long after it is decoded; other stamps are damaged. */
const maxReorder = 10 * clockRate;
/** Scrambled packets after which a stream that has nothing else is given up. */
const maxScrambled = 10_000;

/** Times that a stream may go on in packets of another identifier. */
const maxMoves = 1000;

/** Time stamps of a PES packet, made to go on, in ticks of 90 kHz. */
export interface Stamp {
  /** Where its content starts in the stream. */
  readonly position: number;
  readonly pts: number;
  readonly dts: number;
  /** Whether both were told. */
  readonly hasDts: boolean;
  /** `random_access_indicator`. */
  readonly isRandomAccess: boolean;
  /** Bytes are missing from here on: what starts later is not what the stamp was for. */
  limit: number;
}

/** Where the samples of a stream are, and when; one entry each. Times are `NaN` where none is told. */
export class SampleRecord {
  /** The packet that a sample starts in, and payload bytes of it that come before. */
  readonly packets = new GrowingColumn();
  readonly skips = new GrowingColumn();
  /** The packet that it ends in. */
  readonly lastPackets = new GrowingColumn();
  /** Bytes in the stream, and as a sample. */
  readonly rawSizes = new GrowingColumn();
  readonly sizes = new GrowingColumn();
  readonly pts = new GrowingColumn();
  readonly dts = new GrowingColumn();
  /** Of samples that are not read in one piece. */
  readonly parts = new PartRecord();
  /** Whether some samples have no times. */
  hasMissingTimes = false;

  get count(): number {
    return this.sizes.length;
  }
}

/** What cuts the stream into samples. */
export interface StreamReader {
  /** Whether samples are NAL units after start codes; otherwise they are the end of what is in the stream. */
  readonly isAnnexB: boolean;
  feed(buffer: ElementaryBuffer, final: boolean): void;
  /** Bytes are missing from here on. */
  lose(buffer: ElementaryBuffer): void;
}

/**
 * One stream of a program while the file is read: takes its packets, keeps its bytes until they are cut into
 * samples, and notes where those are. What is damaged is left out, so nothing is put where it does not belong.
 */
export class ElementaryStream {
  readonly record = new SampleRecord();
  readonly buffer = new ElementaryBuffer();
  /** From which sample on the stream comes in packets of which identifier. */
  readonly pids: { readonly sample: number; readonly pid: number }[] = [];
  /** Packets that are scrambled, and those that are not. */
  scrambled = 0;
  clear = 0;
  /** Where the first scrambled packet is. */
  scrambledAt = -1;
  readonly #name: string;
  readonly #clock: ProgramClock;
  readonly #ownClock = newStreamClock();
  readonly #pes = new PesStripper("outside");
  readonly #stamps: Stamp[] = [];
  #reader: StreamReader | null = null;
  #counter = -1;
  #lastPacket = -1;
  #isRandomAccess = false;
  #fedTo = 0;

  /** `name`: for errors. */
  constructor(name: string, clock: ProgramClock) {
    this.#name = name;
    this.#clock = clock;
  }

  set reader(reader: StreamReader) {
    this.#reader = reader;
  }

  get pid(): number {
    return this.pids.at(-1)?.pid ?? -1;
  }

  /** From now on the stream comes in packets of another identifier. */
  moveTo(pid: number): void {
    this.finish();
    this.#pes.leave();
    this.#counter = -1;
    if (this.pids.length >= maxMoves) {
      throw new MediaError("unsupported", "The video's program changes too often", { box: this.#name });
    }
    this.pids.push({ sample: this.record.count, pid });
  }

  /** Takes a packet whose sync byte is `bytes[at]`; it starts at `offset` in the file. */
  push(bytes: Uint8Array, at: number, offset: number): void {
    const control = bytes[at + 3] ?? 0;
    const isDamaged = ((bytes[at + 1] ?? 0) & 0x80) !== 0;
    if (isDamaged) {
      this.#lose();
      return;
    }
    const flags = control & 0x20 && (bytes[at + 4] ?? 0) > 0 ? (bytes[at + 5] ?? 0) : 0;
    if ((control & 0x10) === 0) {
      // Without payload the counter stands still, unless it is announced to start anew.
      if (flags & 0x80) this.#counter = -1;
      return;
    }
    const isNew = (flags & 0x80) !== 0;
    const counter = control & 0x0f;
    if (counter === this.#counter && !isNew && this.#isRepeated(bytes, at, offset)) return;
    if (this.#counter >= 0 && counter !== ((this.#counter + 1) & 0x0f) && !isNew) this.#lose();
    this.#counter = counter;
    this.#lastPacket = offset;
    if ((control & 0xc0) !== 0) this.#noteScrambled(offset);
    else this.#take(bytes, at, offset, (flags & 0x40) !== 0);
  }

  /** Takes what the stream has left: it ends or pauses here. `isCut`: in the middle of something. */
  finish(isCut = false): void {
    if (isCut) this.#lose();
    this.#reader?.feed(this.buffer, true);
    this.#fedTo = this.buffer.end;
  }

  /** The stamp of the sample that starts at a position: each one counts for the first sample after it. */
  stampFor(position: number): Stamp | null {
    let found: Stamp | null = null;
    while ((this.#stamps[0]?.position ?? Number.POSITIVE_INFINITY) <= position) found = this.#stamps.shift() ?? null;
    return found !== null && position < found.limit ? found : null;
  }

  /** Notes a sample that is whole. */
  add(sample: { readonly start: number; readonly end: number; readonly size: number }, stamp: Stamp | null): void {
    const { record, buffer } = this;
    if (record.count >= maxSamples) {
      throw new MediaError("unsupported", "The video has too many pictures or frames of sound", {
        box: this.#name,
        expected: `at most ${maxSamples}`,
      });
    }
    const place = buffer.placeOf(sample.start);
    record.packets.push(place.packet);
    record.skips.push(place.skip);
    record.lastPackets.push(buffer.placeOf(sample.end - 1).packet);
    record.rawSizes.push(sample.end - sample.start);
    record.sizes.push(sample.size);
    const lastPacket = record.lastPackets.at(record.count - 1);
    if (lastPacket - place.packet > maxDecodedBytes - maxStride) {
      if (this.#reader?.isAnnexB) record.parts.addUnits(record.count - 1, buffer, sample.start, sample.end);
      else record.parts.addBytes(record.count - 1, buffer, sample.end - sample.size, sample.end);
    }
    record.hasMissingTimes ||= stamp === null;
    record.pts.push(stamp?.pts ?? Number.NaN);
    record.dts.push(stamp?.dts ?? Number.NaN);
  }

  #take(bytes: Uint8Array, at: number, offset: number, isRandomAccess: boolean): void {
    this.clear++;
    const unitStart = ((bytes[at + 1] ?? 0) & 0x40) !== 0;
    const from = payloadAt(bytes, at);
    const to = at + packetBytes;
    if (unitStart) this.#isRandomAccess = isRandomAccess;
    const start = this.#pes.strip(bytes, from, to, unitStart);
    if (unitStart && this.#pes.isOutside) this.#lose();
    if (this.#pes.ended !== null) this.#begin(this.#pes.ended, offset);
    if (start >= to || this.#pes.isOutside) return;
    this.buffer.append(bytes, start, to, offset, unitStart ? 0 : start - from);
    if (this.buffer.end - this.#fedTo >= feedBytes) this.#feed();
  }

  /** A PES packet begins. */
  #begin(header: PesHeader, offset: number): void {
    this.#feed();
    if (header.isScrambled) {
      this.#pes.leave();
      this.#noteScrambled(offset);
      return;
    }
    if (header.pts === null) return;
    const dts = this.#clock.timeOf(header.dts ?? header.pts, this.#ownClock);
    const reorder = header.dts === null ? 0 : clockDistance(header.dts, header.pts);
    // Packets without content tell nothing.
    if (this.#stamps.at(-1)?.position === this.buffer.end) this.#stamps.pop();
    this.#stamps.push({
      position: this.buffer.end,
      dts,
      pts: dts + (reorder > -maxReorder && reorder < maxReorder ? reorder : 0),
      hasDts: header.dts !== null,
      isRandomAccess: this.#isRandomAccess,
      limit: Number.POSITIVE_INFINITY,
    });
  }

  #feed(): void {
    this.#reader?.feed(this.buffer, false);
    this.#fedTo = this.buffer.end;
    // Stamps of content that never came.
    while (this.#stamps.length > 1 && (this.#stamps[1]?.position ?? 0) <= this.buffer.start) this.#stamps.shift();
  }

  #lose(): void {
    this.#pes.lose();
    this.#reader?.lose(this.buffer);
    for (const stamp of this.#stamps) stamp.limit = Math.min(stamp.limit, this.buffer.end);
    this.#fedTo = this.buffer.end;
  }

  #noteScrambled(offset: number): void {
    if (this.scrambledAt < 0) this.scrambledAt = offset;
    if (++this.scrambled >= maxScrambled && this.clear === 0) this.refuseScrambled();
    this.#lose();
  }

  refuseScrambled(): never {
    throw new MediaError("unsupported", "The video is scrambled (conditional access)", {
      box: this.#name,
      offset: this.scrambledAt,
      expected: "clear packets",
      got: "transport_scrambling_control",
    });
  }

  /** Whether a packet with the same counter is the last one once more, as it may be, and not one 16 later. */
  #isRepeated(bytes: Uint8Array, at: number, offset: number): boolean {
    const before = at - (offset - this.#lastPacket);
    // The last one may have been in the piece of the file before this one.
    if (before < 0) return true;
    const from = payloadAt(bytes, at);
    if (payloadAt(bytes, before) - before !== from - at) return false;
    for (let i = from; i < at + packetBytes; i++) if (bytes[i] !== bytes[i - at + before]) return false;
    return true;
  }
}
