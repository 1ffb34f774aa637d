import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { ByteSource } from "../media/byte-source.ts";

/** Reads of one file. Reads happen off the event loop, so a slow disk holds up nobody else. */
export class FileBytes implements ByteSource {
  readonly size: number;
  readonly mtimeMs: number;
  /** As of `LocatedFile`. */
  readonly identity: string;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, stats: Stats) {
    this.#handle = handle;
    this.size = stats.size;
    this.mtimeMs = Math.floor(stats.mtimeMs);
    this.identity = identityOf(stats);
  }

  /** Opens the first of these paths that is there; throws the last one's `ENOENT` when none is. */
  static open(paths: readonly string[]): Promise<FileBytes> {
    return firstThere(paths, async (path) => {
      const handle = await open(path, "r");
      const stats = await handle.stat();
      return new FileBytes(handle, stats);
    });
  }

  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    // Not zeroed first: that alone was a fifth of a segment's CPU. Only what was read leaves this function.
    const buffer = Buffer.allocUnsafeSlow(wanted);
    const filled = await this.readInto(buffer, offset);
    return filled === wanted ? buffer : buffer.subarray(0, filled);
  }

  /** Fills `target` from `offset`; returns how many bytes, fewer than fit only at the end of the file. */
  async readInto(target: Uint8Array, offset: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await this.#handle.read(target, filled, target.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  /** Fills these one after the other from `offset`, in one system call; returns how many bytes, perhaps fewer than fit. */
  async readEach(targets: readonly Uint8Array[], offset: number): Promise<number> {
    return (await this.#handle.readv(targets, offset)).bytesRead;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Opens, uses and closes. */
export async function withFile<T>(paths: readonly string[], use: (file: FileBytes) => Promise<T>): Promise<T> {
  const file = await FileBytes.open(paths);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** A file by its path, and what it was when it was looked at. */
export interface LocatedFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** Another one for each file, and after each change of it. */
  readonly identity: string;
}

const identityOf = ({ dev, ino, size, mtimeMs }: Stats) => `${dev} ${ino} ${size} ${mtimeMs}`;

/** What `stat` says of the file at a path. */
export function locatedAt(path: string, stats: Stats): LocatedFile {
  return { path, size: stats.size, mtimeMs: Math.floor(stats.mtimeMs), identity: identityOf(stats) };
}

/** The first of these paths that is there; throws the last one's `ENOENT` when none is. */
export function locateFirst(paths: readonly string[]): Promise<LocatedFile> {
  return firstThere(paths, async (path) => locatedAt(path, await stat(path)));
}

async function firstThere<T>(paths: readonly string[], use: (path: string) => Promise<T>): Promise<T> {
  let missing: unknown = null;
  for (const path of paths) {
    try {
      return await use(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      missing = error;
    }
  }
  // Made here only: an error with its stack is a part of what a small segment costs.
  throw missing ?? new Error("no path");
}

/** Opens a located file; fails when it is no longer the one that was located. */
export async function openSame(located: LocatedFile): Promise<FileBytes> {
  const file = await FileBytes.open([located.path]);
  if (file.identity === located.identity) return file;
  await file.close();
  throw new Error("the file has changed since it was located");
}

/** A located file, opened with the first read if there is one. */
class LocatedBytes implements ByteSource {
  readonly #located: LocatedFile;
  #opening: Promise<FileBytes> | null = null;

  constructor(located: LocatedFile) {
    this.#located = located;
  }

  get size(): number {
    return this.#located.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#opening ??= openSame(this.#located);
    return (await this.#opening).read(offset, length);
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }
}

/** Gives a located file to read from; one that is not read is not opened. */
export async function withLocated<T>(located: LocatedFile, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const bytes = new LocatedBytes(located);
  try {
    return await use(bytes);
  } finally {
    await bytes.close();
  }
}
