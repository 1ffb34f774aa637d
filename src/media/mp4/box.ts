import { MediaError, type MediaErrorCode } from "../errors.ts";

/** Boxes in one container box; a real file has a few dozen. */
const maxChildren = 10_000;
/** Boxes in one box of the top level, in all depths; a real `moov` has forty for each track. */
const maxBoxes = 20_000;
const headerBytes = 8;
const largeHeaderBytes = 16;

/** One ISO BMFF box in memory: its content, and where it came from, for errors. ISO/IEC 14496-12 section 4.2. */
export class Box {
  readonly type: string;
  /** Types from the outermost box to this one: `moov/trak/mdia`. */
  readonly path: string;
  /** Where the content starts in the original. */
  readonly offset: number;
  /** Bytes of the header before the content. */
  readonly headerBytes: number;
  readonly content: Uint8Array;
  readonly #view: DataView;
  /** Boxes that have been found below the outermost one. */
  readonly #found: { boxes: number };
  /** Lists that have been read, by where they start and how. */
  #lists: Map<string, readonly Box[]> | null = null;

  constructor(path: string, content: Uint8Array, offset: number, header = headerBytes, found = { boxes: 0 }) {
    this.#found = found;
    this.path = path;
    this.type = path.slice(path.lastIndexOf("/") + 1);
    this.content = content;
    this.offset = offset;
    this.headerBytes = header;
    this.#view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  }

  get size(): number {
    return this.content.byteLength;
  }

  /** Fails unless `length` bytes are there from `at`; tables call it before they allocate. */
  need(at: number, length: number): void {
    if (at + length > this.size) {
      this.fail("the box is too short", { offset: this.offset + at, expected: `${length} bytes`, got: this.size - at });
    }
  }

  /** Throws a `MediaError` that names this box. */
  fail(
    message: string,
    details: { offset?: number; expected?: string | number; got?: string | number; code?: MediaErrorCode } = {},
  ): never {
    const { code = "not-a-video", ...rest } = details;
    throw new MediaError(code, `The video is damaged: ${message}`, { box: this.path, offset: this.offset, ...rest });
  }

  u8(at: number): number {
    this.need(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    this.need(at, 2);
    return this.#view.getUint16(at);
  }

  i16(at: number): number {
    this.need(at, 2);
    return this.#view.getInt16(at);
  }

  u32(at: number): number {
    this.need(at, 4);
    return this.#view.getUint32(at);
  }

  i32(at: number): number {
    this.need(at, 4);
    return this.#view.getInt32(at);
  }

  /** A 64-bit value as a number; fails above 2^53, where no file offset or time lies. */
  u64(at: number): number {
    const value = this.u32(at) * 0x1_0000_0000 + this.u32(at + 4);
    if (!Number.isSafeInteger(value)) {
      this.fail("a 64-bit value is too large", { offset: this.offset + at, expected: "less than 2^53", got: value });
    }
    return value;
  }

  i64(at: number): number {
    const value = this.i32(at) * 0x1_0000_0000 + this.u32(at + 4);
    if (!Number.isSafeInteger(value)) {
      this.fail("a 64-bit value is too large", { offset: this.offset + at, expected: "less than 2^53", got: value });
    }
    return value;
  }

  f64(at: number): number {
    this.need(at, 8);
    return this.#view.getFloat64(at);
  }

  fourCc(at: number): string {
    this.need(at, 4);
    return fourCcAt(this.content, at);
  }

  /** `version` of a full box. */
  get version(): number {
    return this.u8(0);
  }

  /** `flags` of a full box. */
  get flags(): number {
    return this.u32(0) & 0xffffff;
  }

  /** A table of `count` entries of `entryBytes` each from `at`, checked to be there before anybody allocates for it. */
  table(at: number, count: number, entryBytes: number): DataView {
    this.need(at, count * entryBytes);
    return new DataView(this.content.buffer, this.content.byteOffset + at, count * entryBytes);
  }

  /**
   * The boxes in the content, from `at`, read once. A damaged one fails, or ends the list when `lenient`. Fails where
   * the outermost box has too many.
   */
  children({ at = 0, lenient = false }: { at?: number; lenient?: boolean } = {}): readonly Box[] {
    const key = `${at} ${lenient}`;
    const known = this.#lists?.get(key);
    if (known !== undefined) return known;
    const boxes: Box[] = [];
    let position = at;
    while (position + headerBytes <= this.size && boxes.length < maxChildren) {
      const child = this.#childAt(position, lenient);
      if (child === null) break;
      boxes.push(child);
      position = child.offset - this.offset + child.size;
      if (++this.#found.boxes > maxBoxes) this.fail("too many boxes", { expected: maxBoxes, code: "unsupported" });
    }
    this.#lists ??= new Map();
    this.#lists.set(key, boxes);
    return boxes;
  }

  #childAt(position: number, lenient: boolean): Box | null {
    const type = this.fourCc(position + 4);
    const start = { offset: this.offset + position };
    let size = this.u32(position);
    let header = headerBytes;
    // QuickTime ends lists with a 32-bit zero.
    if (size === 0) return null;
    if (size === 1) {
      if (position + largeHeaderBytes > this.size) return null;
      size = this.u64(position + headerBytes);
      header = largeHeaderBytes;
    }
    if (size < header || position + size > this.size) {
      if (lenient) return null;
      this.fail(`box ${printable(type)} does not fit into the one around it`, {
        ...start,
        expected: `${header} to ${this.size - position} bytes`,
        got: size,
      });
    }
    const content = this.content.subarray(position + header, position + size);
    return new Box(`${this.path}/${printable(type)}`, content, start.offset + header, header, this.#found);
  }

  /** The first child of this type, or null. */
  child(type: string, options?: { at?: number; lenient?: boolean }): Box | null {
    return this.children(options).find((box) => box.type === type) ?? null;
  }

  /** The first child of this type; fails when there is none. */
  required(type: string): Box {
    return this.child(type) ?? this.fail(`box ${type} is missing`, { expected: type, got: "none" });
  }

  /** The whole box with its header. */
  get bytes(): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.content;
    return new Uint8Array(buffer, byteOffset - this.headerBytes, byteLength + this.headerBytes);
  }
}

/** Four characters, each byte one (Latin-1). */
export function fourCcAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
}

/** A box type that is safe to show: `©nam` as it is, other bytes as hex. */
export function printable(type: string): string {
  if (/^[ -.0-~©]*$/.test(type)) return type;
  return [...type]
    .map((c) => (/[ -.0-~©]/.test(c) ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`))
    .join("");
}
