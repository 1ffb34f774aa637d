import type { ByteSource } from "../media/byte-source.ts";

const PIECES = 8;
const PIECE_BYTES = 8 * 2 ** 10;

/**
 * A few pieces of a file, from its first bytes to its last: another video under the same size differs in nearly all of them.
 * They are taken from bytes that are read anyway, or read by themselves (`sampleOf`).
 */
export class ContentSample {
  readonly #pieces: readonly { readonly offset: number; readonly bytes: Uint8Array }[];

  constructor(size: number) {
    this.#pieces = piecesOf(size).map(({ offset, length }) => ({ offset, bytes: new Uint8Array(length) }));
  }

  /** Takes what it needs of some of the file's bytes. */
  take(offset: number, bytes: Uint8Array): void {
    for (const piece of this.#pieces) {
      const from = Math.max(offset, piece.offset);
      const to = Math.min(offset + bytes.length, piece.offset + piece.bytes.length);
      if (from < to) piece.bytes.set(bytes.subarray(from - offset, to - offset), from - piece.offset);
    }
  }

  /** What tells samples apart; complete when all bytes were taken. */
  get mark(): string {
    return Bun.hash.xxHash3(Buffer.concat(this.#pieces.map(({ bytes }) => bytes))).toString(36);
  }
}

/** The mark of a file's sample, with the fewest reads. */
export async function sampleOf(file: ByteSource): Promise<string> {
  const sample = new ContentSample(file.size);
  const take = async ({ offset, length }: { offset: number; length: number }) =>
    sample.take(offset, await file.read(offset, length));
  await Promise.all(piecesOf(file.size).map(take));
  return sample.mark;
}

function piecesOf(size: number): { readonly offset: number; readonly length: number }[] {
  if (size <= PIECES * PIECE_BYTES) return [{ offset: 0, length: size }];
  const last = size - PIECE_BYTES;
  return Array.from({ length: PIECES }, (_, n) => ({
    offset: Math.floor((last * n) / (PIECES - 1)),
    length: PIECE_BYTES,
  }));
}
