import type { Buffers } from "../media/buffers.ts";

/** Between a power of two and the next there are so many sizes: a fifth is not used at most. */
const steps = 4;
/** Smaller and larger ones are made and forgotten. */
const leastBytes = 16 * 1024;
const mostBytes = 4 * 2 ** 20;

/** Arrays that are used again: streams take hundreds of megabytes of them a second, and would wait for the collector. */
export class BufferPool implements Buffers {
  readonly #limitBytes: number;
  readonly #free = new Map<number, ArrayBufferLike[]>();
  /** Those that somebody has. */
  readonly #taken = new WeakSet<ArrayBufferLike>();
  #bytes = 0;

  /** Keeps so many bytes at most for the next ones. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  take(length: number): Uint8Array {
    if (length < leastBytes || length > mostBytes) return new Uint8Array(length);
    const step = 2 ** Math.floor(Math.log2(length)) / steps;
    const size = Math.ceil(length / step) * step;
    const kept = this.#free.get(size)?.pop();
    if (kept) this.#bytes -= size;
    const buffer = kept ?? new ArrayBuffer(size);
    this.#taken.add(buffer);
    return new Uint8Array(buffer, 0, length);
  }

  give({ buffer }: Uint8Array): void {
    // Given twice it is no longer among them: it would be two users' at a time.
    if (!this.#taken.delete(buffer)) return;
    const size = buffer.byteLength;
    const free = this.#free.get(size) ?? [];
    this.#free.set(size, free);
    free.push(buffer);
    this.#bytes += size;
    while (this.#bytes > this.#limitBytes) this.#dropOne();
  }

  /** Of the size that there is most of: what is asked for often is there again soon. */
  #dropOne(): void {
    const bytesOf = (free: readonly ArrayBufferLike[] = []) => free.length * (free[0]?.byteLength ?? 0);
    let most: ArrayBufferLike[] = [];
    for (const free of this.#free.values()) if (bytesOf(free) > bytesOf(most)) most = free;
    this.#bytes -= most.pop()?.byteLength ?? this.#bytes;
  }

  /** Keeps nothing any more of what it has. */
  clear(): void {
    this.#free.clear();
    this.#bytes = 0;
  }
}
