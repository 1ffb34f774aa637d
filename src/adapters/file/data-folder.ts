import { Database } from "bun:sqlite";
import { accessSync, chmodSync, closeSync, constants, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../../errors.ts";

/** The data folder, held by this process alone. */
export interface DataFolder {
  readonly path: string;
  /** Lets another Kinora have it. */
  release(): void;
}

/**
 * Makes the data folder (mode 0700) when it is not there and takes it for this process. Throws `StartError` when it
 * cannot be written, or another running Kinora has it. The lock is the operating system's, on `kinora.lock`: it ends
 * with the process however that ends, so a killed Kinora leaves nothing to clean up.
 */
export function openDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StartError(
      `The data folder ${path} cannot be written (${reasonOf(cause)}).`,
      "Give this user the rights to it, or choose another folder with `data` (KINORA_DATA).",
      { cause },
    );
  }
  const lock = lockFile(join(path, "kinora.lock"));
  if (!lock) {
    throw new StartError(
      `Another Kinora is running with the data folder ${path}.`,
      "Stop it first, or give this one a folder of its own with `data` (KINORA_DATA).",
    );
  }
  return { path, release: () => lock.close() };
}

/** SQLite's exclusive lock, as SQLite is what takes file locks on every system here. The file stays empty. */
function lockFile(path: string): Database | null {
  // SQLite would make it readable for all, and gives its journal the mode of the file itself.
  closeSync(openSync(path, "a", 0o600));
  for (const file of [path, `${path}-journal`]) if (existsSync(file)) chmodSync(file, 0o600);
  const lock = new Database(path, { create: true });
  try {
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("PRAGMA locking_mode = EXCLUSIVE");
    lock.run("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return null;
    throw error;
  }
}

const reasonOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error));
