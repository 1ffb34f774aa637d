import { randomBytes } from "node:crypto";
import { rtpTracksOf } from "../media/rtp/rtp-tracks.ts";
import { isKeyFrameScale, supportedScale } from "./play-scale.ts";
import { middleOf, ntpTime, readReports, senderPacket } from "./rtcp.ts";
import type {
  PlayInfo,
  PlayRequest,
  ReceiverReport,
  RtpOriginal,
  RtpStream,
  RtpStreamOptions,
  StreamEnd,
} from "./rtp-stream.ts";
import { audioStart, findVideoStart, type StartPlace } from "./start-place.ts";
import type { TimerWheel, WheelTask } from "./timer-wheel.ts";
import { type CursorContext, type PlayedRange, TrackCursor } from "./track-cursor.ts";
import { TrackSender } from "./track-sender.ts";

/** How long before it is due a packet is sent at most; what the network and this process may be late by. */
const leadSeconds = 0.2;
/** A stream is looked after this often: each time all that has come due is written at once. */
const quantumMs = 50;
const maxSleepMs = 1000;
/** Sender reports, RFC 3550 section 6.2. */
const reportIntervalMs = 5000;
/** A seek leaves this between the timestamps before and after it, so that none comes twice. */
const seekGapSeconds = 1;
/** Packets that come so much too late are made up for. */
const unnoticedSeconds = 0.1;
/** Sound and pictures that begin farther apart than this have the clock wait for nobody. */
const maxHeadStartSeconds = 1;
/** Above this the sink is waited for. */
const maxPendingBytes = 256 * 1024;
/** A sink that has taken nothing for so long is given up. */
const patienceMs = 10_000;
/** How often a sink that is waited for is looked at, and the first time. */
const drainCheckMs = 500;
const firstDrainCheckMs = 100;

/** What all streams of an engine share. */
export interface StreamContext extends CursorContext {
  readonly wheel: TimerWheel;
  /** A stream calls it once, when it is closed for whatever reason. */
  onClosed(stream: PacedStream): void;
}

type State = "idle" | "preparing" | "playing" | "paused" | "closed";

/** Sends the packets of its tracks when they are due, by the engine's one timer. */
export class PacedStream implements RtpStream, WheelTask {
  dueTick = -1;
  readonly #context: StreamContext;
  readonly #options: RtpStreamOptions;
  readonly #senders: readonly TrackSender[];
  readonly #cname = `kinora-${randomBytes(9).toString("base64url")}`;
  readonly #endHandlers: ((end: StreamEnd) => void)[] = [];
  readonly #reports = new Map<number, ReceiverReport>();
  #state: State = "idle";
  #generation = 0;
  #cursors: readonly TrackCursor[] = [];
  #range: PlayedRange = { startSeconds: 0, endSeconds: 0, scale: 1, clockSeconds: 0 };
  /** Media seconds at `#sinceMs`, from which the clock runs unless it stands still. */
  #position = 0;
  #sinceMs: number | null = null;
  #nextReportMs = 0;
  #hasSaidBye = false;
  /** Since when the sink is waited for, and how much it had then or when it last took something. */
  #waiting: { progressMs: number; pendingBytes: number } | null = null;

  /** Throws a `RangeError` for a track that RTP does not carry. */
  constructor(context: StreamContext, options: RtpStreamOptions) {
    this.#context = context;
    this.#options = options;
    const known = rtpTracksOf(options.original.presentation).tracks;
    this.#senders = options.tracks.map((channels) => {
      const track = known.find(({ trackId }) => trackId === channels.trackId);
      if (track === undefined) throw new RangeError(`RTP carries no track ${channels.trackId}.`);
      return new TrackSender(track, channels);
    });
  }

  get positionSeconds(): number {
    return Math.min(Math.max(this.#mediaNow(), this.#range.startSeconds), this.#range.endSeconds);
  }

  get reports(): readonly ReceiverReport[] {
    return [...this.#reports.values()];
  }

  ssrcOf(trackId: number): number {
    const sender = this.#senders.find(({ track }) => track.trackId === trackId);
    if (sender === undefined) throw new RangeError(`Track ${trackId} is not set up.`);
    return sender.ssrc;
  }

  onEnd(handler: (end: StreamEnd) => void): void {
    this.#endHandlers.push(handler);
  }

  async play(request: PlayRequest): Promise<PlayInfo> {
    if (this.#state === "closed") throw new Error("The stream is closed.");
    const scale = this.#senders.some(({ track }) => track.media === "video") ? supportedScale(request.scale) : 1;
    const { startSeconds, endSeconds } = rangeOf(request, this.#original.presentation.description.durationSeconds);
    if (startSeconds === null && this.#state === "playing") this.pause();
    const isSame = scale === this.#range.scale && endSeconds === this.#range.endSeconds;
    if (startSeconds === null && this.#state === "paused" && isSame) return this.#go();
    const from = startSeconds ?? (this.#state === "paused" ? this.positionSeconds : 0);
    if (from >= endSeconds && request.endSeconds !== null) throw new RangeError("The range to be played is empty.");
    const generation = this.#stop();
    try {
      return await this.#start(generation, from, endSeconds, scale);
    } catch (error) {
      if (generation === this.#generation) this.#stop();
      throw error;
    }
  }

  pause(): number {
    if (this.#state !== "playing") return this.positionSeconds;
    const position = this.positionSeconds;
    this.#position = this.#mediaNow();
    this.#sinceMs = null;
    this.#waiting = null;
    this.#state = "paused";
    this.#context.wheel.cancel(this);
    this.#rest();
    return position;
  }

  close(reason = ""): void {
    if (this.#state === "closed") return;
    if (!this.#hasSaidBye) this.#sendReports(reason);
    this.#stop();
    this.#state = "closed";
    this.#context.onClosed(this);
  }

  handleRtcp(packet: Uint8Array): boolean {
    const blocks = readReports(packet);
    if (blocks === null) return false;
    for (const block of blocks) {
      const sender = this.#senders.find(({ ssrc }) => ssrc === block.ssrc);
      if (sender === undefined) continue;
      const { trackId, clockRate } = sender.track;
      const now = middleOf(ntpTime(this.#context.clock.wallMs()));
      const away = (now - block.lastReport - block.delay) | 0;
      this.#reports.set(trackId, {
        trackId,
        fractionLost: block.fractionLost / 256,
        packetsLost: block.packetsLost,
        jitterSeconds: block.jitter / clockRate,
        roundTripSeconds: block.lastReport === 0 ? null : Math.max(0, away / 65536),
      });
    }
    return true;
  }

  /** Others need memory: lets go of what it does not send right now. */
  spare(): void {
    if (this.#waiting !== null || this.#state === "paused") this.#rest();
  }

  /** The wheel's call: sends what is due. */
  run(): void {
    if (this.#state !== "playing") return;
    const now = this.#context.clock.now();
    if (this.#isWaiting(now)) return;
    this.#sinceMs ??= now;
    const { frames } = this.#context;
    frames.begin(this.#options.sink);
    if (now >= this.#nextReportMs) this.#writeReports(now, null);
    const position = this.#mediaAt(now);
    const limit = position + leadSeconds * this.#range.scale;
    for (const cursor of this.#cursors) cursor.send(this.#range, limit, position);
    frames.end();
    if (this.#state === "playing") this.#planNext(position, limit);
  }

  #rest(): void {
    for (const cursor of this.#cursors) cursor.rest();
  }

  #wake(): void {
    for (const cursor of this.#cursors) cursor.wake();
  }

  get #original(): RtpOriginal {
    return this.#options.original;
  }

  /** Ends what is played; the number of what comes next. */
  #stop(): number {
    if (this.#state === "playing" || this.#state === "paused") {
      const clockSeconds = this.#clockAt(this.#mediaNow()) + seekGapSeconds;
      this.#range = { ...this.#range, startSeconds: this.positionSeconds, clockSeconds };
    }
    this.#position = this.#range.startSeconds;
    this.#sinceMs = null;
    this.#waiting = null;
    for (const cursor of this.#cursors) cursor.close();
    this.#cursors = [];
    this.#context.wheel.cancel(this);
    this.#state = "idle";
    return ++this.#generation;
  }

  async #start(generation: number, from: number, endSeconds: number, scale: number): Promise<PlayInfo> {
    this.#state = "preparing";
    const places = await this.#findPlaces(from, scale);
    const cursors = places.map(({ sender, place }) => {
      const onLoaded = (error: unknown) => this.#onLoaded(error);
      return new TrackCursor(this.#context, this.#original, sender, place, onLoaded);
    });
    await Promise.all(cursors.map((cursor) => cursor.prepare())).catch((error: unknown) => {
      for (const cursor of cursors) cursor.close();
      throw error;
    });
    if (generation !== this.#generation || this.#state !== "preparing") {
      for (const cursor of cursors) cursor.close();
      throw new Error("The stream was closed or played anew.");
    }
    const startSeconds = Math.min(places.find(({ seconds }) => seconds !== null)?.seconds ?? from, from);
    this.#range = { ...this.#range, startSeconds, endSeconds, scale };
    this.#cursors = cursors;
    this.#position = firstPosition(cursors, startSeconds);
    return this.#go();
  }

  #go(): PlayInfo {
    this.#state = "playing";
    this.#hasSaidBye = false;
    // The clock starts with the first packets, not while the answer is being written.
    this.#sinceMs = null;
    this.#nextReportMs = 0;
    this.#wake();
    this.#context.wheel.schedule(this, 0);
    const startSeconds = this.positionSeconds;
    const clockSeconds = this.#clockAt(startSeconds);
    return {
      ...{ startSeconds, endSeconds: this.#range.endSeconds, scale: this.#range.scale },
      tracks: this.#cursors.map(({ sender }) => ({
        ...{ trackId: sender.track.trackId, seq: sender.seq },
        rtptime: sender.timestampAt(clockSeconds),
      })),
    };
  }

  /** Pictures start at a key frame, sound where they do. */
  async #findPlaces(
    from: number,
    scale: number,
  ): Promise<{ sender: TrackSender; place: StartPlace; seconds: number | null }[]> {
    const places: { sender: TrackSender; place: StartPlace; seconds: number | null }[] = [];
    const videos = this.#senders.filter(({ track }) => track.media === "video");
    for (const sender of videos) {
      const place = await findVideoStart(this.#original, sender.track, from, isKeyFrameScale(scale));
      places.push({ sender, place, seconds: place.seconds });
    }
    const seconds = places[0]?.seconds ?? from;
    const isBeginning = (places[0]?.place.fromRtpTime ?? (from > 0 ? 0 : -1)) < 0;
    for (const sender of this.#senders) {
      if (sender.track.media === "video" || scale !== 1) continue;
      places.push({ sender, place: audioStart(this.#original, sender.track, seconds, isBeginning), seconds: null });
    }
    return places;
  }

  #onLoaded(error: unknown): void {
    if (error !== null) {
      this.#end({ kind: "failed", reason: "The video's file could not be read.", cause: error });
      return;
    }
    if (this.#state !== "playing" || this.#waiting !== null) return;
    // What came late holds up the clock: nothing is made up for in a burst, but for what nobody notices.
    const due = Math.min(...this.#cursors.map(({ nextDue }) => nextDue ?? Number.POSITIVE_INFINITY));
    const position = this.#mediaNow();
    if (due < position - unnoticedSeconds * this.#range.scale) this.#setClock(due);
    this.#context.wheel.schedule(this, 0);
  }

  /** Makes the clock show `position` now; clients are told with the next packets. */
  #setClock(position: number): void {
    this.#position = position;
    if (this.#sinceMs !== null) this.#sinceMs = this.#context.clock.now();
    this.#nextReportMs = 0;
  }

  #planNext(position: number, limit: number): void {
    const { wheel } = this.#context;
    if (this.#cursors.every(({ isOver }) => isOver)) {
      const end = Math.min(this.#range.endSeconds, Math.max(...this.#cursors.map((cursor) => cursor.endSeconds)));
      if (position >= end) this.#finish();
      else wheel.schedule(this, Math.min(maxSleepMs, this.#msFor(end - position)));
      return;
    }
    const dues = this.#cursors.flatMap(({ nextDue, isOver }) => (isOver || nextDue === null ? [] : [nextDue]));
    // Who waits for a group is woken when it comes.
    const ms = dues.length === 0 ? maxSleepMs : this.#msFor(Math.min(...dues) - limit);
    wheel.schedule(this, Math.min(Math.max(ms, quantumMs), maxSleepMs));
  }

  #msFor(mediaSeconds: number): number {
    return (mediaSeconds / this.#range.scale) * 1000;
  }

  #finish(): void {
    this.#sendReports("end");
    this.#stop();
    this.#range = { ...this.#range, startSeconds: 0 };
    this.#tell({ kind: "ended", reason: "The video is over." });
  }

  #end(end: StreamEnd): void {
    if (this.#state === "closed") return;
    this.close(end.kind);
    this.#tell(end);
  }

  #tell(end: StreamEnd): void {
    for (const handler of this.#endHandlers) handler(end);
  }

  /** Whether the sink has too much to send; the clock stands still until it has not. */
  #isWaiting(now: number): boolean {
    const { pendingBytes } = this.#options.sink;
    if (this.#waiting === null) {
      if (pendingBytes <= maxPendingBytes) return false;
      this.#position = this.#mediaNow();
      this.#sinceMs = null;
      this.#waiting = { progressMs: now, pendingBytes };
      const generation = this.#generation;
      this.#options.sink.onDrain(() => this.#onDrained(generation));
      this.#context.wheel.schedule(this, firstDrainCheckMs);
      return true;
    } else if (pendingBytes <= maxPendingBytes / 2) {
      this.#resumeClock();
      return false;
    } else if (pendingBytes < this.#waiting.pendingBytes) {
      this.#waiting = { progressMs: now, pendingBytes };
    } else if (now - this.#waiting.progressMs >= patienceMs) {
      this.#end({ kind: "too-slow", reason: `The client took nothing for ${patienceMs / 1000} s.` });
      return true;
    } else {
      // It may take none of it for long.
      this.#rest();
    }
    this.#context.wheel.schedule(this, drainCheckMs);
    return true;
  }

  #onDrained(generation: number): void {
    if (generation !== this.#generation || this.#state !== "playing" || this.#waiting === null) return;
    this.#resumeClock();
    this.#context.wheel.schedule(this, 0);
  }

  #resumeClock(): void {
    this.#waiting = null;
    this.#nextReportMs = 0;
    this.#wake();
  }

  /** Where the clock is in the media; may be a little before the start, where pictures are decoded first. */
  #mediaNow(): number {
    return this.#mediaAt(this.#context.clock.now());
  }

  #mediaAt(now: number): number {
    return this.#position + (this.#sinceMs === null ? 0 : ((now - this.#sinceMs) / 1000) * this.#range.scale);
  }

  /** The stream's clock at a media time: it runs on while the media is left for another place. */
  #clockAt(mediaSeconds: number): number {
    const { startSeconds, scale, clockSeconds } = this.#range;
    return clockSeconds + (mediaSeconds - startSeconds) / scale;
  }

  #sendReports(bye: string): void {
    const { frames, clock } = this.#context;
    this.#hasSaidBye = true;
    frames.begin(this.#options.sink);
    this.#writeReports(clock.now(), bye);
    frames.end();
  }

  /** Tells all tracks' timestamps of one moment, so that receivers can play them together. */
  #writeReports(now: number, bye: string | null): void {
    const media = this.#mediaAt(now);
    // Of a moment before the first timestamp GStreamer takes no notice: another one follows when the start is shown.
    const msToStart = this.#msFor(this.#range.startSeconds - media);
    this.#nextReportMs = now + (msToStart > 0 ? msToStart : reportIntervalMs);
    const ntp = ntpTime(this.#context.clock.wallMs());
    const clockSeconds = this.#clockAt(media);
    const senders = bye === null ? this.#cursors.map(({ sender }) => sender) : this.#senders;
    for (const sender of senders) {
      if (bye !== null && sender.packets === 0) continue;
      const { ssrc, packets, octets, channels } = sender;
      const report = { ssrc, ntp, rtpTime: sender.timestampAt(clockSeconds), packets, octets };
      this.#context.frames.addPacket(channels.rtcpChannel, senderPacket(report, this.#cname, bye));
    }
  }
}

/** Where the clock starts: with the first packet, which may be due before the start is shown. */
function firstPosition(cursors: readonly TrackCursor[], startSeconds: number): number {
  const dues = cursors.flatMap(({ nextDue }) => (nextDue === null ? [] : [nextDue]));
  return Math.max(startSeconds - maxHeadStartSeconds, Math.min(startSeconds, ...dues));
}

function rangeOf({ startSeconds, endSeconds }: PlayRequest, durationSeconds: number) {
  const isNumber = (value: number | null) => value === null || Number.isFinite(value);
  if (!isNumber(startSeconds) || !isNumber(endSeconds)) throw new RangeError("A range has numbers only.");
  if (startSeconds !== null && startSeconds > durationSeconds) {
    throw new RangeError(`The video ends at ${durationSeconds} s.`);
  }
  return {
    startSeconds: startSeconds === null ? null : Math.max(0, startSeconds),
    endSeconds: Math.min(endSeconds ?? durationSeconds, durationSeconds),
  };
}
