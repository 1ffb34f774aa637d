import type { ServiceName } from "../../bus/contract.ts";

/** How often an instance says that it is there, and after how long without a word it is gone. */
export const HEARTBEAT_MS = 2_000;
const GONE_AFTER_MS = 3 * HEARTBEAT_MS;

/** An instance that calls can go to. */
export interface LiveInstance {
  readonly service: ServiceName;
  readonly instance: string;
  /** Calls of this member it is busy with. */
  outstanding: number;
  heardAtMs: number;
}

/** Who serves what right now, as far as one member knows. */
export class LiveInstances {
  readonly #byService = new Map<ServiceName, LiveInstance[]>();
  readonly #onGone: (gone: LiveInstance) => void;
  #sweptAtMs = 0;

  /** `onGone` is told of instances that fell silent or are not there any more. */
  constructor(onGone: (gone: LiveInstance) => void) {
    this.#onGone = onGone;
  }

  of(service: ServiceName): readonly LiveInstance[] {
    return this.#byService.get(service) ?? [];
  }

  /** Takes a sign of life. */
  heard(service: ServiceName, instance: string): LiveInstance {
    const known = this.of(service).find((one) => one.instance === instance);
    if (known) {
      known.heardAtMs = performance.now();
      return known;
    }
    const added = { service, instance, outstanding: 0, heardAtMs: performance.now() };
    this.#byService.set(service, [...this.of(service), added]);
    return added;
  }

  /** It said goodbye: no more calls go there. Those it has will be answered. */
  left(service: ServiceName, instance: string): LiveInstance | undefined {
    const known = this.of(service).find((one) => one.instance === instance);
    if (known)
      this.#byService.set(
        service,
        this.of(service).filter((one) => one !== known),
      );
    return known;
  }

  /** It is not there any more: calls it has will never be answered. */
  gone(service: ServiceName, instance: string): void {
    const known = this.left(service, instance);
    if (known) this.#onGone(known);
  }

  /** Lets go of those that have been silent for too long. Call it often: after a time without, nobody is to blame. */
  sweep(): void {
    const sinceLastMs = performance.now() - this.#sweptAtMs;
    this.#sweptAtMs = performance.now();
    if (sinceLastMs > HEARTBEAT_MS) this.forgive();
    const before = performance.now() - GONE_AFTER_MS;
    for (const { service, instance, heardAtMs } of [...this.#byService.values()].flat())
      if (heardAtMs < before) this.gone(service, instance);
  }

  /** After a time without the broker nobody could be heard. */
  forgive(): void {
    for (const one of [...this.#byService.values()].flat()) one.heardAtMs = performance.now();
  }
}
