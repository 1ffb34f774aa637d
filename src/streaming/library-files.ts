import type { Stats } from "node:fs";
import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { type LocatedFile, locatedAt } from "./file-bytes.ts";

/** Folders nested deeper than this are not entered. */
const MAX_DEPTH = 64;

/** A file below a library folder, or the reason why it is left out. */
export type LibraryFile =
  | { readonly path: string; readonly sizeBytes: number; readonly mtimeMs: number }
  | { readonly path: string; readonly refused: { readonly code: string; readonly detail: string } };

/**
 * All files below a folder, by their path in it. Hidden files and folders are passed over, and so are the `excluded`
 * folders: Kinora's own data is nobody's library. A link is followed only to a file inside the folder. What cannot be
 * read is named, and the walk goes on. Throws when the folder itself cannot be read, or lies in an excluded one.
 */
export async function* walk(folder: string, excluded: readonly string[] = []): AsyncGenerator<LibraryFile> {
  const root = await realpath(folder);
  const own = new Set(await Promise.all(excluded.map(realOf)));
  for (const path of own) {
    if (isInside(path, root)) throw new Error("This is Kinora's own data folder: choose another one.");
  }
  yield* walkBelow({ root, own }, root, "", 0);
}

interface Bounds {
  readonly root: string;
  /** Real paths of folders that are not entered and not read from. */
  readonly own: ReadonlySet<string>;
}

async function* walkBelow(bounds: Bounds, folder: string, prefix: string, depth: number): AsyncGenerator<LibraryFile> {
  // opendir reads as it goes: a folder of 100,000 files is never in memory as a whole.
  for await (const entry of await opendir(folder)) {
    if (entry.name.startsWith(".")) continue;
    const path = prefix + entry.name;
    try {
      if (entry.isDirectory()) {
        if (bounds.own.has(join(folder, entry.name))) continue;
        if (depth >= MAX_DEPTH) yield refuse(path, "too-deep", `Folders are read ${MAX_DEPTH} levels deep.`);
        else yield* walkBelow(bounds, join(folder, entry.name), `${path}/`, depth + 1);
      } else {
        yield await look(bounds, join(folder, entry.name), path);
      }
    } catch (error) {
      yield refuse(path, "unreadable", reasonOf(error));
    }
  }
}

async function look(bounds: Bounds, file: string, path: string): Promise<LibraryFile> {
  if ((await lstat(file)).isSymbolicLink()) {
    const target = await realpath(file);
    if (!isInside(bounds.root, target) || [...bounds.own].some((own) => isInside(own, target))) {
      return refuse(path, "outside", "This link leads out of the library folder. Add the folder it leads to instead.");
    }
  }
  const state = await stat(file);
  if (state.isDirectory()) return refuse(path, "not-a-file", "This link leads to a folder, which is read where it is.");
  if (!state.isFile()) return refuse(path, "not-a-file", "This is not a regular file.");
  return { path, sizeBytes: state.size, mtimeMs: Math.floor(state.mtimeMs) };
}

/** Whether a path is a folder or lies in it; both are real paths. */
const isInside = (folder: string, path: string) => path === folder || path.startsWith(folder + sep);

/** The real path of a folder that may not be there yet. */
async function realOf(path: string): Promise<string> {
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

const refuse = (path: string, code: string, detail: string): LibraryFile => ({ path, refused: { code, detail } });

/** What the system said, for people. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") return "Kinora may not read it: check its permissions.";
  if (code === "ENOENT") return "It is not there, or a link that leads nowhere.";
  return error instanceof Error ? error.message : String(error);
}
