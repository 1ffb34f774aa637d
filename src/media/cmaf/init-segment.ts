import type { Movie } from "../movie.ts";

/** The CMAF header (`ftyp`, `moov`) of a track. */
export function initSegment(_movie: Movie, _trackId: number): Uint8Array {
  throw new Error("Not written yet");
}
