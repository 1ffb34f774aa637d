/** One upload's bytes while they arrive. */
export interface UploadFile {
  /** Writes all chunks one after the other at `position`. Rejects with the system's error, such as `ENOSPC`. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Resolves when everything written so far survives a loss of power. */
  sync(): Promise<void>;
  /** Reads up to `buffer.length` bytes at `position`; the number read, 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** What an upload's bytes are found by. Both are UUIDs, never user text. */
export interface UploadName {
  readonly id: string;
  /** Which copy of the bytes counts, once another instance has taken the upload over; null before. */
  readonly copy: string | null;
}

/** The port to where uploads arrive: a part of the media volume, or objects. */
export interface UploadFiles {
  /** Creates the file of a new upload, so that it survives a loss of power. */
  create(id: string): Promise<void>;
  /** Opens it for reading and writing. Rejects with `ENOENT` when there is none. */
  open(name: UploadName): Promise<UploadFile>;
  /**
   * Makes a copy of the first `offset` bytes that whoever has the upload open now cannot write to, and that survives a loss of
   * power; its `copy`. The same `copy` as before where the bytes that others reach are not written to after all.
   * Rejects with `ENOENT` when there is no such upload.
   */
  branch(name: UploadName, offset: number): Promise<string | null>;
  /** Removes a copy that does not count, whoever has it open. */
  drop(name: UploadName): Promise<void>;
  /** How many of an upload's first `offset` bytes every instance can reach: the others are with the one that received them. */
  shared(id: string, offset: number): Promise<number>;
  /** Forgets what this instance alone has of an upload: another one has gone on with it. */
  discard(id: string): Promise<void>;
  /**
   * Brings all `sizeBytes` bytes to where streaming takes them over. The same again for one that is there already.
   * `temporary-unavailable` when the storage is away, or another instance has some of them.
   */
  complete(name: UploadName, sizeBytes: number): Promise<void>;
  /** Removes it unless streaming has taken it over; nothing when there is none. */
  remove(name: UploadName): Promise<void>;
  /** Removes what is left of uploads that are not known any more, and of copies that do not count. */
  sweep(find: (id: string) => Promise<UploadName | null>): Promise<void>;
  /** Bytes that can still be written on this volume. */
  freeBytes(): Promise<number>;
}
