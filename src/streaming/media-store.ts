import type { LocatedOriginal, OpenOriginal } from "./original.ts";
import type { Source } from "./source.ts";

/** What a store must know of a source to find its bytes. */
export type StoredSource = Pick<Source, "id" | "mediaId" | "sizeBytes" | "mtimeMs">;

/**
 * Port: where the bytes of uploads lie: a disk, a volume that instances share, or objects. Library files are read where
 * they are and never written. `media-store.suite.ts` says what every store does.
 */
export interface MediaStore {
  /** Names the store; the same for all instances that share it, and as long as it lives. */
  readonly place: string;
  /** Folders of its own that are no part of a library. */
  readonly folders: readonly string[];
  /** Where the bytes of a source are. Rejects with `ENOENT` when they are not there, as far as that can be told at once. */
  locate(source: StoredSource): Promise<LocatedOriginal>;
  /** Opens a finished upload, filed or not yet. Rejects with `ENOENT` when it is not there. */
  openUpload(
    sourceId: string,
    mediaId: string | null,
  ): Promise<OpenOriginal & Pick<LocatedOriginal, "size" | "mtimeMs">>;
  /** An upload is about to become a source: whoever uploaded it does not remove its bytes any more. */
  keep(sourceId: string): Promise<void>;
  /**
   * Files an upload under its content's id; from then on equal content is stored once. Durable when it returns. Nothing
   * when the upload is filed already.
   */
  file(sourceId: string, mediaId: string): Promise<void>;
  /** Deletes an unfiled upload, if it is there. */
  removeUpload(sourceId: string): Promise<void>;
  /**
   * Deletes filed content unless `inUse` says otherwise, asked once more when the content is already out of the way:
   * an equal upload that is filed meanwhile keeps its bytes.
   */
  removeContent(mediaId: string, inUse: () => Promise<boolean>): Promise<void>;
  /** Deletes what was to be deleted before and could not be, or was left by a crash; `inUse` as above. */
  sweep(inUse: (mediaId: string) => Promise<boolean>): Promise<void>;
  /** Rejects when nothing can be stored now; says why. */
  check(): Promise<void>;
}
