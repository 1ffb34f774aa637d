import type { Movie } from "./movie.ts";

/** The index as bytes for `decodeIndex`: versioned and checksummed. */
export function encodeIndex(_movie: Movie): Uint8Array {
  throw new Error("Not written yet");
}

/** The index back from `encodeIndex`; throws when the bytes are damaged or of another packager version. */
export function decodeIndex(_bytes: Uint8Array): Movie {
  throw new Error("Not written yet");
}
