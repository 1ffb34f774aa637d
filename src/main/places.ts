import { LRUCache } from "lru-cache";
import type { ServiceProxy } from "../bus/proxy.ts";
import type { catalogContract } from "../catalog/contract.ts";

/** How long an answer counts, and how long it helps while the catalog is away. */
const FRESH_MS = 3_000;
const STALE_MS = 10 * 60_000;
const MOST_TITLES = 20_000;
const ASK_MS = 2_000;

interface Place {
  readonly providers: readonly string[];
  readonly atMs: number;
}

/** Which streaming instances have a title's bytes, as the catalog heard from them. */
export class Places {
  readonly #catalog: Pick<ServiceProxy<typeof catalogContract>, "getPlaces">;
  readonly #known = new LRUCache<string, Place>({ max: MOST_TITLES, ttl: STALE_MS });

  constructor(catalog: Pick<ServiceProxy<typeof catalogContract>, "getPlaces">) {
    this.#catalog = catalog;
  }

  /** Instances that announced the title; none when that is not known. Never throws: any instance may be asked then. */
  async of(titleId: string): Promise<readonly string[]> {
    const known = this.#known.get(titleId);
    if (known && performance.now() - known.atMs < FRESH_MS) return known.providers;
    try {
      const { providers } = await this.#catalog.getPlaces({ id: titleId }, { timeoutMs: ASK_MS });
      this.#known.set(titleId, { providers, atMs: performance.now() });
      return providers;
    } catch {
      return known?.providers ?? [];
    }
  }
}
