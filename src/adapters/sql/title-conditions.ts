import { type RawBuilder, sql } from "kysely";
import type { Range, TitleIndexOf, TitleSearch } from "../../catalog/title-repository.ts";
import type { Database } from "./tables.ts";

/** Conditions on `title_keys` as k that the postings tell only roughly. */
export function keyConditions({ durationMs, height }: TitleSearch): RawBuilder<unknown>[] {
  return [
    // Plus nothing, so that its index is not taken for a good place to begin.
    ...within(sql`(k.duration_ms + 0)`, durationMs, 0),
    ...within(sql`k.height`, height, 1),
  ];
}

function within(column: RawBuilder<unknown>, { min, max }: Range, known: number): RawBuilder<unknown>[] {
  if (min === null && max === null) return [];
  return [sql`${column} >= ${Math.max(min ?? known, known)}`, ...(max === null ? [] : [sql`${column} <= ${max}`])];
}

/** Of titles that were found by their terms, those whose text is as it was asked for, in the same order. */
export async function looksRight<Place extends { readonly seq: number }>(
  database: Database,
  search: TitleSearch,
  looksAt: { readonly name: boolean; readonly phrases: boolean },
  places: readonly Place[],
  indexOf: TitleIndexOf,
): Promise<readonly Place[]> {
  if (places.length === 0 || !(looksAt.name || looksAt.phrases)) return places;
  const seqs = places.map(({ seq }) => seq);
  const rows = await database
    .selectFrom("titles")
    .select(["seq", "name_folded", "name", "description"])
    .where("seq", "in", seqs)
    .execute();
  const tags = looksAt.phrases
    ? await database.selectFrom("title_tags").select(["title_seq", "tag"]).where("title_seq", "in", seqs).execute()
    : [];
  const tagsOf = Map.groupBy(tags, ({ title_seq }) => title_seq);
  const part = search.name?.folded ?? "";
  const texts = search.phrases.map((tokens) => ` ${tokens.join(" ")}`);
  const right = rows.filter(({ seq, name_folded, name, description }) => {
    if (looksAt.name && !name_folded.includes(part)) return false;
    if (!looksAt.phrases) return true;
    const words = textOf(indexOf({ name, description, tags: (tagsOf.get(seq) ?? []).map(({ tag }) => tag) }).tokens);
    return texts.every((text) => words.includes(text));
  });
  const isRight = new Set(right.map(({ seq }) => seq));
  return places.filter(({ seq }) => isRight.has(seq));
}

/** Parts texts that no phrase may span. Folded text holds no control character. */
const BOUNDARY = "\u0001";

const textOf = (tokens: readonly string[]) => ` ${tokens.map((token) => token || BOUNDARY).join(" ")}`;
