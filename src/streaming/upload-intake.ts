import { TemporaryUnavailableError } from "../errors.ts";
import { SizeMismatchError } from "./errors.ts";
import { inspect } from "./inspect.ts";
import type { MediaStore } from "./media-store.ts";
import type { MovieCache } from "./movie-cache.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";

export interface FinishedUpload {
  readonly sourceId: string;
  readonly ownerId: string;
  readonly name: string;
  /** What the file was called, without folders and extension. */
  readonly fileName: string | null;
  readonly sizeBytes: number;
  readonly mediaId: string | null;
  /** The store it lies in; null for the only one there is. */
  readonly place: string | null;
}

export interface UploadIntakeDependencies {
  readonly sources: SourceRepository;
  readonly store: MediaStore;
  readonly movies: MovieCache;
  /** Tells the others of a source. */
  readonly announce: (source: Source) => Promise<void>;
}

/** Takes over finished uploads and lets go of them when their last title is gone. */
export class UploadIntake {
  readonly #dependencies: UploadIntakeDependencies;

  constructor(dependencies: UploadIntakeDependencies) {
    this.#dependencies = dependencies;
  }

  /** Checks that an upload is a video, files it and announces it. The same again for a source that is here already. */
  async adopt(upload: FinishedUpload): Promise<Source> {
    const { sources, store, announce } = this.#dependencies;
    if (upload.place !== null && upload.place !== store.place)
      throw new TemporaryUnavailableError("This instance does not reach the store that the upload lies in.");
    const known = await sources.find(upload.sourceId);
    const source = known ?? (await this.#take(upload));
    await announce(source);
    return source;
  }

  /** Files an adopted upload under the SHA-256 that is known by now, and announces it again. */
  async identify(sourceId: string, mediaId: string): Promise<void> {
    const { sources, store, announce } = this.#dependencies;
    const source = await sources.find(sourceId);
    if (source?.origin !== "upload" || source.mediaId === mediaId) return;
    const identified = { ...source, mediaId };
    await sources.save(identified);
    await store.file(sourceId, mediaId);
    await announce(identified);
  }

  /** Forgets uploads whose last title is gone, and deletes bytes that no other upload uses. */
  async release(sourceIds: readonly string[]): Promise<void> {
    const { sources, store, movies } = this.#dependencies;
    for (const sourceId of sourceIds) {
      const source = await sources.find(sourceId);
      if (source?.origin !== "upload") continue;
      await sources.remove(sourceId);
      await movies.remove(sourceId);
      await store.removeUpload(sourceId);
      const { mediaId } = source;
      if (mediaId === null || (await sources.countUploadsOf(mediaId)) > 0) continue;
      await store.removeContent(mediaId, async () => (await sources.countUploadsOf(mediaId)) > 0);
    }
  }

  /** Does what could not be done before, or was left by a crash. */
  async sweep(): Promise<void> {
    const { sources, store } = this.#dependencies;
    await store.sweep(async (mediaId) => (await sources.countUploadsOf(mediaId)) > 0);
  }

  async #take(upload: FinishedUpload): Promise<Source> {
    const { sources, store, movies } = this.#dependencies;
    const draft: Omit<Source, "info" | "sizeBytes" | "mtimeMs"> = {
      id: upload.sourceId,
      origin: "upload",
      ownerId: upload.ownerId,
      name: upload.name,
      fileName: upload.fileName === upload.name ? null : upload.fileName,
      mediaId: upload.mediaId,
      folder: null,
      path: null,
      fileKey: null,
      ctimeMs: null,
      sample: null,
      metadata: null,
      visibility: "private",
      availability: "ready",
      createdAt: new Date().toISOString(),
    };
    const file = await store.openUpload(upload.sourceId, upload.mediaId);
    let source: Source;
    try {
      if (file.size !== upload.sizeBytes) throw new SizeMismatchError(upload.sizeBytes, file.size);
      const info = await inspect(upload.sourceId, file, movies);
      source = { ...draft, info, sizeBytes: file.size, mtimeMs: file.mtimeMs };
    } finally {
      await file.close();
    }
    await store.keep(upload.sourceId);
    // The row comes first: from then on the content counts as used, whoever releases an equal upload meanwhile.
    await sources.save(source);
    if (upload.mediaId !== null) await store.file(upload.sourceId, upload.mediaId);
    return source;
  }
}
