import { LRUCache } from "lru-cache";
import type { ServiceProxy } from "../bus/proxy.ts";
import { id as idSchema } from "../bus/schemas.ts";
import type { catalogContract } from "../catalog/contract.ts";
import type { uploadContract } from "../upload/contract.ts";
import type { ServiceInstance } from "./contract.ts";

/** How long an answer counts, and how long it helps while the catalog is away. */
const FRESH_MS = 3_000;
const STALE_MS = 10 * 60_000;
const MOST_TITLES = 20_000;
const ASK_MS = 2_000;

interface Place {
  readonly providers: readonly string[];
  readonly atMs: number;
}

export interface PlacesDependencies {
  readonly catalog: Pick<ServiceProxy<typeof catalogContract>, "getPlaces">;
  readonly upload: Pick<ServiceProxy<typeof uploadContract>, "placeOf">;
}

/** Which instances have the bytes of a title or an upload, as catalog and upload know. */
export class Places {
  readonly #dependencies: PlacesDependencies;
  readonly #known = new LRUCache<string, Place>({ max: MOST_TITLES, ttl: STALE_MS });

  constructor(dependencies: PlacesDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * How well an upload instance knows an upload, lower is better: it receives it, it reaches the store that has it, neither. All the
   * same when that is not known. Never throws.
   */
  async ofUpload(id: string): Promise<(instance: ServiceInstance) => number> {
    const { upload } = this.#dependencies;
    const asked = isId(id) ? upload.placeOf({ id }, { timeoutMs: ASK_MS }) : { upload: null };
    const { upload: known } = await Promise.resolve(asked).catch(() => ({ upload: null }));
    return ({ writer, store }) => {
      if (known === null) return 0;
      if (writer !== undefined && writer === known.writer) return 0;
      return known.place === null || store === known.place ? 1 : 2;
    };
  }

  /** Instances that announced the title; none when that is not known. Never throws: any instance may be asked then. */
  async of(titleId: string): Promise<readonly string[]> {
    const known = this.#known.get(titleId);
    if (known && performance.now() - known.atMs < FRESH_MS) return known.providers;
    try {
      const { providers } = await this.#dependencies.catalog.getPlaces({ id: titleId }, { timeoutMs: ASK_MS });
      this.#known.set(titleId, { providers, atMs: performance.now() });
      return providers;
    } catch {
      return known?.providers ?? [];
    }
  }
}

const isId = (text: string) => idSchema.safeParse(text).success;
