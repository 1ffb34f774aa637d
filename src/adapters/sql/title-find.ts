import { type RawBuilder, sql } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";
import type { Database } from "./tables.ts";
import type { TitleRow } from "./title-rows.ts";

/** The condition that the audience may see title `t`. */
export function visibleTo(audience: Audience): RawBuilder<unknown> {
  if ("userId" in audience) {
    return sql`(t.visibility in ('public', 'members') or t.owner_id = ${audience.userId})`;
  }
  return audience.sees === "public" ? sql`t.visibility = 'public'` : sql`1 = 1`;
}

/**
 * Rows of one page and one more when there are more. `matches` gives the candidates of a search for text. Without it
 * each kind of title that the audience may see is read from its own index in the page's order, and a page is merged
 * from these: it costs the same however few of a million titles the caller may see.
 */
export async function findTitleRows(
  database: Database,
  search: TitleSearch,
  audience: Audience,
  matches: RawBuilder<unknown> | null,
): Promise<readonly TitleRow[]> {
  const conditions = [sql`t.deleted_at is null`, ...nameConditions(search), ...positionConditions(search)];
  if (search.ownerId !== null) conditions.push(sql`t.owner_id = ${search.ownerId}`);
  const { rows } = await (matches
    ? pageOf(search, sql`(${matches}) as s cross join titles as t on t.seq = s.seq`, [
        ...conditions,
        visibleTo(audience),
      ])
    : mergedPage(search, audience, conditions)
  ).execute(database);
  return rows;
}

function mergedPage(search: TitleSearch, audience: Audience, conditions: readonly RawBuilder<unknown>[]) {
  const pages = rangesOf(search, audience).map(
    (range) => sql`select * from (${pageOf(search, sql`titles as t`, [...conditions, range])}) as page`,
  );
  return sql<TitleRow>`select * from (${sql.join(pages, sql` union all `)}) as t
    order by ${orderOf(search)} limit ${search.limit + 1}`;
}

/** Disjoint ranges of the indexes that together hold what the audience may see. */
function rangesOf({ ownerId }: TitleSearch, audience: Audience): RawBuilder<unknown>[] {
  if (ownerId !== null) return [visibleTo(audience)];
  const all = sql`t.visibility = 'public'`;
  if (!("userId" in audience)) return audience.sees === "public" ? [all] : [sql`1 = 1`];
  return [all, sql`t.visibility = 'members'`, sql`t.owner_id = ${audience.userId} and t.visibility = 'private'`];
}

function pageOf(search: TitleSearch, from: RawBuilder<unknown>, conditions: readonly RawBuilder<unknown>[]) {
  return sql<TitleRow>`select t.* from ${from} where ${sql.join(conditions, sql` and `)}
    order by ${orderOf(search)} limit ${search.limit + 1}`;
}

function orderOf({ sort }: TitleSearch): RawBuilder<unknown> {
  if (sort === "name") return sql`t.name_key, t.seq`;
  return sort === "oldest" ? sql`t.seq` : sql`t.seq desc`;
}

function nameConditions({ name }: TitleSearch): RawBuilder<unknown>[] {
  if (name?.exact) return [sql`t.name_key = ${name.key}`, sql`t.name_folded = ${name.folded}`];
  return name ? [sql`instr(t.name_folded, ${name.folded}) > 0`] : [];
}

function positionConditions({ sort, after }: TitleSearch): RawBuilder<unknown>[] {
  if (!after) return [];
  if (sort === "oldest") return [sql`t.seq > ${after.place}`];
  if (sort === "newest") return [sql`t.seq < ${after.place}`];
  return [sql`(t.name_key, t.seq) > (${after.nameKey ?? ""}, ${after.place})`];
}
