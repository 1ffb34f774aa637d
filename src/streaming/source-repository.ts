import type { Source } from "./source.ts";

/** Port: the sources that streaming keeps. */
export interface SourceRepository {
  find(id: string): Promise<Source | null>;
  /** A source that plays a title: the ready one with this id, else the oldest ready one with this content. */
  findPlayable(id: string, mediaId: string | null): Promise<Source | null>;
  findByPath(folder: string, path: string): Promise<Source | null>;
  /** Adds a source, or replaces the one with its id. */
  save(source: Source): Promise<void>;
  /** Up to `limit` sources whose id comes after `afterId`, by id. */
  list(afterId: string | null, limit: number): Promise<Source[]>;
  /** Folders that any source lies in. */
  listFolders(): Promise<string[]>;
  /** Up to `limit` sources of a folder whose id comes after `afterId`, by id. */
  listFolder(folder: string, afterId: string | null, limit: number): Promise<Source[]>;
  /** How many uploads have this content. */
  countUploadsOf(mediaId: string): Promise<number>;
  remove(id: string): Promise<void>;
}
