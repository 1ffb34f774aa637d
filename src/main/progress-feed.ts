import type { Principal } from "../auth/contract.ts";
import type { ProgressEvent } from "./contract.ts";

/** Most pieces of work one reader may be behind with; whoever is further behind is let go and may come again. */
const PENDING_MAX = 1_000;

/** Whether somebody is told of some work: their own, everybody's, and all of it for admins. */
const concerns = (who: Principal, { userId, adminsOnly }: ProgressEvent) =>
  who.role === "admin" || userId === who.userId || (userId === null && !adminsOnly);

/** Hands progress to the readers it concerns. */
export class ProgressFeed {
  readonly #readers = new Set<ProgressReader>();

  /** How many are reading. */
  get size(): number {
    return this.#readers.size;
  }

  /** How many are reading for this user. */
  countOf(userId: string): number {
    let count = 0;
    for (const { who } of this.#readers) if (who.userId === userId) count++;
    return count;
  }

  push(event: ProgressEvent): void {
    for (const reader of this.#readers) if (concerns(reader.who, event)) reader.push(event);
  }

  /** Begins to read for somebody. End it with `end`. */
  open(who: Principal): ProgressReader {
    const reader = new ProgressReader(who, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }
}

/**
 * One reader's view of the feed. It keeps only the newest state of each piece of work that was not read yet: a slow
 * reader misses steps in between, and memory stays bounded.
 */
export class ProgressReader {
  readonly who: Principal;
  readonly #onEnd: () => void;
  readonly #pending = new Map<string, ProgressEvent>();
  #comment = false;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(who: Principal, onEnd: () => void) {
    this.who = who;
    this.#onEnd = onEnd;
  }

  push(event: ProgressEvent): void {
    const key = `${event.kind}/${event.id}`;
    // What is newest goes last, so that its order among the others is that of its latest state.
    this.#pending.delete(key);
    this.#pending.set(key, event);
    if (this.#pending.size > PENDING_MAX) this.end();
    this.#wake?.();
  }

  /** Has a comment sent when nothing else is, so that proxies keep the connection. */
  keepAlive(): void {
    this.#comment = true;
    this.#wake?.();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending.clear();
    this.#onEnd();
    this.#wake?.();
  }

  /** Waits for what is next: events, an empty list for a comment, null at the end. */
  async next(): Promise<ProgressEvent[] | null> {
    while (!this.#ended && this.#pending.size === 0 && !this.#comment) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    this.#wake = null;
    if (this.#ended) return null;
    const events = [...this.#pending.values()];
    this.#pending.clear();
    this.#comment = false;
    return events;
  }
}
