/** PTS and DTS are of 33 bits and count 90,000 a second. */
export const clockRate = 90_000;
export const clockWrap = 2 ** 33;

const fixedBytes = 9;
const maxHeaderBytes = fixedBytes + 255;
/** Stream ids whose packets have no header of their own: program map, padding, private 2, ECM, EMM and others. */
const headless = new Set([0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff]);

/** What the header of a PES packet says. Raw clock values; null where it has none. */
export interface PesHeader {
  readonly pts: number | null;
  readonly dts: number | null;
  readonly isScrambled: boolean;
}

/**
 * Takes the headers of PES packets out of one stream's payloads (ISO/IEC 13818-1 section 2.4.3.6). `PES_packet_length`
 * is not looked at: a packet lasts until the next one starts, as those of unbounded length do.
 */
export class PesStripper {
  readonly #header = new Uint8Array(maxHeaderBytes);
  #have = 0;
  #state: "outside" | "header" | "payload";
  /** The header that ended in the last `strip`, or null. */
  ended: PesHeader | null = null;

  /** `payload`: starts in the middle of a packet, behind its header. */
  constructor(state: "outside" | "payload") {
    this.#state = state;
  }

  /** Where the elementary stream starts in a payload; `to` when there is none of it. */
  strip(bytes: Uint8Array, from: number, to: number, unitStart: boolean): number {
    this.ended = null;
    if (unitStart) {
      this.#state = "header";
      this.#have = 0;
    }
    if (this.#state === "payload") return from;
    if (this.#state === "outside") return to;
    return this.#readHeader(bytes, from, to);
  }

  /** Whether what comes belongs to no packet until the next one starts. */
  get isOutside(): boolean {
    return this.#state === "outside";
  }

  /** Bytes are missing: a header that is begun is of no use. */
  lose(): void {
    if (this.#state === "header") this.#state = "outside";
  }

  /** What the packet holds is not wanted. */
  leave(): void {
    this.#state = "outside";
  }

  #readHeader(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    const header = this.#header;
    while (at < to) {
      const wanted = this.#have < fixedBytes ? fixedBytes : fixedBytes + (header[8] ?? 0);
      while (at < to && this.#have < wanted) header[this.#have++] = bytes[at++] ?? 0;
      if (this.#have < fixedBytes) return to;
      if (!startsPacket(header)) {
        this.#state = "outside";
        return to;
      }
      if (this.#have === fixedBytes + (header[8] ?? 0)) {
        this.#state = "payload";
        this.ended = readHeader(header);
        return at;
      }
    }
    return to;
  }
}

const startsPacket = (header: Uint8Array) =>
  header[0] === 0 &&
  header[1] === 0 &&
  header[2] === 1 &&
  !headless.has(header[3] ?? 0) &&
  ((header[6] ?? 0) & 0xc0) === 0x80;

function readHeader(header: Uint8Array): PesHeader {
  const flags = header[7] ?? 0;
  const length = header[8] ?? 0;
  const hasPts = (flags & 0x80) !== 0 && length >= 5;
  const hasDts = (flags & 0xc0) === 0xc0 && length >= 10;
  return {
    pts: hasPts ? clockAt(header, fixedBytes) : null,
    dts: hasDts ? clockAt(header, fixedBytes + 5) : null,
    isScrambled: ((header[6] ?? 0) & 0x30) !== 0,
  };
}

/** 33 bits in three parts with a marker bit after each. */
function clockAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at, at + 5);
  return ((a >> 1) & 7) * 2 ** 30 + (((b << 8) | c) >> 1) * 2 ** 15 + (((d << 8) | e) >> 1);
}
