import { opendir, readFile, realpath, stat } from "node:fs/promises";
import { isInside } from "./library-files.ts";

/** Where disks are mounted, each with what tells it from another one at the same place. */
export type Mounts = readonly { readonly path: string; readonly id: string }[];

/** What is mounted now; nothing where the system does not say. */
export async function readMounts(): Promise<Mounts> {
  const text = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    // proc(5): mount id, parent, major:minor, root, mount point, …
    const [id, , device, , path] = line.split(" ");
    return path ? [{ path: unescaped(path), id: `${id} ${device}` }] : [];
  });
}

const unescaped = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));

/** What tells a folder from the same path at another time. */
interface FolderMark {
  /** Its path without links. */
  readonly real: string;
  /** What is mounted on it, above it and in it. */
  readonly mounts: string;
  /** Device and inode, or why it cannot be read. */
  readonly root: string;
}

/** Notices that a folder is gone, has returned, may be read again or not, or that another disk is mounted on it or in it. */
export class FolderMarker {
  readonly #folder: string;
  #mark: FolderMark | null = null;
  #isAsking = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Remembers what the folder is now: it is being scanned. */
  async take(): Promise<void> {
    this.#mark = await markOf(this.#folder, await readMounts(), null);
  }

  /**
   * Whether it is another one than it was; said once. `isQuiet`: its own disk is not asked, which may be a network's. A disk
   * that hangs is not asked twice.
   */
  async hasChanged(mounts: Mounts, isQuiet: boolean): Promise<boolean> {
    const before = this.#mark;
    if (before === null || this.#isAsking) return false;
    this.#isAsking = true;
    const mark = await markOf(this.#folder, mounts, isQuiet ? before : null);
    this.#isAsking = false;
    // A scan may have begun in the meantime.
    if (this.#mark !== before || (mark.mounts === before.mounts && mark.root === before.root)) return false;
    this.#mark = mark;
    return true;
  }
}

async function markOf(folder: string, mounts: Mounts, by: FolderMark | null): Promise<FolderMark> {
  const real = by?.real ?? (await realpath(folder).catch(() => folder));
  const near = mounts.filter(({ path }) => isInside(real, path) || isInside(path, real));
  const mounted = near.map(({ path, id }) => `${id} ${path}`).join("\n");
  return { real, mounts: mounted, root: by?.root ?? (await rootOf(folder)) };
}

async function rootOf(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder);
    await (await opendir(folder)).close();
    return `${dev}:${ino}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
