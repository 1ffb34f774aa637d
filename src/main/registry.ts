import { type ServiceName, serviceNames } from "../bus/contract.ts";
import { HEARTBEAT_MS } from "../bus/presence.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import type { Availability, ServiceInstance } from "./contract.ts";

/** After this long without a heartbeat an instance is gone. */
const GONE_AFTER_MS = 3 * HEARTBEAT_MS;

interface Entry {
  readonly instance: ServiceInstance;
  readonly heardAtMs: number;
}

/** A live instance, and how long ago its last heartbeat was. */
export interface HeardInstance {
  readonly instance: ServiceInstance;
  readonly silentMs: number;
}

/** The live instances of all services, as their heartbeats tell. */
export class ServiceRegistry {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new Map<ServiceName, number>();

  /** `now` is a clock that never runs backwards, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes a heartbeat or goodbye. */
  heard(event: Availability): void {
    const key = `${event.service}/${event.instance}`;
    if (event.type === "goodbye") this.#entries.delete(key);
    else {
      const { type: _, ...instance } = event;
      this.#entries.set(key, { instance, heardAtMs: this.#now() });
    }
  }

  /** Who is alive now, by service. */
  list(): ServiceInstance[] {
    return this.listHeard().map(({ instance }) => instance);
  }

  /** The same, with how long ago the last heartbeat of each was. */
  listHeard(): HeardInstance[] {
    const now = this.#now();
    for (const [key, { heardAtMs }] of this.#entries) {
      if (now - heardAtMs >= GONE_AFTER_MS) this.#entries.delete(key);
    }
    const live = [...this.#entries.values()].map(({ instance, heardAtMs }) => ({
      instance,
      silentMs: Math.max(0, now - heardAtMs),
    }));
    return serviceNames.flatMap((name) => live.filter(({ instance }) => instance.service === name));
  }

  /** An instance did not take a request: it gets no more until it is heard of again. */
  lost({ service, instance }: Pick<ServiceInstance, "service" | "instance">): void {
    this.#entries.delete(`${service}/${instance}`);
  }

  isAlive({ service, instance }: Pick<ServiceInstance, "service" | "instance">): boolean {
    const entry = this.#entries.get(`${service}/${instance}`);
    return entry !== undefined && this.#now() - entry.heardAtMs < GONE_AFTER_MS;
  }

  /** The live instances of a service, beginning with another one each time. */
  inTurn(service: ServiceName): ServiceInstance[] {
    const live = this.list().filter((instance) => instance.service === service);
    const turn = this.#turns.get(service) ?? 0;
    this.#turns.set(service, turn + 1);
    const first = live.length === 0 ? 0 : turn % live.length;
    return [...live.slice(first), ...live.slice(0, first)];
  }

  /** A live instance, the next one each time; throws `temporary-unavailable` when there is none. */
  locate(service: ServiceName): ServiceInstance {
    const [instance] = this.inTurn(service);
    if (!instance) throw new TemporaryUnavailableError(`No instance of ${service} is running.`);
    return instance;
  }
}
