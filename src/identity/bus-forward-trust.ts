import type { BusConnection } from "../bus/bus.ts";
import type { ServiceName } from "../bus/contract.ts";
import { ServiceUnavailableError } from "../bus/errors.ts";
import { proxyOf, type ServiceProxy } from "../bus/proxy.ts";
import { mainContract } from "../main/contract.ts";
import { ExpiringCache } from "./expiring-cache.ts";
import { type ForwardClaim, type ForwardedRequest, isProven, PROOF_MS, readProof } from "./forward-proof.ts";

/** A key that was asked for is kept this long; an instance of main has the same one as long as it lives, and needs no broker for it. */
const KEY_MS = 24 * 3_600_000;
/** Somebody who is not main is not asked about again for a moment. */
const UNKNOWN_MS = 1_000;
const MOST_KEYS = 1_000;
/** Claims with unknown names that may be looked into at once: each costs a call. */
const MOST_LOOKUPS = 8;
const LOOKUP_MS = 2_000;

/** Within this time after the broker has come back main may still be on its way to it. */
const SETTLE_MS = 5_000;

/** A clock that is wrong is told this often. */
const TELL_MS = 60_000;

interface Member {
  readonly connection: BusConnection;
  readonly main: ServiceProxy<typeof mainContract>;
  readonly instance: string;
}

export interface ForwardTrustOptions {
  /** Told now and then, when main's clock or ours seems to be wrong. */
  readonly warn?: (message: string) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/**
 * Knows main's instances by the keys that they tell on the bus, where only main answers for main. Each service of this process
 * is told its own key, by which it recognises what is meant for it.
 */
export class BusForwardTrust {
  readonly #members: ReadonlyMap<ServiceName, Member>;
  readonly #now: () => number;
  readonly #warn: (message: string) => void;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** By service and instance of main; an empty key for one that is not there. */
  readonly #keys = new ExpiringCache<string>(MOST_KEYS);
  readonly #lookups = new Map<string, Promise<string | null>>();
  #backAtMs = Number.NEGATIVE_INFINITY;

  /** `connections`: one of each service that answers here. */
  constructor(connections: readonly BusConnection[], { warn, now = Date.now }: ForwardTrustOptions = {}) {
    this.#members = new Map(
      connections.map((one) => [
        one.identity.service,
        { connection: one, main: proxyOf(one, mainContract), instance: one.identity.instance },
      ]),
    );
    for (const { connection } of this.#members.values()) {
      // The broker is looked after from the first question on.
      connection.hears();
      // Each connection finds its own way back: what counts is the one that is asked by.
      connection.onInterruption(() => {
        this.#backAtMs = performance.now();
      });
    }
    this.#now = now;
    this.#warn = warn ?? (() => undefined);
  }

  /** Whether a proof is one, for this request; `unknown` while main cannot be asked, and when it is too old. */
  async check(proof: string, request: ForwardedRequest): Promise<"here" | "elsewhere" | "unknown" | "no"> {
    const read = readProof(proof);
    if (!read) return "no";
    const { claim, mac } = read;
    const member = this.#members.get(claim.service);
    // Of another service's key nothing is known here: whoever had this address before is meant.
    if (!member) return "elsewhere";
    const key = this.#keys.get(keyName(claim)) ?? (await this.#lookUp(claim, member));
    if (key === null) return "unknown";
    if (key === "" || !isProven(key, claim, mac, request)) return "no";
    if (!this.#isFresh(claim)) return "unknown";
    return claim.instance === member.instance ? "here" : "elsewhere";
  }

  /** Our key of an instance of main, empty when it is not main's; null when that cannot be told. */
  #lookUp(claim: ForwardClaim, member: Member): Promise<string | null> {
    const name = keyName(claim);
    const pending = this.#lookups.get(name);
    if (pending) return pending;
    if (this.#lookups.size >= MOST_LOOKUPS) return Promise.resolve("");
    const lookup = this.#ask(claim.main, member).then((key) => {
      if (key !== null) this.#keys.set(name, key, Date.now() + (key === "" ? UNKNOWN_MS : KEY_MS));
      this.#lookups.delete(name);
      return key;
    });
    this.#lookups.set(name, lookup);
    return lookup;
  }

  async #ask(instance: string, { connection, main }: Member): Promise<string | null> {
    try {
      return (await main.getForwardKey({}, { instance, timeoutMs: LOOKUP_MS })).key;
    } catch (error) {
      // Who has just lost the broker cannot tell.
      const isNotThere = error instanceof ServiceUnavailableError && connection.hears() === "all";
      return isNotThere && performance.now() - this.#backAtMs > SETTLE_MS ? "" : null;
    }
  }

  #isFresh({ main, atMs }: ForwardClaim): boolean {
    const differenceMs = this.#now() - atMs;
    if (Math.abs(differenceMs) <= PROOF_MS) return true;
    if (performance.now() - this.#toldAtMs < TELL_MS) return false;
    this.#toldAtMs = performance.now();
    this.#warn(
      `main (${main}) sent a request on with a time ${Math.round(differenceMs / 1_000)} s away from this machine's clock: a clock is wrong, or the request is an old one that somebody repeats. It is not answered.`,
    );
    return false;
  }
}

const keyName = ({ main, service }: ForwardClaim) => `${service} ${main}`;
