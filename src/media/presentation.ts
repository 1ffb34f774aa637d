import type { ByteSource } from "./byte-source.ts";

import type { LeftOutTrack, MediaDescription, TextTrackInfo, TrackInfo } from "./movie.ts";

import type { SampleRange } from "./sample-range.ts";
import type { SegmentPlan } from "./segment-plan.ts";
import type { Cue } from "./text/cue.ts";

/** What an original is, and how it is packaged; null for what is only described. */
export interface OpenedMedia {
  readonly description: MediaDescription;
  readonly presentation: Presentation | null;
}

/** The key frames that segments start with. */
export interface KeyFrames {
  /** Bytes of each segment from its start to the end of its first sample, where that is a key frame, else 0. */
  readonly sizes: Float64Array;
  /** False: sizes are known by reading only; these are estimates, and key frames are sent by themselves. */
  readonly areRanges: boolean;
}

/**
 * An original that can be packaged, whatever its container. Playlists, manifests and init segments follow from what
 * is known here at once; what a segment is made of may have to be read from the original first (`plan`). Everything
 * is a function of the original's bytes and the parameters. A `RangeError` where there is no such track.
 */
export interface Presentation {
  /** Which class it is: `index-file.ts` reads it back by this name. */
  readonly kind: string;
  readonly description: MediaDescription;
  /** The video track first, then the audio tracks that HLS and DASH can carry. The same objects each time. */
  readonly tracks: readonly TrackInfo[];
  /** Subtitles that can be sent as WebVTT. */
  readonly texts: readonly TextTrackInfo[];
  /** Pictures and sound that are not packaged. */
  readonly leftOut: readonly LeftOutTrack[];

  /** When each segment of a track starts, and when the last one ends, in seconds from 0. */
  segmentTimes(trackId: number): Float64Array;

  /**
   * Bytes of each segment as sent: exact where every sample is indexed, otherwise an estimate from where the segments
   * lie; for a picture and one sound together it is rather too high than too low.
   */
  segmentSizes(trackId: number): Float64Array;

  keyFrames(trackId: number): KeyFrames;

  /** Whether every segment of a track starts with a key frame. */
  startsAtKeyFrames(trackId: number): boolean;

  /**
   * Segment `n` (from 1) of a track; null when there is no such track or segment. Reads of `source`, the original,
   * only what its index leaves out. Throws a `MediaError` for a damaged original.
   */
  plan(source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null>;

  /** The samples that segment `n` has, with their times; like `plan`. `sample-range.ts` reads their bytes. */
  segmentSamples(source: ByteSource, trackId: number, n: number): Promise<SampleRange | null>;

  /**
   * The key frame that segment `n` starts with, sent by itself; null where there is no such segment, or where it is a range
   * of it (`keyFrames`). Throws a `MediaError` for a damaged original.
   */
  planKeyFrame(source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null>;

  /**
   * The cues of the subtitles `textId` that are shown at some moment between two times (milliseconds from 0), each with
   * its own times. Reads of `source` only what it needs. Throws a `MediaError` for a damaged original.
   */
  cues(source: ByteSource, textId: number, fromMs: number, toMs: number): Promise<Cue[]>;

  /** For the index file: plain values and typed arrays, from which its kind is made again. */
  stored(): unknown;
}
