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

/** The port to the part of the media volume where uploads arrive: `uploads/{id}`. Ids are UUIDs, never user text. */
export interface UploadFiles {
  /** Creates the file of a new upload, so that it survives a loss of power. */
  create(id: string): Promise<void>;
  /** Opens it for reading and writing. Rejects with `ENOENT` when there is none. */
  open(id: string): Promise<UploadFile>;
  /** Removes it; nothing when there is none. */
  remove(id: string): Promise<void>;
  /** Bytes that can still be written on this volume. */
  freeBytes(): Promise<number>;
}
