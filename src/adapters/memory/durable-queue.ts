import type { EventHandler } from "../../bus/bus.ts";
import type { ServiceName } from "../../bus/contract.ts";

/** A handler that failed gets its event again after this. */
const AGAIN_AFTER_MS = 500;
/** Events that wait for an instance; the oldest go. */
const MOST_WAITING = 10_000;

interface Waiting {
  readonly body: string;
  readonly key: string | null;
  readonly sender: ServiceName;
}

/** A service's durable subscription to a topic: one event after the other, each to one of its instances. */
export class DurableQueue {
  readonly #report: (error: unknown) => void;
  readonly #handlers: EventHandler[] = [];
  readonly #waiting: Waiting[] = [];
  #turn = 0;
  #running: Promise<void> | null = null;
  #again: Timer | null = null;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Adds an instance. The result takes it away and resolves when it is done with its event. */
  add(handler: EventHandler): () => Promise<void> {
    this.#handlers.push(handler);
    this.#run();
    return async () => {
      const index = this.#handlers.indexOf(handler);
      if (index >= 0) this.#handlers.splice(index, 1);
      if (this.#again && this.#handlers.length === 0) clearTimeout(this.#again);
      await this.#running;
    };
  }

  push(body: string, key: string | null, sender: ServiceName): void {
    this.#waiting.push({ body, key, sender });
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#run();
  }

  #run(): void {
    this.#running ??= this.#handleAll().finally(() => {
      this.#running = null;
    });
  }

  async #handleAll(): Promise<void> {
    await Promise.resolve();
    for (;;) {
      const [next] = this.#waiting;
      const handler = this.#handlers[this.#turn++ % this.#handlers.length];
      if (!next || !handler) return;
      try {
        await handler(next.body, next.key, next.sender);
        this.#waiting.shift();
      } catch (error) {
        this.#report(error);
        this.#again = setTimeout(() => this.#run(), AGAIN_AFTER_MS);
        return;
      }
    }
  }
}
