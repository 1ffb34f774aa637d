import type { Movie } from "../movie.ts";

/** The multivariant playlist. Refers to `{trackId}/playlist.m3u8`, relative to itself. */
export function hlsMultivariantPlaylist(_movie: Movie): string {
  throw new Error("Not written yet");
}

/** The media playlist of a track. Refers to `init.mp4` and `{n}.m4s`, n from 1, relative to itself. */
export function hlsMediaPlaylist(_movie: Movie, _trackId: number): string {
  throw new Error("Not written yet");
}
