import type { Source } from "./source.ts";

/** What a file is right now. */
export interface FileState {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Port: where the bytes of uploads lie. Library files are read where they are and never written. */
export interface MediaStore {
  /** Path of a finished upload that is not filed yet. */
  uploadPath(sourceId: string): string;
  /** Path of filed content. */
  contentPath(mediaId: string): string;
  /**
   * Files an upload under its content's id, in place of an equal file that may be there; durable when it returns.
   * Nothing when the upload is filed already.
   */
  file(sourceId: string, mediaId: string): Promise<void>;
  /** Deletes an unfiled upload, if it is there. */
  removeUpload(sourceId: string): Promise<void>;
  /**
   * Deletes filed content unless `inUse` says otherwise, asked once more when the file is already out of the way:
   * an equal upload that is filed meanwhile keeps its bytes.
   */
  removeContent(mediaId: string, inUse: () => Promise<boolean>): Promise<void>;
}

/** Where a source's bytes may lie, the likeliest place first. */
export function pathsOf(source: Pick<Source, "id" | "mediaId" | "folder" | "path">, store: MediaStore): string[] {
  if (source.folder !== null && source.path !== null) return [`${source.folder}/${source.path}`];
  const unfiled = store.uploadPath(source.id);
  return source.mediaId === null ? [unfiled] : [store.contentPath(source.mediaId), unfiled];
}
