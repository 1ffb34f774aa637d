import { sql } from "kysely";
import type { Audience, TitleRecord, TitleState } from "../../catalog/title-repository.ts";
import type { TitleStateTable } from "./catalog-tables.ts";
import { isSqlite } from "./column-types.ts";
import { listOf } from "./number-list.ts";
import type { Database } from "./tables.ts";
import { visibleTo } from "./title-ranges.ts";
import { type TitleRow, toRecord } from "./title-rows.ts";
import { toState } from "./title-states.ts";

type PageRow = TitleRow & { readonly tags: string | null } & {
  // All null of a title that the viewer has done nothing with.
  readonly [Column in Exclude<keyof TitleStateTable, "title_seq" | "user_id">]: TitleStateTable[Column] | null;
};

/**
 * Titles by their places, in that order, with what the viewer has done with them: one statement. Who may see them is looked at
 * here, whatever the text index says.
 */
export async function readPage(
  database: Database,
  places: readonly { readonly seq: number }[],
  audience: Audience,
  viewerId: string | null,
): Promise<{ titles: TitleRecord[]; states: Map<string, TitleState> }> {
  if (places.length === 0) return { titles: [], states: new Map() };
  const { rows } = await sql<PageRow>`select t.*,
      (select ${listOfTags(database)} from title_tags as g where g.title_seq = t.seq) as tags,
      s.position_seconds, s.in_progress, s.watched, s.favourite, s.watched_at
    from titles as t left join title_states as s on s.user_id = ${viewerId ?? ""} and s.title_seq = t.seq
    where t.seq in (${listOf(places.map(({ seq }) => seq))}) and t.deleted_at is null and ${visibleTo(audience)}`.execute(
    database,
  );
  const bySeq = new Map(rows.map((row) => [Number(row.seq), row]));
  const found = places.flatMap(({ seq }) => bySeq.get(Number(seq)) ?? []);
  return {
    titles: found.map((row) => toRecord(row, tagsOf(row.tags))),
    states: new Map(found.flatMap((row) => stateOf(row))),
  };
}

/** Parts tags in one text; no tag holds a control character. */
const BETWEEN = "\u001f";

// Sorted and quoted by the database, MariaDB would make a table on disk for each title.
const listOfTags = (database: Database) =>
  isSqlite(database)
    ? sql`group_concat(g.position || ' ' || g.tag, ${sql.lit(BETWEEN)})`
    : sql`group_concat(g.position, ' ', g.tag separator ${sql.lit(BETWEEN)})`;

/** Tags in their order, each of which was written after its place. */
function tagsOf(text: string | null): string[] {
  const tags = (text ?? "").split(BETWEEN).flatMap((item) => {
    const end = item.indexOf(" ");
    return end < 0 ? [] : [{ position: Number(item.slice(0, end)), tag: item.slice(end + 1) }];
  });
  return tags.sort((a, b) => a.position - b.position).map(({ tag }) => tag);
}

function stateOf(row: PageRow): [id: string, state: TitleState][] {
  const { id, position_seconds, in_progress, watched, favourite, watched_at } = row;
  if (in_progress === null || watched === null || favourite === null || watched_at === null) return [];
  return [[id, toState({ position_seconds, in_progress, watched, favourite, watched_at })]];
}
