import type { BlockText } from "./matroska/text-blocks.ts";
import type { PacketColumns } from "./mpegts/packet-ranges.ts";
import type { SampleTable } from "./sample-table.ts";
import type { TextInfo } from "./text/subtitle-info.ts";

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

interface TrackInfoBase {
  /** Number of the track in the original; its `track_ID` in what is sent. */
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
  /** Media time that is presented first, in ticks: the one `elst` entry of the init segment. */
  readonly mediaTime: number;
}

export interface VideoTrackInfo extends TrackInfoBase {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly rotation: number;
  /** `matrix` of the original's `tkhd`: nine 32-bit values. */
  readonly matrix: readonly number[];
}

export interface AudioTrackInfo extends TrackInfoBase {
  readonly kind: "audio";
  readonly channels: number;
  readonly sampleRate: number;
  /** Whether its author meant it to be heard when nobody chooses. */
  readonly isDefault: boolean;
}

/** What init segments and playlists tell of a track. */
export type TrackInfo = VideoTrackInfo | AudioTrackInfo;

/** Where a track's segments start, and what each is sent with. */
export interface SegmentIndex {
  /** First sample of each segment, and the end at the end. */
  readonly starts: Uint32Array;
  /** Bytes of each segment. */
  readonly sizes: Float64Array;
  /** Bytes of each segment from its start to the end of its first sample, where that is a key frame, else 0. */
  readonly keyFrames: Float64Array;
}

/** The samples of a track, and which of them are sent when. */
interface TrackSamples {
  readonly samples: SampleTable;
  /**
   * Bytes that are sent before each sample's own and that its size counts. Each sample is a chunk then, whose offset is
   * where its own bytes start.
   */
  readonly samplePrefix?: Uint8Array;
  /** Ticks added to every decode time: empty edits, and the lead-in that a cut between key frames needs. */
  readonly delay: number;
  /** True when the original's edit list has several parts: it is packaged unedited. */
  readonly editsIgnored: boolean;
  /** Samples from `firstSample` up to `endSample` are presented or needed to decode; the others are cut off by edits. */
  readonly firstSample: number;
  readonly endSample: number;
  /** Worked out once and kept in the index; where it is missing it is worked out when it is asked for. */
  readonly segments?: SegmentIndex;
  /** Where the samples are in a transport stream; without it they are where `samples` says. */
  readonly packets?: PacketColumns;
}

export type VideoTrack = VideoTrackInfo & TrackSamples;
export type AudioTrack = AudioTrackInfo & TrackSamples;
export type Track = VideoTrack | AudioTrack;

/** Subtitles in the original. */
export interface TextTrackInfo extends TextInfo {
  /** Number of the track in the original. */
  readonly id: number;
}

/** A track of timed text, a cue or none in each sample. */
export interface TextTrack extends TextTrackInfo, TrackSamples {
  readonly codec: "tx3g" | "wvtt";
  readonly timescale: number;
  /** Whole sample entry boxes. */
  readonly sampleEntries: readonly Uint8Array[];
  readonly mediaTime: number;
}

/** Why a second picture is left out. */
export const oneVideoOnly = "a video has one picture";

/** A track of the original that no segment carries. */
export interface LeftOutTrack {
  readonly id: number;
  readonly codec: string;
  /** Why, as a sentence without its full stop. */
  readonly reason: string;
}

/** An index of every sample: all that packaging needs to know of an original. */
export interface Movie {
  readonly description: MediaDescription;
  /** Ticks a second of `mvhd`. */
  readonly timescale: number;
  /** The video track first, then the audio tracks that HLS and DASH can carry. */
  readonly tracks: readonly Track[];
  readonly texts: readonly (TextTrack | BlockText)[];
  readonly leftOut: readonly LeftOutTrack[];
}

/** Anything with tracks: a movie, a presentation. */
interface Tracks<T extends TrackInfo> {
  readonly tracks: readonly T[];
}

/** The track with this id, or null. */
export function trackById<T extends TrackInfo>({ tracks }: Tracks<T>, trackId: number): T | null {
  return tracks.find((track) => track.id === trackId) ?? null;
}

/** The track with this id; throws a `RangeError` when there is none. */
export function requireTrack<T extends TrackInfo>(from: Tracks<T>, trackId: number): T {
  const track = trackById(from, trackId);
  if (track === null) throw new RangeError(`There is no track ${trackId}.`);
  return track;
}

/** The video track that all cuts follow, or null. */
export function videoTrack<T extends TrackInfo>({ tracks }: Tracks<T>): Extract<T, { kind: "video" }> | null {
  return tracks.find((track): track is Extract<T, { kind: "video" }> => track.kind === "video") ?? null;
}
