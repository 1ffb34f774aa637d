import type { ContentHash } from "./content-hash.ts";
import { UploadLockedError } from "./errors.ts";
import type { UploadFile } from "./upload-files.ts";

/** Bytes gathered for one write. */
const WRITE_BYTES = 1 << 20;
/** Bytes that may wait for the disk; beyond that the sender waits. */
const WAITING_BYTES = 8 << 20;
/** Bytes and time after which what is written is synced, so that the last sync is short and a crash loses little. */
const SYNC_BYTES = 32 << 20;
const SYNC_MS = 1_000;

export interface ReceiverDependencies {
  readonly file: UploadFile;
  readonly hash: ContentHash;
  /** Where the first byte goes. */
  readonly offset: number;
  /** Called after each sync with the number of bytes, from byte 0, that are safely on disk. */
  readonly onSynced: (offset: number) => Promise<void>;
}

/**
 * Takes chunks as they arrive and brings them to disk in order. Hashing, writing and syncing overlap: while one
 * write or sync runs in the background, the next chunks are hashed and gathered.
 */
export class Receiver {
  readonly #dependencies: ReceiverDependencies;
  #received: number;
  #written: number;
  #synced: number;
  #waiting: Uint8Array[] = [];
  #writing: Promise<void> | null = null;
  #syncing: Promise<void> | null = null;
  #syncedAt = performance.now();
  #failure: { readonly error: unknown } | null = null;

  constructor(dependencies: ReceiverDependencies) {
    this.#dependencies = dependencies;
    this.#received = dependencies.offset;
    this.#written = dependencies.offset;
    this.#synced = dependencies.offset;
  }

  /** Bytes received, written and safely on disk, counted from byte 0 of the upload. */
  get received(): number {
    return this.#received;
  }
  get written(): number {
    return this.#written;
  }
  get synced(): number {
    return this.#synced;
  }

  /** Takes the next chunk, which nobody may change afterwards. Waits while the disk is behind; throws what it threw. */
  async push(chunk: Uint8Array): Promise<void> {
    this.#throwFailure();
    if (chunk.length === 0) return;
    this.#dependencies.hash.add(chunk, this.#received);
    this.#received += chunk.length;
    this.#waiting.push(chunk);
    if (!this.#writing && this.#received - this.#written >= WRITE_BYTES) void this.#startWriting();
    while (this.#writing && this.#received - this.#written > WAITING_BYTES) await this.#writing;
    this.#throwFailure();
  }

  /** Brings everything received to disk, synced, and returns the offset; after a failed write as much as was written. */
  async settle(): Promise<number> {
    while (this.#writing || (this.#waiting.length > 0 && !this.#failure)) await (this.#writing ?? this.#startWriting());
    await this.#syncing;
    if (this.#synced < this.#written) await this.#startSyncing();
    return this.#synced;
  }

  /** Takes nothing more to disk than what is on its way there: the upload is another instance's now. */
  abandon(): void {
    this.#failure ??= { error: new UploadLockedError() };
    this.#waiting = [];
  }

  /** `settle`, and throws what writing or syncing threw. */
  async finish(): Promise<number> {
    const offset = await this.settle();
    this.#throwFailure();
    return offset;
  }

  #startWriting(): Promise<void> {
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
      if (!this.#failure && this.#received - this.#written >= WRITE_BYTES) void this.#startWriting();
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const chunks = this.#waiting;
    this.#waiting = [];
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    try {
      await this.#dependencies.file.write(chunks, this.#written);
      this.#written += length;
    } catch (error) {
      this.#failure ??= { error };
      return;
    }
    const due = this.#written - this.#synced >= SYNC_BYTES || performance.now() - this.#syncedAt >= SYNC_MS;
    if (due && !this.#syncing) void this.#startSyncing();
  }

  #startSyncing(): Promise<void> {
    this.#syncing = this.#sync().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  async #sync(): Promise<void> {
    const written = this.#written;
    this.#syncedAt = performance.now();
    try {
      await this.#dependencies.file.sync();
      await this.#dependencies.onSynced(written);
      this.#synced = written;
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
