/**
 * Has every streaming instance announce its sources once for this catalog, so that services may start in any order
 * and a catalog that lost its data fills again. An instance that could not answer, or whose announcements
 * could not all be taken, is asked again at its next heartbeat.
 */
export class Refill {
  readonly #reannounce: (instance?: string) => Promise<unknown>;
  readonly #asked = new Set<string>();

  constructor(reannounce: (instance?: string) => Promise<unknown>) {
    this.#reannounce = reannounce;
  }

  /** Asks whoever is there already. Nobody being there is no failure: they are heard of when they come. */
  start(): void {
    void this.#reannounce().catch(() => undefined);
  }

  /** A streaming instance is there. */
  onAvailable(instance: string): void {
    if (this.#asked.has(instance)) return;
    this.#asked.add(instance);
    void this.#reannounce(instance).catch(() => this.#asked.delete(instance));
  }

  /** A streaming instance is gone, or something it announced could not be taken. */
  forget(instance: string): void {
    this.#asked.delete(instance);
  }
}
