import { type RawBuilder, sql } from "kysely";
import type { TitleSearch } from "../../catalog/title-repository.ts";
import type { Column } from "./title-columns.ts";

/** What titles are sorted by. `k` is their row in `title_keys`. */
export interface Order {
  /** What the order goes by before a title's place in time; null when that is all. */
  readonly key: RawBuilder<unknown> | null;
  /** What is said to be the key, where it is the same for all. */
  readonly constant?: number;
  readonly isDescending: boolean;
  /** Where all titles' keys are kept as numbers; null where they are not. */
  readonly column: Column | null;
  /** Where titles are read in this order from an index, when that is another table or only a part of it. */
  readonly reading?: {
    readonly from?: RawBuilder<unknown>;
    readonly conditions: readonly RawBuilder<unknown>[];
    readonly key?: RawBuilder<unknown>;
    readonly place?: RawBuilder<unknown>;
  };
}

/** The order of a page; that by the last time of watching is only in part one of titles (`playedOrder`). */
export function orderOf({ sort, collectionId, durationMs: { min, max } }: TitleSearch): Order {
  switch (sort) {
    case "oldest":
      return { key: null, isDescending: false, column: "time" };
    case "name":
      return { key: sql`k.name_key`, isDescending: false, column: "name" };
    case "longest":
      return {
        key: sql`k.duration_ms`,
        isDescending: true,
        column: "duration",
        reading: {
          conditions: [
            ...(min === null ? [] : [sql`k.duration_ms >= ${min}`]),
            ...(max === null ? [] : [sql`k.duration_ms <= ${max}`]),
          ],
        },
      };
    case "position": {
      const position = sql`(select o.position from collection_titles as o
        where o.collection_id = ${collectionId} and o.title_seq = k.seq)`;
      return { key: position, isDescending: false, column: null };
    }
    default:
      return { key: null, isDescending: true, column: "time" };
  }
}

/** Titles that somebody has watched, the last one first. */
export function playedOrder(userId: string | null): Order {
  return {
    key: sql`(select o.watched_at from title_states as o where o.user_id = ${userId} and o.title_seq = k.seq)`,
    isDescending: true,
    column: null,
    reading: {
      from: sql`title_states as w cross join title_keys as k on k.seq = w.title_seq`,
      conditions: [sql`w.user_id = ${userId} and w.watched_at > 0`],
      key: sql`w.watched_at`,
      place: sql`w.title_seq`,
    },
  };
}

/** The end of a query: in an order, so many. `place` is a title's place in time. */
export function first(
  { key, isDescending }: Pick<Order, "key" | "isDescending">,
  place: RawBuilder<unknown>,
  count: number,
): RawBuilder<unknown> {
  const turned = (column: RawBuilder<unknown>) => (isDescending ? sql`${column} desc` : column);
  return sql`order by ${key === null ? turned(place) : sql`${turned(key)}, ${turned(place)}`} limit ${count}`;
}

/** That a title comes after a place. */
export function beyond(
  { key, isDescending }: Pick<Order, "key" | "isDescending">,
  place: RawBuilder<unknown>,
  after: TitleSearch["after"],
): RawBuilder<unknown>[] {
  if (after === null) return [];
  const than = isDescending ? sql`<` : sql`>`;
  const here = sql`${place} ${than} ${after.place}`;
  if (key === null) return [here];
  const from = after.key ?? 0;
  // The first of the three says where in the index to begin.
  return [sql`${key} ${than}= ${from}`, sql`(${key} ${than} ${from} or ${here})`];
}
