import type { Announcement } from "./contract.ts";
import type { FoundFile, RefusedFile } from "./library-files.ts";

/** A library folder that an admin added. */
export interface AddedFolder {
  readonly id: string;
  readonly path: string;
  readonly visibility: Announcement["visibility"];
  readonly createdAt: string;
}

/** A refused file as it was when it was read. */
export interface KnownRefusal extends RefusedFile {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Port: what a library keeps beside its sources. */
export interface LibraryStore {
  listFolders(): Promise<AddedFolder[]>;
  addFolder(folder: AddedFolder): Promise<void>;
  removeFolder(id: string): Promise<void>;
  /** Paths of folders whose titles are to be forgotten, until that is done. */
  listForgetting(): Promise<string[]>;
  /** Notes that a folder's titles are to be forgotten. */
  beginForgetting(folder: string): Promise<void>;
  endForgetting(folder: string): Promise<void>;
  /** What this version refused at these paths of a folder; at most a few hundred. */
  findRefused(folder: string, paths: readonly string[]): Promise<KnownRefusal[]>;
  putRefused(
    folder: string,
    refused: readonly (RefusedFile & Pick<FoundFile, "sizeBytes" | "mtimeMs">)[],
  ): Promise<void>;
}
