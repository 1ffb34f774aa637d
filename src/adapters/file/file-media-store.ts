import { mkdir, open, opendir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MediaStore, StoredSource } from "../../streaming/media-store.ts";
import type { LocatedOriginal, OpenOriginal } from "../../streaming/original.ts";
import { probeWrite } from "./write-probe.ts";

/** Opens and locates files; the streaming service's own way, for the files of its libraries too. */
export interface Files {
  locateFirst(paths: readonly string[]): Promise<LocatedOriginal>;
  openFirst(paths: readonly string[]): Promise<OpenOriginal & Pick<LocatedOriginal, "size" | "mtimeMs">>;
}

const ASIDE = ".removing";
/** What was moved aside this long ago is not being removed any more: whoever did it has crashed. */
const ABANDONED_MS = 3_600_000;

/**
 * Uploads and their content on a disk or a shared volume: `uploads/{sourceId}` until it is filed as
 * `originals/{first two digits}/{sha256}`.
 */
export class FileMediaStore implements MediaStore {
  readonly place: string;
  readonly #root: string;
  readonly #files: Files;
  readonly #now: () => number;

  private constructor(root: string, place: string, files: Files, now: () => number) {
    this.#root = root;
    this.place = place;
    this.#files = files;
    this.#now = now;
  }

  /** Opens the store in a folder, which is made when it is not there, and names it on first use. */
  static async open(root: string, files: Files, now: () => number = Date.now): Promise<FileMediaStore> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    return new FileMediaStore(root, `file:${await nameOf(join(root, "store-id"))}`, files, now);
  }

  get folders(): string[] {
    return [join(this.#root, "uploads"), join(this.#root, "originals")];
  }

  uploadPath(sourceId: string): string {
    return join(this.#root, "uploads", sourceId);
  }

  contentPath(mediaId: string): string {
    return join(this.#root, "originals", mediaId.slice(0, 2), mediaId);
  }

  locate({ id, mediaId }: StoredSource): Promise<LocatedOriginal> {
    const unfiled = this.uploadPath(id);
    return this.#files.locateFirst(mediaId === null ? [unfiled] : [this.contentPath(mediaId), unfiled]);
  }

  openUpload(sourceId: string, mediaId: string | null) {
    const unfiled = this.uploadPath(sourceId);
    return this.#files.openFirst(mediaId === null ? [unfiled] : [unfiled, this.contentPath(mediaId)]);
  }

  /** Filing moves it out of the uploaders' reach. */
  async keep(): Promise<void> {}

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
    const aside = path + ASIDE;
    try {
      await rename(path, aside);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    if ((await inUse()) && !(await exists(path))) await rename(aside, path);
    else await rm(aside, { force: true });
  }

  async sweep(inUse: (mediaId: string) => Promise<boolean>): Promise<void> {
    const originals = await opendir(join(this.#root, "originals"), { recursive: true }).catch(ignoreMissing);
    if (!originals) return;
    for await (const entry of originals) {
      if (!entry.name.endsWith(ASIDE)) continue;
      const aside = join(entry.parentPath, entry.name);
      const path = aside.slice(0, -ASIDE.length);
      const moved = await stat(aside).catch(ignoreMissing);
      if (!moved || this.#now() - moved.ctimeMs < ABANDONED_MS) continue;
      if ((await inUse(entry.name.slice(0, -ASIDE.length))) && !(await exists(path))) await rename(aside, path);
      else await rm(aside, { force: true });
    }
  }

  check(): Promise<void> {
    return probeWrite(this.#root);
  }
}

/** The store's name in its own folder, so that it moves with it; made by the first of all who share it. */
async function nameOf(path: string): Promise<string> {
  await writeFile(path, Bun.randomUUIDv7(), { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
  for (let attempt = 0; ; attempt++) {
    const name = (await readFile(path, "utf8")).trim();
    if (/^[0-9a-f-]{36}$/.test(name)) return name;
    // Another one is just writing it.
    if (attempt === 20) throw new Error(`${path} is damaged: restore it from a backup.`);
    await Bun.sleep(50);
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

function ignoreMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

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
