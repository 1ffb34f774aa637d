import type { Checksum } from "./checksum.ts";
import { ContentHash } from "./content-hash.ts";
import { asUploadError, isMissing, TooLargeError, UploadGoneError, UploadLockedError } from "./errors.ts";
import { Receiver } from "./receiver.ts";
import type { Reception } from "./receptions.ts";
import { refuseOthers } from "./request-body.ts";
import type { UploadFile, UploadFiles } from "./upload-files.ts";
import type { UploadProgress } from "./upload-progress.ts";
import type { UploadRecord, UploadRecords } from "./upload-records.ts";

/** An unfinished upload is kept this long after its last byte. */
export const EXPIRY_MS = 24 * 3_600_000;
/** An instance that has not counted bytes of an upload for so long may be gone, where nothing tells of it sooner. */
export const LEASE_MS = 15_000;
/** Up to this many bytes the last request waits for the hash to catch up (40 ms of hashing). */
const LAG_BYTES = 64 << 20;

export interface IntakeDependencies {
  readonly files: UploadFiles;
  /** This instance, as the records name it. */
  readonly writer: string;
  readonly records: UploadRecords;
  readonly progress: UploadProgress;
  readonly maxSizeBytes: number;
  readonly now: () => Date;
}

/** Brings the bytes of a request to disk and hashes them. */
export class Intake {
  readonly #dependencies: IntakeDependencies;
  /** Hashes of unfinished uploads. What is not here, after a restart, is hashed again from byte 0. */
  readonly #hashes = new Map<string, ContentHash>();

  constructor(dependencies: IntakeDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Appends the chunks to the upload and returns its new offset: the number of bytes safely on disk. Whatever
   * ends it early, what has arrived is kept and counted; then it throws: the signal's reason, `NotAVideoError`,
   * `TooLargeError`, `DiskFullError`, `IncompleteBodyError`. With a checksum all of it is kept or, after
   * `ChecksumMismatchError` or anything else, nothing.
   */
  async receive(
    upload: UploadRecord,
    chunks: AsyncIterable<Uint8Array>,
    reception: Reception,
    checksum: Checksum | null = null,
  ): Promise<number> {
    const file = await this.#dependencies.files.open(upload).catch((error: unknown) => {
      throw isMissing(error) ? new UploadGoneError() : error;
    });
    const hash = this.hashOf(upload.id);
    const chase = new Chase(file, hash);
    let kept = upload.offset;
    const keep = async (offset: number) => {
      await this.#keepOffset(upload.id, offset);
      kept = offset;
      chase.start(offset);
    };
    const receiver = new Receiver({
      file,
      hash,
      offset: upload.offset,
      onSynced: checksum ? async () => undefined : keep,
    });
    chase.start(upload.offset);
    try {
      await this.#pump(upload, checksum?.verify(chunks) ?? chunks, reception, receiver);
      const offset = await receiver.finish();
      if (checksum) await keep(offset);
      await chase.end(offset - hash.hashed <= LAG_BYTES);
      return offset;
    } catch (error) {
      if (reception.isLost) receiver.abandon();
      await receiver.settle();
      throw asUploadError(error);
    } finally {
      await chase.end(false);
      await file.close();
      // Bytes that were hashed but never counted will come again.
      if (hash.hashed > kept) this.#hashes.delete(upload.id);
    }
  }

  /** The hash so far of an upload; a new one when there is none. */
  hashOf(id: string): ContentHash {
    const hash = this.#hashes.get(id) ?? new ContentHash();
    this.#hashes.set(id, hash);
    return hash;
  }

  /** The digest when all `sizeBytes` bytes have been hashed; null before that. */
  digestOf(id: string, sizeBytes: number): string | null {
    return this.#hashes.get(id)?.digest(sizeBytes) ?? null;
  }

  forget(id: string): void {
    this.#hashes.delete(id);
  }

  async #pump(upload: UploadRecord, chunks: AsyncIterable<Uint8Array>, reception: Reception, receiver: Receiver) {
    const { maxSizeBytes, progress } = this.#dependencies;
    const total = upload.kind === "tus" ? upload.sizeBytes : null;
    const limit = total ?? maxSizeBytes;
    for await (const chunk of upload.offset === 0 ? refuseOthers(chunks) : chunks) {
      reception.signal.throwIfAborted();
      reception.touch();
      if (receiver.received + chunk.length > limit) {
        if (total === null) throw TooLargeError.forLimit(maxSizeBytes);
        throw new TooLargeError(`This upload was announced with ${total} bytes and sends more.`, maxSizeBytes);
      }
      await receiver.push(chunk);
      progress.running(upload, receiver.received, total);
    }
  }

  /** Counts bytes that are safe. When another instance has gone on with the upload they are not: `UploadLockedError`. */
  async #keepOffset(id: string, offset: number): Promise<void> {
    const { records, writer, now } = this.#dependencies;
    const at = now().getTime();
    const change = { offset, expiresAt: new Date(at + EXPIRY_MS), leaseUntil: new Date(at + LEASE_MS) };
    if (!(await records.updateAs(writer, id, change)) && (await records.get(id))) throw new UploadLockedError();
  }
}

/** Lets a hash that is behind read what is on disk, in the background. */
class Chase {
  readonly #file: UploadFile;
  readonly #hash: ContentHash;
  readonly #abort = new AbortController();
  #running: Promise<void> | null = null;
  #end = 0;

  constructor(file: UploadFile, hash: ContentHash) {
    this.#file = file;
    this.#hash = hash;
  }

  /** There are `end` bytes on disk: reads up to there when the hash is behind. */
  start(end: number): void {
    this.#end = end;
    if (this.#running || this.#abort.signal.aborted || this.#hash.hashed >= end) return;
    this.#running = this.#hash
      .catchUp(this.#file, () => this.#end, this.#abort.signal)
      // What cannot be read now is read when the upload is identified.
      .catch(() => undefined)
      .finally(() => {
        this.#running = null;
      });
  }

  /** Waits until it has caught up, or stops it. */
  async end(wait: boolean): Promise<void> {
    if (!wait) this.#abort.abort();
    await this.#running;
  }
}
