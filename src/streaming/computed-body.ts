import type { ByteRange } from "../http/conditional.ts";
import { maxDecodedBytes, type PlanPart, partBytes, type SegmentPlan } from "../media/segment-plan.ts";
import { type FileBytes, type LocatedFile, openSame } from "./file-bytes.ts";

const READ_BYTES = 160 * 1024;
/** A body up to this size is sent from memory in one piece, with its length. */
const SMALL_BYTES = 128 * 1024;
/** Reads under way at once in all answers together: bounds the memory when a thousand viewers start at once. */
const READS_AT_ONCE = 64;

/** Some bytes of a body, from one of its parts. */
interface Piece {
  readonly part: PlanPart;
  /** Which of the bytes that the part sends. */
  readonly from: number;
  readonly to: number;
}

/** The pieces of a body between two of its bytes, none longer than one read. */
function* piecesOf({ header, ranges }: SegmentPlan, { start, end }: ByteRange): Generator<Piece> {
  let position = 0;
  for (const part of [{ bytes: header }, ...ranges]) {
    const size = partBytes(part);
    const to = Math.min(end - position, size);
    // What is decoded is decoded once: it is never longer than one read.
    const step = "decode" in part ? size : READ_BYTES;
    for (let from = Math.max(start - position, 0); from < to; from += step) {
      yield { part, from, to: Math.min(from + step, to) };
    }
    position += size;
    if (position >= end) return;
  }
}

/** Pieces that are sent together: many samples are smaller than what is worth a chunk of its own. */
function* chunksOf(pieces: Iterable<Piece>): Generator<Piece[]> {
  let chunk: Piece[] = [];
  let size = 0;
  for (const piece of pieces) {
    const length = piece.to - piece.from;
    if (size + length > READ_BYTES && chunk.length > 0) {
      yield chunk;
      [chunk, size] = [[], 0];
    }
    chunk.push(piece);
    size += length;
  }
  if (chunk.length > 0) yield chunk;
}

let readsRunning = 0;
const readsWaiting: (() => void)[] = [];

async function readRange(file: FileBytes, offset: number, length: number): Promise<Uint8Array> {
  while (readsRunning >= READS_AT_ONCE) await new Promise<void>((resolve) => readsWaiting.push(resolve));
  readsRunning++;
  try {
    const bytes = await file.read(offset, length);
    if (bytes.length !== length) throw new Error(`the file ends at ${offset + bytes.length}`);
    return bytes;
  } finally {
    readsRunning--;
    readsWaiting.shift()?.();
  }
}

async function readPiece(file: FileBytes, { part, from, to }: Piece): Promise<Uint8Array> {
  if ("bytes" in part) return part.bytes.subarray(from, to);
  if (!("decode" in part)) return readRange(file, part.offset + from, to - from);
  if (part.length > maxDecodedBytes) throw new RangeError(`${part.length} bytes are too many to decode at once`);
  const decoded = part.decode(await readRange(file, part.offset, part.length));
  if (decoded.length !== part.sizeBytes) throw new Error(`decoded to ${decoded.length}, not ${part.sizeBytes} bytes`);
  return decoded.subarray(from, to);
}

async function readChunk(file: FileBytes, pieces: readonly Piece[]): Promise<Uint8Array<ArrayBuffer>> {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return (await readPiece(file, first)) as Uint8Array<ArrayBuffer>;
  const chunk = new Uint8Array(pieces.reduce((sum, { from, to }) => sum + to - from, 0));
  let filled = 0;
  for (const piece of pieces) {
    const bytes = await readPiece(file, piece);
    chunk.set(bytes, filled);
    filled += bytes.length;
  }
  return chunk;
}

/**
 * The bytes of a body between two positions, as a response body. The file is opened when the client begins to read,
 * and closed at the end, on an error, or when the client goes away. Fails when it is no longer the file that was located.
 */
export async function bodyOf(located: LocatedFile, body: SegmentPlan, range: ByteRange): Promise<BodyInit> {
  const pieces = piecesOf(body, range);
  if (range.end - range.start > SMALL_BYTES)
    return new ReadableStream(new ChunkSource(located, chunksOf(pieces)), PULL_ONLY);
  if (range.end <= body.header.length) return body.header.slice(range.start, range.end);
  const file = await openSame(located);
  try {
    return await readChunk(file, [...pieces]);
  } finally {
    await file.close();
  }
}

/** Nothing is read ahead: a viewer who has stopped reading costs what the socket holds. */
const PULL_ONLY = { highWaterMark: 0 };

class ChunkSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #located: LocatedFile;
  readonly #chunks: Iterator<readonly Piece[]>;
  #file: FileBytes | null = null;
  #over = false;

  constructor(located: LocatedFile, chunks: Iterator<readonly Piece[]>) {
    this.#located = located;
    this.#chunks = chunks;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const { done, value } = this.#chunks.next();
      if (done) {
        await this.cancel();
        controller.close();
        return;
      }
      this.#file ??= await openSame(this.#located);
      // The client went away while the file was being opened.
      if (this.#over) return await this.cancel();
      controller.enqueue(await readChunk(this.#file, value));
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
