import { basename, extname, join } from "node:path";
import type { Logger } from "pino";
import { ProblemError } from "../errors.ts";
import { contentHash } from "./content-hash.ts";
import type { Announcement, LibraryReport } from "./contract.ts";
import { withFile } from "./file-bytes.ts";
import { inspect } from "./inspect.ts";
import { type LibraryFile, reasonOf, walk } from "./library-files.ts";
import type { MovieCache } from "./movie-cache.ts";
import { isSubtitleName } from "./sidecar-names.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";

/** Files that are read and hashed at the same time. */
const FILES_AT_ONCE = 2;
/** Refused files that the report keeps for each folder. */
const MAX_REFUSED = 1_000;
const PAGE = 500;
/** How long after a change was noticed the folders are scanned again, in milliseconds. */
const SOON_MS = 2_000;

export interface LibraryFolder {
  readonly path: string;
  /** Visibility of the titles its files make. */
  readonly visibility: Announcement["visibility"];
}

export interface LibraryDependencies {
  readonly folders: readonly LibraryFolder[];
  /** Kinora's own folders, which are never part of a library. */
  readonly excluded: readonly string[];
  readonly sources: SourceRepository;
  readonly movies: MovieCache;
  readonly log: Logger;
  readonly announce: (source: Source) => Promise<void>;
  /** Told how many files of a folder are done while it is scanned. */
  readonly progress: (folder: string, done: number, state: "running" | "done" | "failed") => Promise<void>;
}

type FolderReport = LibraryReport["items"][number];

/** The folders people already have: found, hashed, announced, never written to. */
export class Library {
  readonly #dependencies: LibraryDependencies;
  readonly #reports = new Map<string, FolderReport>();
  readonly #stopped = new AbortController();
  #scan: Promise<void> = Promise.resolve();
  #scanWaiting: Promise<void> | null = null;
  #soon: ReturnType<typeof setTimeout> | null = null;

  constructor(dependencies: LibraryDependencies) {
    this.#dependencies = dependencies;
    for (const { path } of dependencies.folders) this.#reports.set(path, newReport(path));
  }

  report(): LibraryReport {
    const waits = this.#scanWaiting !== null;
    return { items: [...this.#reports.values()].map((report) => (waits ? { ...report, state: "scanning" } : report)) };
  }

  /** Scans all folders; a scan that is asked for while one runs follows it, once. Resolves when that is done. */
  rescan(): Promise<void> {
    if (this.#scanWaiting) return this.#scanWaiting;
    const next = this.#scan
      .catch(() => undefined)
      .then(() => {
        this.#scanWaiting = null;
        this.#scan = this.#scanAll();
        return this.#scan;
      });
    this.#scanWaiting = next;
    return next;
  }

  /** Asks for a scan and does not wait for it: it may take hours. What fails in it is logged. */
  startRescan(): void {
    this.rescan().catch((error: unknown) => this.#dependencies.log.error({ err: error }, "library scan failed"));
  }

  /** The same for whoever notices that a file has changed: soon, and once for all changes of two seconds. */
  startRescanSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.startRescan();
    }, SOON_MS);
  }

  /** Ends a running scan between two files. */
  async close(): Promise<void> {
    this.#stopped.abort();
    if (this.#soon) clearTimeout(this.#soon);
    await Promise.allSettled([this.#scanWaiting, this.#scan]);
  }

  async #scanAll(): Promise<void> {
    const { folders, log } = this.#dependencies;
    for (const report of this.#reports.values()) report.state = "scanning";
    await this.#retireUnknownFolders();
    for (const folder of folders) {
      if (this.#stopped.signal.aborted) return;
      const report = newReport(folder.path);
      this.#reports.set(folder.path, report);
      try {
        await this.#scanFolder(folder, report);
        report.state = "ready";
        const { files, refused } = report;
        log.info({ folder: folder.path, videos: files, refused: refused.length }, "library folder scanned");
        for (const { path, code, detail } of refused) log.warn({ path, code }, `not in the library: ${detail}`);
      } catch (error) {
        log.error({ err: error, folder: folder.path }, "library folder cannot be scanned");
        report.state = "unreadable";
        report.refused = [{ path: "", code: "unreadable", detail: reasonOf(error) }];
        await this.#retire(folder.path, new Set());
      }
      report.scannedAt = new Date().toISOString();
      await this.#dependencies.progress(folder.path, report.files, report.state === "ready" ? "done" : "failed");
    }
  }

  async #scanFolder(folder: LibraryFolder, report: FolderReport): Promise<void> {
    const seen = new Set<string>();
    const running = new Set<Promise<void>>();
    for await (const file of walk(folder.path, this.#dependencies.excluded)) {
      if (this.#stopped.signal.aborted) break;
      const work = this.#scanFile(folder, file, report, seen).finally(() => running.delete(work));
      running.add(work);
      if (running.size >= FILES_AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
    if (!this.#stopped.signal.aborted) await this.#retire(folder.path, seen);
  }

  async #scanFile(folder: LibraryFolder, file: LibraryFile, report: FolderReport, seen: Set<string>): Promise<void> {
    // They belong to the video beside them, see `Sidecars`.
    if (isSubtitleName(file.path)) return;
    const { announce, log, progress } = this.#dependencies;
    try {
      if ("refused" in file) return refuse(report, file.path, file.refused);
      const source = await this.#sourceOf(folder, file);
      seen.add(source.id);
      report.files++;
      await announce(source);
      await progress(folder.path, report.files, "running");
    } catch (error) {
      if (!(error instanceof ProblemError)) log.warn({ err: error, path: file.path }, "library file cannot be read");
      const code = error instanceof ProblemError ? error.code : "unreadable";
      refuse(report, file.path, { code, detail: reasonOf(error) });
    }
  }

  /** The source of a file: the one that is known when size and time are the same, else read and hashed anew. */
  async #sourceOf(folder: LibraryFolder, file: LibraryFile & { sizeBytes: number; mtimeMs: number }): Promise<Source> {
    const { sources, movies } = this.#dependencies;
    const known = await sources.findByPath(folder.path, file.path);
    const unchanged = known?.sizeBytes === file.sizeBytes && known.mtimeMs === file.mtimeMs && known.mediaId !== null;
    if (known && unchanged) {
      const current: Source = { ...known, availability: "ready", visibility: folder.visibility };
      if (known.availability !== "ready" || known.visibility !== folder.visibility) await sources.save(current);
      return current;
    }
    const id = known?.id ?? Bun.randomUUIDv7();
    const source = await withFile([join(folder.path, file.path)], async (bytes): Promise<Source> => {
      const info = await inspect(id, bytes, movies);
      const mediaId = await contentHash(bytes);
      return {
        id,
        origin: "library",
        ownerId: null,
        name: basename(file.path, extname(file.path)),
        mediaId,
        folder: folder.path,
        path: file.path,
        sizeBytes: bytes.size,
        mtimeMs: bytes.mtimeMs,
        visibility: folder.visibility,
        availability: "ready",
        info,
        createdAt: known?.createdAt ?? new Date().toISOString(),
      };
    });
    await sources.save(source);
    return source;
  }

  /** Sources of folders that are configured no more cannot be played any more. */
  async #retireUnknownFolders(): Promise<void> {
    const configured = new Set(this.#dependencies.folders.map(({ path }) => path));
    for (const folder of await this.#dependencies.sources.listFolders()) {
      if (!configured.has(folder)) await this.#retire(folder, new Set());
    }
  }

  /** What a folder had and has no more becomes unavailable; it comes back with its file. */
  async #retire(folder: string, seen: ReadonlySet<string>): Promise<void> {
    const { sources, announce } = this.#dependencies;
    let after: string | null = null;
    for (;;) {
      const page: Source[] = await sources.listFolder(folder, after, PAGE);
      for (const source of page) {
        if (seen.has(source.id) || source.availability === "unavailable") continue;
        const gone: Source = { ...source, availability: "unavailable" };
        await sources.save(gone);
        await announce(gone);
      }
      const last = page.at(-1);
      if (!last) return;
      after = last.id;
    }
  }
}

const newReport = (folder: string): FolderReport => ({
  folder,
  state: "scanning",
  files: 0,
  scannedAt: null,
  refused: [],
});

function refuse(report: FolderReport, path: string, reason: { code: string; detail: string }): void {
  if (report.refused.length < MAX_REFUSED) report.refused.push({ path, ...reason });
}
