import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { Logger } from "pino";
import { contentHash } from "./content-hash.ts";
import { withFile } from "./file-bytes.ts";
import { locateInside } from "./located-inside.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";

/** Files that are hashed at the same time. */
const HASHES_AT_ONCE = 2;
const PAGE = 100;
/** After this many bytes everybody else has a turn. */
const BYTES_PER_TURN = 4 * 2 ** 20;

export interface BackgroundHashDependencies {
  readonly sources: SourceRepository;
  readonly log: Logger;
  readonly announce: (sources: readonly Source[]) => Promise<void>;
  /** Whether a folder is a library folder here. */
  readonly isOurs: (folder: string) => boolean;
  /** Told of sources whose files are not what they were when they were found. */
  readonly doubt: (id: string) => void;
  /** What a viewer waits for, until it is there; null when nobody waits. */
  readonly yieldTo: () => Promise<void> | null;
  /** Told how many bytes are done of how many. */
  readonly progress: (doneBytes: number, totalBytes: number, state: "running" | "done") => Promise<void>;
}

/** Finds out, behind everything else, which content library files have: they can be watched already. */
export class BackgroundHash {
  readonly #dependencies: BackgroundHashDependencies;
  readonly #stopped = new AbortController();
  readonly #untilStopped = new Promise<void>((resolve) =>
    this.#stopped.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  #running: Promise<void> | null = null;
  #again = false;
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(dependencies: BackgroundHashDependencies) {
    this.#dependencies = dependencies;
  }

  /** There may be something to hash. */
  wake(): void {
    if (this.#stopped.signal.aborted) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { sources, progress, log } = this.#dependencies;
    try {
      while (this.#again && !this.#stopped.signal.aborted) {
        this.#again = false;
        this.#doneBytes = 0;
        this.#totalBytes = await sources.countUnhashedBytes();
        if (this.#totalBytes === 0) return;
        await this.#pass();
        await progress(this.#doneBytes, this.#totalBytes, "done");
      }
    } catch (error) {
      log.error({ err: error }, "library files cannot be hashed");
    }
  }

  /** Hashes everything once, in the order it was found. */
  async #pass(): Promise<void> {
    const { sources } = this.#dependencies;
    const { signal } = this.#stopped;
    for (let after: string | null = null; !signal.aborted; ) {
      const page: Source[] = await sources.listUnhashed(after, PAGE);
      const last = page.at(-1);
      if (!last) return;
      after = last.id;
      const work = async () => {
        for (let one = page.shift(); one !== undefined && !signal.aborted; one = page.shift()) await this.#hash(one);
      };
      await Promise.all(Array.from({ length: HASHES_AT_ONCE }, work));
    }
  }

  async #hash(source: Source): Promise<void> {
    const { sources, log, announce, isOurs, doubt } = this.#dependencies;
    const { folder, path } = source;
    if (folder === null || path === null || !isOurs(folder)) return;
    try {
      const located = await locateInside(folder, path);
      if (!isSame(source, await stat(located.path))) return doubt(source.id);
      const content = await withFile([located.path], (bytes) => contentHash(bytes, this.#turns()));
      if (this.#stopped.signal.aborted) return;
      if (!isSame(source, await stat(located.path))) return doubt(source.id);
      // The source may have moved while its bytes were read.
      if (!(await sources.identify(source, content))) return;
      const current = await sources.find(source.id);
      if (current) await announce([current]);
    } catch (error) {
      if (!this.#stopped.signal.aborted) log.warn({ err: error, path }, "library file cannot be hashed");
    }
  }

  /** Counts bytes; what it returns is waited for. */
  #turns() {
    let sinceTurn = 0;
    return (bytes: number): Promise<void> | undefined => {
      this.#stopped.signal.throwIfAborted();
      this.#doneBytes += bytes;
      sinceTurn += bytes;
      const awaited = this.#dependencies.yieldTo();
      if (awaited !== null) return Promise.race([awaited, this.#untilStopped]);
      if (sinceTurn < BYTES_PER_TURN) return undefined;
      sinceTurn = 0;
      void this.#dependencies.progress(this.#doneBytes, this.#totalBytes, "running").catch(() => undefined);
      return Bun.sleep(0);
    };
  }
}

/** Whether a file is as it was when it was read first; that an earlier version did not keep when it was changed last. */
function isSame(source: Source, { size, mtimeMs, ctimeMs }: Stats): boolean {
  const isAlike = source.sizeBytes === size && source.mtimeMs === Math.floor(mtimeMs);
  return isAlike && (source.ctimeMs === null || source.ctimeMs === Math.floor(ctimeMs));
}
