import { type FileHandle, mkdir, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { UploadFile, UploadFiles } from "../../upload/upload-files.ts";

/** Most buffers one `writev` takes (IOV_MAX on Linux). */
const IOV_MAX = 1024;

/** Uploads as files `{folder}/{id}` of mode 0600. The folder is on the media volume, where streaming adopts from. */
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
    const folder = await open(this.#folder, "r");
    await folder.sync().finally(() => folder.close());
  }

  async open(id: string): Promise<UploadFile> {
    return new OpenUpload(await open(this.#path(id), "r+"));
  }

  async shared(_id: string, offset: number): Promise<number> {
    return offset;
  }

  async discard(): Promise<void> {}
  async complete(): Promise<void> {}
  async sweep(): Promise<void> {}

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  async freeBytes(): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
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

/** What is left of chunks after their first `count` bytes. */
function without(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let index = 0;
  let left = count;
  for (let chunk = chunks[0]; chunk && left >= chunk.length; chunk = chunks[++index]) left -= chunk.length;
  const partial = chunks[index];
  if (left === 0 || !partial) return chunks.slice(index);
  return [partial.subarray(left), ...chunks.slice(index + 1)];
}
