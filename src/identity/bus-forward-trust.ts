import { timingSafeEqual } from "node:crypto";
import type { BusConnection } from "../bus/bus.ts";
import { ServiceUnavailableError } from "../bus/errors.ts";
import { proxyOf, type ServiceProxy } from "../bus/proxy.ts";
import { mainContract } from "../main/contract.ts";
import { ExpiringCache } from "./expiring-cache.ts";

/** A key that was asked for counts this long; main's instances get a new one at each start. */
const KEY_MS = 10 * 60_000;
/** Somebody who is not main is not asked about again for a moment. */
const UNKNOWN_MS = 1_000;
const MOST_KEYS = 1_000;
/** Claims with unknown names that may be looked into at once: each costs a call. */
const MOST_LOOKUPS = 8;
const LOOKUP_MS = 2_000;

/** Within this time after the broker has come back main may still be on its way to it. */
const SETTLE_MS = 5_000;

/** Knows main's instances by the keys that they tell on the bus, where only main answers for main. */
export class BusForwardTrust {
  readonly #main: ServiceProxy<typeof mainContract>;
  readonly #instance: string;
  /** By instance; an empty key for one that is not there. */
  readonly #keys = new ExpiringCache<string>(MOST_KEYS);
  readonly #lookups = new Map<string, Promise<string | null>>();
  #backAtMs = Number.NEGATIVE_INFINITY;

  constructor(connection: BusConnection) {
    this.#main = proxyOf(connection, mainContract);
    this.#instance = connection.identity.instance;
    connection.onInterruption(() => {
      this.#backAtMs = performance.now();
    });
  }

  /** Whether a claim (`{instance of main} {its key} {instance meant}`) is true; `unknown` while main cannot be asked. */
  async check(claim: string): Promise<"here" | "elsewhere" | "unknown" | "no"> {
    const [instance, key, meant] = claim.split(" ");
    if (!instance || !key || !meant || !/^[\w-]{1,64}$/.test(instance)) return "no";
    const known = this.#keys.get(instance) ?? (await this.#lookUp(instance));
    if (known === null) return "unknown";
    if (known === "" || !isEqual(known, key)) return "no";
    return meant === this.#instance ? "here" : "elsewhere";
  }

  /** An instance's key, empty when it is not main's; null when that cannot be told. */
  #lookUp(instance: string): Promise<string | null> {
    const pending = this.#lookups.get(instance);
    if (pending) return pending;
    if (this.#lookups.size >= MOST_LOOKUPS) return Promise.resolve("");
    const lookup = this.#ask(instance).then((key) => {
      if (key !== null) this.#keys.set(instance, key, Date.now() + (key === "" ? UNKNOWN_MS : KEY_MS));
      this.#lookups.delete(instance);
      return key;
    });
    this.#lookups.set(instance, lookup);
    return lookup;
  }

  async #ask(instance: string): Promise<string | null> {
    try {
      return (await this.#main.getForwardKey({}, { instance, timeoutMs: LOOKUP_MS })).key;
    } catch (error) {
      const isNotThere = error instanceof ServiceUnavailableError;
      return isNotThere && performance.now() - this.#backAtMs > SETTLE_MS ? "" : null;
    }
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
