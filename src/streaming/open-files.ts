import type { LocatedOriginal, OpenOriginal } from "./original.ts";

/** How long a file stays open that nobody reads, in milliseconds: a viewer asks for a segment every four seconds. */
const IDLE_MS = 8_000;
/** Most files that stay open though nobody reads them. */
const MAX_IDLE = 128;

interface OpenFile {
  readonly opening: Promise<OpenOriginal>;
  users: number;
  idleSince: number;
}

/** A file that somebody reads, and others perhaps too. */
export interface BorrowedFile {
  readonly file: OpenOriginal;
  /** To be called once. `broken`: nobody else is to have it. */
  giveBack(broken?: boolean): void;
}

/**
 * Files that are being read or were a moment ago: opening, looking at and closing one for each segment costs as much
 * as a third of a small segment. What was replaced or changed is another file, for who asks has just looked at it.
 */
export class OpenFiles {
  readonly #files = new Map<string, OpenFile>();
  #idle = 0;
  #timer: Timer | null = null;
  readonly #idleMs: number;

  /** `idleMs`: how long a file stays open that nobody reads. */
  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /** The located file, opened. Fails when it is no longer the one that was located. */
  async borrow(located: LocatedOriginal): Promise<BorrowedFile> {
    if (located.path === null) return alone(await located.open());
    const key = `${located.identity} ${located.path}`;
    const known = this.#files.get(key);
    const entry: OpenFile = known ?? { opening: located.open(), users: 0, idleSince: 0 };
    if (!known) this.#files.set(key, entry);
    else if (entry.users === 0) this.#idle--;
    entry.users++;
    try {
      const file = await entry.opening;
      return { file, giveBack: (broken = false) => this.#giveBack(key, entry, broken) };
    } catch (error) {
      if (this.#files.get(key) === entry) this.#files.delete(key);
      throw error;
    }
  }

  #giveBack(key: string, entry: OpenFile, broken: boolean): void {
    entry.users--;
    if (broken && this.#files.get(key) === entry) this.#files.delete(key);
    if (entry.users > 0) return;
    if (this.#files.get(key) !== entry) {
      close(entry);
      return;
    }
    entry.idleSince = performance.now();
    this.#idle++;
    // The one that was given back last is the last to go.
    this.#files.delete(key);
    this.#files.set(key, entry);
    if (this.#idle > MAX_IDLE) this.#closeIdle(Number.POSITIVE_INFINITY, 1);
    this.#timer ??= setInterval(() => this.#sweep(), this.#idleMs / 4).unref();
  }

  #sweep(): void {
    this.#closeIdle(performance.now() - this.#idleMs, MAX_IDLE);
    if (this.#idle > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Closes at most so many that are idle since some time or longer. */
  #closeIdle(since: number, most: number): void {
    let left = most;
    for (const [key, entry] of this.#files) {
      if (left === 0) return;
      if (entry.users > 0 || entry.idleSince > since) continue;
      this.#files.delete(key);
      this.#idle--;
      left--;
      close(entry);
    }
  }
}

/** What comes over a network costs nothing to open, and is read ahead for each reader apart. */
const alone = (file: OpenOriginal): BorrowedFile => ({
  file,
  giveBack: () => void file.close().catch(() => undefined),
});

function close({ opening }: OpenFile): void {
  // Nothing was written: there is nothing that closing could lose.
  opening.then((file) => file.close()).catch(() => undefined);
}

/** The files that answers are read from. */
export const openFiles = new OpenFiles();
