import { stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Logger } from "pino";
import { readMetadata } from "../media/metadata/read-metadata.ts";
import { contentHash } from "./content-hash.ts";
import { type FileBytes, withFile } from "./file-bytes.ts";
import { inspect } from "./inspect.ts";
import type { FoundFile } from "./library-files.ts";
import type { LibraryFolder } from "./library-folders.ts";
import type { MovieCache } from "./movie-cache.ts";
import type { QuietFiles } from "./quiet-files.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";

/** Files up to this size are hashed at once: that takes less than announcing them twice. */
export const HASHED_AT_ONCE_BYTES = 8 * 2 ** 20;

/** The index of a smaller file is made when somebody watches it: that takes as long as reading a kept one. */
const INDEX_KEPT_BYTES = 2 * 2 ** 20;

export interface FileReaderDependencies {
  readonly folder: LibraryFolder;
  readonly quiet: QuietFiles;
  readonly sources: SourceRepository;
  readonly movies: MovieCache;
  readonly log: Logger;
}

/** Makes sources of files that are new or have changed. */
export class FileReader {
  readonly #dependencies: FileReaderDependencies;

  constructor(dependencies: FileReaderDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * The source of a file, null while it is still being written. Of a large one the content's id is left for later:
   * it can be watched before. `twins` are sources of the same file under other names: what is known of them is not
   * read again. `isKnown` when there may be a source with its path. Throws what `inspect` throws.
   */
  async read(file: FoundFile, twins: readonly Source[], isKnown: boolean): Promise<Source | null> {
    const { folder, quiet, sources } = this.#dependencies;
    if (!quiet.isQuiet(file)) return null;
    const known = isKnown ? await sources.findByPath(folder.path, file.path) : null;
    const base = {
      id: known?.id ?? Bun.randomUUIDv7(),
      origin: "library",
      ownerId: null,
      name: basename(file.path, extname(file.path)),
      folder: folder.path,
      path: file.path,
      sizeBytes: file.sizeBytes,
      mtimeMs: file.mtimeMs,
      ctimeMs: file.ctimeMs,
      fileName: null,
      fileKey: file.fileKey,
      visibility: folder.visibility,
      availability: "ready",
      createdAt: known?.createdAt ?? new Date().toISOString(),
    } as const;
    const twin = twins.find((one) => one.sizeBytes === file.sizeBytes && one.mtimeMs === file.mtimeMs);
    if (twin) {
      const { mediaId, sample, info, metadata } = twin;
      return { ...base, mediaId, sample, info, metadata };
    }
    const path = join(folder.path, file.path);
    // Its index is kept by size and time: that of other content under the same ones must go.
    const isAlike = known?.sizeBytes === file.sizeBytes && known.mtimeMs === file.mtimeMs;
    if (isAlike) await this.#dependencies.movies.remove(base.id);
    const content = await withFile([path], (bytes) => this.#content(base.id, bytes));
    if (await isSame(path, file)) return { ...base, ...content };
    quiet.wait(file);
    return null;
  }

  async #content(id: string, bytes: FileBytes): Promise<Pick<Source, "info" | "metadata" | "mediaId" | "sample">> {
    const info = await inspect(id, bytes, bytes.size < INDEX_KEPT_BYTES ? null : this.#dependencies.movies);
    const metadata = await readMetadata(bytes);
    const isSmall = bytes.size <= HASHED_AT_ONCE_BYTES;
    const content = isSmall ? await contentHash(bytes) : { mediaId: null, sample: null };
    return { info, metadata, ...content };
  }
}

async function isSame(path: string, file: FoundFile): Promise<boolean> {
  const { size, mtimeMs, ctimeMs } = await stat(path);
  const isAlike = size === file.sizeBytes && Math.floor(mtimeMs) === file.mtimeMs;
  return isAlike && Math.floor(ctimeMs) === file.ctimeMs;
}
