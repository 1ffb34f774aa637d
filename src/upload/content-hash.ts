import type { UploadFile } from "./upload-files.ts";

/** Bytes read at a time when hashing again: 0.6 ms of hashing, so that nobody waits for the event loop. */
const READ_BYTES = 1 << 20;

/**
 * The SHA-256 of an upload's bytes as they arrive. Its state cannot be saved, so after a restart (or a failed
 * write) it starts again from byte 0 and reads from disk what has arrived already.
 */
export class ContentHash {
  #hasher = new Bun.CryptoHasher("sha256");
  #hashed = 0;
  #digest: string | null = null;

  /** Bytes hashed so far. */
  get hashed(): number {
    return this.#hashed;
  }

  /** Takes the bytes at `position` when they are the next ones; else they are left for `catchUp`. */
  add(chunk: Uint8Array, position: number): void {
    if (position !== this.#hashed) return;
    this.#hasher.update(chunk);
    this.#hashed += chunk.length;
  }

  /** Reads up to `end()`, asked again after each read, from the file. Stops early when aborted. */
  async catchUp(file: UploadFile, end: () => number, signal: AbortSignal): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (!signal.aborted && this.#hashed < end()) {
      const position = this.#hashed;
      const wanted = Math.min(READ_BYTES, end() - position);
      const count = await file.read(buffer.subarray(0, wanted), position);
      if (count === 0) return;
      this.add(buffer.subarray(0, count), position);
    }
  }

  /** The digest when all `sizeBytes` bytes are in; null before. No byte may be added after it. */
  digest(sizeBytes: number): string | null {
    if (this.#hashed !== sizeBytes) return null;
    this.#digest ??= this.#hasher.digest("hex");
    return this.#digest;
  }
}
