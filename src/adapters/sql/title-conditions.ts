import { sql } from "kysely";
import type { TitleIndexOf, TitleSearch } from "../../catalog/title-repository.ts";
import { listOf } from "./number-list.ts";
import type { Database } from "./tables.ts";

/** Of titles that were found by their terms, those whose text is as it was asked for, in the same order. */
export async function looksRight<Place extends { readonly seq: number }>(
  database: Database,
  search: TitleSearch,
  looksAt: { readonly name: boolean; readonly phrases: boolean },
  places: readonly Place[],
  indexOf: TitleIndexOf,
): Promise<readonly Place[]> {
  if (places.length === 0 || !(looksAt.name || looksAt.phrases)) return places;
  const seqs = listOf(places.map(({ seq }) => seq));
  const texts = looksAt.phrases ? sql`, name, description` : sql``;
  const { rows } = await sql<{ seq: number; name_folded: string; name: string; description: string }>`
    select seq, name_folded${texts} from titles where seq in (${seqs})`.execute(database);
  const { rows: tags } = looksAt.phrases
    ? await sql<{ title_seq: number; tag: string }>`select title_seq, tag from title_tags
        where title_seq in (${seqs})`.execute(database)
    : { rows: [] };
  const tagsOf = Map.groupBy(tags, ({ title_seq }) => title_seq);
  const part = search.name?.folded ?? "";
  const phrases = search.phrases.map((tokens) => ` ${tokens.join(" ")}`);
  const right = rows.filter(({ seq, name_folded, name, description }) => {
    if (looksAt.name && !name_folded.includes(part)) return false;
    if (!looksAt.phrases) return true;
    const words = textOf(indexOf({ name, description, tags: (tagsOf.get(seq) ?? []).map(({ tag }) => tag) }).tokens);
    return phrases.every((text) => words.includes(text));
  });
  const isRight = new Set(right.map(({ seq }) => seq));
  return places.filter(({ seq }) => isRight.has(seq));
}

/** Parts texts that no phrase may span. Folded text holds no control character. */
const BOUNDARY = "\u0001";

const textOf = (tokens: readonly string[]) => ` ${tokens.map((token) => token || BOUNDARY).join(" ")}`;
