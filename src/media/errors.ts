/**
 * `empty`: no bytes. `not-a-video`: no known container, a damaged one, or no track in it. `sound-only`: no video track.
 * `truncated`: the container names bytes past the end of the file. `unsupported`: a video, but of a kind that is not read.
 */
export type MediaErrorCode = "not-a-video" | "sound-only" | "truncated" | "empty" | "unsupported";

/** Where it went wrong, as far as known. */
export interface MediaErrorDetails {
  /** Box path (`moov/trak/mdia`) or Matroska element. */
  readonly box?: string | undefined;
  /** Byte offset in the original. */
  readonly offset?: number | undefined;
  readonly expected?: string | number | undefined;
  readonly got?: string | number | undefined;
  readonly cause?: unknown;
}

/** The only error that reading an original throws, beside those of its `ByteSource`. */
export class MediaError extends Error {
  readonly code: MediaErrorCode;
  readonly box: string | null;
  readonly offset: number | null;
  readonly expected: string | number | null;
  readonly got: string | number | null;

  constructor(code: MediaErrorCode, message: string, details: MediaErrorDetails = {}) {
    super(message + describe(details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "MediaError";
    this.code = code;
    this.box = details.box ?? null;
    this.offset = details.offset ?? null;
    this.expected = details.expected ?? null;
    this.got = details.got ?? null;
  }
}

function describe({ box, offset, expected, got }: MediaErrorDetails): string {
  const parts = [
    ...(box === undefined ? [] : [`box ${box}`]),
    ...(offset === undefined ? [] : [`offset ${offset}`]),
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(got === undefined ? [] : [`got ${got}`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
