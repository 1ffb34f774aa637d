import type { PacketSink } from "../rtp/packet-sink.ts";

/** What a connection is written through. */
export interface WritableSocket {
  /** How many of the bytes were taken; none or less when the connection is gone. */
  write(bytes: Uint8Array): number;
}

/** More than this may wait for nobody: a stream waits long before, so these are answers that are not read. */
const MAX_PENDING_BYTES = 8 * 2 ** 20;
/** A stream that waits goes on when so many bytes or less are left. */
const RESUME_BYTES = 32 * 1024;

/**
 * Writes answers and packets to one connection in the order they come, and keeps what the network does not take yet.
 * While an answer is awaited (`hold`) packets wait for it.
 */
export class TcpWriter implements PacketSink {
  readonly #socket: WritableSocket;
  readonly #onOverflow: () => void;
  readonly #onSent: (bytes: number) => void;
  #queue: Uint8Array[] = [];
  #held: Uint8Array[] = [];
  #isHolding = false;
  #pending = 0;
  #resume: (() => void) | null = null;
  #closed = false;
  /** When bytes were last taken, or began to wait; by `performance.now()`. */
  #progressAt = 0;

  constructor(socket: WritableSocket, on: { overflow: () => void; sent: (bytes: number) => void }) {
    this.#socket = socket;
    this.#onOverflow = on.overflow;
    this.#onSent = on.sent;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  /** How long nothing has been taken of what waits, in milliseconds. */
  stalledMs(now: number): number {
    return this.#pending === 0 ? 0 : now - this.#progressAt;
  }

  /** Packets. */
  send(frames: Uint8Array): void {
    if (this.#isHolding) this.#keep(this.#held, frames);
    else this.#write(frames);
  }

  /** An answer: before packets that are held. */
  answer(bytes: Uint8Array): void {
    this.#write(bytes);
  }

  /** Keeps packets back until `release`. */
  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) {
      this.#pending -= bytes.length;
      this.#write(bytes);
    }
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
    // It may have drained before it was asked.
    if (this.#pending <= RESUME_BYTES) queueMicrotask(() => this.#drained());
  }

  /** The network takes more. */
  flush(): void {
    while (!this.#closed) {
      const [first] = this.#queue;
      if (first === undefined) break;
      const taken = this.#offer(first);
      this.#pending -= taken;
      if (taken < first.length) {
        this.#queue[0] = first.subarray(taken);
        break;
      }
      this.#queue.shift();
    }
    if (this.#pending <= RESUME_BYTES) this.#drained();
  }

  /** Nothing more is written; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#held = [];
    this.#pending = 0;
    this.#resume = null;
  }

  #drained(): void {
    const resume = this.#resume;
    this.#resume = null;
    if (!this.#closed) resume?.();
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed) return;
    const taken = this.#queue.length === 0 ? this.#offer(bytes) : 0;
    if (taken < bytes.length) this.#keep(this.#queue, bytes.subarray(taken));
  }

  #offer(bytes: Uint8Array): number {
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken > 0) this.#progressAt = performance.now();
    this.#onSent(taken);
    return taken;
  }

  #keep(where: Uint8Array[], bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#pending === 0) this.#progressAt = performance.now();
    this.#pending += bytes.length;
    where.push(bytes.slice());
    if (this.#pending > MAX_PENDING_BYTES) this.#onOverflow();
  }
}
