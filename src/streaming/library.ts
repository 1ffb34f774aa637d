import type { Logger } from "pino";
import { BackgroundHash } from "./background-hash.ts";
import type { KeptFolders, LibraryReport, TitlesOfRemoved } from "./contract.ts";
import { DoubtfulFiles } from "./doubtful-files.ts";
import { FolderForgetting, type FolderForgettingDependencies } from "./folder-forgetting.ts";
import { readMounts } from "./folder-mark.ts";
import { FolderScan, retireSources } from "./folder-scan.ts";
import { KeptFolder, SOON_MS } from "./kept-folder.ts";
import { boundsOf, countFiles, FolderUnreadableError, isEmptyFolder, isOfMachine, mayPass } from "./library-files.ts";
import type { LibraryFolder, LibraryFolders } from "./library-folders.ts";
import { folderId } from "./library-names.ts";
import type { LibraryStore } from "./library-store.ts";
import type { MovieCache } from "./movie-cache.ts";
import type { Source } from "./source.ts";
import type { SourceRepository, SourceState } from "./source-repository.ts";

const PAGE = 500;
/** Watched folders are scanned this often all the same, in milliseconds: a change may have gone unheard. */
const WATCHED_RESCAN_MS = 24 * 3_600_000;
/** How often it is looked whether the folders themselves are still the same, in milliseconds. */
const ROOT_CHECK_MS = 2_000;

export interface LibrarySettings {
  /** Milliseconds between two scans of folders whose changes are not told. */
  readonly rescanIntervalMs: number;
  /** How long a file must have been as it is before it is read, in milliseconds. */
  readonly settleMs: number;
  /** Whether no other instance has folders: then what is not here is nowhere. */
  readonly isAlone: boolean;
  /** Milliseconds between two looks whether a folder is gone, back, or another disk; 2 s by default. */
  readonly rootCheckMs?: number;
  /** Milliseconds after which what could not be read for want of its disk is tried again; 30 s by default. */
  readonly retryMs?: number;
}

export interface ScanProgress {
  readonly folder: LibraryFolder;
  readonly done: number;
  readonly total: number | null;
  readonly state: "running" | "done" | "failed";
}

export interface LibraryDependencies {
  readonly folders: LibraryFolders;
  /** Kinora's own folders, which are never part of a library. */
  readonly excluded: readonly string[];
  readonly settings: LibrarySettings;
  readonly sources: SourceRepository;
  readonly store: LibraryStore;
  readonly movies: MovieCache;
  readonly log: Logger;
  /** Tells the others; resolves when they have taken it. */
  readonly announce: (sources: readonly Source[]) => Promise<void>;
  /** Resolves when everything that was to be announced before has been. */
  readonly announced: () => Promise<unknown>;
  readonly forgetTitles: FolderForgettingDependencies["forgetTitles"];
  readonly progress: (progress: ScanProgress) => Promise<void>;
  readonly hashProgress: (doneBytes: number, totalBytes: number, state: "running" | "done") => Promise<void>;
}

/** The folders people already have: found, announced, hashed behind, watched, never written to. */
export class Library {
  readonly #dependencies: LibraryDependencies;
  readonly #kept = new Map<string, KeptFolder>();
  readonly #hash: BackgroundHash;
  readonly #doubtful: DoubtfulFiles;
  readonly #forgetting: FolderForgetting;
  readonly #stopped = new AbortController();
  #running: Promise<void> | null = null;
  /** Resolves with the end of the scan of everything that is asked for, or that runs. */
  #whole: PromiseWithResolvers<void> | null = null;
  #interval: Timer | null = null;
  #rootCheck: Timer | null = null;
  #unhashedBytes = 0;

  constructor(dependencies: LibraryDependencies) {
    this.#dependencies = dependencies;
    const { sources, log, announce, announced, hashProgress, folders, movies, store, forgetTitles } = dependencies;
    const forgetIndex = (sourceId: string) => movies.remove(sourceId);
    this.#forgetting = new FolderForgetting({ sources, store, log, announced, forgetTitles, forgetIndex });
    const isOurs = (path: string) => this.#kept.has(path);
    const yieldTo = () => movies.whileMaking();
    this.#doubtful = new DoubtfulFiles({
      ...{ sources, log, isOurs, yieldTo },
      readAgain: (folder, path) => this.#readAgain(folder, path),
      onRest: () => this.startRescan(),
    });
    this.#hash = new BackgroundHash({
      ...{ sources, log, announce, isOurs, yieldTo },
      doubt: (id) => {
        this.#doubtful.add([id]);
        this.#doubtful.wake();
      },
      progress: (done, total, state) => {
        this.#unhashedBytes = state === "done" ? 0 : total - done;
        return hashProgress(done, total, state);
      },
    });
    for (const folder of folders.all) this.#keep(folder);
  }

  report(): LibraryReport {
    const items = [...this.#kept.values()].map((kept) => kept.shown());
    return { items, unhashedBytes: this.#unhashedBytes, mayAdd: this.#dependencies.folders.mayAdd };
  }

  /** Whether a folder is a library folder here. */
  has(path: string): boolean {
    return this.#kept.has(path);
  }

  /** Whether nothing of a folder is to be announced, as its titles are being forgotten. */
  isForgetting(path: string): boolean {
    return this.#forgetting.has(path);
  }

  /** Folders of which files are known, those that are library folders no more among them. */
  async kept(): Promise<KeptFolders> {
    const known = await this.#dependencies.sources.countByFolder();
    const isKnown = new Set(known.map(({ folder }) => folder));
    const ending = this.#forgetting.folders.filter((folder) => !isKnown.has(folder));
    return {
      items: [...known, ...ending.map((folder) => ({ folder, files: 0 }))].map(({ folder, files }) => ({
        ...{ id: folderId(folder, ""), folder, files },
        isRemoved: !this.#kept.has(folder),
        isForgetting: this.#forgetting.has(folder),
      })),
    };
  }

  /** Begins to forget the titles of folders that are library folders no more, of all or the one with this id; those folders. */
  async forgetRemoved(id?: string): Promise<KeptFolders> {
    const items = (await this.kept()).items.filter((one) => one.isRemoved && (id === undefined || one.id === id));
    for (const { folder } of items) await this.#forgetting.begin(folder);
    return { items: items.map((one) => ({ ...one, isForgetting: true })) };
  }

  /** Goes on with what was begun, begins to watch, and scans everything once. */
  async start(): Promise<void> {
    await this.#forgetting.resume();
    this.startRescan();
    const everyMs = Math.min(this.#dependencies.settings.rescanIntervalMs, WATCHED_RESCAN_MS);
    this.#interval = setInterval(() => this.#lookAround().catch((error) => this.#logFailure(error)), everyMs);
    const checkMs = this.#dependencies.settings.rootCheckMs ?? ROOT_CHECK_MS;
    this.#rootCheck = setInterval(() => void this.#checkRoots(), checkMs);
  }

  /** Scans all folders; a scan that is asked for while one runs follows it, once. Resolves when that is done. */
  rescan(): Promise<void> {
    for (const { dirty } of this.#kept.values()) dirty.add("");
    const whole = this.#whole ?? Promise.withResolvers<void>();
    this.#whole = whole;
    this.#run();
    return whole.promise;
  }

  /** Asks for a scan and does not wait for it: it may take hours. What fails in it is logged. */
  startRescan(): void {
    this.rescan().catch((error: unknown) => this.#logFailure(error));
  }

  /** Has one file looked at again soon, for whoever noticed that it is another one. */
  lookAgain({ folder, path }: Pick<Source, "folder" | "path">): void {
    const kept = folder === null ? undefined : this.#kept.get(folder);
    if (kept && path !== null) setTimeout(() => kept.touch([path]), SOON_MS);
  }

  #readAgain(folder: string, path: string): void {
    const kept = this.#kept.get(folder);
    kept?.replaced.add(path);
    kept?.touch([path]);
  }

  /** Adds a folder and begins to scan it; throws what `LibraryFolders.add` throws. */
  async add(path: string, visibility: LibraryFolder["visibility"]): Promise<LibraryReport> {
    this.#keep(await this.#dependencies.folders.add(path, visibility)).touch([""]);
    return this.report();
  }

  /**
   * Removes an added folder: what it had cannot be watched any more, and nothing in it is touched. `titles` says whether its
   * titles are there again when it is, or are forgotten from now on.
   */
  async remove(id: string, titles: TitlesOfRemoved = "keep"): Promise<void> {
    const folder = await this.#dependencies.folders.remove(id);
    const kept = this.#kept.get(folder.path);
    this.#kept.delete(folder.path);
    kept?.removed.abort();
    kept?.end();
    // A scan that runs ends between two files.
    if (titles === "forget") return this.#forgetting.begin(folder.path, kept?.scan ?? undefined);
    // It does the same then.
    await this.#retire(folder.path);
  }

  /** Ends what runs between two files. */
  async close(): Promise<void> {
    this.#stopped.abort();
    if (this.#interval) clearInterval(this.#interval);
    if (this.#rootCheck) clearInterval(this.#rootCheck);
    for (const kept of this.#kept.values()) kept.end();
    await Promise.allSettled([this.#running, this.#hash.close(), this.#doubtful.close(), this.#forgetting.close()]);
  }

  #keep(folder: LibraryFolder): KeptFolder {
    const { settings, log } = this.#dependencies;
    const kept = new KeptFolder(folder, { settings, log, stopped: this.#stopped.signal, onDirty: () => this.#run() });
    this.#kept.set(folder.path, kept);
    return kept;
  }

  #run(): void {
    if (this.#stopped.signal.aborted) return;
    this.#running ??= this.#work()
      .catch((error) => this.#logFailure(error))
      .finally(() => {
        this.#running = null;
        if (this.#whole || [...this.#kept.values()].some(({ dirty }) => dirty.size > 0)) this.#run();
      });
  }

  async #work(): Promise<void> {
    const whole = this.#whole;
    this.#whole = null;
    try {
      if (whole) await this.#retireUnknownFolders();
      for (const kept of [...this.#kept.values()]) {
        if (this.#stopped.signal.aborted) return;
        if (kept.dirty.size === 0) continue;
        // What of it is being forgotten is not to be found again.
        kept.scan = this.#forgetting.done(kept.folder.path).then(() => this.#scan(kept));
        await kept.scan.finally(() => {
          kept.scan = null;
        });
      }
      this.#doubtful.wake();
      this.#hash.wake();
      whole?.resolve();
    } catch (error) {
      whole?.promise.catch(() => undefined);
      whole?.reject(error);
      throw error;
    } finally {
      whole?.resolve();
    }
  }

  async #scan(kept: KeptFolder): Promise<void> {
    const { folder, report, dirty } = kept;
    const { log, sources } = this.#dependencies;
    const isWhole = dirty.has("");
    const paths = isWhole ? [""] : topmost(dirty);
    dirty.clear();
    if (isWhole) report.state = "scanning";
    let done = 0;
    try {
      if (isWhole) await kept.marker.take();
      await kept.watchAgain(isWhole);
      done = await this.#scanPaths(kept, paths, isWhole);
      report.files = await sources.countReady(folder.path);
      this.#unhashedBytes = await sources.countUnhashedBytes();
      report.state = (await this.#isEmptied(kept)) ? "empty" : "ready";
      const { files, refused } = report;
      if (isWhole) log.info({ folder: folder.path, videos: files, refused: refused.length }, "library folder scanned");
    } catch (error) {
      // That Kinora has too many files open says nothing of the folder.
      if (error instanceof FolderUnreadableError && !isOfMachine(error.cause)) await this.#fail(kept, error);
      else this.#stumble(kept, error);
    }
    kept.retryLater(report.passing);
    for (const { path, code, detail } of report.takeNews())
      log.warn({ folder: folder.path, path, code }, `not in the library: ${detail}`);
    if (kept.removed.signal.aborted) return this.#retire(folder.path);
    report.scannedAt = new Date().toISOString();
    if (isWhole) kept.scannedAtMs = performance.now();
    kept.waitForQuiet();
    if (!isWhole) return;
    const state = report.state === "unreadable" ? "failed" : "done";
    await this.#dependencies.progress({ folder, done, total: done, state });
  }

  /** How many files were looked at. */
  async #scanPaths(
    { folder, report, quiet, removed, replaced: all }: KeptFolder,
    paths: readonly string[],
    isWhole: boolean,
  ): Promise<number> {
    const signal = AbortSignal.any([this.#stopped.signal, removed.signal]);
    const bounds = await boundsOf(folder.path, this.#dependencies.excluded);
    let [done, total]: [number, number | null] = [0, null];
    if (isWhole) {
      report.files = 0;
      void countFiles(bounds, signal).then((count) => {
        total = count;
      });
    }
    const onFiles = (count: number) => {
      done += count;
      const known = total === null ? null : Math.max(total, done);
      if (isWhole) void this.#tell({ folder, done, total: known, state: "running" });
    };
    const replaced = new Set(all);
    all.clear();
    const onDoubt = (ids: readonly string[]) => this.#doubtful.add(ids);
    const task = { folder, bounds, report, quiet, signal, onFiles, replaced, onDoubt };
    await new FolderScan(this.#dependencies, task).run(paths);
    return done;
  }

  /** The folder had videos, and nothing is in it any more. */
  async #isEmptied({ folder, report }: KeptFolder): Promise<boolean> {
    if (report.files > 0 || report.refused.length > 0 || !(await isEmptyFolder(folder.path))) return false;
    return (await this.#dependencies.sources.listFolders()).includes(folder.path);
  }

  /** What has failed is not the folder: its titles stay as they are, and it is tried again. */
  #stumble(kept: KeptFolder, error: unknown): void {
    if (this.#stopped.signal.aborted) return;
    this.#dependencies.log.error({ err: error, folder: kept.folder.path }, "library scan was not finished");
    const detail = "Kinora could not finish the scan, and tries again soon; its log says why.";
    kept.report.refuse({ path: "", refused: { code: "unfinished", detail } });
    kept.report.state = "ready";
    kept.retryLater();
  }

  async #fail({ folder, report }: KeptFolder, error: FolderUnreadableError): Promise<void> {
    report.state = "unreadable";
    report.clear([""]);
    const refused = { code: "unreadable", detail: error.message };
    report.refuse({ path: "", refused, mayPass: mayPass(error.cause) });
    report.files = 0;
    // It may be readable for another instance.
    if (this.#dependencies.settings.isAlone) await this.#retire(folder.path);
  }

  /** Scans what is not watched, what was exchanged for another disk, and now and then the rest. */
  async #lookAround(): Promise<void> {
    for (const kept of this.#kept.values()) {
      const isRecent = performance.now() - kept.scannedAtMs < WATCHED_RESCAN_MS;
      if (!isRecent || !(await kept.isWatched())) kept.touch([""]);
    }
  }

  /** Folders that are gone, back, or another disk are scanned and watched anew. */
  async #checkRoots(): Promise<void> {
    if (this.#kept.size === 0) return;
    const mounts = await readMounts();
    for (const kept of this.#kept.values()) void kept.check(mounts);
  }

  async #tell(progress: ScanProgress): Promise<void> {
    await this.#dependencies.progress(progress).catch(() => undefined);
  }

  /** Sources of folders that are library folders no more cannot be played any more. */
  async #retireUnknownFolders(): Promise<void> {
    if (!this.#dependencies.settings.isAlone) return;
    for (const folder of await this.#dependencies.sources.listFolders()) {
      if (!this.#kept.has(folder)) await this.#retire(folder);
    }
  }

  async #retire(folder: string): Promise<void> {
    if (this.#forgetting.has(folder)) return;
    for (let after: string | null = null; ; ) {
      const page: SourceState[] = await this.#dependencies.sources.listReady(folder, "", after, PAGE);
      await retireSources(this.#dependencies, page);
      const last = page.at(-1);
      if (!last) return;
      after = last.id;
    }
  }

  #logFailure(error: unknown): void {
    this.#dependencies.log.error({ err: error }, "library scan failed");
  }
}

/** Paths without those that lie below another one of them. */
function topmost(paths: ReadonlySet<string>): string[] {
  const isCovered = (path: string) => {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (paths.has(path.slice(0, at))) return true;
    }
    return false;
  };
  return [...paths].filter((path) => !isCovered(path));
}
