import type { LibraryReport } from "./contract.ts";
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
  #refused = new Map<string, RefusedFile["refused"]>();
  #uncounted = 0;

  refuse({ path, refused }: RefusedFile): void {
    if (this.#refused.has(path) || this.#refused.size < MAX_REFUSED) this.#refused.set(path, refused);
    else this.#uncounted++;
  }

  /** Forgets what was refused at these paths and below them; everything with the empty path. */
  clear(paths: readonly string[]): void {
    if (paths.includes("")) this.#uncounted = 0;
    for (const known of this.#refused.keys()) {
      if (paths.some((path) => path === "" || known === path || known.startsWith(`${path}/`))) {
        this.#refused.delete(known);
      }
    }
  }

  get refused(): Shown["refused"] {
    return [...this.#refused].map(([path, reason]) => ({ path, ...reason }));
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
    };
  }
}
