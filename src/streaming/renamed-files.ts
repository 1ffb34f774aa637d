import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { FoundFile } from "./library-files.ts";
import type { LibraryFolder } from "./library-folders.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";

/**
 * Has the sources of files that were renamed follow them, those of a batch together: each by itself would wait for the
 * database and the catalog. Nothing is saved here.
 */
export class RenamedFiles {
  readonly #folder: LibraryFolder;
  readonly #sources: SourceRepository;
  /** Ids of the sources that were in the places of the batch when it began. */
  readonly #places: ReadonlyMap<string | null, string>;
  /** What has become of sources, by their ids. */
  readonly #changed = new Map<string, Source>();

  private constructor(folder: LibraryFolder, sources: SourceRepository, places: ReadonlyMap<string | null, string>) {
    this.#folder = folder;
    this.#sources = sources;
    this.#places = places;
  }

  /** Begins a batch of files. */
  static async begin(folder: LibraryFolder, sources: SourceRepository, files: readonly FoundFile[]) {
    const paths = files.map(({ path }) => path);
    const states = await sources.findStates(folder.path, paths);
    return new RenamedFiles(folder, sources, new Map(states.map(({ path, id }) => [path, id])));
  }

  /** What is to be saved and announced: it belongs together. */
  get changed(): readonly Source[] {
    return [...this.#changed.values()];
  }

  /** Has a source of this very file follow it; false when each is still where it was. */
  async follow({ path, ctimeMs }: FoundFile, twins: readonly Source[]): Promise<boolean> {
    for (const known of twins) {
      const twin = this.#changed.get(known.id) ?? known;
      if (twin.folder === this.#folder.path && twin.path === path) continue;
      if (await isStillThere(twin)) continue;
      await this.#displace(path, twin.id);
      const { path: folder, visibility } = this.#folder;
      // A new name changes its ctime and says nothing of its bytes.
      this.#changed.set(twin.id, { ...twin, folder, path, ctimeMs, visibility, availability: "ready" });
      return true;
    }
    return false;
  }

  /** Another source that has this place gives it up; its file may turn up elsewhere. */
  async #displace(path: string, newcomer: string): Promise<void> {
    const id = this.#places.get(path);
    if (id === undefined || id === newcomer || this.#changed.has(id)) return;
    const inPlace = await this.#sources.find(id);
    if (inPlace) this.#changed.set(id, { ...inPlace, path: null, availability: "unavailable" });
  }
}

/** Whether a source's file is where it was: one file may have two names. */
async function isStillThere({ folder, path, fileKey }: Source): Promise<boolean> {
  if (folder === null || path === null) return false;
  const state = await lstat(join(folder, path)).catch(() => null);
  return state !== null && (state.isSymbolicLink() || `${state.dev}:${state.ino}` === fileKey);
}
