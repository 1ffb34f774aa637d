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
  const texts = looksAt.phrases ? sql`, name, description, file_names` : sql``;
  const { rows } = await sql<TextRow>`select seq, name_folded${texts} from titles
    where seq in (${listOf(places.map(({ seq }) => seq))})`.execute(database);
  const part = search.name?.folded ?? "";
  const named = looksAt.name ? rows.filter(({ name_folded }) => name_folded.includes(part)) : rows;
  const right = new Set<number>();
  const unsure: TextRow[] = [];
  for (const row of named) {
    if (!looksAt.phrases || isInName(row, search.phrases)) right.add(Number(row.seq));
    else unsure.push(row);
  }
  for (const seq of await withPhrases(database, search.phrases, unsure, indexOf)) right.add(seq);
  return places.filter(({ seq }) => right.has(Number(seq)));
}

interface TextRow {
  readonly seq: number;
  readonly name_folded: string;
  readonly name: string;
  readonly description: string;
  readonly file_names: string | null;
}

/** Whether a title's name alone has phrases of one word each: so much is seen without parting it into words. */
const isInName = ({ name_folded }: TextRow, phrases: TitleSearch["phrases"]) =>
  phrases.every((tokens) => tokens.length === 1 && ` ${name_folded}`.includes(` ${tokens[0]}`));

/** Places of those titles whose texts have the phrases. */
async function withPhrases(
  database: Database,
  phrases: TitleSearch["phrases"],
  rows: readonly TextRow[],
  indexOf: TitleIndexOf,
): Promise<number[]> {
  if (rows.length === 0) return [];
  const { rows: tags } = await sql<{ title_seq: number; tag: string }>`select title_seq, tag from title_tags
    where title_seq in (${listOf(rows.map(({ seq }) => seq))})`.execute(database);
  const tagsOf = Map.groupBy(tags, ({ title_seq }) => Number(title_seq));
  const wanted = phrases.map((tokens) => ` ${tokens.join(" ")}`);
  return rows.flatMap(({ seq, name, description, file_names }) => {
    const tags = (tagsOf.get(Number(seq)) ?? []).map(({ tag }) => tag);
    const fileNames = file_names?.split("\n") ?? [];
    const words = textOf(indexOf({ name, description, tags, fileNames }).tokens);
    return wanted.every((text) => words.includes(text)) ? [Number(seq)] : [];
  });
}

/** Parts texts that no phrase may span. Folded text holds no control character. */
const BOUNDARY = "\u0001";

const textOf = (tokens: readonly string[]) => ` ${tokens.map((token) => token || BOUNDARY).join(" ")}`;
