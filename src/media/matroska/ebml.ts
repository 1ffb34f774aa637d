import type { ByteSource } from "../byte-source.ts";
import { MediaError } from "../errors.ts";

/** Elements in one parent that are looked at; more is no video. */
const maxChildren = 100_000;
const maxHeaderBytes = 12;

/** An EBML element in memory (RFC 8794). */
export interface Element {
  readonly id: number;
  readonly content: Uint8Array;
  /** Where the content starts in the original. */
  readonly offset: number;
}

/** Where an element stands in the original. `size` of its content; null: unknown, as live recordings have it. */
export interface ElementPlace {
  readonly id: number;
  readonly offset: number;
  readonly contentOffset: number;
  readonly size: number | null;
}

export interface Header {
  readonly id: number;
  readonly size: number | null;
  readonly length: number;
}

/** Reads id and size; null when there is no valid header. */
export function readElementHeader(bytes: Uint8Array, at: number): Header | null {
  const idLength = vintLength(bytes[at]);
  if (idLength === 0 || idLength > 4 || at + idLength > bytes.length) return null;
  let id = 0;
  for (let i = 0; i < idLength; i++) id = id * 256 + (bytes[at + i] ?? 0);
  const size = readSize(bytes, at + idLength);
  return size === null ? null : { id, size: size.value, length: idLength + size.length };
}

/** Bytes of a variable-length integer by its first one; 0 when it is none (RFC 8794 section 4). */
export function vintLength(first: number | undefined): number {
  return first === undefined || first === 0 ? 0 : Math.clz32(first) - 23;
}

function readSize(bytes: Uint8Array, at: number): { value: number | null; length: number } | null {
  const first = bytes[at] ?? 0;
  const length = vintLength(first);
  if (length === 0 || at + length > bytes.length) return null;
  const mask = 0xff >> length;
  let value = first & mask;
  let isUnknown = value === mask;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  // A size beyond 2^53 is past the end of any file: as good as unknown is not, so it stays as it is.
  return { value: isUnknown ? null : value, length };
}

/** The elements in some content. A damaged one ends the list. */
export function* childrenOf({ content, offset }: Pick<Element, "content" | "offset">): Generator<Element> {
  let at = 0;
  for (let i = 0; i < maxChildren && at < content.length; i++) {
    const header = readElementHeader(content, at);
    if (header === null || header.size === null) return;
    const start = at + header.length;
    const end = start + header.size;
    if (end > content.length) return;
    yield { id: header.id, content: content.subarray(start, end), offset: offset + start };
    at = end;
  }
}

/** The same without an object for each: `visit` gets the id, and where the content starts and ends in `bytes`. */
export function eachChild(
  bytes: Uint8Array,
  from: number,
  to: number,
  visit: (id: number, at: number, end: number) => void,
): void {
  let at = from;
  for (let i = 0; i < maxChildren && at < to; i++) {
    const header = readElementHeader(bytes, at);
    if (header === null || header.size === null) return;
    const start = at + header.length;
    const end = start + header.size;
    if (end > to) return;
    visit(header.id, start, end);
    at = end;
  }
}

/** An unsigned integer of 1 to 8 bytes; -1 when there are none or more. */
export function numberAt(bytes: Uint8Array, at: number, end: number): number {
  if (end <= at || end - at > 8) return -1;
  let value = 0;
  for (let i = at; i < end; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

export function childOf(parent: Pick<Element, "content" | "offset">, id: number): Element | null {
  for (const child of childrenOf(parent)) if (child.id === id) return child;
  return null;
}

/** The header of the element at a place of the original; null when there is none. */
export async function readPlace(source: ByteSource, offset: number): Promise<ElementPlace | null> {
  if (offset >= source.size) return null;
  const bytes = await source.read(offset, Math.min(maxHeaderBytes, source.size - offset));
  const header = readElementHeader(bytes, 0);
  return header && { id: header.id, offset, contentOffset: offset + header.length, size: header.size };
}

/** Reads a whole element of at most `maxBytes`; fails as `truncated` where the file ends in it. */
export async function readElement(
  source: ByteSource,
  place: ElementPlace,
  maxBytes: number,
  name: string,
): Promise<Element> {
  const { size, contentOffset } = place;
  if (size === null || size > maxBytes) {
    throw new MediaError("unsupported", "An element is too large to be read", {
      box: name,
      offset: place.offset,
      expected: `at most ${maxBytes} bytes`,
      got: size ?? "unknown",
    });
  }
  if (contentOffset + size > source.size) {
    throw new MediaError("truncated", "The file ends early", {
      box: name,
      offset: place.offset,
      expected: `${contentOffset + size} bytes`,
      got: source.size,
    });
  }
  return { id: place.id, content: await source.read(contentOffset, size), offset: contentOffset };
}

/** An unsigned integer of up to 8 bytes; `otherwise` when the element is missing, empty or too long. */
export function unsigned(element: Element | null, otherwise: number): number {
  if (element === null || element.content.length === 0 || element.content.length > 8) return otherwise;
  let value = 0;
  for (const byte of element.content) value = value * 256 + byte;
  return value;
}

/** A number of 4 or 8 bytes; `otherwise` when the element is missing or is none. */
export function float(element: Element | null, otherwise: number): number {
  if (element === null) return otherwise;
  const { content } = element;
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const value = content.length === 8 ? view.getFloat64(0) : content.length === 4 ? view.getFloat32(0) : otherwise;
  return Number.isFinite(value) ? value : otherwise;
}

/** A string up to its first zero; null when the element is missing. */
export function string(element: Element | null): string | null {
  return element && new TextDecoder().decode(element.content).replace(/\0.*$/s, "");
}
