import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { z } from "zod";
import type { ConfigFolder } from "../config-folder.ts";

const FILE = "uploads.json";
/** Servers forget unfinished uploads sooner. */
const FORGET_AFTER_MS = 30 * 86_400_000;

const entry = z.object({ url: z.string(), file: z.string(), startedAt: z.iso.datetime() });
const kept = z.object({ version: z.literal(1), uploads: z.record(z.string(), entry) });

/** What names a file of somebody on some server: the same file, unchanged, goes on where its upload stopped. */
export interface FileIdentity {
  readonly origin: string;
  readonly userId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** Where uploads that were begun can go on, kept in the person's configuration folder. */
export class UnfinishedUploads {
  readonly #folder: ConfigFolder;

  constructor(folder: ConfigFolder) {
    this.#folder = folder;
  }

  /** The URL of the upload that was begun for the file; null when there is none. */
  find(file: FileIdentity): string | null {
    return this.#read()[fingerprintOf(file)]?.url ?? null;
  }

  keep(file: FileIdentity, url: string): void {
    const now = Date.now();
    const recent = Object.entries(this.#read()).filter(
      ([, { startedAt }]) => now - Date.parse(startedAt) < FORGET_AFTER_MS,
    );
    const added = { url, file: file.path, startedAt: new Date(now).toISOString() };
    this.#write({ ...Object.fromEntries(recent), [fingerprintOf(file)]: added });
  }

  forget(file: FileIdentity): void {
    const uploads = this.#read();
    const fingerprint = fingerprintOf(file);
    if (!(fingerprint in uploads)) return;
    this.#write(Object.fromEntries(Object.entries(uploads).filter(([key]) => key !== fingerprint)));
  }

  #read() {
    return this.#folder.read(FILE, kept)?.uploads ?? {};
  }

  #write(uploads: z.infer<typeof kept>["uploads"]): void {
    this.#folder.write(FILE, { version: 1, uploads });
  }
}

function fingerprintOf({ origin, userId, path, sizeBytes, mtimeMs }: FileIdentity): string {
  const identity = JSON.stringify([origin, userId, realpathSync(path), sizeBytes, mtimeMs]);
  return createHash("sha256").update(identity).digest("base64url");
}
