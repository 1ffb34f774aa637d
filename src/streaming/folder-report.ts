import { extname } from "node:path";
import type { LibraryReport } from "./contract.ts";
import { claimsToBeVideo } from "./foreign-names.ts";
import type { RefusedFile } from "./library-files.ts";
import type { LibraryFolder } from "./library-folders.ts";

/** Refused files that the report names for each folder; further ones are counted. */
const MAX_REFUSED = 1_000;

type Shown = LibraryReport["items"][number];

/** What is told of one library folder. */
export class FolderReport {
  state: Shown["state"] = "scanning";
  files = 0;
  scannedAt: string | null = null;
  watched: Shown["watched"] = "interval";
  watchedDetail: string | null = null;
  #refused = new Map<string, RefusedFile>();
  #uncounted = 0;
  /** Hashes of the paths of files beside the videos: they are only counted. */
  readonly #others = new Set<number>();
  /** What was told before, by path. */
  #told = new Map<string, string>();

  refuse(refusal: RefusedFile): void {
    const { path } = refusal;
    if (isOther(refusal)) this.#others.add(hashOf(path));
    else if (this.#refused.has(path) || this.#refused.size < MAX_REFUSED) this.#refused.set(path, refusal);
    else this.#uncounted++;
  }

  /** Forgets what was refused at these paths and below them; everything with the empty path. */
  clear(paths: readonly string[]): void {
    if (paths.includes("")) {
      this.#uncounted = 0;
      this.#refused.clear();
      this.#others.clear();
      return;
    }
    for (const path of paths) this.#others.delete(hashOf(path));
    const cleared = new Set(paths);
    for (const [known, { toldAs }] of this.#refused) {
      if (isAtOrBelow(known, cleared) || (toldAs && isAtOrBelow(toldAs, cleared))) this.#refused.delete(known);
    }
  }

  get refused(): Shown["refused"] {
    return [...this.#refused.values()].map(({ path, refused }) => ({ path, ...refused }));
  }

  /** Folders that may be read again without anything being told. */
  get passing(): string[] {
    return [...this.#refused.values()].filter(({ mayPass }) => mayPass).map(({ path }) => path);
  }

  /** What was not refused, or for another reason, when this was last asked. */
  takeNews(): Shown["refused"] {
    const before = this.#told;
    const now = this.refused;
    this.#told = new Map(now.map(({ path, code, detail }) => [path, `${code} ${detail}`]));
    return now.filter(({ path }) => before.get(path) !== this.#told.get(path));
  }

  shown({ id, path, visibility, origin }: LibraryFolder): Shown {
    const { state, files, scannedAt, watched, watchedDetail, refused } = this;
    const refusedFiles = refused.length + this.#uncounted;
    return {
      id,
      folder: path,
      visibility,
      origin,
      state,
      files,
      scannedAt,
      watched,
      watchedDetail,
      refused,
      refusedFiles,
      otherFiles: this.#others.size,
    };
  }
}

/** What lies beside videos everywhere: to name it would make an ordinary library look broken. */
function isOther({ path, refused, kind }: RefusedFile): boolean {
  if (kind) return kind === "other";
  if (claimsToBeVideo(path)) return false;
  const { code } = refused;
  return code === "not-a-video" || code === "empty" || (code === "unreadable" && extname(path) !== "");
}

const hashOf = (path: string) => Number(Bun.hash.wyhash(path) >> 11n);

function isAtOrBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return false;
}
