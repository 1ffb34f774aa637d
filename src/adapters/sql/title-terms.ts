import type { TitleIndex } from "../../catalog/title-repository.ts";

/**
 * What a title can be found by, as numbers of 40 bits: a term's kind and text, hashed. Two terms that share a number
 * would find a title too many once in a million searches of a million terms; who may see a title is looked at
 * in its row again.
 */
export type Term = number;

/** Numbers of terms are below this. */
export const TERM_LIMIT = 2 ** 40;

/** Beginnings of a word of these lengths are terms; what is typed in between or beyond is looked at in the text. */
const PREFIX_LENGTHS = [1, 2, 3, 4, 5, 6, 8, 12];

type Kind =
  | "all"
  | "visibility"
  | "owner"
  | "word"
  | "pair"
  | "mark"
  | "tag"
  | "gram"
  | "name"
  | "facet"
  | "favourite"
  | "watched"
  | "inProgress"
  | "played";

export const termOf = (kind: Kind, text: string): Term =>
  Number(BigInt.asUintN(40, Bun.hash.xxHash64(`${kind}\n${text}`)));

/** What all titles have that are there. */
export const ALL = termOf("all", "");

export interface IndexedTitle {
  readonly visibility: string;
  readonly ownerId: string | null;
  readonly index: TitleIndex;
  /** What it can be filtered by (`title-facets.ts`). */
  readonly facets: readonly string[];
}

/** All terms of a title, each once. */
export function termsOf({ visibility, ownerId, index, facets }: IndexedTitle): Set<Term> {
  const { tokens, marks, tagKeys, grams, nameFolded } = index;
  const words = new Set(tokens.flatMap(beginningsOf));
  const terms = new Set([ALL, termOf("visibility", visibility), termOf("name", nameFolded)]);
  if (ownerId !== null) terms.add(termOf("owner", ownerId));
  for (const word of words) terms.add(termOf("word", word));
  for (const pair of pairsOf(tokens)) terms.add(termOf("pair", pair));
  for (const mark of marks) terms.add(termOf("mark", mark));
  for (const key of tagKeys) terms.add(termOf("tag", key));
  for (const gram of grams) terms.add(termOf("gram", gram));
  for (const facet of facets) terms.add(termOf("facet", facet));
  return terms;
}

/** What phrases are looked up by, and whether that says it all. */
export function phraseTerms(tokens: readonly string[]): { terms: Term[]; isExact: boolean } {
  const beginnings = tokens.map((token) => beginningsOf(token).at(-1) ?? token);
  return {
    terms: [
      ...pairsOf(tokens).map((pair) => termOf("pair", pair)),
      ...beginnings.toSorted((a, b) => b.length - a.length).map((beginning) => termOf("word", beginning)),
    ],
    isExact: tokens.length === 1 && beginnings[0] === tokens[0],
  };
}

function beginningsOf(token: string): string[] {
  const characters = [...token];
  return PREFIX_LENGTHS.filter((length) => length <= characters.length).map((length) =>
    characters.slice(0, length).join(""),
  );
}

/** Characters that follow each other in scripts without spaces, where single ones say little. */
const pairsOf = (tokens: readonly string[]): string[] =>
  tokens.flatMap((token, i) => {
    const next = tokens[i + 1] ?? "";
    return isCharacter(token) && isCharacter(next) ? [token + next] : [];
  });

const isCharacter = (token: string) => token > "\u{2E7F}" && [...token].length === 1;
