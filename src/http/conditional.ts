/** A byte range of a body: first byte and the byte after the last. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const UNSATISFIABLE = "unsatisfiable";

/**
 * Reads a `Range` header (RFC 9110 section 14.1.2) for a body of `size` bytes. Null when the whole body is to be
 * sent: no header, another unit, bad syntax, or more than one range, which a server may ignore.
 */
export function parseRange(header: string | null, size: number): ByteRange | typeof UNSATISFIABLE | null {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "");
  if (!match) return null;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return null;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? UNSATISFIABLE : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return null;
  if (start >= size) return UNSATISFIABLE;
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  return { start, end };
}

/** What of a body an answer carries, decided from the request's conditions. */
export type Selection =
  | { readonly status: 200; readonly range: ByteRange }
  | { readonly status: 206; readonly range: ByteRange; readonly contentRange: string }
  | { readonly status: 304 }
  | { readonly status: 416; readonly contentRange: string };

export interface Validators {
  /** A strong entity tag, quotes included. */
  readonly etag: string;
  readonly lastModified?: Date;
}

/** Applies `If-None-Match`, `If-Range` and `Range` (RFC 9110 sections 13.2.2 and 14.2) of a GET or HEAD. */
export function select(headers: Headers, size: number, validators: Validators): Selection {
  const ifNoneMatch = headers.get("If-None-Match");
  if (ifNoneMatch !== null && matchesAny(ifNoneMatch, validators.etag)) return { status: 304 };
  const whole: Selection = { status: 200, range: { start: 0, end: size } };
  const ifRange = headers.get("If-Range");
  if (ifRange !== null && !matchesStrongly(ifRange, validators)) return whole;
  const range = parseRange(headers.get("Range"), size);
  if (range === null) return whole;
  if (range === UNSATISFIABLE) return { status: 416, contentRange: `bytes */${size}` };
  return { status: 206, range, contentRange: `bytes ${range.start}-${range.end - 1}/${size}` };
}

/**
 * Whether `If-Match` (RFC 9110 section 13.1.1) says that the request must not be done, as what it is about is not as it was. Strong
 * comparison with each tag of the list; a request without the header is done.
 */
export function failsIfMatch(header: string | null | undefined, etag: string): boolean {
  if (header == null || header.trim() === "*") return false;
  return !header.split(",").some((candidate) => candidate.trim() === etag);
}

/** Weak comparison (RFC 9110 section 8.8.3.2) with each tag of the list. */
function matchesAny(list: string, etag: string): boolean {
  if (list.trim() === "*") return true;
  return list.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === etag);
}

/** `If-Range` (RFC 9110 section 13.1.5): a strong tag, or exactly the date that was sent. */
function matchesStrongly(ifRange: string, { etag, lastModified }: Validators): boolean {
  return ifRange === etag || (lastModified !== undefined && ifRange === lastModified.toUTCString());
}
