import { type RawBuilder, sql } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";
import { inFolder } from "./sql-folders.ts";
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
  matches: readonly RawBuilder<unknown>[] | null,
): Promise<readonly TitleRow[]> {
  const conditions = [sql`t.deleted_at is null`, ...nameConditions(search)];
  if (search.ownerId !== null) conditions.push(sql`t.owner_id = ${search.ownerId}`);
  const folder = inFolder(search);
  if (folder) conditions.push(sql`t.seq in (${folder})`);
  const pages = matches
    ? matches.map((match) =>
        pageOf(search, sql`s.seq`, sql`(${match}) as s cross join titles as t on t.seq = s.seq`, [
          ...conditions,
          visibleTo(audience),
        ]),
      )
    : rangesOf(search, audience).map((range) => pageOf(search, sql`t.seq`, sql`titles as t`, [...conditions, range]));
  const { rows } = await merged(search, pages, matches ? sql` union ` : sql` union all `).execute(database);
  return rows;
}

/** The page of several pages together; `union` where they may have titles in common. */
function merged(search: TitleSearch, pages: readonly RawBuilder<TitleRow>[], union: RawBuilder<unknown>) {
  const [first] = pages;
  if (first && pages.length === 1) return first;
  const parts = pages.map((page) => sql`select * from (${page}) as page`);
  return sql<TitleRow>`select * from (${sql.join(parts, union)}) as t
    order by ${orderOf(search, sql`t.seq`)} limit ${search.limit + 1}`;
}

/** Disjoint ranges of the indexes that together hold what the audience may see. */
function rangesOf({ ownerId }: TitleSearch, audience: Audience): RawBuilder<unknown>[] {
  if (ownerId !== null) return [visibleTo(audience)];
  const all = sql`t.visibility = 'public'`;
  if (!("userId" in audience)) return audience.sees === "public" ? [all] : [sql`1 = 1`];
  // Not `= 'private'`: that would let the planner read everybody's private titles from the index of visibilities.
  const own = sql`t.owner_id = ${audience.userId} and t.visibility not in ('public', 'members')`;
  return [all, sql`t.visibility = 'members'`, own];
}

/** `place` is the column whose index gives the order: the text index's where it finds the candidates. */
function pageOf(
  search: TitleSearch,
  place: RawBuilder<unknown>,
  from: RawBuilder<unknown>,
  conditions: readonly RawBuilder<unknown>[],
) {
  const all = [...conditions, ...positionConditions(search, place)];
  return sql<TitleRow>`select t.* from ${from} where ${sql.join(all, sql` and `)}
    order by ${orderOf(search, place)} limit ${search.limit + 1}`;
}

function orderOf({ sort }: TitleSearch, place: RawBuilder<unknown>): RawBuilder<unknown> {
  if (sort === "name") return sql`t.name_key, ${place}`;
  return sort === "oldest" ? place : sql`${place} desc`;
}

function nameConditions({ name }: TitleSearch): RawBuilder<unknown>[] {
  if (name?.exact) return [sql`t.name_key = ${name.key}`, sql`t.name_folded = ${name.folded}`];
  return name ? [sql`instr(t.name_folded, ${name.folded}) > 0`] : [];
}

function positionConditions({ sort, after }: TitleSearch, place: RawBuilder<unknown>): RawBuilder<unknown>[] {
  if (!after) return [];
  if (sort === "oldest") return [sql`${place} > ${after.place}`];
  if (sort === "newest") return [sql`${place} < ${after.place}`];
  return [sql`(t.name_key, ${place}) > (${after.nameKey ?? ""}, ${after.place})`];
}
