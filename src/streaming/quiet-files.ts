import type { FoundFile } from "./library-files.ts";

/** How much longer than `quietMs` a file that cannot be read yet is given to become whole. */
const PATIENCE = 10;
const MAX_WAITING = 20_000;

interface Waiting {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly sinceMs: number;
}

/** Tells which files are still being written: a file counts when its size and time have not changed for a while. */
export class QuietFiles {
  readonly #quietMs: number;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(quietMs: number, now: () => number = Date.now) {
    this.#quietMs = quietMs;
    this.#now = now;
  }

  /** Paths that are to be looked at again after `quietMs`. */
  get waiting(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** Whether a file has been as it is for long enough; if not, it waits. Clocks of other machines may be wrong. */
  isQuiet(file: FoundFile): boolean {
    const ageMs = this.#now() - file.mtimeMs;
    if (ageMs >= this.#quietMs || this.#quietMs === 0) return this.#settle(file.path);
    const before = this.#waiting.get(file.path);
    const isSame = before?.sizeBytes === file.sizeBytes && before.mtimeMs === file.mtimeMs;
    if (isSame && this.#now() - before.sinceMs >= this.#quietMs) return this.#settle(file.path);
    if (!isSame) this.wait(file);
    return false;
  }

  /** Whether a file that is no whole video was written so recently that more may come: then it waits. */
  mayGrow(file: FoundFile): boolean {
    const ageMs = this.#now() - file.mtimeMs;
    if (ageMs < 0 || ageMs >= this.#quietMs * PATIENCE) return false;
    this.wait(file);
    return true;
  }

  /** Has a file wait from now on. */
  wait({ path, sizeBytes, mtimeMs }: FoundFile): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.set(path, { sizeBytes, mtimeMs, sinceMs: this.#now() });
  }

  /** Forgets what is not there any more. */
  forget(path: string): void {
    this.#waiting.delete(path);
  }

  #settle(path: string): boolean {
    this.#waiting.delete(path);
    return true;
  }
}
