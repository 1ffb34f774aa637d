import type { HashedContent, Source } from "./source.ts";

/** What a scan compares with a file. */
export type SourceState = Pick<
  Source,
  "id" | "path" | "sizeBytes" | "mtimeMs" | "ctimeMs" | "fileKey" | "availability" | "visibility"
>;

/** A file that was looked at and is still the same. */
export type ConfirmedFile = Pick<Source, "id" | "sizeBytes" | "mtimeMs" | "ctimeMs" | "sample">;

export interface StoredCount {
  readonly files: number;
  readonly bytes: number;
}

/** Where the sources of an instance are: the store of its uploads, and its own disks, whose folders nobody else sees. */
export interface SourcePlaces {
  readonly upload: string;
  readonly library: string;
}

/**
 * Port: the sources that streaming keeps. Instances may share a database: each sees those in its own places alone, the
 * uploads of a store that it shares with others among them.
 */
export interface SourceRepository {
  /** Takes over what an older version noted no place for. */
  claimUnplaced(): Promise<void>;
  find(id: string): Promise<Source | null>;
  /** A source that plays a title: the ready one with this id, else the oldest ready one with this content. */
  findPlayable(id: string, mediaId: string | null): Promise<Source | null>;
  findByPath(folder: string, path: string): Promise<Source | null>;
  /** What is known of these paths of a folder; at most a few hundred. */
  findStates(folder: string, paths: readonly string[]): Promise<SourceState[]>;
  /** Library sources whose file had one of these keys. */
  findByFileKeys(keys: readonly string[]): Promise<Source[]>;
  /** Saves several in one transaction. */
  saveAll(sources: readonly Source[]): Promise<void>;
  /** Keeps what a file's content is, unless it has changed since: whether it did. */
  identify(source: Source, content: HashedContent): Promise<boolean>;
  /** Keeps when files were changed last that are still the same, and their samples, unless they have changed since. */
  confirmAll(files: readonly ConfirmedFile[]): Promise<void>;
  /** Up to `limit` ready library sources without a media id whose id comes after `afterId`, by id. */
  listUnhashed(afterId: string | null, limit: number): Promise<Source[]>;
  /** How many files of a folder are ready. */
  countReady(folder: string): Promise<number>;
  /** How many bytes the ready library sources without a media id have. */
  countUnhashedBytes(): Promise<number>;
  /** How many videos there are of each origin, and their bytes; equal uploads, which are stored once, count as one. */
  countStored(): Promise<Readonly<Record<Source["origin"], StoredCount>>>;
  /** What each uploader has, those with the most bytes first. Equal uploads of several people count for each of them. */
  countByOwner(limit: number): Promise<readonly (StoredCount & { readonly ownerId: string })[]>;
  /**
   * Up to `limit` ready sources of a folder whose id comes after `afterId`, by id: those at `below` and below it, or
   * all of them when it is empty.
   */
  listReady(folder: string, below: string, afterId: string | null, limit: number): Promise<SourceState[]>;
  /** Adds a source, or replaces the one with its id. */
  save(source: Source): Promise<void>;
  /** Up to `limit` sources whose id comes after `afterId`, by id. */
  list(afterId: string | null, limit: number): Promise<Source[]>;
  /** Folders that any source lies in. */
  listFolders(): Promise<string[]>;
  /** How many library files are known in each folder, those that are not there now among them. */
  countByFolder(): Promise<readonly { readonly folder: string; readonly files: number }[]>;
  /** Ids of up to `limit` sources of a folder, in no order. */
  listIn(folder: string, limit: number): Promise<string[]>;
  /** Removes these sources, as far as they still are in this folder. */
  removeFrom(folder: string, ids: readonly string[]): Promise<void>;
  /** How many uploads have this content. */
  countUploadsOf(mediaId: string): Promise<number>;
  remove(id: string): Promise<void>;
  /** Counts the uploads of one user as another's from now on. */
  giveAll(ownerId: string, heirId: string): Promise<void>;
}
