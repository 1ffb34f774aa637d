import type { ByteSource } from "../media/byte-source.ts";

/** An original that is open for reading. */
export interface OpenOriginal extends ByteSource {
  /** Whether its bytes come over a network. */
  readonly isElsewhere: boolean;
  /** Fills `target` from `offset`; returns how many bytes, fewer than fit only at the end. */
  readInto(target: Uint8Array, offset: number): Promise<number>;
  /** Fills these one after the other from `offset`, at once; returns how many bytes, perhaps fewer than fit. */
  readEach(targets: readonly Uint8Array[], offset: number): Promise<number>;
  /** Whoever goes away must call it: nothing is read ahead any more. */
  close(): Promise<void>;
}

/** Where an original is, and what it was when it was looked at. */
export interface LocatedOriginal {
  readonly size: number;
  /** Another one for each original, and after each change of it. */
  readonly identity: string;
  /** Modification time in whole milliseconds; with the size it tells whether it is still the same. */
  readonly mtimeMs: number;
  /** The file of this machine that holds it, which the system can send by itself; null when it is read from elsewhere. */
  readonly path: string | null;
  /** Opens it for reading. Fails, then or with a read, when it is no longer the one that was located. */
  open(): Promise<OpenOriginal>;
  /** Whether it is still the one that was located. */
  isUnchanged(): Promise<boolean>;
}

/** Opens, uses and closes. */
export async function withOriginal<T>(located: LocatedOriginal, use: (source: OpenOriginal) => Promise<T>): Promise<T> {
  const open = await located.open();
  try {
    return await use(open);
  } finally {
    await open.close();
  }
}

/** A located original, opened with the first read if there is one. */
class LocatedBytes implements ByteSource {
  readonly #located: LocatedOriginal;
  #opening: Promise<OpenOriginal> | null = null;

  constructor(located: LocatedOriginal) {
    this.#located = located;
  }

  get size(): number {
    return this.#located.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return (await this.#open()).read(offset, length);
  }

  async readInto(target: Uint8Array, offset: number): Promise<number> {
    return (await this.#open()).readInto(target, offset);
  }

  async close(): Promise<void> {
    await (await this.#opening)?.close();
  }

  #open(): Promise<OpenOriginal> {
    this.#opening ??= this.#located.open();
    return this.#opening;
  }
}

/** Gives a located original to read from; one that is not read is not opened. */
export async function withLocated<T>(located: LocatedOriginal, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const bytes = new LocatedBytes(located);
  try {
    return await use(bytes);
  } finally {
    await bytes.close();
  }
}
