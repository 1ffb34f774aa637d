/** Reads bits of a NAL unit's payload, without the bytes that prevent false start codes. Past the end it throws. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #bit = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Of a NAL unit: `emulation_prevention_three_byte`s are taken out (ITU-T H.264 section 7.3.1). */
  static ofNalUnit(nal: Uint8Array, headerBytes: number): BitReader {
    const bytes = new Uint8Array(nal.length);
    let length = 0;
    let zeros = 0;
    for (let i = headerBytes; i < nal.length; i++) {
      const byte = nal[i] ?? 0;
      if (zeros >= 2 && byte === 3) {
        zeros = 0;
        continue;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
      bytes[length++] = byte;
    }
    return new BitReader(bytes.subarray(0, length));
  }

  get bitsLeft(): number {
    return this.#bytes.length * 8 - this.#bit;
  }

  bit(): number {
    const byte = this.#bytes[this.#bit >> 3];
    if (byte === undefined) throw new BitsEndError();
    return (byte >> (7 - (this.#bit++ & 7))) & 1;
  }

  flag(): boolean {
    return this.bit() === 1;
  }

  /** Up to 32 bits, unsigned. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    if (count > this.bitsLeft) throw new BitsEndError();
    this.#bit += count;
  }

  /** `ue(v)`: Exp-Golomb, section 9.1. */
  ue(): number {
    let zeros = 0;
    while (this.bit() === 0) if (++zeros > 32) throw new BitsEndError();
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** `se(v)`. */
  se(): number {
    const value = this.ue();
    return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
  }
}

/** The bits end, or stand for no value. */
class BitsEndError extends Error {
  constructor() {
    super("the bits end early");
    this.name = "BitsEndError";
  }
}

/** What `read` gives, or null when the bits end before. */
export function orNullAtEnd<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof BitsEndError) return null;
    throw error;
  }
}
