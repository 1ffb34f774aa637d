import type { Logger } from "pino";
import type { IndexingProgress } from "../catalog/title-repository.ts";

const EVERY_MS = 10_000;

/** Tells the log how indexing all titles anew goes on: at its beginning and its end, and every ten seconds. */
export function tellIndexing(log: Logger): (progress: IndexingProgress) => void {
  const begun = performance.now();
  let told = Number.NEGATIVE_INFINITY;
  return ({ indexed, titles }) => {
    const now = performance.now();
    if (indexed < titles && now - told < EVERY_MS) return;
    told = now;
    const seconds = Math.round((now - begun) / 1_000);
    if (indexed < titles)
      log.info(
        { indexed, titles, seconds },
        "titles are indexed anew; those that are not yet can be watched, not found",
      );
    else log.info({ titles, seconds }, "titles have been indexed anew");
  };
}
