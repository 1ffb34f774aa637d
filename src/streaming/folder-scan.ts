import type { Logger } from "pino";
import { ProblemError } from "../errors.ts";
import { FileReader, HASHED_AT_ONCE_BYTES } from "./file-reader.ts";
import type { FolderReport } from "./folder-report.ts";
import {
  type Bounds,
  type FoundFile,
  isOfSystem,
  type LibraryFile,
  type RefusedFile,
  reasonOf,
  walkPath,
} from "./library-files.ts";
import type { LibraryFolder } from "./library-folders.ts";
import type { LibraryStore } from "./library-store.ts";
import type { MovieCache } from "./movie-cache.ts";
import { PlaceSet } from "./place-set.ts";
import type { QuietFiles } from "./quiet-files.ts";
import { RenamedFiles } from "./renamed-files.ts";
import { isSubtitleName } from "./sidecar-names.ts";
import type { Source } from "./source.ts";
import type { SourceRepository, SourceState } from "./source-repository.ts";

/** Files that are compared, saved and announced together. */
const BATCH = 200;
/** Files that are read before it is seen whether they are to be saved and announced: on a slow disk people wait for them. */
const READ_BATCH = 25;
const WAIT_MS = 250;
/** Files that are read at the same time. */
const READS_AT_ONCE = 4;
/** Replaced files that wait for the end of the walk; more are read at once. */
const MAX_LATER = 10_000;

export interface FolderScanDependencies {
  readonly sources: SourceRepository;
  readonly store: LibraryStore;
  readonly movies: MovieCache;
  readonly log: Logger;
  /** Tells the others; resolves when they have taken it. */
  readonly announce: (sources: readonly Source[]) => Promise<void>;
}

/** What is scanned, and who is told how far it is. */
export interface ScanTask {
  readonly folder: LibraryFolder;
  readonly bounds: Bounds;
  readonly report: FolderReport;
  readonly quiet: QuietFiles;
  readonly signal: AbortSignal;
  /** Called with how many more files have been looked at. */
  readonly onFiles: (count: number) => void;
  /** Files that are to be read though they look the same. */
  readonly replaced: ReadonlySet<string>;
  /** Called with sources whose files look the same, though something about them has changed. */
  readonly onDoubt: (ids: readonly string[]) => void;
}

/** What was read and is still to be saved. */
interface Read {
  readonly taken: Source[];
  readonly refused: Refusal[];
}

type Refusal = RefusedFile & Pick<FoundFile, "sizeBytes" | "mtimeMs">;

/**
 * One scan of a folder, or of some paths in it. What has the size and time it had is not opened. What has another path but
 * is the same file keeps its source. Everything is saved batch by batch, so a scan that was killed goes on where it was.
 */
export class FolderScan {
  readonly #dependencies: FolderScanDependencies;
  readonly #task: ScanTask;
  readonly #seen = new PlaceSet();
  readonly #reader: FileReader;
  /** Paths of which it was told that something happened there. */
  readonly #told = new Set<string>();
  /** Files whose place is known with another file in it: that one may still turn up elsewhere. */
  #later: FoundFile[] = [];

  constructor(dependencies: FolderScanDependencies, task: ScanTask) {
    this.#dependencies = dependencies;
    this.#task = task;
    this.#reader = new FileReader({ ...dependencies, folder: task.folder, quiet: task.quiet });
  }

  /** Scans these paths of the folder; the empty one is the whole. */
  async run(paths: readonly string[]): Promise<void> {
    const { bounds, signal, report } = this.#task;
    report.clear(paths);
    for (const path of paths) this.#told.add(path);
    let batch: LibraryFile[] = [];
    for (const path of paths) {
      for await (const found of walkPath(bounds, path)) {
        if (signal.aborted) return;
        batch.push(...found);
        if (batch.length < BATCH) continue;
        await this.#takeAll(batch);
        batch = [];
      }
    }
    await this.#takeAll(batch);
    await this.#takeLater();
    for (const path of paths) await this.#retire(path);
  }

  async #takeAll(batch: readonly LibraryFile[]): Promise<void> {
    const { folder, report, onFiles, replaced } = this.#task;
    // Subtitles belong to the video beside them, see `Sidecars`.
    const files = batch.filter(({ path }) => !isSubtitleName(path));
    const found: FoundFile[] = [];
    for (const file of files) {
      if ("refused" in file) report.refuse(file);
      else found.push(file);
    }
    const paths = found.map(({ path }) => path);
    const states = await this.#dependencies.sources.findStates(folder.path, paths);
    const known = new Map(states.map((state) => [state.path, state]));
    const isSame = (file: FoundFile) => {
      const state = known.get(file.path);
      return (
        isUnchanged(state, file) &&
        !replaced.has(file.path) &&
        !(this.#told.has(file.path) && mayBeReplaced(state, file))
      );
    };
    const changed = found.filter((file) => !isSame(file));
    const strangers = await this.#passOverRefused(changed, known);
    const same = found.filter(isSame);
    const elsewhere = await this.#keep(same, known);
    await this.#takeChanged([...elsewhere, ...strangers], known);
    onFiles(files.length);
  }

  /** Takes out what is known to be refused. */
  async #passOverRefused(files: readonly FoundFile[], known: ReadonlyMap<string | null, SourceState>) {
    const unknown = files.filter(({ path }) => known.get(path)?.availability !== "ready").map(({ path }) => path);
    const refused = await this.#dependencies.store.findRefused(this.#task.folder.path, unknown);
    const byPath = new Map(refused.map((one) => [one.path, one]));
    return files.filter((file) => {
      const before = byPath.get(file.path);
      if (before?.sizeBytes !== file.sizeBytes || before.mtimeMs !== file.mtimeMs) return true;
      this.#task.report.refuse(before);
      return false;
    });
  }

  /** Keeps what is unchanged; gives back what lies in the place of an equal looking file, but is another known one. */
  async #keep(files: readonly FoundFile[], known: ReadonlyMap<string | null, SourceState>): Promise<FoundFile[]> {
    const { sources, announce } = this.#dependencies;
    const { folder, report, onDoubt } = this.#task;
    const exchanged = files.filter(({ path, fileKey }) => {
      const before = known.get(path)?.fileKey;
      return before != null && before !== fileKey;
    });
    const owners = await sources.findByFileKeys(exchanged.map(({ fileKey }) => fileKey));
    const isOfAnother = (file: FoundFile) => owners.some((one) => one.path !== file.path && isFile(one, file));
    const elsewhere = new Set(exchanged.filter(isOfAnother));
    const stale: Source[] = [];
    const returned: Source[] = [];
    const doubtful: string[] = [];
    for (const file of files) {
      if (elsewhere.has(file)) continue;
      this.#seen.add(file.path);
      report.files++;
      const state = known.get(file.path);
      if (state !== undefined && state.ctimeMs !== file.ctimeMs) doubtful.push(state.id);
      const isCurrent = state?.availability === "ready" && state.visibility === folder.visibility;
      if (state === undefined || (isCurrent && state.fileKey === file.fileKey)) continue;
      const source = await sources.find(state.id);
      if (source === null) continue;
      const current: Source = {
        ...source,
        availability: "ready",
        visibility: folder.visibility,
        fileKey: file.fileKey,
      };
      (isCurrent ? stale : returned).push(current);
    }
    const saved = new Set(await this.#store([...stale, ...returned]));
    await announce(returned.filter((source) => saved.has(source)));
    onDoubt(doubtful);
    return [...elsewhere];
  }

  async #takeChanged(files: readonly FoundFile[], known: ReadonlyMap<string | null, SourceState> | null) {
    const { sources } = this.#dependencies;
    const owners = await sources.findByFileKeys(files.map(({ fileKey }) => fileKey));
    const byKey = Map.groupBy(owners, ({ fileKey }) => fileKey);
    const unread: FoundFile[] = [];
    const renamed = await RenamedFiles.begin(this.#task.folder, sources, owners.length > 0 ? files : []);
    for (const file of files) {
      const twins = (byKey.get(file.fileKey) ?? []).filter((twin) => isFile(twin, file));
      if (await renamed.follow(file, twins)) {
        this.#seen.add(file.path);
        this.#task.report.files++;
        continue;
      }
      const before = known?.get(file.path);
      const isReplaced = before != null && before.fileKey !== null && before.fileKey !== file.fileKey;
      if (isReplaced && this.#later.length < MAX_LATER) {
        this.#seen.add(file.path);
        this.#later.push(file);
      } else unread.push(file);
    }
    await this.#dependencies.announce(await this.#store(renamed.changed));
    let read: Read = { taken: [], refused: [] };
    let since = performance.now();
    for (let from = 0; from < unread.length; from += READ_BATCH) {
      const isKnown = ({ path }: FoundFile) => known === null || known.has(path);
      await this.#readAll(unread.slice(from, from + READ_BATCH), byKey, isKnown, read);
      if (performance.now() - since < WAIT_MS) continue;
      await this.#save(read);
      read = { taken: [], refused: [] };
      since = performance.now();
    }
    await this.#save(read);
  }

  async #readAll(
    files: readonly FoundFile[],
    byKey: ReadonlyMap<string | null, readonly Source[]>,
    isKnown: (file: FoundFile) => boolean,
    { taken, refused }: Read,
  ): Promise<void> {
    const { signal, replaced } = this.#task;
    const waiting = [...files];
    const work = async () => {
      for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
        const { path } = file;
        // Its other names hold what it holds: none is known.
        const named = replaced.has(path) ? [] : (byKey.get(file.fileKey) ?? []);
        const twins = named.filter((twin) => twin.path !== path);
        const read = await this.#read(file, twins, isKnown(file));
        if (read === null) continue;
        if ("refused" in read) refused.push(read);
        else taken.push(read);
      }
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, work));
  }

  async #save({ taken, refused }: Read): Promise<void> {
    const { store, announce } = this.#dependencies;
    const saved = await this.#store(taken);
    await store.putRefused(this.#task.folder.path, refused);
    await announce(saved);
  }

  /** Saves sources; returns those that the database took. What it does not take is refused, file by file. Throws when it is away. */
  async #store(sources: readonly Source[]): Promise<readonly Source[]> {
    const repository = this.#dependencies.sources;
    try {
      await repository.saveAll(sources);
      return sources;
    } catch (error) {
      // Whether it is the files or the database.
      await repository.findStates(this.#task.folder.path, ["?"]);
      if (sources.length === 1) return this.#refuseUnsaved(sources, error);
    }
    const saved: Source[] = [];
    for (const source of sources) saved.push(...(await this.#store([source])));
    return saved;
  }

  #refuseUnsaved(sources: readonly Source[], error: unknown): readonly Source[] {
    for (const { path } of sources) {
      this.#dependencies.log.error({ path, reason: String(error) }, "library file cannot be stored");
      const refused = { code: "not-stored", detail: "Kinora could not store it; its log says why." };
      this.#task.report.refuse({ path: path ?? "", refused });
    }
    return [];
  }

  /** The source of a file that is new or has changed, the reason why there is none, or null while it is being written. */
  async #read(file: FoundFile, twins: readonly Source[], isKnown: boolean): Promise<Source | Refusal | null> {
    const { report, quiet } = this.#task;
    try {
      const source = await this.#reader.read(file, twins, isKnown);
      this.#seen.add(file.path);
      if (source) report.files++;
      return source;
    } catch (error) {
      if (quiet.mayGrow(file)) return null;
      if (!(error instanceof ProblemError)) {
        // What Kinora itself failed at says nothing of the file.
        if (!isOfSystem(error)) {
          this.#seen.add(file.path);
          this.#dependencies.log.warn({ path: file.path, reason: String(error) }, "library file cannot be read");
        }
        report.refuse({ path: file.path, refused: { code: "unreadable", detail: reasonOf(error) } });
        return null;
      }
      const refusal = { ...file, refused: { code: error.code, detail: error.message } };
      this.#task.report.refuse(refusal);
      return refusal;
    }
  }

  async #takeLater(): Promise<void> {
    const later = this.#later;
    this.#later = [];
    for (let from = 0; from < later.length; from += BATCH) {
      await this.#takeChanged(later.slice(from, from + BATCH), null);
    }
  }

  /** What was at or below a path and was not seen becomes unavailable; it comes back with its file. */
  async #retire(path: string): Promise<void> {
    const { sources } = this.#dependencies;
    for (let after: string | null = null; ; ) {
      if (this.#task.signal.aborted) return;
      const page: SourceState[] = await sources.listReady(this.#task.folder.path, path, after, BATCH);
      await retireSources(
        this.#dependencies,
        page.filter((state) => state.path === null || !this.#seen.has(state.path)),
      );
      const last = page.at(-1);
      if (!last) return;
      after = last.id;
    }
  }
}

/** Makes sources unavailable and tells of it. */
export async function retireSources(
  { sources, announce }: Pick<FolderScanDependencies, "sources" | "announce">,
  states: readonly Pick<SourceState, "id">[],
): Promise<void> {
  const gone: Source[] = [];
  for (const { id } of states) {
    const source = await sources.find(id);
    if (source) gone.push({ ...source, availability: "unavailable" });
  }
  await sources.saveAll(gone);
  await announce(gone);
}

const isUnchanged = (state: SourceState | undefined, file: FoundFile) =>
  state?.sizeBytes === file.sizeBytes && state.mtimeMs === file.mtimeMs;

/**
 * Whether a file of which the system told may hold something else though it has the size and time it had: it is another file, or a
 * small one, which is read in less time than it takes to wonder. Large ones would be hashed again whenever their permissions change.
 */
function mayBeReplaced(state: SourceState | undefined, { fileKey, sizeBytes }: FoundFile): boolean {
  const before = state?.fileKey?.split(":");
  const [device, inode] = fileKey.split(":");
  if (before === undefined || before[0] !== device) return false;
  return before[1] !== inode || (state?.availability === "ready" && sizeBytes <= HASHED_AT_ONCE_BYTES);
}

/** Whether a source was made from this very file. */
const isFile = (source: Pick<Source, "fileKey" | "sizeBytes" | "mtimeMs">, file: FoundFile) =>
  source.fileKey === file.fileKey && source.sizeBytes === file.sizeBytes && source.mtimeMs === file.mtimeMs;
