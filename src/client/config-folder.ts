import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { ClientError } from "./errors.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const OTHERS = 0o077;
const isPosix = process.platform !== "win32";

/**
 * JSON files that only their owner can read, mode 0600 in a folder of mode 0700. Wider modes are narrowed and told to
 * `warn`; what belongs to somebody else or is no plain file is refused with `unsafe-file`.
 */
export class ConfigFolder {
  readonly path: string;
  readonly #warn: (text: string) => void;

  constructor(path: string, warn: (text: string) => void) {
    this.path = path;
    this.#warn = warn;
  }

  /** What a file holds; null when it is not there. `unreadable-file` when it holds something else. */
  read<Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> | null {
    const path = join(this.path, name);
    const text = this.#readText(path);
    if (text === null) return null;
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new ClientError("unreadable-file", `${path} is damaged, or of another version of Kinora.`, {
        hint: "Move it away and sign in again.",
        cause,
      });
    }
  }

  /** Writes a file as a whole: whoever reads it sees the old or the new one, also after a crash. */
  write(name: string, value: unknown): void {
    this.#requireFolder();
    const path = join(this.path, name);
    const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    try {
      const file = openSync(temporary, "wx", FILE_MODE);
      try {
        writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  #requireFolder(): void {
    mkdirSync(this.path, { recursive: true, mode: FOLDER_MODE });
    const { uid, mode } = lstatSync(this.path);
    this.#requireOwner(this.path, uid);
    if (isPosix && (mode & OTHERS) !== 0) chmodSync(this.path, FOLDER_MODE);
  }

  #readText(path: string): string | null {
    const link = lstatSync(path, { throwIfNoEntry: false });
    if (!link) return null;
    if (!link.isFile()) throw unsafe(path, "is no plain file");
    const file = openSync(path, "r");
    try {
      const { uid, mode } = fstatSync(file);
      this.#requireOwner(path, uid);
      if (isPosix && (mode & OTHERS) !== 0) {
        chmodSync(path, FILE_MODE);
        this.#warn(
          `${path} could be read or changed by others of this machine. Its mode is 0600 now. If somebody may have read it, sign out (kinora logout) and in again.`,
        );
      }
      return readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  }

  #requireOwner(path: string, uid: number): void {
    const own = process.getuid?.();
    if (own !== undefined && uid !== own) throw unsafe(path, "belongs to another user of this machine");
  }
}

const unsafe = (path: string, why: string) =>
  new ClientError("unsafe-file", `${path} ${why}.`, { hint: "Kinora keeps your sign-in there. Move it away." });
