import type { Presentation } from "../presentation.ts";

/** A track as RTP carries it. */
export interface RtpTrack {
  /** Number of the track in the original, as everywhere. */
  readonly trackId: number;
  readonly media: "video" | "audio";
  /** Family name: `h264`, `h265`, `aac`, `opus`. */
  readonly codec: string;
  /** Dynamic payload type, from 96 in the order of the tracks. */
  readonly payloadType: number;
  /** Ticks a second of the RTP timestamps. */
  readonly clockRate: number;
  /** Lines of the session description without their end: `a=rtpmap`, `a=fmtp`, `a=lang`. */
  readonly attributes: readonly string[];
}

/** A track that RTP does not carry. */
export interface RtpLeftOut {
  readonly trackId: number;
  readonly codec: string;
  /** Why, as a sentence without its full stop. */
  readonly reason: string;
}

/** The tracks of an original that RTP carries, in the original's order, and those it does not. */
export interface RtpTracks {
  readonly tracks: readonly RtpTrack[];
  readonly leftOut: readonly RtpLeftOut[];
}

/** What RTP carries of an original. A function of the original alone; cheap after the first call. */
export declare function rtpTracksOf(presentation: Presentation): RtpTracks;
