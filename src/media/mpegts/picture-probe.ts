import { packetBytes, payloadAt } from "./packet.ts";
import { clockRate, PesStripper } from "./pes.ts";
import { clockDistance } from "./program-clock.ts";

/** A sequence header is looked for in this much of a stream. */
const searchedBytes = 1024 * 1024;
const sequenceHeaderBytes = 8;
const sequenceHeaderCode = 0xb3;
/** `frame_rate_code`, ISO/IEC 13818-2 table 6-4. */
const frameRates = [0, 24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60];

/** What is known of pictures that are not packaged; 0 where nothing is. */
export interface ProbedPictures {
  readonly durationSeconds: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** Finds out what can be told of pictures without cutting their stream: size, rate (MPEG-1 and 2) and duration. */
export class PictureProbe {
  readonly #pes = new PesStripper("outside");
  readonly #hasSequenceHeader: boolean;
  #tail = new Uint8Array(0);
  #searched = 0;
  #size = { width: 0, height: 0, frameRate: 0 };
  #first: number | null = null;
  #latest = 0;

  constructor(codec: string) {
    this.#hasSequenceHeader = codec === "mpeg1" || codec === "mpeg2";
  }

  /** Takes a packet of the stream, whose sync byte is `bytes[at]`. */
  push(bytes: Uint8Array, at: number): void {
    const control = bytes[at + 3] ?? 0;
    if ((control & 0xd0) !== 0x10) return;
    const to = at + packetBytes;
    const start = this.#pes.strip(bytes, payloadAt(bytes, at), to, ((bytes[at + 1] ?? 0) & 0x40) !== 0);
    const pts = this.#pes.ended?.pts ?? null;
    if (pts !== null) {
      this.#first ??= pts;
      this.#latest = Math.max(this.#latest, clockDistance(this.#first, pts));
    }
    if (this.#hasSequenceHeader && this.#size.width === 0 && this.#searched < searchedBytes) {
      this.#search(bytes.subarray(start, to));
    }
  }

  get result(): ProbedPictures {
    const { width, height, frameRate } = this.#size;
    // The last picture is shown as well.
    const last = this.#first === null || frameRate === 0 ? 0 : 1 / frameRate;
    return {
      durationSeconds: this.#latest / clockRate + last,
      width,
      height,
      frameRate: Math.round(frameRate * 1000) / 1000,
    };
  }

  #search(fresh: Uint8Array): void {
    const bytes = new Uint8Array(this.#tail.length + fresh.length);
    bytes.set(this.#tail);
    bytes.set(fresh, this.#tail.length);
    this.#searched += fresh.length;
    for (let at = 0; at + sequenceHeaderBytes <= bytes.length; at++) {
      if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1 || bytes[at + 3] !== sequenceHeaderCode)
        continue;
      const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at + 4, at + sequenceHeaderBytes);
      this.#size = { width: (a << 4) | (b >> 4), height: ((b & 15) << 8) | c, frameRate: frameRates[d & 15] ?? 0 };
      return;
    }
    this.#tail = bytes.slice(-(sequenceHeaderBytes - 1));
  }
}
