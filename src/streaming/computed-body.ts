import type { ByteRange } from "../http/conditional.ts";
import { FileBytes, type LocatedFile } from "./file-bytes.ts";

/** A body made of computed bytes followed by ranges of a file. */
export interface ComputedBody {
  readonly header: Uint8Array;
  readonly ranges: readonly { readonly offset: number; readonly length: number }[];
  readonly sizeBytes: number;
}

const READ_BYTES = 160 * 1024;
/** A body up to this size is sent from memory in one piece, with its length. */
const SMALL_BYTES = 128 * 1024;
/** Reads under way at once in all answers together: bounds the memory when a thousand viewers start at once. */
const READS_AT_ONCE = 64;

type Piece = Uint8Array | { readonly offset: number; readonly length: number };

/** The pieces of a body between two of its bytes, none longer than one read. */
function* piecesOf({ header, ranges }: ComputedBody, { start, end }: ByteRange): Generator<Piece> {
  if (start < header.length) yield header.subarray(start, Math.min(end, header.length));
  let position = header.length;
  for (const { offset, length } of ranges) {
    let from = Math.max(start - position, 0);
    const to = Math.min(end - position, length);
    for (; from < to; from += READ_BYTES) yield { offset: offset + from, length: Math.min(READ_BYTES, to - from) };
    position += length;
    if (position >= end) return;
  }
}

let readsRunning = 0;
const readsWaiting: (() => void)[] = [];

async function readPiece(file: FileBytes, piece: Piece): Promise<Uint8Array> {
  if (piece instanceof Uint8Array) return piece;
  while (readsRunning >= READS_AT_ONCE) await new Promise<void>((resolve) => readsWaiting.push(resolve));
  readsRunning++;
  try {
    const bytes = await file.read(piece.offset, piece.length);
    if (bytes.length !== piece.length) throw new Error(`the file ends at ${piece.offset + bytes.length}`);
    return bytes;
  } finally {
    readsRunning--;
    readsWaiting.shift()?.();
  }
}

/**
 * The bytes of a body between two positions, as a response body. The file is opened when the client begins to read,
 * and closed at the end, on an error, or when the client goes away. Fails when it is no longer the file that was located.
 */
export async function bodyOf(located: LocatedFile, body: ComputedBody, range: ByteRange): Promise<BodyInit> {
  const pieces = piecesOf(body, range);
  if (range.end - range.start > SMALL_BYTES) return new ReadableStream(new PieceSource(located, pieces), PULL_ONLY);
  if (range.end <= body.header.length) return body.header.slice(range.start, range.end);
  const file = await openSame(located);
  try {
    const small = new Uint8Array(range.end - range.start);
    let filled = 0;
    for (const piece of pieces) {
      const bytes = await readPiece(file, piece);
      small.set(bytes, filled);
      filled += bytes.length;
    }
    return small;
  } finally {
    await file.close();
  }
}

/** Nothing is read ahead: a viewer who has stopped reading costs what the socket holds. */
const PULL_ONLY = { highWaterMark: 0 };

class PieceSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #located: LocatedFile;
  readonly #pieces: Iterator<Piece>;
  #file: FileBytes | null = null;
  #over = false;

  constructor(located: LocatedFile, pieces: Iterator<Piece>) {
    this.#located = located;
    this.#pieces = pieces;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { done, value } = this.#pieces.next();
      if (done) {
        await this.cancel();
        controller.close();
        return;
      }
      this.#file ??= await openSame(this.#located);
      // The client went away while the file was being opened.
      if (this.#over) return await this.cancel();
      controller.enqueue(await readPiece(this.#file, value));
    } catch (error) {
      await this.cancel();
      controller.error(error);
    }
  }

  async cancel(): Promise<void> {
    this.#over = true;
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

async function openSame(located: LocatedFile): Promise<FileBytes> {
  const file = await FileBytes.open([located.path]);
  if (file.size === located.size && file.mtimeMs === located.mtimeMs) return file;
  await file.close();
  throw new Error("the file has changed since it was located");
}
