import type { Dirent } from "node:fs";
import { lstat, opendir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { requireReadable } from "./file-rights.ts";
import { doubtfulNames, isDoubtful } from "./foreign-names.ts";
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
  /** When anything of it was changed last, its bytes, names or permissions: nobody can set it back. */
  readonly ctimeMs: number;
  /** Device and inode: what stays the same when the file is renamed. */
  readonly fileKey: string;
}

/** What is no file of the library, and why. */
export interface RefusedFile {
  readonly path: string;
  readonly refused: { readonly code: string; readonly detail: string };
  /** A whole folder is always named; `other` is nothing that anybody misses. */
  readonly kind?: "folder" | "other";
  /** Whether it may be read again without anything being told: its disk did not answer. */
  readonly mayPass?: boolean;
  /** What the system's events call it, where that is not `path`. */
  readonly toldAs?: string;
}

/** A file below a library folder, or the reason why it is left out. */
export type LibraryFile = FoundFile | RefusedFile;

/** What a walk reads of: the real path of the library folder, and real paths of folders that are not entered. */
export interface Bounds {
  readonly root: string;
  readonly own: ReadonlySet<string>;
}

/** A library folder as such cannot be read: nothing that it has can be. The message is for people. */
export class FolderUnreadableError extends Error {}

const unreadable = (cause: unknown) => new FolderUnreadableError(reasonOf(cause), { cause });

/**
 * Opens a library folder. Throws `FolderUnreadableError` when it cannot be read, or lies in an `excluded` one: Kinora's own
 * data is no library.
 */
export async function boundsOf(folder: string, excluded: readonly string[] = []): Promise<Bounds> {
  const root = await realpath(folder).catch((error: unknown) => Promise.reject(unreadable(error)));
  const own = new Set(await Promise.all(excluded.map(realOf)));
  for (const path of own) {
    if (isInside(path, root)) throw new FolderUnreadableError("This is Kinora's own data folder: choose another one.");
  }
  return { root, own };
}

/**
 * All files below a folder, in small groups, by their path in it. Hidden and system folders, unfinished downloads and the
 * `excluded` folders are passed over. A link is followed only to a file inside the folder. What cannot be read is
 * named, and the walk goes on. Throws `FolderUnreadableError` when the folder itself cannot be read, or lies in an excluded one.
 */
export async function* walk(folder: string, excluded: readonly string[] = []): AsyncGenerator<readonly LibraryFile[]> {
  yield* walkPath(await boundsOf(folder, excluded), "");
}

/** The same below one path of the folder: a folder in it, or a file. Nothing when there is nothing. */
export async function* walkPath(bounds: Bounds, path: string): AsyncGenerator<readonly LibraryFile[]> {
  const names = path === "" ? [] : path.split("/");
  if (names.some(isPassedOver)) return;
  if (names.length === 0) {
    try {
      yield* walkBelow(bounds, bounds.root, "", 0);
    } catch (error) {
      throw unreadable(error);
    }
    return;
  }
  if (isDoubtful(path)) yield await refuseLostNames(bounds, names);
  const at = join(bounds.root, path);
  const state = await lstat(at).catch(() => null);
  // A link on the way would lead around the check below.
  if (state === null || (await realpath(dirname(at)).catch(() => null)) !== dirname(at)) return;
  if (!state.isDirectory()) yield [await lookSafely(bounds, at, path, state.isSymbolicLink())];
  else if (!bounds.own.has(at)) yield* walkFolder(bounds, at, path, names.length - 1);
}

async function* walkBelow(
  bounds: Bounds,
  folder: string,
  prefix: string,
  depth: number,
): AsyncGenerator<readonly LibraryFile[]> {
  let looks: Promise<LibraryFile>[] = [];
  let hasDoubtful = false;
  // opendir reads as it goes: a folder of 100,000 files is never in memory as a whole.
  for await (const entry of await opendir(folder, { bufferSize: 256 })) {
    if (isPassedOver(entry.name)) continue;
    if (isDoubtful(entry.name)) {
      hasDoubtful = true;
      continue;
    }
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
  if (hasDoubtful) yield* walkDoubtful(bounds, folder, prefix, depth);
}

const isFolder = (entry: Dirent) => entry.isDirectory();

/** What walkBelow cannot tell apart by the names that it is given. */
async function* walkDoubtful(bounds: Bounds, folder: string, prefix: string, depth: number) {
  for (const name of await doubtfulNames(folder)) {
    if (isPassedOver(name.told)) continue;
    const [at, path] = [join(folder, name.told), prefix + name.told];
    const state = name.isSound ? await lstat(at).catch(() => null) : null;
    if (!name.isSound) yield [refuseName(prefix, name)];
    else if (state?.isDirectory()) yield* walkFolder(bounds, at, path, depth);
    else if (state) yield [await lookSafely(bounds, at, path, state.isSymbolicLink())];
  }
}

/** Names what an event may be about and cannot say. */
async function refuseLostNames(bounds: Bounds, names: readonly string[]): Promise<RefusedFile[]> {
  const depth = names.findIndex(isDoubtful);
  const parent = join(bounds.root, ...names.slice(0, depth));
  if ((await realpath(parent).catch(() => null)) !== parent) return [];
  const there = await doubtfulNames(parent).catch(() => []);
  const prefix = names.slice(0, depth).map((name) => `${name}/`);
  return there
    .filter(({ told, isSound }) => !isSound && told === names[depth])
    .map((name) => refuseName(prefix.join(""), name));
}

const NOT_UTF8 =
  "Its name is in an encoding of earlier times (not UTF-8): rename it. For many, convmv -r -f latin1 -t utf8 --notest does so.";

function refuseName(prefix: string, { shown, told }: { shown: string; told: string }): RefusedFile {
  const refusal = refuse(prefix + shown, "name-not-utf8", NOT_UTF8);
  return { ...refusal, kind: "folder", toldAs: prefix + told };
}

async function* walkFolder(
  bounds: Bounds,
  folder: string,
  path: string,
  depth: number,
): AsyncGenerator<readonly LibraryFile[]> {
  if (depth >= MAX_DEPTH) {
    yield [refuse(path, "too-deep", `Folders are read ${MAX_DEPTH} levels deep.`, "folder")];
    return;
  }
  try {
    yield* walkBelow(bounds, folder, `${path}/`, depth + 1);
  } catch (error) {
    if (isOfMachine(error)) throw error;
    const refusal = refuse(path, "unreadable", reasonOf(error), "folder");
    yield [mayPass(error) ? { ...refusal, mayPass: true } : refusal];
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
  if (state.isDirectory()) {
    return refuse(path, "not-a-file", "This link leads to a folder, which is read where it is.", "other");
  }
  if (!state.isFile()) return refuse(path, "not-a-file", "This is not a regular file.");
  await requireReadable(file, state);
  return {
    path,
    sizeBytes: state.size,
    mtimeMs: Math.floor(state.mtimeMs),
    ctimeMs: Math.floor(state.ctimeMs),
    fileKey: `${state.dev}:${state.ino}`,
  };
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

/** Whether nothing is in a folder that could belong to a library. */
export async function isEmptyFolder(folder: string): Promise<boolean> {
  for await (const entry of await opendir(folder, { bufferSize: 32 })) if (!isPassedOver(entry.name)) return false;
  return true;
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

const refuse = (path: string, code: string, detail: string, kind?: RefusedFile["kind"]): RefusedFile => ({
  path,
  refused: { code, detail },
  ...(kind && { kind }),
});

const REASONS: ReadonlyMap<string, string> = new Map([
  ...["EACCES", "EPERM"].map((code) => [code, "Kinora may not read it: check its permissions."] as const),
  ["ENOENT", "It is not there, or a link that leads nowhere."],
  ["ENOTDIR", "It is a file, not a folder."],
  ["ELOOP", "It is a link that leads back to itself."],
  ["ENAMETOOLONG", "Its path is too long for the system."],
  ["EIO", "The disk cannot read it: check the disk."],
  ["EMFILE", "Too many files are open on this machine at once."],
  ["ENFILE", "Too many files are open on this machine at once."],
  ...["ESTALE", "EHOSTDOWN", "EHOSTUNREACH", "ETIMEDOUT", "ENOTCONN", "ENODEV", "ENXIO"].map(
    (code) => [code, "Its disk does not answer: check that it is connected."] as const,
  ),
]);

const PASSING: ReadonlySet<string> = new Set([
  ...["EIO", "ESTALE", "EHOSTDOWN", "EHOSTUNREACH", "ETIMEDOUT", "ENOTCONN", "ENODEV", "ENXIO"],
]);

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code ?? "";

/** Whether it is the disk that does not answer, which nobody tells when it does again. */
export const mayPass = (error: unknown) => PASSING.has(codeOf(error));

/** Whether it says nothing of a file or folder: this machine has run short of something. */
export const isOfMachine = (error: unknown) => ["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(error));

/** Whether the system said it, of a file or folder. */
export const isOfSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";

/** What the system said, for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof FolderUnreadableError) return error.message;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const known = REASONS.get(code);
  if (known) return known;
  return isOfSystem(error) ? `The system cannot read it (${code}).` : "Kinora could not read it; its log says why.";
}
