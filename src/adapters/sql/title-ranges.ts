import { type RawBuilder, sql } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";

/** Titles that lie together in the indexes: of one visibility, of one owner and visibility, or (both null) all. */
export interface TitleRange {
  readonly ownerId: string | null;
  readonly visibility: "private" | "members" | "public" | null;
}

/** The condition that the audience may see title `t`. */
export function visibleTo(audience: Audience): RawBuilder<unknown> {
  if ("userId" in audience) {
    return sql`(t.visibility in ('public', 'members') or t.owner_id = ${audience.userId})`;
  }
  return audience.sees === "public" ? sql`t.visibility = 'public'` : sql`1 = 1`;
}

/** Disjoint ranges that together hold what a search may find and the audience may see. */
export function rangesOf(search: Pick<TitleSearch, "ownerId" | "visibility">, audience: Audience): TitleRange[] {
  const { ownerId, visibility } = search;
  if ("sees" in audience && audience.sees === "everything" && visibility === null && ownerId === null)
    return [{ ownerId: null, visibility: null }];
  return visibleRanges(audience)
    .filter((range) => visibility === null || range.visibility === visibility)
    .filter((range) => ownerId === null || range.ownerId === null || range.ownerId === ownerId)
    .map((range) => ({ ...range, ownerId: ownerId ?? range.ownerId }));
}

function visibleRanges(audience: Audience): TitleRange[] {
  const all: TitleRange = { ownerId: null, visibility: "public" };
  if ("sees" in audience && audience.sees === "public") return [all];
  const ownerId = "userId" in audience ? audience.userId : null;
  return [all, { ownerId: null, visibility: "members" }, { ownerId, visibility: "private" }];
}

/** The condition that title `t` lies in a range. */
export function inRange({ ownerId, visibility }: TitleRange): RawBuilder<unknown> {
  const conditions = [
    ...(ownerId === null ? [] : [sql`t.owner_id = ${ownerId}`]),
    ...(visibility === null ? [] : [sql`t.visibility = ${visibility}`]),
  ];
  return conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` and `);
}
