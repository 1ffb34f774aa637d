import type { Logger } from "pino";
import type { LibraryReport } from "./contract.ts";
import { FolderMarker, type Mounts } from "./folder-mark.ts";
import { FolderReport } from "./folder-report.ts";
import { FolderWatch } from "./folder-watch.ts";
import type { LibraryFolder } from "./library-folders.ts";
import { QuietFiles } from "./quiet-files.ts";

/** How long changes are gathered before they are looked at, in milliseconds. */
export const SOON_MS = 200;
/** How long after a scan that could not be finished the next one begins, in milliseconds. */
const RETRY_MS = 30_000;

interface KeptFolderDependencies {
  readonly settings: { readonly rescanIntervalMs: number; readonly settleMs: number; readonly retryMs?: number };
  readonly log: Logger;
  /** Aborted when nothing is to begin any more. */
  readonly stopped: AbortSignal;
  /** There is something to look at in it. */
  readonly onDirty: () => void;
}

/** A library folder while it is one: what is known of it, how its changes are heard of, and what is to be looked at. */
export class KeptFolder {
  readonly folder: LibraryFolder;
  readonly report = new FolderReport();
  readonly quiet: QuietFiles;
  readonly removed = new AbortController();
  readonly marker: FolderMarker;
  /** Paths to look at; the empty one is all of it. */
  readonly dirty = new Set<string>();
  /** Files that are to be read whatever their size and time say. */
  readonly replaced = new Set<string>();
  scannedAtMs = 0;
  /** The scan of it, or of some of its paths, that runs. */
  scan: Promise<void> | null = null;
  readonly #dependencies: KeptFolderDependencies;
  #watch: FolderWatch | null = null;
  #quietTimer: Timer | null = null;
  #retryTimer: Timer | null = null;
  readonly #retried = new Set<string>();
  /** Whether it must be watched anew. */
  #isStale = false;

  constructor(folder: LibraryFolder, dependencies: KeptFolderDependencies) {
    this.folder = folder;
    this.#dependencies = dependencies;
    this.quiet = new QuietFiles(dependencies.settings.settleMs);
    this.marker = new FolderMarker(folder.path);
  }

  shown(): LibraryReport["items"][number] {
    const shown = this.report.shown(this.folder);
    return this.scan !== null || this.dirty.size > 0 ? { ...shown, state: "scanning" } : shown;
  }

  touch(paths: readonly string[]): void {
    for (const path of paths) this.dirty.add(path);
    this.#dependencies.onDirty();
  }

  /** Whether changes in it are told by the system. */
  async isWatched(): Promise<boolean> {
    return this.#watch !== null && (await this.#watch.isCurrent());
  }

  /** Watches it where it is not, or must be anew; `isWhole`: it is about to be scanned as a whole. */
  async watchAgain(isWhole: boolean): Promise<void> {
    if (!this.#isStale && (!isWhole || (await this.isWatched()))) return;
    this.#isStale = false;
    this.#watch?.close();
    const events = {
      onChange: (paths: readonly string[] | null) => this.touch(paths ?? [""]),
      onLost: (reason: string) => {
        this.#watch = null;
        this.#sayInterval(reason);
      },
      onReadable: () => {
        this.#isStale = true;
      },
    };
    const opened = await FolderWatch.open(this.folder.path, events, SOON_MS);
    if (typeof opened === "string") return this.#sayInterval(opened);
    if (this.#isOver()) return opened.close();
    this.#watch = opened;
    this.report.watched = "events";
    this.report.watchedDetail = null;
  }

  /** Has it scanned and watched anew when it is gone, back, or another disk. */
  async check(mounts: Mounts): Promise<void> {
    // Network disks are not watched, and not asked either as long as they answer.
    const isQuiet = this.#watch === null && this.report.state !== "unreadable";
    if (this.scan !== null || !(await this.marker.hasChanged(mounts, isQuiet))) return;
    this.#isStale = true;
    this.touch([""]);
  }

  /** Has files that are being written looked at again. */
  waitForQuiet(): void {
    if (this.quiet.waiting.length === 0 || this.#quietTimer || this.#isOver()) return;
    this.#quietTimer = setTimeout(() => {
      this.#quietTimer = null;
      this.touch(this.quiet.waiting);
    }, this.#dependencies.settings.settleMs);
  }

  /** Has paths looked at again after a while; by default all of it. */
  retryLater(paths: readonly string[] = [""]): void {
    if (this.#isOver() || paths.length === 0) return;
    for (const path of paths) this.#retried.add(path);
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = null;
      this.touch([...this.#retried]);
      this.#retried.clear();
    }, this.#dependencies.settings.retryMs ?? RETRY_MS);
  }

  end(): void {
    this.#watch?.close();
    this.#watch = null;
    if (this.#quietTimer) clearTimeout(this.#quietTimer);
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
  }

  #isOver(): boolean {
    return this.#dependencies.stopped.aborted || this.removed.signal.aborted;
  }

  #sayInterval(reason: string): void {
    const isNew = this.report.watchedDetail !== reason;
    this.report.watched = "interval";
    this.report.watchedDetail = reason;
    const everyMs = this.#dependencies.settings.rescanIntervalMs;
    if (isNew) this.#dependencies.log.warn({ folder: this.folder.path, everyMs }, `scanned by interval: ${reason}`);
  }
}
