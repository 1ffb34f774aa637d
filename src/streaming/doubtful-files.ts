import { stat } from "node:fs/promises";
import type { Logger } from "pino";
import { readMetadata } from "../media/metadata/read-metadata.ts";
import { sampleOf } from "./content-sample.ts";
import { withFile } from "./file-bytes.ts";
import { locateInside } from "./located-inside.ts";
import type { Source } from "./source.ts";
import type { ConfirmedFile, SourceRepository } from "./source-repository.ts";

/** Files that are looked at one after the other before what was found is kept. */
const PAGE = 100;
const LOOKS_AT_ONCE = 2;
/** Files that wait; what is more is found by another scan. */
const MAX_WAITING = 100_000;

export interface DoubtfulFilesDependencies {
  readonly sources: Pick<SourceRepository, "find" | "findByFileKeys" | "confirmAll">;
  readonly log: Logger;
  /** Whether a folder is a library folder here. */
  readonly isOurs: (folder: string) => boolean;
  /** What a viewer waits for, until it is there; null when nobody waits. */
  readonly yieldTo: () => Promise<void> | null;
  /** Has a file read anew: it holds something else under its size and time. */
  readonly readAgain: (folder: string, path: string) => void;
  /** There were more than could wait, and the others are done. */
  readonly onRest: () => void;
  readonly maxWaiting?: number;
}

/**
 * Files with the size and modification time they had, about which something has changed all the same (`ctime`): permissions,
 * names, or the bytes. Behind everything else a few pieces of each are compared, and what it says of itself; only
 * what is another video then is read and hashed anew.
 */
export class DoubtfulFiles {
  readonly #dependencies: DoubtfulFilesDependencies;
  readonly #waiting = new Set<string>();
  readonly #stopped = new AbortController();
  #isFull = false;
  #running: Promise<void> | null = null;

  constructor(dependencies: DoubtfulFilesDependencies) {
    this.#dependencies = dependencies;
  }

  /** Notes sources whose files are to be looked at. */
  add(ids: readonly string[]): void {
    const most = this.#dependencies.maxWaiting ?? MAX_WAITING;
    for (const id of ids) {
      if (this.#waiting.size < most) this.#waiting.add(id);
      else this.#isFull = true;
    }
  }

  /** Looks at what was noted. */
  wake(): void {
    if (this.#waiting.size === 0 || this.#stopped.signal.aborted) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { sources, log, onRest } = this.#dependencies;
    const { signal } = this.#stopped;
    try {
      while (this.#waiting.size > 0 && !signal.aborted) {
        const confirmed: ConfirmedFile[] = [];
        const ids = this.#waiting.values().take(PAGE).toArray();
        for (const id of ids) this.#waiting.delete(id);
        const look = async () => {
          for (let id = ids.pop(); id !== undefined && !signal.aborted; id = ids.pop()) {
            await this.#dependencies.yieldTo();
            const file = await this.#look(id);
            if (file) confirmed.push(file);
          }
        };
        await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
        await sources.confirmAll(confirmed);
      }
      if (this.#isFull && !signal.aborted) onRest();
    } catch (error) {
      // The next scan doubts what is left once more.
      this.#waiting.clear();
      log.error({ err: error }, "changed library files cannot be compared");
    }
    this.#isFull = false;
  }

  /** What is to be kept of a file that is still the same; null when it is not, or nobody knows. */
  async #look(id: string): Promise<ConfirmedFile | null> {
    const { sources, log, isOurs } = this.#dependencies;
    const source = await sources.find(id);
    if (source?.folder == null || source.path === null || !isOurs(source.folder)) return null;
    try {
      const { path } = await locateInside(source.folder, source.path);
      const before = await markOf(path);
      if (!isAlike(source, before)) return null;
      const sample = await this.#sampleOf(source, path);
      // One that changes just now is doubted again.
      if ((await markOf(path)).ctimeMs !== before.ctimeMs) return null;
      if (sample !== "other") return { ...source, ctimeMs: before.ctimeMs, sample };
      for (const one of await this.#namesOf(source))
        if (one.folder !== null && one.path !== null) this.#dependencies.readAgain(one.folder, one.path);
    } catch (error) {
      if (!this.#stopped.signal.aborted)
        log.warn({ path: source.path, reason: String(error) }, "library file cannot be compared");
    }
    return null;
  }

  /** Sources of a file under all its names. */
  #namesOf(source: Source): Promise<readonly Source[]> | readonly Source[] {
    return source.fileKey === null ? [source] : this.#dependencies.sources.findByFileKeys([source.fileKey]);
  }

  /** The sample of a file that is the same as far as it is seen; null when it is hashed soon anyway. */
  async #sampleOf(source: Source, path: string): Promise<string | null | "other"> {
    // What an earlier version took is not known by its sample: it counts as it is.
    const isNew = source.ctimeMs === null;
    if (source.mediaId === null) return isNew ? null : "other";
    return withFile([path], async (bytes) => {
      const sample = await sampleOf(bytes);
      if (isNew || source.sample === null) return sample;
      const isSame = sample === source.sample && Bun.deepEquals(await readMetadata(bytes), source.metadata);
      return isSame ? sample : "other";
    });
  }
}

async function markOf(path: string): Promise<{ size: number; mtimeMs: number; ctimeMs: number }> {
  const { size, mtimeMs, ctimeMs } = await stat(path);
  return { size, mtimeMs: Math.floor(mtimeMs), ctimeMs: Math.floor(ctimeMs) };
}

const isAlike = (source: Source, file: { size: number; mtimeMs: number }) =>
  source.sizeBytes === file.size && source.mtimeMs === file.mtimeMs;
