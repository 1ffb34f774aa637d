import { LRUCache } from "lru-cache";
import type { S3Bucket } from "./s3-bucket.ts";
import { PART_BYTES, partKey } from "./s3-keys.ts";

/** Bytes that are kept and fetched as one; a part has a whole number of them. */
const BLOCK_BYTES = 1 << 20;
/** Blocks that one request fetches at most, and how many are fetched ahead of a reader. */
const BLOCKS_AT_ONCE = 4;
/** Requests under way at once for all readers: bounds the memory that is in flight. */
const REQUESTS_AT_ONCE = 24;

/** A stored source to read from. */
export interface StoredObjects {
  readonly sourceId: string;
  readonly sizeBytes: number;
}

/** Reads stored sources in blocks, and keeps those that were read lately, up to a bound in bytes. */
export class S3Blocks {
  readonly #bucket: S3Bucket;
  readonly #kept: LRUCache<string, Uint8Array>;
  readonly #coming = new Map<string, Promise<Uint8Array>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(bucket: S3Bucket, limitBytes: number) {
    this.#bucket = bucket;
    this.#kept = new LRUCache({
      maxSize: Math.max(BLOCK_BYTES, limitBytes),
      sizeCalculation: (block) => Math.max(1, block.length),
    });
  }

  /** Bytes that are kept now. */
  get keptBytes(): number {
    return this.#kept.calculatedSize;
  }

  /** Fills `target` from `offset`; returns how many bytes, fewer than fit only at the end. */
  async readInto(target: Uint8Array, stored: StoredObjects, offset: number): Promise<number> {
    const end = Math.min(offset + target.length, stored.sizeBytes);
    if (end <= offset) return 0;
    const first = Math.floor(offset / BLOCK_BYTES);
    const last = Math.floor((end - 1) / BLOCK_BYTES);
    // A few blocks at a time: what is asked for at once may be larger than what may be kept.
    for (let block = first; block <= last; block += BLOCKS_AT_ONCE) {
      const blocks = this.#blocks(stored, block, Math.min(block + BLOCKS_AT_ONCE - 1, last));
      for (const [index, bytes] of (await Promise.all(blocks)).entries()) {
        const start = (block + index) * BLOCK_BYTES;
        const from = Math.max(0, offset - start);
        // Copied: whoever holds a few bytes must not hold a block.
        target.set(bytes.subarray(from, Math.min(bytes.length, end - start)), start + from - offset);
      }
    }
    return end - offset;
  }

  /** Begins to fetch what lies between two bytes, if it is not here. Failures are left to whoever reads it. */
  fetchAhead(stored: StoredObjects, from: number, to: number): void {
    const end = Math.min(to, stored.sizeBytes);
    if (from >= end) return;
    const blocks = this.#blocks(stored, Math.floor(from / BLOCK_BYTES), Math.floor((end - 1) / BLOCK_BYTES));
    for (const block of blocks) block.catch(() => undefined);
  }

  #blocks(stored: StoredObjects, first: number, last: number): Promise<Uint8Array>[] {
    const blocks: Promise<Uint8Array>[] = [];
    for (let block = first; block <= last; ) {
      const here = this.#find(stored, block);
      if (here) {
        blocks.push(here);
        block++;
        continue;
      }
      let end = block + 1;
      while (end <= last && end - block < BLOCKS_AT_ONCE && isSamePart(block, end) && !this.#find(stored, end)) end++;
      blocks.push(...this.#fetch(stored, block, end));
      block = end;
    }
    return blocks;
  }

  #find({ sourceId }: StoredObjects, block: number): Promise<Uint8Array> | null {
    const key = `${sourceId}/${block}`;
    const kept = this.#kept.get(key);
    return kept ? Promise.resolve(kept) : (this.#coming.get(key) ?? null);
  }

  /** Fetches blocks of one part with one request. */
  #fetch(stored: StoredObjects, first: number, end: number): Promise<Uint8Array>[] {
    const { sourceId, sizeBytes } = stored;
    const part = Math.floor((first * BLOCK_BYTES) / PART_BYTES);
    const start = first * BLOCK_BYTES - part * PART_BYTES;
    const stop = Math.min(end * BLOCK_BYTES, sizeBytes) - part * PART_BYTES;
    const window = this.#inTurn(() => this.#bucket.get(partKey(sourceId, part), start, stop));
    return Array.from({ length: end - first }, (_, index) => {
      const key = `${sourceId}/${first + index}`;
      const block = window
        .then((bytes) => {
          const own = end - first === 1 ? bytes : bytes.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
          this.#kept.set(key, own);
          return own;
        })
        .finally(() => this.#coming.delete(key));
      // Whoever waits gets the rejection; nobody waiting is fine as well.
      block.catch(() => undefined);
      this.#coming.set(key, block);
      return block;
    });
  }

  async #inTurn<T>(request: () => Promise<T>): Promise<T> {
    while (this.#running >= REQUESTS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await request();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

const isSamePart = (block: number, other: number) =>
  Math.floor((block * BLOCK_BYTES) / PART_BYTES) === Math.floor((other * BLOCK_BYTES) / PART_BYTES);

/** How far ahead of a reader blocks are fetched. */
export const AHEAD_BYTES = BLOCKS_AT_ONCE * BLOCK_BYTES;
