import { type RawBuilder, sql } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";

/** Titles that lie together in the indexes: of one visibility, of one owner and visibility, or (both null) all. */
export interface TitleRange {
  readonly ownerId: string | null;
  readonly visibility: "private" | "members" | "public" | null;
}

// Conditions on titles that are found otherwise are written so that no index fits them: a planner without statistics
// would take somebody's half a million titles for few.
const VISIBILITY = sql`coalesce(t.visibility, '')`;
const OWNER = sql`coalesce(t.owner_id, '')`;

/** The condition that the audience may see title `t`. */
export function visibleTo(audience: Audience): RawBuilder<unknown> {
  if ("userId" in audience) return sql`(${VISIBILITY} in ('public', 'members') or ${OWNER} = ${audience.userId})`;
  return audience.sees === "public" ? sql`${VISIBILITY} = 'public'` : sql`1 = 1`;
}

/** Conditions that title `t` has the owner and visibility that a search names. */
export function ownedAs({ ownerId, visibility }: Pick<TitleSearch, "ownerId" | "visibility">): RawBuilder<unknown>[] {
  return [
    ...(ownerId === null ? [] : [sql`${OWNER} = ${ownerId}`]),
    ...(visibility === null ? [] : [sql`${VISIBILITY} = ${visibility}`]),
  ];
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
