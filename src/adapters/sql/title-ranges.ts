import { type RawBuilder, sql } from "kysely";
import type { Audience } from "../../catalog/title-repository.ts";

// Conditions on rows that are found otherwise are written so that no index fits them: a planner without statistics
// would take somebody's half a million titles for few.
const VISIBILITY = sql`coalesce(t.visibility, '')`;
const OWNER = sql`coalesce(t.owner_id, '')`;

/** The condition that the audience may see title `t`. */
export function visibleTo(audience: Audience): RawBuilder<unknown> {
  if ("userId" in audience) return sql`(${VISIBILITY} in ('public', 'members') or ${OWNER} = ${audience.userId})`;
  return audience.sees === "public" ? sql`${VISIBILITY} = 'public'` : sql`1 = 1`;
}
