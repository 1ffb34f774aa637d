import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import type { LocatedOriginal, OpenOriginal } from "./original.ts";

/** Reads of one file. Reads happen off the event loop, so a slow disk holds up nobody else. */
export class FileBytes implements OpenOriginal {
  readonly isElsewhere = false;
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
export class LocatedFile implements LocatedOriginal {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly identity: string;

  constructor(path: string, stats: Stats) {
    this.path = path;
    this.size = stats.size;
    this.mtimeMs = Math.floor(stats.mtimeMs);
    this.identity = identityOf(stats);
  }

  async open(): Promise<FileBytes> {
    const file = await FileBytes.open([this.path]);
    if (file.identity === this.identity) return file;
    await file.close();
    throw new Error("the file has changed since it was located");
  }

  async isUnchanged(): Promise<boolean> {
    try {
      return identityOf(await stat(this.path)) === this.identity;
    } catch {
      return false;
    }
  }
}

const identityOf = ({ dev, ino, size, mtimeMs }: Stats) => `${dev} ${ino} ${size} ${mtimeMs}`;

/** What `stat` says of the file at a path. */
export const locatedAt = (path: string, stats: Stats): LocatedFile => new LocatedFile(path, stats);

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
