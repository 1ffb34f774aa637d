/** What an original says of itself. Texts are as they stand in it. */
export interface Metadata {
  readonly title: string | null;
  readonly artist: string | null;
  /** As written: a year, or ISO 8601. */
  readonly date: string | null;
  readonly genre: string | null;
  readonly description: string | null;
  readonly chapters: readonly Chapter[];
}

export interface Chapter {
  readonly startSeconds: number;
  readonly name: string;
}

export const noMetadata: Metadata = {
  title: null,
  artist: null,
  date: null,
  genre: null,
  description: null,
  chapters: [],
};

export const MAX_CHAPTERS = 100;
const MAX_TEXT = 4_000;

/** A text as it is taken over: well-formed, without control characters at its ends; null when nothing is left. */
export function textOf(bytes: Uint8Array): string | null {
  const text = new TextDecoder().decode(bytes.subarray(0, MAX_TEXT)).replace(/\0.*$/s, "").trim();
  return text === "" ? null : text;
}
