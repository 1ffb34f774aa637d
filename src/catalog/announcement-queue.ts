import type { Announcement } from "../streaming/contract.ts";

/** Announcements that are taken together. */
const BATCH = 100;

export interface AnnouncementQueueDependencies {
  /** Takes announcements in their order; throws nothing. */
  readonly take: (batch: readonly Announcement[]) => Promise<void>;
}

/**
 * Lets announcements arrive faster than they are taken. Whoever announces much waits now and then until it is empty
 * (`settled`), so it stays short.
 */
export class AnnouncementQueue {
  readonly #take: AnnouncementQueueDependencies["take"];
  #waiting: Announcement[] = [];
  #running: Promise<void> | null = null;

  constructor({ take }: AnnouncementQueueDependencies) {
    this.#take = take;
  }

  push(announced: Announcement): void {
    this.#waiting.push(announced);
    this.#running ??= this.#run();
  }

  /** Resolves when everything pushed before is taken. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What arrives in the same turn is taken together.
    await Bun.sleep(0);
    while (this.#waiting.length > 0) await this.#take(this.#waiting.splice(0, BATCH));
    this.#running = null;
  }
}
