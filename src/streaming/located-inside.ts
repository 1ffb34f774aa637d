import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { type LocatedFile, locatedAt } from "./file-bytes.ts";
import { requireReadable } from "./file-rights.ts";
import { isInside } from "./library-files.ts";

/** Files that were found to lie in their folder, by folder and path, and when their names were last changed. */
const found = new Map<string, { readonly file: LocatedFile; readonly ctimeMs: number }>();
const MAX_FOUND = 10_000;

/**
 * Where a file of a library folder is now, and what it is. Checked at each use: what was a film when the folder was
 * scanned may be a link to something else since. Throws when it is not a regular file inside the folder, or may not be read.
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
  await requireReadable(target, state);
  return { file: locatedAt(target, state), ctimeMs: state.ctimeMs };
}
