import type { AttemptStore } from "../../auth/attempt-limits.ts";

interface Counter {
  count: number;
  readonly untilMs: number;
}

/** Beyond this many counters the oldest go: an attacker with many addresses must not fill the memory. */
const MAX_COUNTERS = 100_000;

/** Counters of a single process; they are gone when it stops. */
export class MemoryAttempts implements AttemptStore {
  readonly #counters = new Map<string, Counter>();

  async add(key: string, amount: number, windowMs: number) {
    const now = Date.now();
    let counter = this.#live(key, now);
    if (!counter) {
      counter = { count: 0, untilMs: now + windowMs };
      this.#makeRoom();
      this.#counters.set(key, counter);
    }
    counter.count = Math.max(0, counter.count + amount);
    return { count: counter.count, resetsInMs: counter.untilMs - now };
  }

  async count(key: string): Promise<number> {
    return this.#live(key, Date.now())?.count ?? 0;
  }

  async clear(key: string): Promise<void> {
    this.#counters.delete(key);
  }

  #live(key: string, now: number): Counter | undefined {
    const counter = this.#counters.get(key);
    return counter && counter.untilMs > now ? counter : undefined;
  }

  #makeRoom(): void {
    if (this.#counters.size < MAX_COUNTERS) return;
    const now = Date.now();
    for (const [key, { untilMs }] of this.#counters) if (untilMs <= now) this.#counters.delete(key);
    for (const key of this.#counters.keys()) {
      if (this.#counters.size < MAX_COUNTERS) break;
      this.#counters.delete(key);
    }
  }
}
