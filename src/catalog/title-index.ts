import type { CollectionKeysOf } from "./collection-repository.ts";
import type { TitleQuery } from "./contract.ts";
import { fold, gramsOf, marksOf, tokensOf } from "./folding.ts";
import type { Position, Range, TitleIndexOf, TitleSearch } from "./title-repository.ts";

/** Characters of the folded name that titles are sorted by. */
const NAME_KEY_LENGTH = 64;
/** Longest key of a tag in UTF-16 units; folding may make text longer. */
const TAG_KEY_LENGTH = 255;
/** Longest run of characters that is indexed for finding parts of names. */
const GRAM_LENGTH = 3;

/** The key that titles are sorted by; equal names have equal keys. */
const nameKeyOf = (folded: string) => [...folded].slice(0, NAME_KEY_LENGTH).join("");

/** What makes two tags the same one: the folded text, or the tag itself where nothing is left of it. */
export const tagKeyOf = (tag: string) => (fold(tag) || tag).slice(0, TAG_KEY_LENGTH).toWellFormed();

/** What the keys of tags begin with that begin with some text. */
export const tagPrefixOf = (text: string) => fold(text).slice(0, TAG_KEY_LENGTH).toWellFormed();

/** What collections are found and sorted by. */
export const collectionKeysOf: CollectionKeysOf = (name) => {
  const folded = fold(name);
  return { folded, key: nameKeyOf(folded) };
};

export const titleIndexOf: TitleIndexOf = ({ name, description, tags }) => {
  const nameFolded = fold(name);
  const texts = [nameFolded, ...tags.map(fold), fold(description)];
  return {
    nameFolded,
    nameKey: nameKeyOf(nameFolded),
    tagKeys: tags.map(tagKeyOf),
    tokens: texts.flatMap((text) => ["", ...tokensOf(text)]),
    marks: marksOf(texts.join(" ")),
    grams: [1, 2, GRAM_LENGTH].flatMap((length) => gramsOf(nameFolded, length)),
  };
};

/** Folds a query for the repository. `viewerId` is who `owner=me` means, and whose progress and favourites count. */
export function searchOf(query: TitleQuery, viewerId: string | null, after: Position | null): TitleSearch {
  const terms = fold(query.q ?? "")
    .split(" ")
    .filter(Boolean);
  const phrases = terms.map(tokensOf);
  const name = query.name === undefined ? "" : fold(query.name);
  return {
    phrases: phrases.filter((tokens) => tokens.length > 0),
    // A term of neither words nor punctuation is looked for as it is, and found nowhere.
    marks: terms
      .filter((_, i) => phrases[i]?.length === 0)
      .flatMap((term) => (marksOf(term).length > 0 ? marksOf(term) : [term])),
    name: name === "" ? null : { folded: name, key: nameKeyOf(name), exact: query.exact, grams: longestGrams(name) },
    tagKeys: [...new Set(query.tags.map(tagKeyOf).filter(Boolean))],
    match: query.match,
    ownerId: query.owner === "me" ? viewerId : (query.owner ?? null),
    visibility: query.visibility ?? null,
    availability: query.availability ?? null,
    durationMs: rangeOf(query.minDuration, query.maxDuration, 1_000),
    height: rangeOf(query.minHeight, query.maxHeight, 1),
    codecs: [...new Set(query.codecs)],
    viewerId,
    state: {
      favourite: query.favourite ?? null,
      watched: query.watched ?? null,
      inProgress: query.inProgress ?? null,
    },
    folder: query.folder === undefined ? null : { id: query.folder, below: query.below },
    collectionId: query.collection ?? null,
    sort: query.sort,
    limit: query.limit,
    after,
  };
}

const rangeOf = (min: number | undefined, max: number | undefined, factor: number): Range => ({
  min: min === undefined ? null : Math.round(min * factor),
  max: max === undefined ? null : Math.round(max * factor),
});

function longestGrams(folded: string): string[] {
  return gramsOf(folded, Math.min(GRAM_LENGTH, [...folded].length));
}
