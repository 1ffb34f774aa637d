import type { PacketGroup } from "../media/rtp/packet-group.ts";
import type { Clock } from "./clock.ts";
import type { FrameBuffer } from "./frame-buffer.ts";
import type { GroupCache, GroupPlace, LoadedGroup } from "./group-cache.ts";
import type { RtpOriginal } from "./rtp-stream.ts";
import type { StartPlace } from "./start-place.ts";
import type { StreamMemory } from "./stream-memory.ts";
import type { TrackSender } from "./track-sender.ts";

/** A stream that begins can wait for so long: longer than one that would stand still. */
const beginsWithinMs = 300;

/** What the cursors of all streams share, and what they count. */
export interface CursorContext {
  readonly clock: Clock;
  readonly cache: GroupCache;
  readonly memory: StreamMemory;
  readonly frames: FrameBuffer;
  readonly counts: { packets: number; latePackets: number };
}

/** How media times become RTP timestamps while something is played. */
export interface PlayedRange {
  /** Media seconds at which the range starts, and where it ends. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly scale: number;
  /** Seconds of the stream's clock at the start: it goes on through seeks. */
  readonly clockSeconds: number;
}

/** Where a cursor without its groups goes on. */
interface Rest {
  readonly place: GroupPlace;
  readonly index: number;
}

/** Goes through the packets of one track while one range is played. Holds two groups at most: this one and the next. */
export class TrackCursor {
  readonly sender: TrackSender;
  readonly #context: CursorContext;
  readonly #original: RtpOriginal;
  readonly #fromRtpTime: number;
  readonly #onLoaded: (error: unknown) => void;
  #place: GroupPlace;
  #isLastPiece = false;
  #group: PacketGroup | null = null;
  #index = 0;
  #next: LoadedGroup | null = null;
  #isLoading = false;
  #isOver = false;
  #isClosed = false;
  /** Where it goes on; null while it has its groups or waits for the next one. */
  #rest: Rest | null = null;
  /** The rest that is being ended. */
  #waking: Rest | null = null;
  /** Media seconds at which what was sent is over. */
  endSeconds = Number.NEGATIVE_INFINITY;

  /** `onLoaded`: when a group has come that was waited for, with the error if it cannot be had. */
  constructor(
    context: CursorContext,
    original: RtpOriginal,
    sender: TrackSender,
    { fromRtpTime, ...place }: StartPlace,
    onLoaded: (error: unknown) => void,
  ) {
    this.#context = context;
    this.#original = original;
    this.sender = sender;
    this.#place = place;
    this.#fromRtpTime = fromRtpTime;
    this.#onLoaded = onLoaded;
  }

  /** Whether there is nothing more to send. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** When the next packet is to be there, in media seconds; null when that is not known yet. */
  get nextDue(): number | null {
    return this.#group?.dues[this.#index] ?? null;
  }

  /**
   * Loads what the first packet is in, and what follows: a stream that begins has as much time ahead as one that plays.
   * Throws as the original's `read`, or a `MediaError`.
   */
  async prepare(): Promise<void> {
    const { cache, clock } = this.#context;
    const load = (place: GroupPlace) =>
      cache.load(this.#original, this.sender.track, place, clock.now() + beginsWithinMs);
    while (!this.#isOver && !this.#skipToFirst()) {
      if (this.#group !== null) this.#place = this.#nextPlace();
      const loaded = await load(this.#place);
      if (this.#isClosed) return;
      this.#enter(loaded);
    }
    if (this.#isOver || this.#isClosed) return;
    const next = await load(this.#nextPlace());
    if (!this.#isClosed) this.#setNext(next);
  }

  /** Forgets its groups; what is still being loaded is not reported. */
  close(): void {
    this.#isClosed = true;
    this.#isOver = true;
    this.#rest = this.#waking = null;
    this.#letGo();
  }

  /** Lets go of its groups while nothing is sent. Nothing more is sent until `wake`. */
  rest(): void {
    if (this.#isOver) return;
    this.#waking = null;
    const here = { place: this.#place, index: this.#index };
    this.#rest ??= this.#group === null ? { place: this.#nextPlace(), index: 0 } : here;
    this.#letGo();
  }

  /** Has the groups again that `rest` let go; `onLoaded` tells when. */
  wake(): void {
    const rest = this.#rest;
    if (rest === null || this.#waking === rest) return;
    this.#waking = rest;
    const { cache, clock } = this.#context;
    cache.load(this.#original, this.sender.track, rest.place, clock.now()).then(
      (loaded) => {
        if (this.#waking !== rest) return;
        this.#rest = this.#waking = null;
        this.#place = rest.place;
        this.#enter(loaded);
        this.#index = rest.index;
        if (!this.#isOver) this.#readAhead();
        this.#onLoaded(null);
      },
      (error: unknown) => {
        if (this.#waking === rest) this.#onLoaded(error ?? new Error("nothing was loaded"));
      },
    );
  }

  /** Sends all packets that are due before `limitSeconds`; `nowSeconds`, both of the media, tells which are late. */
  send(range: PlayedRange, limitSeconds: number, nowSeconds: number): void {
    const limit = Math.min(limitSeconds, range.endSeconds);
    while (!this.#isOver) {
      const group = this.#group;
      if (group === null) return;
      const end = firstAtOrAfter(group.dues, this.#index, limit);
      if (end > this.#index) this.#sendPackets(group, end, range, nowSeconds);
      if (end < group.count) {
        if ((group.dues[end] ?? 0) >= range.endSeconds) this.#isOver = true;
        return;
      }
      this.endSeconds = Math.max(this.endSeconds, group.endSeconds);
      if (!this.#advance()) return;
    }
  }

  #sendPackets(group: PacketGroup, end: number, range: PlayedRange, nowSeconds: number): void {
    const { frames, counts } = this.#context;
    const { starts, rtpTimes, dues } = group;
    let index = this.#index;
    while (index < end) {
      if ((rtpTimes[index] ?? 0) < this.#fromRtpTime) {
        index++;
        continue;
      }
      const from = starts[index] ?? 0;
      if ((starts[index + 1] ?? 0) - from > frames.room) frames.flush();
      const room = frames.room;
      const first = index++;
      while (index < end && (starts[index + 1] ?? 0) - from <= room && (rtpTimes[index] ?? 0) >= this.#fromRtpTime) {
        index++;
      }
      const at = frames.add(group.bytes, from, starts[index] ?? from) - from;
      for (let i = first; i < index; i++) this.#finish(group, i, at, range);
      counts.packets += index - first;
      if ((dues[first] ?? 0) < nowSeconds) {
        counts.latePackets += firstAtOrAfter(dues, first, nowSeconds, index) - first;
      }
    }
    this.#index = end;
  }

  #finish({ starts, rtpTimes }: PacketGroup, index: number, shift: number, range: PlayedRange): void {
    const start = starts[index] ?? 0;
    const length = (starts[index + 1] ?? 0) - start;
    const timestamp = this.#timestampOf(rtpTimes[index] ?? 0, range);
    this.sender.finishFrame(this.#context.frames.view, start + shift, length, timestamp);
  }

  /** Whole ticks are added, so nothing is lost however long it plays. */
  #timestampOf(rtpTime: number, { startSeconds, clockSeconds, scale }: PlayedRange): number {
    const { clockRate } = this.sender.track;
    const ticks = rtpTime - Math.round(startSeconds * clockRate);
    return (this.sender.timestampAt(clockSeconds) + (scale === 1 ? ticks : Math.round(ticks / scale))) >>> 0;
  }

  /** Goes on to the next group; false when it is not there yet. */
  #advance(): boolean {
    const next = this.#next ?? this.#context.cache.get(this.#original, this.sender.track, this.#nextPlace()) ?? null;
    if (next === null) {
      this.#letGo();
      this.#readAhead();
      return false;
    }
    this.#place = this.#nextPlace();
    this.#enter(next);
    if (!this.#isOver) this.#readAhead();
    return true;
  }

  #enter({ group, isLastPiece }: LoadedGroup): void {
    this.#context.memory.hold(group);
    this.#letGo();
    this.#group = group;
    this.#isLastPiece = isLastPiece;
    this.#index = 0;
    if (group === null) this.#isOver = true;
  }

  #setNext(loaded: LoadedGroup): void {
    const { memory } = this.#context;
    memory.hold(loaded.group);
    memory.release(this.#next?.group ?? null);
    this.#next = loaded;
  }

  #letGo(): void {
    const { memory } = this.#context;
    memory.release(this.#group);
    memory.release(this.#next?.group ?? null);
    this.#group = this.#next = null;
  }

  /** Finds the first packet that may be sent in this group. */
  #skipToFirst(): boolean {
    const group = this.#group;
    if (group === null) return false;
    const index = group.rtpTimes.findIndex((time) => time >= this.#fromRtpTime);
    if (index < 0) return false;
    this.#index = index;
    return true;
  }

  #readAhead(): void {
    if (this.#isLoading || this.#isClosed || this.#rest !== null) return;
    this.#isLoading = true;
    const place = this.#nextPlace();
    const { cache, clock } = this.#context;
    cache.load(this.#original, this.sender.track, place, clock.now() + this.#leftMs()).then(
      (loaded) => this.#loaded(place, loaded),
      (error: unknown) => {
        this.#isLoading = false;
        if (!this.#isClosed && this.#rest === null) this.#onLoaded(error ?? new Error("nothing was loaded"));
      },
    );
  }

  /** How long what it has lasts, at the speed of the film. */
  #leftMs(): number {
    const group = this.#group;
    return group === null ? 0 : 1000 * Math.max(0, group.endSeconds - (group.dues[this.#index] ?? group.endSeconds));
  }

  #loaded(place: GroupPlace, loaded: LoadedGroup): void {
    this.#isLoading = false;
    if (this.#isClosed || this.#rest !== null) return;
    const { segment, piece } = this.#nextPlace();
    // Another stream may have brought the same group in the meantime.
    if (place.segment !== segment || place.piece !== piece) this.#readAhead();
    else if (this.#group !== null) {
      this.#setNext(loaded);
    } else {
      this.#place = place;
      this.#enter(loaded);
      if (!this.#isOver) this.#readAhead();
      this.#onLoaded(null);
    }
  }

  #nextPlace(): GroupPlace {
    const { segment, piece, keysOnly } = this.#place;
    return this.#isLastPiece ? { segment: segment + 1, piece: 0, keysOnly } : { segment, piece: piece + 1, keysOnly };
  }
}

/** The first index from `from` on whose value is at least `value`; `end` when there is none. Values ascend. */
function firstAtOrAfter(values: Float64Array, from: number, value: number, end = values.length): number {
  let index = from;
  while (index < end && (values[index] ?? 0) < value) index++;
  return index;
}
