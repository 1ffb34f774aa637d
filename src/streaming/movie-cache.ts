import { appendFile, mkdir, opendir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LRUCache } from "lru-cache";
import { decodeIndexInTurns, encodeIndexInTurns, indexBytes } from "../media/index-file.ts";
import { openMedia } from "../media/open.ts";
import type { Presentation } from "../media/presentation.ts";
import { type LocatedOriginal, withOriginal } from "./original.ts";
import type { StoredCount } from "./source-repository.ts";

/** Largest sum of index bytes kept in memory. */
const CACHE_BYTES = 128 * 2 ** 20;
/** What a kept index costs beside its arrays. */
const ENTRY_OVERHEAD_BYTES = 4096;

/**
 * After an index was made its viewer asks for the first segments: work that nobody waits for, and storing the index, begin
 * this much later.
 */
const QUIET_MS = 300;

/** What loading an index takes. */
interface LoadContext {
  readonly sourceId: string;
  readonly file: LocatedOriginal;
}

type FileState = Pick<LocatedOriginal, "size" | "mtimeMs">;

/** An index and the bytes of its stored form, about what it costs in memory. */
interface Loaded {
  readonly presentation: Presentation | null;
  readonly bytes: number;
}

/**
 * Indexes of sources: in memory up to a bound, else from `{folder}/{sourceId}`, else built from the file. Requests
 * that come at the same time share one build. A file that changed on disk (size, mtime) is another one.
 */
export class MovieCache {
  readonly #folder: string;
  readonly #loaded: LRUCache<string, Loaded, LoadContext>;
  /** Indexes that are being stored, by source. */
  readonly #storing = new Map<string, Promise<void>>();
  /** How many indexes are being made that somebody waits for, or were a moment ago. */
  #making = 0;
  /** Told when there are none any more. */
  #made = Promise.withResolvers<void>();
  /** Ends all moments of quiet. */
  #hurry = Promise.withResolvers<void>();

  constructor(folder: string, limitBytes = CACHE_BYTES) {
    this.#folder = folder;
    this.#loaded = new LRUCache({
      maxSize: limitBytes,
      sizeCalculation: ({ bytes }) => ENTRY_OVERHEAD_BYTES + bytes,
      // Who waits for one is not to suffer when others fill the cache in the meantime.
      ignoreFetchAbort: true,
      fetchMethod: (key, _stale, { context: { sourceId, file } }) => this.#load(sourceId, key, file),
    });
  }

  /** The index of a file; null when its container is not packaged. Throws `MediaError` when it cannot be read. */
  async get(sourceId: string, file: LocatedOriginal): Promise<Presentation | null> {
    const { presentation } = await this.#loaded.forceFetch(keyOf(sourceId, file), { context: { sourceId, file } });
    return presentation;
  }

  /** What work that nobody waits for is to wait for: null, or until a viewer has an index and first segments. */
  whileMaking(): Promise<void> | null {
    return this.#making > 0 ? this.#made.promise : null;
  }

  /** Keeps an index that was just built. */
  async put(sourceId: string, file: FileState, presentation: Presentation): Promise<void> {
    await this.#write(sourceId, keyOf(sourceId, file), presentation);
  }

  /** Forgets a source's index, in memory and on disk. */
  async remove(sourceId: string): Promise<void> {
    this.#endQuiet();
    await this.#storing.get(sourceId);
    for (const key of this.#loaded.keys()) if (key.startsWith(sourceId)) this.#loaded.delete(key);
    await rm(join(this.#folder, sourceId), { force: true });
  }

  /** What is stored on disk: one file for each source that was opened. */
  async stored(): Promise<StoredCount> {
    return this.#each(async () => true);
  }

  /** Removes what is stored on disk; it is made again when it is needed. What plays goes on from memory. */
  async clear(): Promise<StoredCount> {
    return this.#each(async (path) => {
      // One that is being stored has another name until it is whole.
      if (basename(path).includes(".")) return false;
      await rm(path, { force: true });
      return true;
    });
  }

  /** The files for which `take` says yes. */
  async #each(take: (path: string) => Promise<boolean>): Promise<StoredCount> {
    let [files, bytes] = [0, 0];
    const folder = await opendir(this.#folder).catch(() => null);
    for await (const entry of folder ?? []) {
      const path = join(this.#folder, entry.name);
      const found = await stat(path).catch(() => null);
      if (!found?.isFile() || !(await take(path))) continue;
      files++;
      bytes += found.size;
    }
    return { files, bytes };
  }

  async #load(sourceId: string, key: string, file: LocatedOriginal): Promise<Loaded> {
    this.#making++;
    try {
      return await this.#make(sourceId, key, file);
    } finally {
      void this.#quiet().then(() => this.#end());
    }
  }

  #end(): void {
    this.#making--;
    if (this.#making > 0) return;
    this.#made.resolve();
    this.#made = Promise.withResolvers();
  }

  /** Waits a moment, or until there is no time for it. */
  async #quiet(): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const running = setTimeout(timer.resolve, QUIET_MS);
    await Promise.race([timer.promise, this.#hurry.promise]);
    clearTimeout(running);
  }

  #endQuiet(): void {
    this.#hurry.resolve();
    this.#hurry = Promise.withResolvers();
  }

  async #make(sourceId: string, key: string, file: LocatedOriginal): Promise<Loaded> {
    const stored = await this.#read(sourceId, key);
    if (stored) return stored;
    const { presentation } = await withOriginal(file, openMedia);
    if (!presentation) return { presentation, bytes: 0 };
    this.#storeSoon(sourceId, key, presentation);
    return { presentation, bytes: indexBytes(presentation) };
  }

  /** Stores an index while its title plays already. Where it cannot be stored it is built again after the next start. */
  #storeSoon(sourceId: string, key: string, presentation: Presentation): void {
    const storing = Promise.all([this.#quiet(), this.#storing.get(sourceId)])
      .then(() => this.#write(sourceId, key, presentation))
      .catch(() => undefined)
      .finally(() => {
        if (this.#storing.get(sourceId) === storing) this.#storing.delete(sourceId);
      });
    this.#storing.set(sourceId, storing);
  }

  /** Waits for what is being stored. */
  async close(): Promise<void> {
    this.#endQuiet();
    await Promise.all(this.#storing.values());
  }

  /** A stored index, unless it is missing, damaged, of another version or of other bytes: then it is built again. */
  async #read(sourceId: string, key: string): Promise<Loaded | null> {
    try {
      const bytes = await readFile(join(this.#folder, sourceId));
      const keyLength = bytes.readUInt16BE(0);
      if (bytes.toString("utf8", 2, 2 + keyLength) !== key) return null;
      const presentation = await decodeIndexInTurns(new Uint8Array(bytes.subarray(2 + keyLength)));
      return { presentation, bytes: bytes.length };
    } catch {
      return null;
    }
  }

  async #write(sourceId: string, key: string, presentation: Presentation): Promise<void> {
    const name = Buffer.from(key);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(name.length);
    const partial = join(this.#folder, `${sourceId}.${Bun.randomUUIDv7()}`);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const index = await encodeIndexInTurns(presentation);
    await writeFile(partial, Buffer.concat([length, name]), { mode: 0o600 });
    await appendFile(partial, index);
    await rename(partial, join(this.#folder, sourceId));
  }
}

const keyOf = (sourceId: string, file: FileState) => `${sourceId}:${file.size}:${file.mtimeMs}`;
