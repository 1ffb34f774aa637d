import { opendir, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { ConflictError, ForbiddenError, InvalidRequestError, NotFoundError } from "../errors.ts";
import type { Announcement } from "./contract.ts";
import { isInside, realOf, reasonOf } from "./library-files.ts";
import { folderId } from "./library-names.ts";
import type { LibraryStore } from "./library-store.ts";

/** A library folder as it is configured or was added. */
export interface LibraryFolder {
  /** That of the folder when titles are browsed, too. */
  readonly id: string;
  readonly path: string;
  /** Visibility of the titles its files make. */
  readonly visibility: Announcement["visibility"];
  readonly origin: "configuration" | "added";
}

/** A folder of the configuration. */
export type ConfiguredFolder = Pick<LibraryFolder, "path" | "visibility">;

/** Folders of the system: nobody's videos are there, and their file names are nobody's business. */
const SYSTEM = ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr"];
const SYSTEM_ITSELF = ["/", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/var"];
const MAX_ADDED = 200;

export interface LibraryFoldersDependencies {
  readonly configured: readonly ConfiguredFolder[];
  readonly store: LibraryStore;
  /** Kinora's own folders, which are never part of a library. */
  readonly excluded: readonly string[];
  /** Whether folders may be added and removed. */
  readonly mayAdd: boolean;
}

/** Which folders there are: those of the configuration, and those that admins added. */
export class LibraryFolders {
  readonly #dependencies: LibraryFoldersDependencies;
  #all: readonly LibraryFolder[];

  private constructor(dependencies: LibraryFoldersDependencies, added: readonly LibraryFolder[]) {
    this.#dependencies = dependencies;
    const configured = dependencies.configured.map(
      (folder): LibraryFolder => ({ ...folder, id: folderId(folder.path, ""), origin: "configuration" }),
    );
    const known = new Set(configured.map(({ path }) => path));
    this.#all = [...configured, ...added.filter(({ path }) => !known.has(path))];
  }

  static async load(dependencies: LibraryFoldersDependencies): Promise<LibraryFolders> {
    const added = await dependencies.store.listFolders();
    return new LibraryFolders(
      dependencies,
      added.map(({ id, path, visibility }) => ({ id, path, visibility, origin: "added" })),
    );
  }

  get all(): readonly LibraryFolder[] {
    return this.#all;
  }

  get mayAdd(): boolean {
    return this.#dependencies.mayAdd;
  }

  /**
   * Adds a folder by its absolute path. `forbidden` where that is switched off or the folder is the system's or Kinora's own,
   * `conflict` when it is one already or overlaps one, `invalid-request` when it cannot be read.
   */
  async add(asked: string, visibility: LibraryFolder["visibility"]): Promise<LibraryFolder> {
    this.#requireAllowed();
    const path = await this.#check(asked);
    for (const other of this.#all) {
      const real = await realOf(other.path);
      if (isInside(real, path) || isInside(path, real)) {
        throw new ConflictError(`This folder and the library folder ${other.path} overlap.`);
      }
    }
    if (this.#all.length >= MAX_ADDED) throw new ConflictError(`There are ${MAX_ADDED} library folders already.`);
    const folder: LibraryFolder = { id: folderId(path, ""), path, visibility, origin: "added" };
    await this.#dependencies.store.addFolder({ ...folder, createdAt: new Date().toISOString() });
    this.#all = [...this.#all, folder];
    return folder;
  }

  /** Forgets an added folder. `not-found` when there is none, `conflict` when it is from the configuration. */
  async remove(id: string): Promise<LibraryFolder> {
    this.#requireAllowed();
    const folder = this.#all.find((one) => one.id === id);
    if (!folder) throw new NotFoundError("There is no such library folder.");
    if (folder.origin === "configuration") {
      throw new ConflictError("This folder is from the configuration: remove it there (`library.folders`).");
    }
    await this.#dependencies.store.removeFolder(id);
    this.#all = this.#all.filter((one) => one !== folder);
    return folder;
  }

  #requireAllowed(): void {
    if (this.#dependencies.mayAdd) return;
    throw new ForbiddenError("Library folders are changed in the configuration here (`library.adding`).");
  }

  /** The real path of a folder that may be a library folder. */
  async #check(asked: string): Promise<string> {
    if (!asked.startsWith(sep))
      throw invalid("Write its whole path, beginning with /.", "an absolute path", "is-relative");
    let path: string;
    try {
      path = await realpath(asked);
      await (await opendir(path)).close();
    } catch (error) {
      throw invalid(reasonOf(error), "a folder that Kinora can read", reasonCodeOf(error));
    }
    const isSystem = SYSTEM_ITSELF.includes(path) || SYSTEM.some((folder) => isInside(folder, path));
    if (isSystem) throw new ForbiddenError("This folder is the system's: choose one with videos.");
    const own = await Promise.all(this.#dependencies.excluded.map(realOf));
    if (own.some((folder) => isInside(folder, path) || isInside(path, folder))) {
      throw new ForbiddenError("Kinora's own data lies there: choose another folder.");
    }
    return path;
  }
}

/** `reason` is a code for people's own texts, null where the detail has to do. */
const invalid = (why: string, expected: string, reason: string | null) =>
  new InvalidRequestError(`This folder cannot be added. ${why}`, {
    fields: [{ field: "path", expected }],
    ...(reason === null ? {} : { reason }),
  });

function reasonCodeOf(error: unknown): string | null {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "is-missing";
  if (code === "ENOTDIR") return "is-no-folder";
  return code === "EACCES" || code === "EPERM" ? "is-locked" : null;
}
