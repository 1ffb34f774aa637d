import { type ServiceName, serviceNames } from "../bus/contract.ts";
import { HEARTBEAT_MS } from "../bus/presence.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import type { Availability, ServiceInstance } from "./contract.ts";

/** After this long without a heartbeat an instance is gone. */
const GONE_AFTER_MS = 3 * HEARTBEAT_MS;
/** After this long after its goodbye an instance has stopped. */
const STOPPED_AFTER_MS = 10_000;
/** After this long without a heartbeat of anybody, this instance's own included, it is we who do not hear. */
const DEAF_AFTER_MS = 1.5 * HEARTBEAT_MS;
/** Whoever runs has said so within this time after our start. */
const SETTLED_AFTER_MS = 1.5 * HEARTBEAT_MS;

interface Entry {
  readonly instance: ServiceInstance;
  heardAtMs: number;
  /** It did not take a request, and was not heard of since. */
  isLost: boolean;
  /** It said goodbye: it gets nothing new, and ends what it has begun. */
  hasLeft: boolean;
}

/** A live instance, and how long ago its last heartbeat was. */
export interface HeardInstance {
  readonly instance: ServiceInstance;
  readonly silentMs: number;
}

/**
 * The live instances of all services, as their heartbeats tell. While the broker is away nobody can be heard, and
 * nobody is taken for gone: whoever cannot be reached then is found out by asking.
 */
export class ServiceRegistry {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new Map<ServiceName, number>();
  readonly #waiting = new Set<() => void>();
  readonly #startedAtMs: number;
  #heardAtMs: number;

  /** `now` is a clock that never runs backwards, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#startedAtMs = now();
    this.#heardAtMs = now();
  }

  /** Takes a heartbeat or goodbye. */
  heard(event: Availability): void {
    const now = this.#now();
    // After a silence everybody's heartbeat may be on its way.
    if (this.#isDeaf(now)) for (const entry of this.#entries.values()) entry.heardAtMs = now;
    this.#heardAtMs = now;
    const key = `${event.service}/${event.instance}`;
    const known = this.#entries.get(key);
    if (event.type === "goodbye") {
      if (known) Object.assign(known, { hasLeft: true, heardAtMs: now });
    } else {
      const { type: _, ...instance } = event;
      this.#entries.set(key, { instance, heardAtMs: now, isLost: false, hasLeft: false });
      for (const tell of this.#waiting) tell();
    }
  }

  /** Who is alive now, by service. */
  list(): ServiceInstance[] {
    return this.listHeard().map(({ instance }) => instance);
  }

  /** The same, with how long ago the last heartbeat of each was. */
  listHeard(): HeardInstance[] {
    const live = this.#live()
      .filter(({ isLost }) => !isLost)
      .map(({ instance, heardAtMs }) => ({ instance, silentMs: Math.max(0, this.#now() - heardAtMs) }));
    return serviceNames.flatMap((name) => live.filter(({ instance }) => instance.service === name));
  }

  /** An instance did not take a request: it gets no more until it is heard of again, or nobody can be heard. */
  lost({ service, instance }: Pick<ServiceInstance, "service" | "instance">): void {
    const entry = this.#entries.get(`${service}/${instance}`);
    if (entry) entry.isLost = true;
  }

  /** Whether it may still answer what it was asked. */
  isAlive({ service, instance }: Pick<ServiceInstance, "service" | "instance">): boolean {
    const entry = this.#entries.get(`${service}/${instance}`);
    return entry !== undefined && !this.#isGone(entry, this.#now());
  }

  /** The live instances of a service, beginning with another one each time. */
  inTurn(service: ServiceName): ServiceInstance[] {
    const known = this.#live().filter(({ instance }) => instance.service === service);
    const live = known.filter(({ isLost }) => !isLost);
    const turn = this.#turns.get(service) ?? 0;
    this.#turns.set(service, turn + 1);
    const first = live.length === 0 ? 0 : turn % live.length;
    const last = this.#isDeaf(this.#now()) ? known.filter(({ isLost }) => isLost) : [];
    return [...live.slice(first), ...live.slice(0, first), ...last].map(({ instance }) => instance);
  }

  /** A live instance, the next one each time; throws `temporary-unavailable` when there is none. */
  locate(service: ServiceName): ServiceInstance {
    const [instance] = this.inTurn(service);
    if (!instance) throw new TemporaryUnavailableError(`No instance of ${service} is running.`);
    return instance;
  }

  /** Services of which nobody was heard yet, though they may well run: this instance has only just begun to listen. */
  get unheard(): readonly ServiceName[] {
    if (this.#now() - this.#startedAtMs >= SETTLED_AFTER_MS) return [];
    const known = new Set(this.#live().map(({ instance }) => instance.service));
    return serviceNames.filter((name) => !known.has(name));
  }

  /** Resolves when an instance of the service was heard, or would have been by now. */
  async settled(service: ServiceName): Promise<void> {
    while (this.unheard.includes(service)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      const timer = setTimeout(resolve, SETTLED_AFTER_MS - (this.#now() - this.#startedAtMs));
      await promise;
      clearTimeout(timer);
      this.#waiting.delete(resolve);
    }
  }

  #live(): Entry[] {
    const now = this.#now();
    for (const [key, entry] of this.#entries) if (this.#isGone(entry, now)) this.#entries.delete(key);
    return [...this.#entries.values()].filter(({ hasLeft }) => !hasLeft);
  }

  #isGone({ heardAtMs, hasLeft }: Entry, now: number): boolean {
    return !this.#isDeaf(now) && now - heardAtMs >= (hasLeft ? STOPPED_AFTER_MS : GONE_AFTER_MS);
  }

  #isDeaf(now: number): boolean {
    return now - this.#heardAtMs > DEAF_AFTER_MS;
  }
}
