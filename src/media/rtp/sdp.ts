import type { RtpTrack } from "./rtp-tracks.ts";

/** What a session description says beside what the tracks are. */
export interface SessionDescriptionOptions {
  /** Any text; line ends and control characters are taken out, an empty one is `-`. */
  readonly name: string;
  /** Digits that tell this session from others of the same server. */
  readonly sessionId: string;
  readonly tracks: readonly RtpTrack[];
  readonly durationSeconds: number;
  /** IP address of the sender, for `o=`. */
  readonly originAddress: string;
  /** IP address that packets are sent to, for `c=`; of RTSP the unspecified one (`0.0.0.0`, `::`). */
  readonly connectionAddress: string;
  /** RTSP: what `a=control` says of a track, relative to `Content-Base`. Without it there is no `a=control`. */
  readonly controlOf?: (track: RtpTrack) => string;
  /** RTP push: the port that a track is sent to; of RTSP there is none: 0. */
  readonly portOf?: (track: RtpTrack) => number;
}

/** A session description (RFC 8866) with `a=range:npt=0-…` (RFC 2326 appendix C), lines end with CRLF. */
export declare function sessionDescription(options: SessionDescriptionOptions): string;
