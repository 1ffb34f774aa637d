import type { ByteRange } from "../http/conditional.ts";
import type { FileBytes } from "./file-bytes.ts";

/** A body made of computed bytes followed by ranges of a file. */
export interface ComputedBody {
  readonly header: Uint8Array;
  readonly ranges: readonly { readonly offset: number; readonly length: number }[];
  readonly sizeBytes: number;
}

const READ_BYTES = 256 * 1024;
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
 * The bytes of a body between two positions, as a response body. Takes over `file` and closes it: at the end, on an
 * error, or when the client goes away. Nothing is read before the client takes it.
 */
export async function bodyOf(file: FileBytes, body: ComputedBody, range: ByteRange): Promise<BodyInit> {
  const pieces = piecesOf(body, range);
  if (range.end - range.start <= SMALL_BYTES) {
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
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = pieces.next();
          if (done) {
            await file.close();
            controller.close();
          } else {
            controller.enqueue(await readPiece(file, value));
          }
        } catch (error) {
          await file.close();
          controller.error(error);
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}
