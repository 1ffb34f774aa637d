import type { ByteSource } from "../media/byte-source.ts";
import type { Presentation } from "../media/presentation.ts";
import type { PacketSink } from "./packet-sink.ts";

/** An original that is streamed. */
export interface RtpOriginal {
  /** Names these very bytes: what is packetised of them is shared by all streams with the same key. */
  readonly key: string;
  readonly presentation: Presentation;
  /** Gives the original's bytes to `use`, as `withLocated` does. Called for each piece that is read. */
  read<T>(use: (source: ByteSource) => Promise<T>): Promise<T>;
}

/** A track that the client has set up, with the channels its packets are marked with (0 to 255). */
export interface StreamTrack {
  readonly trackId: number;
  readonly rtpChannel: number;
  readonly rtcpChannel: number;
}

export interface RtpStreamOptions {
  readonly original: RtpOriginal;
  /** Each must be one of `rtpTracksOf`; a `RangeError` otherwise. */
  readonly tracks: readonly StreamTrack[];
  readonly sink: PacketSink;
}

export interface PlayRequest {
  /** Seconds from the start; null goes on where the stream was paused, or starts at 0. Past the end: a `RangeError`. */
  readonly startSeconds: number | null;
  /** Where to stop; null at the end. */
  readonly endSeconds: number | null;
  /** Any number; rounded to the nearest that is supported, see `PlayInfo.scale`. */
  readonly scale: number;
}

/** What `PLAY` answers with. */
export interface PlayInfo {
  /** The key frame at or before what was asked for. */
  readonly startSeconds: number;
  /** Where playing stops. */
  readonly endSeconds: number;
  /**
   * 0.5 to 2: every picture; 4 and 8: key frames only. Other than 1 there is no sound; where only sound is set up it is
   * always 1. What is not above 0 is 1.
   */
  readonly scale: number;
  /** The tracks that are sent, for `RTP-Info`: those left out at this scale are missing. */
  readonly tracks: readonly PlayedTrack[];
}

export interface PlayedTrack {
  readonly trackId: number;
  /** Sequence number of the first packet. */
  readonly seq: number;
  /** RTP timestamp of `startSeconds` (RFC 2326 section 12.33). */
  readonly rtptime: number;
}

/**
 * `ended`: all is sent, `BYE` too; `play` may be called again. `too-slow`: the sink took nothing for 10 s. `failed`:
 * the original cannot be read. After the last two the stream is closed.
 */
export interface StreamEnd {
  readonly kind: "ended" | "too-slow" | "failed";
  /** A sentence for the log. */
  readonly reason: string;
  readonly cause?: unknown;
}

/** What a receiver last said of a track (RFC 3550 section 6.4.1). */
export interface ReceiverReport {
  readonly trackId: number;
  /** 0 to 1, since the report before. */
  readonly fractionLost: number;
  readonly packetsLost: number;
  readonly jitterSeconds: number;
  /** Null until the receiver has heard a sender report. */
  readonly roundTripSeconds: number | null;
}

/** One client's stream. Made by `RtpEngine.open`; sends nothing before `play`. */
export interface RtpStream {
  /** For `Transport: …;ssrc=`. */
  ssrcOf(trackId: number): number;
  /**
   * Starts, seeks, or goes on. `sink.send` is called in a later turn of the event loop than the one in which this
   * resolves: what is written at once after it comes before the first packet. Rejects with a `RangeError`, with what
   * the original's `read` throws, or with a `MediaError`; with an `Error` when the stream is closed or played anew
   * meanwhile. Nothing is sent then.
   */
  play(request: PlayRequest): Promise<PlayInfo>;
  /** Stops sending; returns where, in seconds. Does nothing when nothing is played. */
  pause(): number;
  /** Where the stream is, in seconds. */
  readonly positionSeconds: number;
  /** Sends `BYE` with the reason, and nothing after. Calls no `onEnd` handler. May be called twice. */
  close(reason?: string): void;
  /** Takes an RTCP packet of the client; true when it is one (it shows that the client is alive), else it is ignored. */
  handleRtcp(packet: Uint8Array): boolean;
  readonly reports: readonly ReceiverReport[];
  onEnd(handler: (end: StreamEnd) => void): void;
}
