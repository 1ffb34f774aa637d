import { type FileHandle, mkdir, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { TemporaryUnavailableError } from "../../errors.ts";
import type { UploadFile, UploadFiles, UploadName } from "../../upload/upload-files.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import { isMissing } from "./s3-errors.ts";
import { KEPT, PART_BYTES, partBytes, partKey, partOf, sourceKeys } from "./s3-keys.ts";

/** Full parts of one upload that may wait for S3; beyond that the sender waits. */
const WAITING_PARTS = 2;
/** Parts that are in memory to be sent at once, of all uploads. */
const SENT_AT_ONCE = 4;
/** Below this much room on the spool's disk nothing is accepted. */
const SPOOL_ROOM_BYTES = 256 << 20;

export interface S3UploadFilesOptions {
  readonly bucket: S3Bucket;
  /** Where parts wait, on a disk of this instance. */
  readonly spool: string;
}

/**
 * Uploads straight to S3, 16 MiB an object. What is not there yet lies in files `{spool}/{id}/{n}`, written and synced as
 * it arrives, so that what was acknowledged is either in S3 or on this disk.
 */
export class S3UploadFiles implements UploadFiles {
  readonly bucket: S3Bucket;
  readonly #spool: string;
  readonly #waiting: (() => void)[] = [];
  #sending = 0;

  constructor({ bucket, spool }: S3UploadFilesOptions) {
    this.bucket = bucket;
    this.#spool = spool;
  }

  async create(id: string): Promise<void> {
    await mkdir(this.folderOf(id), { recursive: true, mode: 0o700 });
    await syncFolder(this.#spool);
  }

  async open({ id }: UploadName): Promise<UploadFile> {
    return new SpooledUpload(this, id);
  }

  /** What is in S3 is whole parts, written once; what is being filled lies with the instance that receives it. */
  async branch({ copy }: UploadName): Promise<string | null> {
    return copy;
  }

  async drop(): Promise<void> {}

  async shared(id: string, offset: number): Promise<number> {
    const sizes = await this.#sizes(id);
    let there = 0;
    for (let part = 0; there < offset; part++) {
      const bytes = sizes.get(part) ?? 0;
      there += bytes;
      if (bytes < PART_BYTES) break;
    }
    return Math.min(there, offset);
  }

  async discard(id: string): Promise<void> {
    await rm(this.folderOf(id), { recursive: true, force: true });
  }

  async complete({ id }: UploadName, sizeBytes: number): Promise<void> {
    const here = await this.partsHere(id);
    for (const part of here) {
      const bytes = partBytes(sizeBytes, part);
      if (bytes > 0) await this.send(id, part, bytes);
    }
    const sizes = await this.#sizes(id);
    // Nothing at all: streaming has taken it over before, and equal content was there.
    if (sizes.size === 0 && here.length === 0) return;
    for (let part = 0; part * PART_BYTES < sizeBytes; part++) {
      if (sizes.get(part) !== partBytes(sizeBytes, part))
        throw new TemporaryUnavailableError("A part of this upload is not in the storage yet.", {
          retryAfterSeconds: 5,
        });
    }
    await this.discard(id);
  }

  async remove({ id }: UploadName): Promise<void> {
    await this.discard(id);
    const objects = await this.bucket.list(sourceKeys(id));
    if (objects.some(({ key }) => key.endsWith(`/${KEPT}`))) return;
    for (const { key } of objects) await this.bucket.delete(key);
  }

  async sweep(find: (id: string) => Promise<UploadName | null>): Promise<void> {
    for (const id of await readdir(this.#spool).catch(ignoreMissing)) {
      if (/^[0-9a-f-]{36}$/.test(id) && (await find(id)) === null) await this.discard(id);
    }
  }

  /** S3 has room; what counts is that the parts on their way have some. */
  async freeBytes(): Promise<number> {
    await mkdir(this.#spool, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.#spool);
    const free = bavail * bsize;
    return free < SPOOL_ROOM_BYTES ? 0 : Number.MAX_SAFE_INTEGER;
  }

  folderOf(id: string): string {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error("An upload's id must be a UUID.");
    return join(this.#spool, id);
  }

  /** Numbers of the parts that are here, in order. */
  async partsHere(id: string): Promise<number[]> {
    const names = await readdir(this.folderOf(id)).catch(ignoreMissing);
    return names
      .map(partOf)
      .filter((part) => !Number.isNaN(part))
      .sort((a, b) => a - b);
  }

  /** Sends the first bytes of a part from the spool to S3, and takes it out of the spool. */
  async send(id: string, part: number, bytes: number): Promise<void> {
    while (this.#sending >= SENT_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#sending++;
    const path = join(this.folderOf(id), String(part));
    try {
      const file = await open(path, "r");
      const buffer = new Uint8Array(bytes);
      const filled = await readFully(file, buffer, 0).finally(() => file.close());
      if (filled < bytes) throw new Error(`part ${part} of upload ${id} has ${filled} of ${bytes} bytes`);
      await this.bucket.put(partKey(id, part), buffer);
      await rm(path, { force: true });
    } finally {
      this.#sending--;
      this.#waiting.shift()?.();
    }
  }

  async #sizes(id: string): Promise<Map<number, number>> {
    const objects = await this.bucket.list(sourceKeys(id));
    const parts = objects.map(({ key, sizeBytes }) => [partOf(key), sizeBytes] as const);
    return new Map(parts.filter(([part]) => !Number.isNaN(part)));
  }
}

/** The part that is being filled. */
interface Current {
  readonly part: number;
  readonly file: FileHandle;
}

class SpooledUpload implements UploadFile {
  readonly #files: S3UploadFiles;
  readonly #id: string;
  readonly #folder: string;
  #current: Current | null = null;
  /** Full parts whose files are still open, to be synced: until they are in S3 they are safe only then. */
  readonly #full = new Map<number, FileHandle>();
  readonly #sending = new Map<number, Promise<void>>();
  #failure: { readonly error: unknown } | null = null;
  #isPrepared = false;
  #newFiles = false;

  constructor(files: S3UploadFiles, id: string) {
    this.#files = files;
    this.#id = id;
    this.#folder = files.folderOf(id);
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    if (!this.#isPrepared) await this.#prepare(position);
    let at = position;
    for (const piece of pieces(chunks, position)) {
      const part = Math.floor(at / PART_BYTES);
      const { file } = await this.#partFor(part, at % PART_BYTES);
      await writeFully(file, piece, at % PART_BYTES);
      at += piece.length;
      if (at % PART_BYTES === 0) await this.#finishPart(part);
    }
  }

  async sync(): Promise<void> {
    const files = [...this.#full.values(), ...(this.#current ? [this.#current.file] : [])];
    await Promise.all(files.map((file) => file.datasync()));
    if (this.#newFiles) await syncFolder(this.#folder);
    this.#newFiles = false;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    const part = Math.floor(position / PART_BYTES);
    const inPart = position % PART_BYTES;
    const target = buffer.subarray(0, PART_BYTES - inPart);
    const here = await open(join(this.#folder, String(part)), "r").catch(nullWhenMissing);
    if (here) {
      const filled = await readFully(here, target, inPart).finally(() => here.close());
      if (filled > 0) return filled;
    }
    target.set(await this.#files.bucket.get(partKey(this.#id, part), inPart, inPart + target.length));
    return target.length;
  }

  /** Waits for the parts that are on their way; what S3 did not take stays in the spool. */
  async close(): Promise<void> {
    await Promise.all(this.#sending.values());
    await Promise.all([...this.#full.values(), ...(this.#current ? [this.#current.file] : [])].map((f) => f.close()));
    this.#full.clear();
    this.#current = null;
  }

  /** What an earlier request left: full parts go on to S3, and what lies behind the first byte is written anew. */
  async #prepare(position: number): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const first = Math.floor(position / PART_BYTES);
    for (const part of await this.#files.partsHere(this.#id)) {
      if (part < first) await this.#files.send(this.#id, part, PART_BYTES);
      else if (part > first || position % PART_BYTES === 0) await rm(join(this.#folder, String(part)), { force: true });
    }
    this.#isPrepared = true;
  }

  async #partFor(part: number, inPart: number): Promise<Current> {
    if (this.#current?.part === part) return this.#current;
    const path = join(this.#folder, String(part));
    const { size } = (await stat(path).catch(nullWhenMissing)) ?? { size: 0 };
    // It was full and sent, and the process ended before that was written down.
    const begun = size < inPart ? await this.#files.bucket.get(partKey(this.#id, part), 0, inPart) : null;
    const file = await open(path, size < inPart || size === 0 ? "w+" : "r+", 0o600);
    this.#current = { part, file };
    this.#newFiles = true;
    if (begun) await writeFully(file, begun, 0);
    return this.#current;
  }

  async #finishPart(part: number): Promise<void> {
    const file = this.#current?.file;
    if (!file) return;
    this.#full.set(part, file);
    this.#current = null;
    const sending = this.#files
      .send(this.#id, part, PART_BYTES)
      .then(async () => {
        this.#full.delete(part);
        await file.close();
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#sending.delete(part));
    this.#sending.set(part, sending);
    while (this.#sending.size >= WAITING_PARTS) await Promise.race(this.#sending.values());
    if (this.#failure) throw this.#failure.error;
  }
}

/** Chunks cut where parts end. */
function* pieces(chunks: readonly Uint8Array[], position: number): Generator<Uint8Array> {
  let at = position;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      const to = Math.min(chunk.length, from + PART_BYTES - (at % PART_BYTES));
      yield chunk.subarray(from, to);
      at += to - from;
      from = to;
    }
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function readFully(file: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync().finally(() => folder.close());
}

function ignoreMissing(error: unknown): string[] {
  if (isMissing(error)) return [];
  throw error;
}

function nullWhenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}
