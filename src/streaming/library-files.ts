import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

/** Folders nested deeper than this are not entered. */
const MAX_DEPTH = 64;

/** A file below a library folder, or the reason why it is left out. */
export type LibraryFile =
  | { readonly path: string; readonly sizeBytes: number; readonly mtimeMs: number }
  | { readonly path: string; readonly refused: { readonly code: string; readonly detail: string } };

/**
 * All files below a folder, by their path in it. Hidden files and folders are passed over. A link is followed only to
 * a file inside the folder. What cannot be read is named, and the walk goes on. Throws when the folder itself cannot
 * be read.
 */
export async function* walk(folder: string): AsyncGenerator<LibraryFile> {
  const root = await realpath(folder);
  yield* walkBelow(root, root, "", 0);
}

async function* walkBelow(root: string, folder: string, prefix: string, depth: number): AsyncGenerator<LibraryFile> {
  // opendir reads as it goes: a folder of 100,000 files is never in memory as a whole.
  for await (const entry of await opendir(folder)) {
    if (entry.name.startsWith(".")) continue;
    const path = prefix + entry.name;
    try {
      if (entry.isDirectory()) {
        if (depth >= MAX_DEPTH) yield refuse(path, "too-deep", `Folders are read ${MAX_DEPTH} levels deep.`);
        else yield* walkBelow(root, join(folder, entry.name), `${path}/`, depth + 1);
      } else {
        yield await look(root, join(folder, entry.name), path);
      }
    } catch (error) {
      yield refuse(path, "unreadable", reasonOf(error));
    }
  }
}

async function look(root: string, file: string, path: string): Promise<LibraryFile> {
  if ((await lstat(file)).isSymbolicLink() && !(await realpath(file)).startsWith(root + sep)) {
    return refuse(path, "outside", "This link leads out of the library folder.");
  }
  const state = await stat(file);
  if (!state.isFile()) return refuse(path, "not-a-file", "This is not a regular file.");
  return { path, sizeBytes: state.size, mtimeMs: Math.floor(state.mtimeMs) };
}

const refuse = (path: string, code: string, detail: string): LibraryFile => ({ path, refused: { code, detail } });

/** What the system said, for people. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") return "Kinora may not read it: check its permissions.";
  if (code === "ENOENT") return "It is not there.";
  return error instanceof Error ? error.message : String(error);
}
