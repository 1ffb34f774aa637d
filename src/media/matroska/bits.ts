/** Reads fields of single bits, the highest first; zeros after the end. */
export class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.read(1) === 1;
  }

  skip(count: number): void {
    this.#at += count;
  }
}

/** Fields of so many bits each, put together to whole bytes; the rest of the last byte is 0. */
export function packBits(...fields: readonly (readonly [value: number, bits: number])[]): number[] {
  const total = fields.reduce((sum, [, bits]) => sum + bits, 0);
  const bytes = new Array<number>(Math.ceil(total / 8)).fill(0);
  let at = 0;
  for (const [value, bits] of fields) {
    for (let bit = bits - 1; bit >= 0; bit--, at++) {
      if ((value >>> bit) & 1) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (0x80 >> (at & 7));
    }
  }
  return bytes;
}
