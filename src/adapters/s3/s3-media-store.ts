import { LRUCache } from "lru-cache";
import { TemporaryUnavailableError } from "../../errors.ts";
import type { MediaStore, StoredSource } from "../../streaming/media-store.ts";
import type { LocatedOriginal } from "../../streaming/original.ts";
import type { StoredContents } from "../../streaming/stored-contents.ts";
import { S3Blocks } from "./s3-blocks.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { isMissing, MissingObjectError } from "./s3-errors.ts";
import { KEPT, partBytes, partOf, sourceKeys } from "./s3-keys.ts";
import { S3Original } from "./s3-original.ts";

/** Contents whose holders are remembered. */
const HOLDERS_KEPT = 20_000;
/** A removal is done once more after this long: an upload may have been on its way when it was done first. */
const REMOVED_AGAIN_MS = 10 * 60_000;

export interface S3MediaStoreOptions {
  readonly bucket: S3Bucket;
  /** Names the store; see `MediaStore`. */
  readonly place: string;
  readonly contents: StoredContents;
  /** Bytes of originals that are kept in memory. */
  readonly cacheBytes: number;
  /** The time; the system's by default. */
  readonly now?: () => number;
}

/**
 * Originals as lists of objects `sources/{sourceId}/{n}` of 16 MiB each. Filing copies nothing: the database says which
 * source's objects stand for a content.
 */
export class S3MediaStore implements MediaStore {
  readonly folders = [];
  readonly place: string;
  readonly #bucket: S3Bucket;
  readonly #contents: StoredContents;
  readonly #blocks: S3Blocks;
  readonly #now: () => number;
  readonly #holders = new LRUCache<string, string>({ max: HOLDERS_KEPT });

  constructor({ bucket, place, contents, cacheBytes, now }: S3MediaStoreOptions) {
    this.place = place;
    this.#bucket = bucket;
    this.#contents = contents;
    this.#blocks = new S3Blocks(bucket, cacheBytes);
    this.#now = now ?? Date.now;
  }

  /** Asks nobody: what the source's record says is so until a read finds otherwise. */
  async locate({ id, mediaId, sizeBytes, mtimeMs }: StoredSource): Promise<LocatedOriginal> {
    const resolve = (again: boolean) => this.#holderOf(id, mediaId, again);
    return {
      size: sizeBytes,
      mtimeMs,
      path: null,
      identity: `${id} ${sizeBytes} ${mtimeMs}`,
      open: async () => new Forgiving({ blocks: this.#blocks, sizeBytes, mtimeMs, resolve }),
      isUnchanged: async () => true,
    };
  }

  async openUpload(sourceId: string, mediaId: string | null) {
    const sizeBytes = await this.#sizeOf(sourceId);
    if (sizeBytes === null) throw new MissingObjectError(sourceKeys(sourceId));
    const resolve = (again: boolean) => this.#holderOf(sourceId, mediaId, again);
    return new S3Original({ blocks: this.#blocks, sizeBytes, mtimeMs: this.#now(), resolve });
  }

  keep(sourceId: string): Promise<void> {
    return this.#bucket.put(sourceKeys(sourceId) + KEPT, new Uint8Array(1));
  }

  async file(sourceId: string, mediaId: string): Promise<void> {
    const holder = await this.#contents.claim(mediaId, sourceId);
    if (holder === sourceId) return;
    const own = await this.#sizeOf(sourceId);
    const held = await this.#sizeOf(holder).catch(nullWhenMissing);
    if (own === null && held === null) throw new MissingObjectError(sourceKeys(sourceId));
    if (own === null) return;
    if (held === own) await this.#remove(sourceId);
    else await this.#contents.replace(mediaId, holder, sourceId);
    this.#holders.delete(mediaId);
  }

  async removeUpload(sourceId: string): Promise<void> {
    if (!(await this.#contents.isHolder(sourceId))) await this.#remove(sourceId);
  }

  async removeContent(mediaId: string, inUse: () => Promise<boolean>): Promise<void> {
    const holder = await this.#contents.release(mediaId);
    if (holder === null) return;
    this.#holders.delete(mediaId);
    if ((await inUse()) && (await this.#contents.restore(mediaId, holder))) return;
    await this.#remove(holder);
  }

  async sweep(): Promise<void> {
    for (const sourceId of await this.#contents.removals(new Date(this.#now() - REMOVED_AGAIN_MS))) {
      await this.#bucket.deleteAll(sourceKeys(sourceId));
      await this.#contents.forgetRemoval(sourceId);
    }
  }

  check(): Promise<void> {
    return this.#bucket.check();
  }

  /** Noted first: what cannot be deleted now is deleted by `sweep`, and what is on its way now as well. */
  async #remove(sourceId: string): Promise<void> {
    await this.#contents.noteRemoval(sourceId);
    await this.#bucket.deleteAll(sourceKeys(sourceId));
  }

  async #holderOf(sourceId: string, mediaId: string | null, again: boolean): Promise<string> {
    if (mediaId === null) return sourceId;
    const known = again ? undefined : this.#holders.get(mediaId);
    if (known !== undefined) return known;
    const holder = await this.#contents.holderOf(mediaId);
    if (holder !== null) this.#holders.set(mediaId, holder);
    return holder ?? sourceId;
  }

  /** All bytes of a source's objects; null when there are none. Throws when one of them is missing. */
  async #sizeOf(sourceId: string): Promise<number | null> {
    const sizes = new Map<number, number>();
    for (const { key, sizeBytes } of await this.#bucket.list(sourceKeys(sourceId))) {
      const part = partOf(key);
      if (!Number.isNaN(part)) sizes.set(part, sizeBytes);
    }
    if (sizes.size === 0) return null;
    const sum = [...sizes.values()].reduce((total, bytes) => total + bytes, 0);
    for (const [part, bytes] of sizes) if (bytes !== partBytes(sum, part)) throw new MissingObjectError(sourceId);
    return sum;
  }
}

function nullWhenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

/** A reader to which bytes that are gone are `temporary-unavailable`. */
class Forgiving extends S3Original {
  override async readInto(target: Uint8Array, offset: number): Promise<number> {
    try {
      return await super.readInto(target, offset);
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      throw new TemporaryUnavailableError("This video's file is not here right now.", { cause });
    }
  }
}
