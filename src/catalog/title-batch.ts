import type { Principal } from "../auth/contract.ts";
import { ProblemError } from "../errors.ts";
import type { Title } from "./contract.ts";
import type { Titles } from "./titles.ts";

/** What is done to each of many titles, in the order of the fields. */
export interface BatchChange {
  readonly restore?: true | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  readonly visibility?: Title["visibility"] | undefined;
  readonly delete?: true | undefined;
}

/** What became of one title: as it is now (null when it is deleted), or why nothing was done. */
export interface BatchResult {
  readonly id: string;
  readonly title: Title | null;
  readonly error: { readonly code: string; readonly status: number; readonly detail: string } | null;
}

/**
 * Does the same to many titles, one after the other: each is changed whole or not at all, and one that is refused
 * keeps none of the others. What is no refusal (a database that is away) ends the whole batch.
 */
export async function changeMany(
  titles: Titles,
  ids: readonly string[],
  who: Principal,
  change: BatchChange,
): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for (const id of new Set(ids)) {
    try {
      results.push({ id, title: await changeOne(titles, id, who, change), error: null });
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status >= 500) throw error;
      results.push({ id, title: null, error: { code: error.code, status: error.status, detail: error.message } });
    }
  }
  return results;
}

async function changeOne(titles: Titles, id: string, who: Principal, change: BatchChange): Promise<Title | null> {
  if (change.delete) {
    await titles.delete(id, who);
    return null;
  }
  if (change.restore) return titles.restore(id, who);
  return titles.edit(id, who, change);
}
