import { type Buffers, freshBuffers } from "../media/buffers.ts";
import { type PacketGroup, packetOverheadBytes } from "../media/rtp/packet-group.ts";

/** What a group costs beside its arrays. */
const groupOverheadBytes = 1024;
/** When the bound is passed, room is made after this: many pass it in one go. */
const relieveAfterMs = 10;
/** Whoever is behind for less than this is not closed for others' sake. */
const leastBehindMs = 500;

/** Somebody packets wait for, who can be sent away. */
export interface MemoryUser {
  /** How long it has been behind with what it is sent, in milliseconds; 0 when it is not. */
  behindMs(now: number): number;
  /** Ends it, and gives back what it holds, at once. Must not throw. */
  giveUp(reason: string): void;
}

/** Bytes that packets take in memory. */
export const bytesOfGroup = ({ bytes, count }: PacketGroup) =>
  groupOverheadBytes + bytes.buffer.byteLength + count * packetOverheadBytes;

/**
 * One bound for the bytes of all streams: groups of packets, each counted once however many hold it, and what waits
 * for the network. Past it what is only kept for later goes first (`onPressure`), then those who have been behind for
 * longest are closed.
 */
export class StreamMemory {
  readonly limitBytes: number;
  readonly #buffers: Buffers;
  readonly #holders = new Map<PacketGroup, number>();
  readonly #users = new Set<MemoryUser>();
  readonly #relief: (() => void)[] = [];
  /** Groups that nobody holds since this turn of the event loop: somebody who has just been given one may yet. */
  readonly #leaving = new Set<PacketGroup>();
  #groupBytes = 0;
  #queuedBytes = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `buffers` is given back the bytes of groups that nobody holds any more: whoever is given a group holds it at once. */
  constructor(limitBytes: number, buffers: Buffers = freshBuffers) {
    this.limitBytes = limitBytes;
    this.#buffers = buffers;
  }

  get usedBytes(): number {
    return this.#groupBytes + this.#queuedBytes;
  }

  get isFull(): boolean {
    return this.usedBytes > this.limitBytes;
  }

  /** Whether one more may begin; lets go first of what nobody needs right now. */
  makeRoom(): boolean {
    for (const relieve of this.#relief) if (this.isFull) relieve();
    return !this.isFull;
  }

  /** Counts bytes that wait for the network; negative ones do no more. */
  queued(bytes: number): void {
    this.#queuedBytes += bytes;
    if (bytes > 0) this.#grown();
  }

  hold(group: PacketGroup | null): void {
    if (group === null) return;
    const holders = this.#holders.get(group) ?? 0;
    this.#holders.set(group, holders + 1);
    if (holders > 0) return;
    this.#groupBytes += bytesOfGroup(group);
    this.#grown();
  }

  release(group: PacketGroup | null): void {
    if (group === null) return;
    const holders = this.#holders.get(group) ?? 0;
    if (holders > 1) this.#holders.set(group, holders - 1);
    else if (this.#holders.delete(group)) {
      this.#groupBytes -= bytesOfGroup(group);
      if (this.#leaving.size === 0) setImmediate(() => this.#giveBack());
      this.#leaving.add(group);
    }
  }

  #giveBack(): void {
    for (const group of this.#leaving) if (!this.#holders.has(group)) this.#buffers.give(group.bytes);
    this.#leaving.clear();
  }

  /** Calls `relieve` when room is needed: what it holds and does not need is to be let go. In the order they were added. */
  onPressure(relieve: () => void): void {
    this.#relief.push(relieve);
  }

  /** Makes a user known until the result is called. */
  join(user: MemoryUser): () => void {
    this.#users.add(user);
    return () => this.#users.delete(user);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #grown(): void {
    if (!this.isFull || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (!this.makeRoom()) this.#giveUpSlowest();
    }, relieveAfterMs);
  }

  #giveUpSlowest(): void {
    const now = performance.now();
    const behind = [...this.#users].map((user) => ({ user, ms: user.behindMs(now) }));
    for (const { user } of behind.filter(({ ms }) => ms >= leastBehindMs).sort((a, b) => b.ms - a.ms)) {
      if (!this.isFull) return;
      user.giveUp("too slow: others need the memory that waits for it");
    }
    // Those who fall behind next are looked for again.
    this.#grown();
  }
}
