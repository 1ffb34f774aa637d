import { LRUCache } from "lru-cache";
import { faststartPlan } from "../media/faststart.ts";
import type { SegmentPlan } from "../media/segment-plan.ts";
import { type LocatedOriginal, withOriginal } from "./original.ts";
import type { Source } from "./source.ts";

/** Largest sum of rewritten `moov` boxes kept in memory. */
const CACHE_BYTES = 64 * 2 ** 20;
const ENTRY_OVERHEAD_BYTES = 512;

/** How each original reads with its `moov` first. Kept in memory up to a bound; made from the file otherwise. */
export class FaststartPlans {
  readonly #plans = new LRUCache<string, { readonly plan: SegmentPlan }, LocatedOriginal>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ plan }) => ENTRY_OVERHEAD_BYTES + plan.header.length,
    // Who waits for one is not to suffer when others fill the cache in the meantime.
    ignoreFetchAbort: true,
    fetchMethod: async (_key, _stale, { context: file }) => ({ plan: await planOf(file) }),
  });

  /** The plan for a file: the file as it is where nothing has to move. Throws `MediaError` for a damaged one. */
  async get({ id, mediaId }: Pick<Source, "id" | "mediaId">, file: LocatedOriginal): Promise<SegmentPlan> {
    // Other content may have the size and time of the one before.
    const key = `${id}:${mediaId}:${file.size}:${file.mtimeMs}`;
    const { plan } = await this.#plans.forceFetch(key, { context: file });
    return plan;
  }
}

/** A file as it is. */
export const planAsItIs = ({ size }: Pick<LocatedOriginal, "size">): SegmentPlan => ({
  header: new Uint8Array(),
  ranges: [{ offset: 0, length: size }],
  sizeBytes: size,
});

async function planOf(file: LocatedOriginal): Promise<SegmentPlan> {
  return (await withOriginal(file, faststartPlan)) ?? planAsItIs(file);
}
