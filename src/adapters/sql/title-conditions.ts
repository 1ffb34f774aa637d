import { type RawBuilder, sql } from "kysely";
import type { Range, TitleSearch } from "../../catalog/title-repository.ts";
import { ownedAs } from "./title-ranges.ts";

/** Conditions on title `t` that do not take the text index. */
export function filterConditions(search: TitleSearch): RawBuilder<unknown>[] {
  const { availability, codecs, durationMs, height } = search;
  return [
    // Not `is null`: the index of deletions would be taken for a good place to begin.
    sql`coalesce(t.deleted_at, 0) = 0`,
    ...ownedAs(search),
    ...(availability === null ? [] : [sql`t.availability = ${availability}`]),
    ...(codecs.length === 0 ? [] : [sql`t.codec in (${sql.join(codecs)})`]),
    // Plus nothing, so that its index is not taken for a good place to begin.
    ...within(sql`(t.duration_ms + 0)`, durationMs, 0),
    ...within(sql`t.height`, height, 1),
    ...nameConditions(search),
    ...folderConditions(search),
    ...stateConditions(search),
  ];
}

/** Whether its conditions exclude each other: there is nothing to look for. */
export const isImpossible = ({ durationMs, height }: TitleSearch): boolean =>
  [durationMs, height].some(({ min, max }) => min !== null && max !== null && min > max);

/** That title `t` has the tags asked for. */
export function tagConditions({ tagKeys, match }: TitleSearch): RawBuilder<unknown>[] {
  if (tagKeys.length === 0) return [];
  const has = (keys: readonly string[]) =>
    sql`exists (select 1 from title_tags as g where g.title_seq = t.seq and g.tag_key in (${sql.join(keys)}))`;
  return match === "any" ? [has(tagKeys)] : tagKeys.map((key) => has([key]));
}

function within(column: RawBuilder<unknown>, { min, max }: Range, known: number): RawBuilder<unknown>[] {
  if (min === null && max === null) return [];
  return [sql`${column} >= ${Math.max(min ?? known, known)}`, ...(max === null ? [] : [sql`${column} <= ${max}`])];
}

function folderConditions({ folder }: TitleSearch): RawBuilder<unknown>[] {
  if (!folder) return [];
  const direct = folder.below ? sql`` : sql` and f.direct = 1`;
  return [
    sql`exists (select 1 from title_folders as f where f.folder_id = ${folder.id} and f.title_seq = t.seq${direct})`,
  ];
}

function nameConditions({ name }: TitleSearch): RawBuilder<unknown>[] {
  if (name?.exact) return [sql`t.name_key = ${name.key}`, sql`t.name_folded = ${name.folded}`];
  return name ? [sql`instr(t.name_folded, ${name.folded}) > 0`] : [];
}

function stateConditions({ viewerId, state }: TitleSearch): RawBuilder<unknown>[] {
  const asked = flagsOf(state);
  const has = (flags: readonly string[]) =>
    sql`exists (select 1 from title_states as v where v.user_id = ${viewerId} and v.title_seq = t.seq
      and ${sql.join(flags.map(isSet("v")), sql` and `)})`;
  return [
    ...(asked.length === 0 ? [] : [has(asked)]),
    ...(state.watched === false ? [sql`not ${has(["watched"])}`] : []),
  ];
}

/** The columns of `title_states` that must be 1. */
export const flagsOf = ({ favourite, watched, inProgress }: TitleSearch["state"]): string[] => [
  ...(favourite ? ["favourite"] : []),
  ...(inProgress ? ["in_progress"] : []),
  ...(watched ? ["watched"] : []),
];

export const isSet = (table: string) => (flag: string) => sql`${sql.ref(`${table}.${flag}`)} = 1`;
