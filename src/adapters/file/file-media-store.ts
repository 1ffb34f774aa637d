import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MediaStore } from "../../streaming/media-store.ts";

/**
 * Uploads and their content on a disk or a shared volume: `uploads/{sourceId}` until it is filed as
 * `originals/{first two digits}/{sha256}`.
 */
export class FileMediaStore implements MediaStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The folders that it keeps everything in. */
  get folders(): string[] {
    return [join(this.#root, "uploads"), join(this.#root, "originals")];
  }

  uploadPath(sourceId: string): string {
    return join(this.#root, "uploads", sourceId);
  }

  contentPath(mediaId: string): string {
    return join(this.#root, "originals", mediaId.slice(0, 2), mediaId);
  }

  async file(sourceId: string, mediaId: string): Promise<void> {
    const target = this.contentPath(mediaId);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    try {
      await rename(this.uploadPath(sourceId), target);
    } catch (error) {
      if (isMissing(error) && (await exists(target))) return;
      throw error;
    }
    await syncFolder(dirname(target));
  }

  async removeUpload(sourceId: string): Promise<void> {
    await rm(this.uploadPath(sourceId), { force: true });
  }

  async removeContent(mediaId: string, inUse: () => Promise<boolean>): Promise<void> {
    const path = this.contentPath(mediaId);
    const aside = `${path}.removing`;
    try {
      await rename(path, aside);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    if ((await inUse()) && !(await exists(path))) await rename(aside, path);
    else await rm(aside, { force: true });
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

/** Makes a rename durable: the directory entry is on disk, not only in memory. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
