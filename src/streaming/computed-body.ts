import type { ByteRange } from "../http/conditional.ts";
import { maxDecodedBytes, type PlanPart, partBytes, type SegmentPlan } from "../media/segment-plan.ts";
import { type BorrowedFile, type OpenFiles, openFiles } from "./open-files.ts";
import type { LocatedOriginal, OpenOriginal } from "./original.ts";

/** A body up to this size is sent from memory in one piece, with its length. */
const SMALL_BYTES = 128 * 1024;
/** What bodies that are being sent may take together for their chunks, as long as each has the least. */
const CHUNKS_BYTES = 32 * 2 ** 20;
const LEAST_CHUNK_BYTES = 64 * 1024;
const MOST_CHUNK_BYTES = 512 * 1024;
/** Reads under way at once in all answers together: bounds the memory when a thousand viewers start at once. */
const READS_AT_ONCE = 64;
/** Ranges no farther apart than this are read by one call: a call costs more than the bytes in between. */
const MAX_GAP_BYTES = 64 * 1024;
/** Most ranges of one such call: a system call takes 1,024 places, and there is a gap after each. */
const RANGES_AT_ONCE = 500;

/** Some bytes of a body, from one of its parts. */
interface Piece {
  readonly part: PlanPart;
  /** Which of the bytes that the part sends. */
  readonly from: number;
  readonly to: number;
}

/** The pieces of a body between two of its bytes, one of each part. */
function* piecesOf({ header, ranges }: SegmentPlan, { start, end }: ByteRange): Generator<Piece> {
  let position = 0;
  for (const part of [{ bytes: header }, ...ranges]) {
    const size = partBytes(part);
    const [from, to] = [Math.max(start - position, 0), Math.min(end - position, size)];
    if (from < to) yield { part, from, to };
    position += size;
    if (position >= end) return;
  }
}

/**
 * Pieces that are sent together, as many as fill a chunk: many samples are smaller than what is worth one. What is
 * decoded is decoded once: where it is longer than a chunk it is one of its own.
 */
function* chunksOf(pieces: Iterable<Piece>, chunkBytes: number): Generator<Piece[]> {
  let chunk: Piece[] = [];
  let room = chunkBytes;
  for (const { part, from, to } of pieces) {
    const isWhole = "decode" in part;
    for (let at = from; at < to; ) {
      if (room <= 0 || (isWhole && to - from > room && chunk.length > 0)) {
        yield chunk;
        [chunk, room] = [[], chunkBytes];
      }
      const end = isWhole ? to : Math.min(to, at + room);
      chunk.push({ part, from: at, to: end });
      room -= end - at;
      at = end;
    }
  }
  if (chunk.length > 0) yield chunk;
}

const bytesOf = (pieces: readonly Piece[]) => pieces.reduce((sum, { from, to }) => sum + to - from, 0);

/** Lets so many reads run at once; the others wait for their turn. */
class Gate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async pass<T>(read: () => Promise<T>): Promise<T> {
    while (this.#running >= READS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await read();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

/** Apart, so that a slow network holds up no reads of this machine's own disks. */
const gates = { here: new Gate(), elsewhere: new Gate() };
const gateOf = ({ isElsewhere }: OpenOriginal) => (isElsewhere ? gates.elsewhere : gates.here);

/** A run of the file's bytes, and where it goes. */
interface Run {
  readonly offset: number;
  readonly target: Uint8Array;
}

async function fill(file: OpenOriginal, { offset, target }: Run): Promise<void> {
  const length = await gateOf(file).pass(() => file.readInto(target, offset));
  if (length !== target.length) throw new Error(`the file ends at ${offset + length}`);
}

/** Where bytes go that nobody wants: written by many reads at once, and never looked at. */
const unwanted = new Uint8Array(MAX_GAP_BYTES);

/** Fills runs that lie near each other. */
async function fillNear(file: OpenOriginal, runs: readonly Run[]): Promise<void> {
  const targets: Uint8Array[] = [];
  const [first] = runs;
  if (first === undefined) return;
  let end = first.offset;
  for (const { offset, target } of runs) {
    if (offset > end) targets.push(unwanted.subarray(0, offset - end));
    targets.push(target);
    end = offset + target.length;
  }
  const length = targets.length > 1 ? await gateOf(file).pass(() => file.readEach(targets, first.offset)) : 0;
  // One by one where the system gave less than it could, and to tell where the file ends.
  if (length !== end - first.offset) for (const run of runs) await fill(file, run);
}

async function fillAll(file: OpenOriginal, runs: readonly Run[]): Promise<void> {
  let near: Run[] = [];
  let end = 0;
  for (const run of runs) {
    const gap = run.offset - end;
    if (near.length >= RANGES_AT_ONCE || (near.length > 0 && (gap < 0 || gap > MAX_GAP_BYTES))) {
      await fillNear(file, near);
      near = [];
    }
    near.push(run);
    end = run.offset + run.target.length;
  }
  await fillNear(file, near);
}

async function decode(file: OpenOriginal, { part, from, to }: Piece): Promise<Uint8Array> {
  if (!("decode" in part)) throw new TypeError("only what is decoded is read like this");
  if (part.length > maxDecodedBytes) throw new RangeError(`${part.length} bytes are too many to decode at once`);
  const bytes = Buffer.allocUnsafeSlow(part.length);
  await fill(file, { offset: part.offset, target: bytes });
  const decoded = part.decode(bytes);
  if (decoded.length !== part.sizeBytes) throw new Error(`decoded to ${decoded.length}, not ${part.sizeBytes} bytes`);
  return decoded.subarray(from, to);
}

/** Puts the bytes of pieces into `target`, which they fill. */
async function readPieces(file: OpenOriginal, pieces: readonly Piece[], target: Uint8Array): Promise<void> {
  const runs: Run[] = [];
  let filled = 0;
  for (const piece of pieces) {
    const { part, from, to } = piece;
    const own = target.subarray(filled, filled + to - from);
    if ("bytes" in part) own.set(part.bytes.subarray(from, to));
    else if ("decode" in part) own.set(await decode(file, piece));
    else runs.push({ offset: part.offset + from, target: own });
    filled += own.length;
  }
  await fillAll(file, runs);
}

/** Who a body is for. */
export interface BodyOptions {
  /** As of `HttpBindings`: all chunks lie in the same memory then. */
  readonly copiesChunks?: boolean;
  readonly files?: OpenFiles;
}

/**
 * The bytes of a body between two positions, as a response body. The file is opened when the client begins to read, and
 * given back at the end, on an error, or when the client goes away. Fails when it is no longer the file that was located.
 * What lies elsewhere may be out of reach: its first bytes are read before anything is answered.
 */
export async function bodyOf(
  located: LocatedOriginal,
  body: SegmentPlan,
  range: ByteRange,
  { copiesChunks = false, files = openFiles }: BodyOptions = {},
): Promise<BodyInit> {
  const size = range.end - range.start;
  if (range.end <= body.header.length) return body.header.slice(range.start, range.end);
  if (size > SMALL_BYTES) {
    const source = new ChunkSource({ files, located, body, range, copiesChunks });
    if (located.path === null) await source.prepare();
    return new ReadableStream(source, PULL_ONLY);
  }
  const { file, giveBack } = await files.borrow(located);
  let broken = true;
  try {
    const bytes = Buffer.allocUnsafeSlow(size) as Buffer<ArrayBuffer>;
    await readPieces(file, [...piecesOf(body, range)], bytes);
    broken = false;
    return bytes;
  } finally {
    giveBack(broken);
  }
}

/** Nothing is read ahead: a viewer who has stopped reading costs what the socket holds. */
const PULL_ONLY = { highWaterMark: 0 };

let sourcesOpen = 0;

/** Large chunks cost less, while there are few of them. */
const chunkBytesNow = () =>
  Math.max(LEAST_CHUNK_BYTES, Math.min(MOST_CHUNK_BYTES, Math.floor(CHUNKS_BYTES / sourcesOpen)));

interface ChunkSourceOptions extends Required<BodyOptions> {
  readonly located: LocatedOriginal;
  readonly body: SegmentPlan;
  readonly range: ByteRange;
}

class ChunkSource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #options: ChunkSourceOptions;
  #chunks: Iterator<readonly Piece[]> | null = null;
  #borrowed: BorrowedFile | null = null;
  #memory: ChunkMemory | null = null;
  #prepared: Uint8Array | null = null;
  #over = false;

  constructor(options: ChunkSourceOptions) {
    this.#options = options;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const chunk = this.#prepared ?? (await this.#next());
      this.#prepared = null;
      // The client went away meanwhile.
      if (this.#over) return;
      if (chunk) return controller.enqueue(chunk);
      this.#end();
      controller.close();
    } catch (error) {
      this.#end(true);
      controller.error(error);
    }
  }

  cancel(): void {
    this.#end();
  }

  /** Reads what is sent first. Throws what reading threw. */
  async prepare(): Promise<void> {
    try {
      this.#prepared = await this.#next();
    } catch (error) {
      this.#end(true);
      throw error;
    }
  }

  /** The next chunk; null when there is none, or nobody wants it. */
  async #next(): Promise<Uint8Array | null> {
    this.#chunks ??= await this.#begin();
    const { done, value } = this.#chunks.next();
    if (done || this.#borrowed === null) return null;
    return this.#read(this.#borrowed.file, value);
  }

  async #begin(): Promise<Iterator<readonly Piece[]>> {
    const { files, located, body, range, copiesChunks } = this.#options;
    const borrowed = await files.borrow(located);
    if (this.#over) borrowed.giveBack();
    else {
      this.#borrowed = borrowed;
      sourcesOpen++;
    }
    const chunkBytes = chunkBytesNow();
    if (copiesChunks) this.#memory = new ChunkMemory(Math.min(chunkBytes, range.end - range.start));
    return chunksOf(piecesOf(body, range), chunkBytes);
  }

  async #read(file: OpenOriginal, pieces: readonly Piece[]): Promise<Uint8Array> {
    const [only] = pieces;
    if (only && pieces.length === 1 && "decode" in only.part) return decode(file, only);
    const size = bytesOf(pieces);
    const fillIn = async (target: Uint8Array) => {
      await readPieces(file, pieces, target);
      return target;
    };
    return this.#memory ? this.#memory.use(size, fillIn) : fillIn(Buffer.allocUnsafeSlow(size));
  }

  #end(broken = false): void {
    this.#over = true;
    const borrowed = this.#borrowed;
    if (borrowed === null) return;
    this.#borrowed = null;
    sourcesOpen--;
    this.#memory?.free();
    borrowed.giveBack(broken);
  }
}

/** How often memory is looked for that nobody uses. */
const SWEEP_MS = 250;

/** Memory whose viewer takes nothing right now: what has lain here from one sweep to the next is given back. */
class RestingMemory {
  readonly #resting = new Map<ChunkMemory, number>();
  #sweep = 0;
  #timer: Timer | null = null;

  add(memory: ChunkMemory): void {
    this.#resting.set(memory, this.#sweep);
    this.#timer ??= setInterval(() => this.#giveBack(), SWEEP_MS).unref();
  }

  delete(memory: ChunkMemory): void {
    this.#resting.delete(memory);
  }

  #giveBack(): void {
    for (const [memory, since] of this.#resting) {
      if (since === this.#sweep) continue;
      memory.giveBack();
      this.#resting.delete(memory);
    }
    this.#sweep++;
    if (this.#resting.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

const resting = new RestingMemory();

/**
 * One piece of memory for all chunks of a body: what was just used is still near, and needs no collecting. A viewer who
 * takes nothing for a while has none: the chunk was copied when the next one was asked for, or to the connection.
 */
class ChunkMemory {
  readonly #size: number;
  #bytes: Buffer<ArrayBuffer> | null = null;
  #inUse = false;
  #isOver = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Gives `size` bytes to be written to. */
  async use<T>(size: number, write: (target: Uint8Array) => Promise<T>): Promise<T> {
    resting.delete(this);
    this.#inUse = true;
    this.#bytes ??= Buffer.allocUnsafeSlow(this.#size) as Buffer<ArrayBuffer>;
    try {
      return await write(this.#bytes.subarray(0, size));
    } finally {
      this.#inUse = false;
      if (this.#isOver) this.giveBack();
      else resting.add(this);
    }
  }

  /** The body is over. */
  free(): void {
    this.#isOver = true;
    resting.delete(this);
    // Not while the system still writes to it.
    if (!this.#inUse) this.giveBack();
  }

  /** Gives the memory back at once: what a thousand viewers had would else stay until it is collected. */
  giveBack(): void {
    if (this.#bytes !== null && !this.#bytes.buffer.detached) this.#bytes.buffer.transfer(0);
    this.#bytes = null;
  }
}
