import type { PacketSink } from "../rtp/packet-sink.ts";

/** What a connection is written through. */
export interface WritableSocket {
  /** How many of the bytes were taken; none or less when the connection is gone. */
  write(bytes: Uint8Array): number;
}

/** More than this may wait for nobody; a stream waits long before. */
const MAX_PENDING_BYTES = 8 * 2 ** 20;
/** Of answers: whoever does not read them asks for nothing more. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** A stream that waits goes on when so many bytes or less are left. */
const RESUME_BYTES = 32 * 1024;

/** What a writer tells of. */
export interface WriterEvents {
  /** More waits than may: the connection is to be closed. Bytes are still taken until it is. */
  overflow(): void;
  sent(bytes: number): void;
  /** So many bytes more wait, or fewer. */
  queued(bytes: number): void;
}

interface Queued {
  readonly bytes: Uint8Array;
  readonly isAnswer: boolean;
}

/**
 * Writes answers and packets to one connection in the order they come, and keeps what the network does not take yet.
 * While an answer is awaited (`hold`) packets wait for it.
 */
export class TcpWriter implements PacketSink {
  readonly #socket: WritableSocket;
  readonly #events: WriterEvents;
  #queue: Queued[] = [];
  #held: Queued[] = [];
  #isHolding = false;
  #pending = 0;
  #pendingAnswers = 0;
  #resume: (() => void) | null = null;
  #closed = false;
  /** When bytes were last taken, or began to wait; by `performance.now()`. */
  #progressAt = 0;
  /** Since when more than a little has waited without a break. */
  #behindSince: number | null = null;

  constructor(socket: WritableSocket, events: WriterEvents) {
    this.#socket = socket;
    this.#events = events;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  /** How long nothing has been taken of what waits, in milliseconds. */
  stalledMs(now: number): number {
    return this.#pending === 0 ? 0 : now - this.#progressAt;
  }

  /** How long it has been behind: for a while already though it may take a little, in milliseconds. */
  behindMs(now: number): number {
    return this.#behindSince === null ? 0 : now - this.#behindSince;
  }

  /** Packets. */
  send(frames: Uint8Array): void {
    if (this.#isHolding) this.#keep(this.#held, { bytes: frames, isAnswer: false });
    else this.#write({ bytes: frames, isAnswer: false });
  }

  /** An answer: before packets that are held. */
  answer(bytes: Uint8Array): void {
    this.#write({ bytes, isAnswer: true });
  }

  /** Keeps packets back until `release`. */
  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    const held = this.#held;
    this.#held = [];
    for (const one of held) {
      this.#changePending(-one.bytes.length);
      this.#write(one);
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
      const { bytes, isAnswer } = first;
      const taken = this.#offer(bytes);
      this.#changePending(-taken);
      if (isAnswer) this.#pendingAnswers -= taken;
      if (taken < bytes.length) {
        this.#queue[0] = { bytes: bytes.subarray(taken), isAnswer };
        break;
      }
      this.#queue.shift();
    }
    if (this.#pending > RESUME_BYTES) return;
    this.#behindSince = null;
    this.#drained();
  }

  /** Nothing more is written; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#held = [];
    this.#changePending(-this.#pending);
    this.#pendingAnswers = 0;
    this.#behindSince = null;
    this.#resume = null;
  }

  #drained(): void {
    const resume = this.#resume;
    this.#resume = null;
    if (!this.#closed) resume?.();
  }

  #write({ bytes, isAnswer }: Queued): void {
    if (this.#closed) return;
    const taken = this.#queue.length === 0 ? this.#offer(bytes) : 0;
    if (taken < bytes.length) this.#keep(this.#queue, { bytes: bytes.subarray(taken), isAnswer });
  }

  #offer(bytes: Uint8Array): number {
    const taken = Math.max(0, this.#socket.write(bytes));
    if (taken > 0) this.#progressAt = performance.now();
    this.#events.sent(taken);
    return taken;
  }

  #keep(where: Queued[], { bytes, isAnswer }: Queued): void {
    if (this.#closed) return;
    const now = performance.now();
    if (this.#pending === 0) this.#progressAt = now;
    this.#changePending(bytes.length);
    if (isAnswer) this.#pendingAnswers += bytes.length;
    if (this.#pending > RESUME_BYTES) this.#behindSince ??= now;
    where.push({ bytes: bytes.slice(), isAnswer });
    if (this.#pending > MAX_PENDING_BYTES || this.#pendingAnswers > MAX_ANSWER_BYTES) this.#events.overflow();
  }

  #changePending(bytes: number): void {
    this.#pending += bytes;
    this.#events.queued(bytes);
  }
}
