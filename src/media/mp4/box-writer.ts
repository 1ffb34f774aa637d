/** Bytes of a box, or parts to be joined. */
export type Part = Uint8Array | number[];

const headerBytes = 8;

/** A box: size, type, content. */
export function box(type: string, ...parts: Part[]): Uint8Array {
  const size = headerBytes + parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  bytes.set(u32(size), 0);
  bytes.set(fourCc(type), 4);
  let at = headerBytes;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A full box: a box with version and flags. */
export function fullBox(type: string, version: number, flags: number, ...parts: Part[]): Uint8Array {
  return box(type, [version, (flags >>> 16) & 0xff, (flags >>> 8) & 0xff, flags & 0xff], ...parts);
}

export function u16(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff];
}

/** 32 bits, signed or not. */
export function u32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** 64 bits of a whole number that may be negative. */
export function u64(value: number): number[] {
  return [...u32(Math.floor(value / 0x1_0000_0000)), ...u32(value % 0x1_0000_0000)];
}

export function fourCc(type: string): number[] {
  return [...type].map((character) => character.charCodeAt(0) & 0xff);
}

export function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}

/** A zero-terminated string. */
export function cString(text: string): number[] {
  return [...new TextEncoder().encode(text), 0];
}
