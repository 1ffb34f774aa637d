import type { OpenOriginal } from "../../streaming/original.ts";
import { AHEAD_BYTES, type S3Blocks } from "./s3-blocks.ts";
import { isMissing } from "./s3-errors.ts";

export interface S3OriginalDependencies {
  readonly blocks: S3Blocks;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** The source whose objects hold the bytes; `again` when those that were said before are gone. */
  readonly resolve: (again: boolean) => Promise<string>;
}

/** One reader of a stored original. Whoever reads on gets ahead of it fetched; nothing is once it is closed. */
export class S3Original implements OpenOriginal {
  readonly isElsewhere = true;
  readonly size: number;
  readonly mtimeMs: number;
  readonly #dependencies: S3OriginalDependencies;
  #sourceId: string | null = null;
  /** Where a reader that reads on will read next. */
  #next = -1;
  #fetchedTo = 0;
  #closed = false;

  constructor(dependencies: S3OriginalDependencies) {
    this.#dependencies = dependencies;
    this.size = dependencies.sizeBytes;
    this.mtimeMs = dependencies.mtimeMs;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const target = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    await this.readInto(target, offset);
    return target;
  }

  async readEach(targets: readonly Uint8Array[], offset: number): Promise<number> {
    let filled = 0;
    for (const target of targets) filled += await this.readInto(target, offset + filled);
    return filled;
  }

  async readInto(target: Uint8Array, offset: number): Promise<number> {
    const { blocks, resolve } = this.#dependencies;
    this.#sourceId ??= await resolve(false);
    this.#readAhead(offset, target.length);
    try {
      return await blocks.readInto(target, this.#stored(this.#sourceId), offset);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Equal content was filed meanwhile, or its last title but this one is gone: the bytes are elsewhere.
      const other = await resolve(true);
      if (other === this.#sourceId) throw error;
      this.#sourceId = other;
      return blocks.readInto(target, this.#stored(other), offset);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #stored(sourceId: string) {
    return { sourceId, sizeBytes: this.size };
  }

  #readAhead(offset: number, length: number): void {
    const isNext = offset === this.#next;
    this.#next = offset + length;
    if (!isNext) this.#fetchedTo = this.#next;
    // Half of it is still to be read when more is fetched: the reader never waits, and requests are large.
    if (!isNext || this.#closed || this.#sourceId === null || this.#fetchedTo - this.#next > AHEAD_BYTES / 2) return;
    const from = Math.max(this.#fetchedTo, this.#next);
    this.#fetchedTo = from + AHEAD_BYTES;
    this.#dependencies.blocks.fetchAhead(this.#stored(this.#sourceId), from, this.#fetchedTo);
  }
}
