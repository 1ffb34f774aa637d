import type { CollectionKeysOf } from "./collection-repository.ts";
import { narrower, type TitleQuery } from "./contract.ts";
import { fold, gramsOf, marksOf, tokensOf } from "./folding.ts";
import type { Position, Range, TitleIndexOf, TitleSearch, TitleWithSources } from "./title-repository.ts";

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

/** The end of a file's name that says its kind: nothing is found by it. */
const EXTENSION = /(?<=.)\.(?:mp4|m4v|mov|mkv|mk3d|webm|ts|m2ts|mts)$/;

/**
 * What the files are called that a title is played from. That of an upload counts as long as nobody but its owner sees the title:
 * who renames a video before showing it to others does not tell them what it was called. A further copy in a library folder
 * that fewer people may see gives none.
 */
function fileNamesOf({ id, visibility, sources }: Pick<TitleWithSources, "id" | "visibility" | "sources">): string[] {
  return sources.flatMap(({ sourceId, origin, derived }) => {
    if (derived === null) return [];
    const isTold =
      origin === "upload"
        ? visibility === "private"
        : sourceId === id || narrower(derived.visibility ?? visibility, visibility) === visibility;
    return isTold ? [derived.fileName ?? derived.name] : [];
  });
}

export const titleIndexOf: TitleIndexOf = (title) => {
  const { name, description, tags } = title;
  const nameFolded = fold(name);
  const names = "fileNames" in title ? title.fileNames : fileNamesOf(title);
  const fileNames = [...new Set(names)].filter((one) => fold(one) !== nameFolded);
  const written = [nameFolded, ...tags.map(fold), fold(description)];
  const texts = [...written, ...fileNames.map(fold)];
  return {
    nameFolded,
    nameKey: nameKeyOf(nameFolded),
    tagKeys: tags.map(tagKeyOf),
    tokens: texts.flatMap((text) => ["", ...tokensOf(text)]),
    marks: marksOf(written.join(" ")),
    grams: [1, 2, GRAM_LENGTH].flatMap((length) => gramsOf(nameFolded, length)),
    fileNames,
  };
};

/** Folds a query for the repository. `viewerId` is who `owner=me` means, and whose progress and favourites count. */
export function searchOf(query: TitleQuery, viewerId: string | null, after: Position | null): TitleSearch {
  const terms = fold(query.q ?? "")
    .split(" ")
    .filter(Boolean)
    .map((term) => term.replace(EXTENSION, ""));
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
