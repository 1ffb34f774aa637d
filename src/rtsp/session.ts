import type { Logger } from "pino";
import { type RtpTrack, rtpTracksOf } from "../media/rtp/rtp-tracks.ts";
import type { PacketSink } from "../rtp/packet-sink.ts";
import type { RtpEngine } from "../rtp/rtp-engine.ts";
import type { PlayInfo, RtpStream, StreamEnd } from "../rtp/rtp-stream.ts";
import { RtspError } from "./errors.ts";
import { formatRange, type PlayRange } from "./range-header.ts";
import type { ControlledSession, OpenTitle, SessionRegistration } from "./titles.ts";
import type { Pair, TransportSpec } from "./transport-header.ts";

/** A range that ends so near to the end of the title ends there. */
const END_TOLERANCE_SECONDS = 0.05;

/** How the packets of a session travel. */
export interface Delivery {
  readonly over: "tcp" | "udp";
  /** The `Transport` header that answers a SETUP. */
  transportOf(track: SessionTrack): string;
  /** Where the packets of these tracks go; asked for once. */
  open(tracks: readonly SessionTrack[]): PacketSink;
  /** Nothing is sent any more. */
  close(): void;
}

/** A track that was set up. */
export interface SessionTrack {
  readonly trackId: number;
  /** What its packets are marked with: over TCP the channels of the connection. */
  readonly channels: Pair;
  /** Over UDP: where its packets go. */
  readonly clientPorts: Pair | null;
}

export interface SessionDependencies {
  readonly title: OpenTitle;
  readonly engine: RtpEngine;
  readonly delivery: Delivery;
  readonly log: Logger;
  /** It is over, by the server's decision; `reason` is for the log. Not called for `end`. */
  readonly onOver: (session: RtspSession, reason: string) => void;
}

/** A client asks to play. */
export interface PlayOrder {
  readonly range: PlayRange;
  /** Null: the client does not say. */
  readonly scale: number | null;
}

/** One viewer of one title (RFC 2326 section 1.3): its tracks, and whether they are sent. */
export class RtspSession implements ControlledSession {
  /** 128 random bits: whoever knows it may control the session. */
  readonly id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  readonly title: OpenTitle;
  readonly delivery: Delivery;
  readonly #dependencies: SessionDependencies;
  readonly #tracks = new Map<number, SessionTrack>();
  readonly #endWatch: () => void;
  readonly #registration: SessionRegistration;
  #stream: RtpStream | null = null;
  #state: "ready" | "playing" | "over" = "ready";
  /** Whoever controls the right to play has paused it; its client does not know. */
  #held = false;
  /** Where playing was to stop and how fast it was, for going on. */
  #last: Pick<PlayInfo, "endSeconds" | "scale"> | null = null;
  /** Where a play without a place goes on after a range was played; null where the stream was paused. */
  #next: number | null = null;
  readonly #madeAt = performance.now();
  #aliveAt = performance.now();

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies;
    this.title = dependencies.title;
    this.delivery = dependencies.delivery;
    this.#endWatch = this.title.onCut((reason) => this.close(reason));
    this.#registration = this.title.register(this);
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** How long it has waited for its first PLAY; null once it has played. */
  unplayedMs(now: number): number | null {
    return this.#stream ? null : now - this.#madeAt;
  }

  /** Its tracks as `control` names them. */
  get tracks(): readonly SessionTrack[] {
    return [...this.#tracks.values()];
  }

  /** The client has shown that it is there. */
  touch(): void {
    this.#aliveAt = performance.now();
  }

  /** How long nothing has shown that the client is there; 0 while TCP takes what is sent, which shows it. */
  silentMs(now: number): number {
    return this.delivery.over === "tcp" && this.#state === "playing" ? 0 : now - this.#aliveAt;
  }

  /** Adds a track or changes how it is sent; 455 once the session has played. */
  setUp(track: RtpTrack, spec: Pick<SessionTrack, "channels" | "clientPorts">): string {
    if (this.#stream) throw new RtspError(455, "a track is added to a session that has played");
    const added = { trackId: track.trackId, ...spec };
    this.#tracks.set(track.trackId, added);
    return this.delivery.transportOf(added);
  }

  /** Plays, seeks, or goes on; what the answer tells. `urlOf` names a track. */
  async play(order: PlayOrder, urlOf: (trackId: number) => string): Promise<Record<string, string>> {
    if (this.#state === "playing" && order.scale === null && order.range.from === null && order.range.to === null) {
      return { Range: formatRange(this.#position(), this.#last?.endSeconds ?? this.title.durationSeconds) };
    }
    const stream = this.#open();
    const info = await this.#start(stream, order);
    const tracks = info.tracks.map(
      ({ trackId, seq, rtptime }) => `url=${urlOf(trackId)};seq=${seq};rtptime=${rtptime}`,
    );
    return {
      Range: formatRange(info.startSeconds, info.endSeconds),
      ...(info.scale !== 1 || order.scale !== null ? { Scale: String(info.scale) } : {}),
      "RTP-Info": tracks.join(","),
    };
  }

  /** PAUSE: where it stopped. */
  halt(): string {
    const at = this.#stream && this.#state === "playing" && !this.#held ? this.#stream.pause() : this.#position();
    if (this.#state === "playing") this.#state = "ready";
    return formatRange(at, this.#last?.endSeconds ?? this.title.durationSeconds);
  }

  handleRtcp(packet: Uint8Array): void {
    if (this.#stream?.handleRtcp(packet)) this.touch();
  }

  pause(): void {
    if (this.#held) return;
    this.#held = true;
    if (this.#state === "playing") this.#stream?.pause();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#state !== "playing" || !this.#stream || !this.#last) return;
    const { endSeconds, scale } = this.#last;
    this.#stream.play({ startSeconds: null, endSeconds, scale }).catch((error: unknown) => {
      this.#dependencies.log.error({ err: error }, "a session could not go on");
      this.close("failed");
    });
  }

  /** Ends it by the server's decision. */
  close(reason: string): void {
    if (this.#state === "over") return;
    this.end(reason);
    this.#dependencies.onOver(this, reason);
  }

  /** Ends it: `BYE`, and nothing after. Calling it again does nothing. */
  end(reason: string): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#endWatch();
    this.#registration.release();
    this.#stream?.close(reason);
    this.delivery.close();
    this.#dependencies.log.info({ reason, positionSeconds: this.#position() }, "RTSP session ended");
  }

  #position(): number {
    return this.#stream?.positionSeconds ?? 0;
  }

  #open(): RtpStream {
    if (this.#stream) return this.#stream;
    if (!this.#dependencies.engine.memory.makeRoom()) throw new RtspError(453, "no memory for one more stream");
    const tracks = this.tracks.map(({ trackId, channels }) => ({
      trackId,
      rtpChannel: channels.rtp,
      rtcpChannel: channels.rtcp,
    }));
    const stream = this.#dependencies.engine.open({
      original: this.title.original,
      tracks,
      sink: this.delivery.open(this.tracks),
    });
    stream.onEnd((end) => this.#ended(end));
    this.#stream = stream;
    return stream;
  }

  async #start(stream: RtpStream, { range, scale }: PlayOrder): Promise<PlayInfo> {
    const startSeconds = range.from ?? this.#next;
    // Who goes on after a pause goes on to where it was to stop.
    const endSeconds = range.to ?? (startSeconds === null ? (this.#last?.endSeconds ?? null) : null);
    const info = await stream.play({ startSeconds, endSeconds, scale: scale ?? 1 }).catch((error: unknown) => {
      if (error instanceof RangeError) throw new RtspError(457, "a range outside of the video", { cause: error });
      throw error;
    });
    if (this.#state === "over") throw new RtspError(454, "the session ended while it began to play");
    this.#state = "playing";
    this.#next = null;
    this.#last = info;
    if (this.#held) stream.pause();
    return info;
  }

  #ended({ kind, reason, cause }: StreamEnd): void {
    if (kind === "ended") {
      // RFC 2326 appendix A.2: at the end of the range the session is ready again.
      if (this.#state === "playing") this.#state = "ready";
      this.touch();
      const end = this.#last?.endSeconds ?? 0;
      const isAll = end >= this.title.durationSeconds - END_TOLERANCE_SECONDS;
      this.#next = isAll ? 0 : end;
      this.#last = null;
      if (isAll) this.#registration.ended();
      return;
    }
    const log = this.#dependencies.log;
    if (kind === "failed") log.error({ err: cause, reason }, "a session could not go on");
    this.close(kind === "failed" ? "failed" : `too slow: ${reason}`);
  }
}

/** The track that `control` names, of a title. 404 when there is none that RTP carries. */
export function trackOf(title: OpenTitle, number: number): RtpTrack {
  const track = rtpTracksOf(title.original.presentation).tracks.find(({ trackId }) => trackId === number);
  if (!track) throw new RtspError(404, "this title has no such track");
  return track;
}

/** A way to send that the server can do, of those the client names; 461 when there is none. */
export function chooseTransport(specs: readonly TransportSpec[], peer: string, over: "tcp" | "udp" | null) {
  const spec = specs.find((one) => {
    if (over !== null && one.over !== over) return false;
    // RFC 2326 section 12.39 allows another destination; to send there would be a weapon.
    return one.over === "tcp" || one.destination === null || one.destination === peer;
  });
  if (!spec) throw new RtspError(461, "no way to send that is supported");
  return spec;
}
