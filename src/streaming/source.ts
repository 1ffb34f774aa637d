import type { Metadata } from "../media/metadata/metadata.ts";
import type { Announcement, MediaInfo } from "./contract.ts";
import { describeFile, foldersOf, stemOf } from "./library-names.ts";

/** One physical file that can be watched. */
export interface Source {
  /** UUIDv7; for an upload also the id of its title. */
  readonly id: string;
  readonly origin: "upload" | "library";
  readonly ownerId: string | null;
  readonly name: string;
  /** What an upload's file was called, without folders and extension, where `name` is another one; otherwise null. */
  readonly fileName: string | null;
  /** SHA-256 of the content; null until it is known. */
  readonly mediaId: string | null;
  /** The library folder it lies in, as configured; null for uploads. */
  readonly folder: string | null;
  /** Path below the folder; null for uploads, whose place follows from id and media id. */
  readonly path: string | null;
  readonly sizeBytes: number;
  /** Modification time in whole milliseconds; with size and path it tells whether a file is still the same. */
  readonly mtimeMs: number;
  /** When anything of a library file was changed last, its bytes, names or permissions; null when that is not known. */
  readonly ctimeMs: number | null;
  /** A few pieces of a library file (`ContentSample`); null until its content is known. */
  readonly sample: string | null;
  readonly visibility: Announcement["visibility"];
  readonly availability: Announcement["availability"];
  /** Device and inode of a library file, by which it is known again when it was renamed; null when not known. */
  readonly fileKey: string | null;
  /** What a library file says of itself; null for uploads. */
  readonly metadata: Metadata | null;
  readonly info: MediaInfo;
  readonly createdAt: string;
}

/** What is known of a file's content once all of it was read. */
export interface HashedContent {
  /** SHA-256 in lower-case hex. */
  readonly mediaId: string;
  /** As of `ContentSample`. */
  readonly sample: string;
}

/** What the other services hear of a source. What lies in a folder that is no library folder any more is in none. */
export function announcementOf(source: Source, provider: string, isInLibrary = true): Announcement {
  const { folder, path } = source;
  const file = folder === null || path === null ? null : describeFile(path, source.metadata);
  const name = file?.name ?? source.name;
  const fileName = path === null ? source.fileName : stemOf(path);
  return {
    sourceId: source.id,
    mediaId: source.mediaId,
    name,
    // Absent where it says nothing new: then the announcement is the one that earlier versions made.
    ...(fileName === null || fileName === name ? {} : { fileName }),
    description: file?.description ?? "",
    tags: [...(file?.tags ?? [])],
    folders: folder === null || path === null || !isInLibrary ? [] : foldersOf(folder, path),
    provider,
    origin: source.origin,
    ownerId: source.ownerId,
    visibility: source.visibility,
    availability: source.availability,
    info: source.info,
    createdAt: source.createdAt,
  };
}
