import type { Dirent, Stats } from "node:fs";
import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { type LocatedFile, locatedAt } from "./file-bytes.ts";
import { isPassedOver } from "./library-ignored.ts";

/** Folders nested deeper than this are not entered. */
const MAX_DEPTH = 64;
/** Files that are looked at together: on a network disk each look takes its time. */
const LOOKS_AT_ONCE = 32;

/** A file below a library folder as it is now. */
export interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Device and inode: what stays the same when the file is renamed. */
  readonly fileKey: string;
}

/** What is no file of the library, and why. */
export interface RefusedFile {
  readonly path: string;
  readonly refused: { readonly code: string; readonly detail: string };
}

/** A file below a library folder, or the reason why it is left out. */
export type LibraryFile = FoundFile | RefusedFile;

/** What a walk reads of: the real path of the library folder, and real paths of folders that are not entered. */
export interface Bounds {
  readonly root: string;
  readonly own: ReadonlySet<string>;
}

/** Opens a library folder. Throws when it cannot be read, or lies in an `excluded` one: Kinora's own data is no library. */
export async function boundsOf(folder: string, excluded: readonly string[] = []): Promise<Bounds> {
  const root = await realpath(folder);
  const own = new Set(await Promise.all(excluded.map(realOf)));
  for (const path of own) {
    if (isInside(path, root)) throw new Error("This is Kinora's own data folder: choose another one.");
  }
  return { root, own };
}

/**
 * All files below a folder, in small groups, by their path in it. Hidden and system folders, unfinished downloads and the
 * `excluded` folders are passed over. A link is followed only to a file inside the folder. What cannot be read is
 * named, and the walk goes on. Throws when the folder itself cannot be read, or lies in an excluded one.
 */
export async function* walk(folder: string, excluded: readonly string[] = []): AsyncGenerator<readonly LibraryFile[]> {
  yield* walkPath(await boundsOf(folder, excluded), "");
}

/** The same below one path of the folder: a folder in it, or a file. Nothing when there is nothing. */
export async function* walkPath(bounds: Bounds, path: string): AsyncGenerator<readonly LibraryFile[]> {
  if (path.split("/").some((name) => name !== "" && isPassedOver(name))) return;
  const at = join(bounds.root, path);
  const state = await lstat(at).catch(() => null);
  if (state?.isDirectory()) {
    // A link on the way would lead around the check below.
    if ((await realpath(at)) !== at || bounds.own.has(at)) return;
    const depth = path === "" ? 0 : path.split("/").length;
    // opendir fails here only for the folder itself: below it is named and passed over.
    yield* walkBelow(bounds, at, path === "" ? "" : `${path}/`, depth);
  } else if (state) {
    const inside = await realpath(dirname(at)).catch(() => null);
    if (inside === dirname(at)) yield [await lookSafely(bounds, at, path, state.isSymbolicLink())];
  }
}

async function* walkBelow(
  bounds: Bounds,
  folder: string,
  prefix: string,
  depth: number,
): AsyncGenerator<readonly LibraryFile[]> {
  let looks: Promise<LibraryFile>[] = [];
  // opendir reads as it goes: a folder of 100,000 files is never in memory as a whole.
  for await (const entry of await opendir(folder, { bufferSize: 256 })) {
    if (isPassedOver(entry.name)) continue;
    const path = prefix + entry.name;
    if (isFolder(entry)) {
      if (!bounds.own.has(join(folder, entry.name))) yield* walkFolder(bounds, join(folder, entry.name), path, depth);
      continue;
    }
    looks.push(lookSafely(bounds, join(folder, entry.name), path, entry.isSymbolicLink()));
    if (looks.length < LOOKS_AT_ONCE) continue;
    yield await Promise.all(looks);
    looks = [];
  }
  if (looks.length > 0) yield await Promise.all(looks);
}

const isFolder = (entry: Dirent) => entry.isDirectory();

async function* walkFolder(bounds: Bounds, folder: string, path: string, depth: number) {
  if (depth >= MAX_DEPTH) {
    yield [refuse(path, "too-deep", `Folders are read ${MAX_DEPTH} levels deep.`)];
    return;
  }
  try {
    yield* walkBelow(bounds, folder, `${path}/`, depth + 1);
  } catch (error) {
    yield [refuse(path, "unreadable", reasonOf(error))];
  }
}

async function lookSafely(bounds: Bounds, file: string, path: string, isLink: boolean): Promise<LibraryFile> {
  try {
    return await look(bounds, file, path, isLink);
  } catch (error) {
    return refuse(path, "unreadable", reasonOf(error));
  }
}

async function look(bounds: Bounds, file: string, path: string, isLink: boolean): Promise<LibraryFile> {
  if (isLink) {
    const target = await realpath(file);
    if (!isInside(bounds.root, target) || [...bounds.own].some((own) => isInside(own, target))) {
      return refuse(path, "outside", "This link leads out of the library folder. Add the folder it leads to instead.");
    }
  }
  const state = await stat(file);
  if (state.isDirectory()) return refuse(path, "not-a-file", "This link leads to a folder, which is read where it is.");
  if (!state.isFile()) return refuse(path, "not-a-file", "This is not a regular file.");
  return { path, sizeBytes: state.size, mtimeMs: Math.floor(state.mtimeMs), fileKey: `${state.dev}:${state.ino}` };
}

/** How many files there are below a folder, without a look at any of them; as far as it can be read. */
export async function countFiles({ root, own }: Bounds, signal: AbortSignal): Promise<number> {
  let count = 0;
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined && !signal.aborted; folder = folders.pop()) {
    try {
      for await (const entry of await opendir(folder, { bufferSize: 256 })) {
        if (isPassedOver(entry.name)) continue;
        if (!isFolder(entry)) count++;
        else if (!own.has(join(folder, entry.name))) folders.push(join(folder, entry.name));
      }
    } catch {
      // The scan says so.
    }
  }
  return count;
}

/** Whether a path is a folder or lies in it; both are real paths. */
export const isInside = (folder: string, path: string) =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** The real path of a folder that may not be there yet. */
export async function realOf(path: string): Promise<string> {
  return realpath(path).catch(async () =>
    join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path)),
  );
}

/** Files that were found to lie in their folder, by folder and path, and when their names were last changed. */
const found = new Map<string, { readonly file: LocatedFile; readonly ctimeMs: number }>();
const MAX_FOUND = 10_000;

/**
 * Where a file of a library folder is now, and what it is. Checked at each use: what was a film when the folder was
 * scanned may be a link to something else since. Throws when it is not a regular file inside the folder.
 */
export async function locateInside(folder: string, path: string): Promise<LocatedFile> {
  const key = `${folder}\0${path}`;
  const known = found.get(key);
  if (known) {
    const state = await stat(join(folder, path));
    // The very file that was found inside, and not moved since: whatever leads to it leads to the same bytes.
    if (isAt(state, known)) return known.file;
    found.delete(key);
  }
  const checked = await checkInside(folder, path);
  const oldest = found.keys().next().value;
  if (found.size >= MAX_FOUND && oldest !== undefined) found.delete(oldest);
  found.set(key, checked);
  return checked.file;
}

const isAt = (state: Stats, { file, ctimeMs }: { file: LocatedFile; ctimeMs: number }) =>
  state.ctimeMs === ctimeMs && locatedAt(file.path, state).identity === file.identity;

async function checkInside(folder: string, path: string): Promise<{ file: LocatedFile; ctimeMs: number }> {
  const [root, target] = await Promise.all([realpath(folder), realpath(join(folder, path))]);
  if (!isInside(root, target)) throw new Error("the file has become a link that leads out of its folder");
  const state = await stat(target);
  if (!state.isFile()) throw new Error("the file has become something else");
  return { file: locatedAt(target, state), ctimeMs: state.ctimeMs };
}

const refuse = (path: string, code: string, detail: string): RefusedFile => ({ path, refused: { code, detail } });

/** What the system said, for people. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") return "Kinora may not read it: check its permissions.";
  if (code === "ENOENT") return "It is not there, or a link that leads nowhere.";
  return error instanceof Error ? error.message : String(error);
}
