const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 3_600_000;

/** What is known of one streaming instance. */
interface Asked {
  /** Whether everything it announced was taken, as far as is known. */
  complete: boolean;
  /** Milliseconds since 1970 before which it is not asked again, and how long that wait was. */
  notBefore: number;
  waitMs: number;
}

export interface RefillDependencies {
  /** Has one instance (any one when absent) announce everything it has. */
  readonly reannounce: (instance?: string) => Promise<unknown>;
  readonly now: () => number;
}

/**
 * Has every streaming instance announce its sources once for this catalog, so that services may start in any order
 * and a catalog that lost its data fills again. An instance that could not answer, or whose announcements
 * could not all be taken, is asked again at a later heartbeat: after 1 s, then 2 s, 4 s, up to an hour.
 */
export class Refill {
  readonly #reannounce: RefillDependencies["reannounce"];
  readonly #now: () => number;
  readonly #asked = new Map<string, Asked>();

  constructor({ reannounce, now }: RefillDependencies) {
    this.#reannounce = reannounce;
    this.#now = now;
  }

  /** Asks whoever is there already. Nobody being there is no failure: they are heard of when they come. */
  start(): void {
    void this.#reannounce().catch(() => undefined);
  }

  /** Those that have been heard of. */
  get instances(): readonly string[] {
    return [...this.#asked.keys()];
  }

  /** A streaming instance gave a heartbeat. */
  onAvailable(instance: string): void {
    const before = this.#asked.get(instance);
    if (before && (before.complete || this.#now() < before.notBefore)) return;
    const waitMs = before ? Math.min(before.waitMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    this.#asked.set(instance, { complete: true, notBefore: this.#now() + waitMs, waitMs });
    void this.#reannounce(instance).catch(() => this.onIncomplete(instance));
  }

  /** Something this instance announced could not be taken. */
  onIncomplete(instance: string): void {
    const asked = this.#asked.get(instance);
    if (asked) asked.complete = false;
  }

  /** Announcements may have been missed: everybody is asked again. */
  onInterruption(): void {
    this.#asked.clear();
  }

  onGoodbye(instance: string): void {
    this.#asked.delete(instance);
  }
}
