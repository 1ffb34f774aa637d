import { forEachPacket } from "./packet-sink.ts";

/** More waits for nobody: packets beyond it are lost, as UDP loses packets. */
const MAX_QUEUED_BYTES = 512 * 1024;
/** What the system did not take is tried again after this, in milliseconds, should it not tell by itself. */
const RETRY_MS = 5;

/** Counts what waits for the network, of all streams. */
export interface QueueMemory {
  readonly isFull: boolean;
  queued(bytes: number): void;
}

/** A packet on its way: `lane` is what takes packets one after the other, such as a socket; `to` where it leads to. */
export interface LanePacket<Lane, To> {
  readonly lane: Lane;
  readonly to: To;
  readonly packet: Uint8Array;
}

/** Gives packets of one lane to the system; how many it took. Must not throw. */
export type SendToLane<Lane, To> = (lane: Lane, packets: readonly LanePacket<Lane, To>[]) => number;

/**
 * The packets of one UDP stream that the system does not take at once: they wait, a bounded number of them, and are tried again.
 * Those of a lane stay in order; what goes beyond the bound is lost.
 */
export class UdpQueue<Lane, To> {
  readonly #memory: QueueMemory;
  readonly #sendTo: SendToLane<Lane, To>;
  #waiting: LanePacket<Lane, To>[] = [];
  #pending = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #resume: (() => void) | null = null;
  #closed = false;

  constructor(memory: QueueMemory, sendTo: SendToLane<Lane, To>) {
    this.#memory = memory;
    this.#sendTo = sendTo;
  }

  /** Bytes that wait. */
  get pendingBytes(): number {
    return this.#pending;
  }

  /** Sends what `PacketSink.send` was given; `wayOf` says where a channel leads, null: nowhere. */
  send(frames: Uint8Array, wayOf: (channel: number) => { readonly lane: Lane; readonly to: To } | null): void {
    const lanes = new Map<Lane, LanePacket<Lane, To>[]>();
    forEachPacket(frames, (channel, packet) => {
      const way = wayOf(channel);
      if (!way) return;
      const packets = lanes.get(way.lane) ?? [];
      packets.push({ lane: way.lane, to: way.to, packet });
      lanes.set(way.lane, packets);
    });
    for (const [lane, packets] of lanes) {
      const sent = this.#waiting.length === 0 ? this.#sendTo(lane, packets) : 0;
      for (const one of packets.slice(sent)) this.#keep({ ...one, packet: one.packet.slice() });
    }
  }

  /** As `PacketSink.onDrain`. */
  onDrain(resume: () => void): void {
    this.#resume = resume;
    if (this.#pending === 0) queueMicrotask(() => this.#drained());
  }

  /** Forgets what waits. Calling it again does nothing. */
  close(): void {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#take();
    this.#resume = null;
  }

  #keep(one: LanePacket<Lane, To>): void {
    const bytes = one.packet.length;
    if (this.#closed || this.#pending + bytes > MAX_QUEUED_BYTES || this.#memory.isFull) return;
    this.#waiting.push(one);
    this.#changePending(bytes);
    this.#retry ??= setTimeout(() => this.#again(), RETRY_MS);
  }

  /** Sends what waits, as far as it goes. A stream whose packets nobody takes any more ends as too slow. */
  #again(): void {
    this.#retry = null;
    for (const [lane, packets] of Map.groupBy(this.#take(), ({ lane }) => lane))
      for (const one of packets.slice(this.#sendTo(lane, packets))) this.#keep(one);
    if (this.#pending === 0) this.#drained();
  }

  #take(): LanePacket<Lane, To>[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#changePending(-this.#pending);
    return waiting;
  }

  #changePending(bytes: number): void {
    this.#pending += bytes;
    this.#memory.queued(bytes);
  }

  #drained(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }
}
