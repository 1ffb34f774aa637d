import type { SampleTable } from "./sample-table.ts";

export type Container = "mp4" | "mov" | "matroska" | "webm" | "mpegts";

export interface VideoDescription {
  /** Family of the RFC 6381 string: `h264`, `h265`, `vp9`, `av1`; other codecs by their common name. */
  readonly codec: string;
  /** Coded size in pixels, before `rotation`. */
  readonly width: number;
  readonly height: number;
  /** Average, in frames a second. */
  readonly frameRate: number;
  /** Clockwise degrees to turn the picture by: 0, 90, 180, 270. */
  readonly rotation: number;
}

export interface AudioDescription {
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  /** BCP 47 tag, null when undetermined. */
  readonly language: string | null;
}

/** What the bytes are. The same shape as `mediaInfo` of the streaming contract, without the size. */
export interface MediaDescription {
  readonly durationSeconds: number;
  readonly container: Container;
  readonly video: VideoDescription | null;
  readonly audio: readonly AudioDescription[];
  /** Set when no common browser decodes it as it is. */
  readonly needsRendition: { readonly codec: string; readonly reason: string } | null;
}

interface TrackBase {
  /** `track_ID` of the original. */
  readonly id: number;
  /** Ticks a second of all times of the track. */
  readonly timescale: number;
  /** Family name: `h264`, `aac`. */
  readonly codec: string;
  /** RFC 6381 string: `avc1.64001f`. */
  readonly codecString: string;
  /** Whole sample entry boxes (`stsd` entries), in ISO form. */
  readonly sampleEntries: readonly Uint8Array[];
  readonly language: string | null;
  /** The name its author gave it. */
  readonly name: string | null;
  readonly samples: SampleTable;
  /** Media time that is presented first, in ticks: the one `elst` entry of the init segment. */
  readonly mediaTime: number;
  /** Ticks added to every decode time: empty edits, and the lead-in that a cut between key frames needs. */
  readonly delay: number;
  /** True when the original's edit list has several parts: it is packaged unedited. */
  readonly editsIgnored: boolean;
  /** Samples from `firstSample` up to `endSample` are presented or needed to decode; the others are cut off by edits. */
  readonly firstSample: number;
  readonly endSample: number;
}

export interface VideoTrack extends TrackBase {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly rotation: number;
  /** `matrix` of the original's `tkhd`: nine 32-bit values. */
  readonly matrix: readonly number[];
}

export interface AudioTrack extends TrackBase {
  readonly kind: "audio";
  readonly channels: number;
  readonly sampleRate: number;
}

export type Track = VideoTrack | AudioTrack;

/** The index of an original: all that packaging needs to know of it. */
export interface Movie {
  readonly description: MediaDescription;
  /** Ticks a second of `mvhd`. */
  readonly timescale: number;
  /** The video track first, then the audio tracks that HLS and DASH can carry. */
  readonly tracks: readonly Track[];
}

/** The track with this id, or null. */
export function trackById(movie: Movie, trackId: number): Track | null {
  return movie.tracks.find((track) => track.id === trackId) ?? null;
}

/** The track with this id; throws a `RangeError` when there is none. */
export function requireTrack(movie: Movie, trackId: number): Track {
  const track = trackById(movie, trackId);
  if (track === null) throw new RangeError(`The movie has no track ${trackId}.`);
  return track;
}

/** The video track that all cuts follow, or null. */
export function videoTrack(movie: Movie): VideoTrack | null {
  return movie.tracks.find((track) => track.kind === "video") ?? null;
}
