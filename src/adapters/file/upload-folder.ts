import { constants } from "node:fs";
import { copyFile, type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { UploadFile, UploadFiles, UploadName } from "../../upload/upload-files.ts";

/** Most buffers one `writev` takes (IOV_MAX on Linux). */
const IOV_MAX = 1024;

/** A copy that is not known after so long was never taken into use. */
const ABANDONED_MS = 3_600_000;
const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const COPY_NAME = new RegExp(`^(${UUID})\\.(${UUID})$`);

/**
 * Uploads as files `{folder}/{id}` of mode 0600, and `{id}.{copy}` after another instance took one over, until it is complete.
 * The folder is on the media volume, where streaming adopts from.
 */
export class UploadFolder implements UploadFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async create(id: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#path(id), "wx", 0o600);
    await file.close();
    // The name itself must survive a loss of power, or acknowledged bytes would be there under no name.
    await this.#syncFolder();
  }

  async open(name: UploadName): Promise<UploadFile> {
    return new OpenUpload(await open(this.#pathOf(name), "r+"));
  }

  /** A file of its own: whatever still writes to the other one, later than it should, does not reach it. */
  async branch(name: UploadName, offset: number): Promise<string> {
    const copy = crypto.randomUUID();
    const path = this.#pathOf({ ...name, copy });
    try {
      await copyFile(this.#pathOf(name), path, constants.COPYFILE_FICLONE);
      const file = await open(path, "r+");
      try {
        await file.truncate(offset);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#syncFolder();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return copy;
  }

  async drop(name: UploadName): Promise<void> {
    await rm(this.#pathOf(name), { force: true });
  }

  async shared(_id: string, offset: number): Promise<number> {
    return offset;
  }

  async discard(): Promise<void> {}

  /** Gives the copy that counts the name that streaming knows. */
  async complete(name: UploadName): Promise<void> {
    if (name.copy === null) return;
    await rename(this.#pathOf(name), this.#path(name.id)).catch(ignoreMissing);
    await this.#syncFolder();
  }

  async sweep(find: (id: string) => Promise<UploadName | null>): Promise<void> {
    for (const file of await readdir(this.#folder).catch(ignoreMissing)) {
      const [, id = "", copy = ""] = COPY_NAME.exec(file) ?? [];
      if (id === "" || (await find(id))?.copy === copy) continue;
      const { ctimeMs } = (await stat(join(this.#folder, file)).catch(() => null)) ?? { ctimeMs: Date.now() };
      if (Date.now() - ctimeMs > ABANDONED_MS) await this.drop({ id, copy });
    }
  }

  async remove({ id, copy }: UploadName): Promise<void> {
    await rm(this.#path(id), { force: true });
    if (copy !== null) await this.drop({ id, copy });
  }

  async freeBytes(): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, "r");
    await folder.sync().finally(() => folder.close());
  }

  #pathOf({ id, copy }: UploadName): string {
    const path = this.#path(id);
    if (copy === null) return path;
    if (!/^[0-9a-f-]{36}$/.test(copy)) throw new Error("A copy's name must be a UUID.");
    return `${path}.${copy}`;
  }

  #path(id: string): string {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error("An upload's id must be a UUID.");
    return join(this.#folder, id);
  }
}

class OpenUpload implements UploadFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let rest = chunks;
    let at = position;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, IOV_MAX), at);
      at += bytesWritten;
      rest = without(rest, bytesWritten);
    }
  }

  sync = () => this.#handle.datasync();

  async read(buffer: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, position);
    return bytesRead;
  }

  close = () => this.#handle.close();
}

function ignoreMissing(error: unknown): string[] {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
  throw error;
}

/** What is left of chunks after their first `count` bytes. */
function without(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let index = 0;
  let left = count;
  for (let chunk = chunks[0]; chunk && left >= chunk.length; chunk = chunks[++index]) left -= chunk.length;
  const partial = chunks[index];
  if (left === 0 || !partial) return chunks.slice(index);
  return [partial.subarray(left), ...chunks.slice(index + 1)];
}
