import type { TitleIndex } from "../../catalog/title-repository.ts";

/**
 * What a title can be found by, as numbers: a term's text is hashed together with its kind and with whom it is there
 * for, so that the table of terms has rows of 16 bytes, and a search reads only what its caller may see. Two texts that
 * share a hash would at most find a title too many, one in 10^12 or so.
 */

/** Beginnings of a word of these lengths are terms; what is typed in between or beyond is looked at in the text. */
const PREFIX_LENGTHS = [1, 2, 3, 4, 5, 6, 8, 12];
/** A phrase of more words than this is found by its longest ones and looked at in the text. */
const TERMS_OF_PHRASE = 4;
/** Runs of characters of a name that are looked up; the name itself is looked at anyway. */
const GRAMS_OF_NAME = 4;

/** Parts texts that no phrase may span. Folded text holds no control character. */
const BOUNDARY = "\u0001";

export type Term = bigint;

const termOf = (scope: string, kind: "word" | "mark" | "tag" | "gram" | "facet", text: string): Term =>
  Bun.hash.xxHash64(`${scope}\n${kind}\n${text}`);

const prefixesOf = (token: string): string[] => {
  const characters = [...token];
  return PREFIX_LENGTHS.filter((length) => length <= characters.length).map((length) =>
    characters.slice(0, length).join(""),
  );
};

/** All terms of a title for those who see it by these scopes, each once and in order. */
export function termsOf(
  scopes: readonly string[],
  { tokens, marks, tagKeys, grams }: TitleIndex,
  facets: readonly string[],
): Term[] {
  const words = new Set(tokens.filter(Boolean).flatMap(prefixesOf));
  const terms = scopes.flatMap((scope) => [
    ...[...words].map((word) => termOf(scope, "word", word)),
    ...marks.map((mark) => termOf(scope, "mark", mark)),
    ...tagKeys.map((key) => termOf(scope, "tag", key)),
    ...grams.map((gram) => termOf(scope, "gram", gram)),
    ...facets.map((facet) => termOf(scope, "facet", facet)),
  ]);
  return [...new Set(terms)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The words of a title with a space before each, to look for phrases in. */
export const textOf = ({ tokens }: TitleIndex): string => ` ${tokens.map((token) => token || BOUNDARY).join(" ")}`;

/** What a phrase is looked up and, where that is not enough to tell, looked at by. */
export interface PhrasePlan {
  readonly terms: readonly Term[];
  /** Must be a part of the title's text; null when the terms say it all. */
  readonly text: string | null;
}

/** The last token of a phrase may be the beginning of a word. */
export function planPhrase(scope: string, tokens: readonly string[]): PhrasePlan {
  const prefixes = tokens.map((token) => prefixesOf(token).at(-1) ?? token);
  const longest = [...new Set(prefixes)].sort((a, b) => b.length - a.length).slice(0, TERMS_OF_PHRASE);
  const isWhole = tokens.length === 1 && prefixes[0] === tokens[0];
  return {
    terms: longest.map((prefix) => termOf(scope, "word", prefix)),
    text: isWhole ? null : ` ${tokens.join(" ")}`,
  };
}

export const markTerm = (scope: string, mark: string) => termOf(scope, "mark", mark);
export const facetTerm = (scope: string, facet: string) => termOf(scope, "facet", facet);
export const tagTerm = (scope: string, key: string) => termOf(scope, "tag", key);

/** Some of the runs of characters of a part of a name, from all over it. */
export function gramTerms(scope: string, grams: readonly string[]): Term[] {
  const step = Math.max(1, Math.ceil(grams.length / GRAMS_OF_NAME));
  return grams.filter((_, i) => i % step === 0 || i === grams.length - 1).map((gram) => termOf(scope, "gram", gram));
}

/** Terms as they are kept beside the title, so that they can be taken out again. */
export const packTerms = (terms: readonly Term[]): Buffer => {
  const packed = Buffer.alloc(8 * terms.length);
  for (const [i, term] of terms.entries()) packed.writeBigUInt64BE(term, 8 * i);
  return packed;
};

export const unpackTerms = (packed: Uint8Array): Term[] => {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: packed.byteLength / 8 }, (_, i) => view.getBigUint64(8 * i));
};
