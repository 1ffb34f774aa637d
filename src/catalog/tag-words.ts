import { narrower, TAGS_MAX } from "./contract.ts";
import { tagKeyOf } from "./title-index.ts";
import type { TagWords, TitleSource, TitleWithSources } from "./title-repository.ts";
import { withoutTags, withTags } from "./title-text.ts";

type Tagged = Pick<TitleWithSources, "id" | "visibility" | "tags" | "sources" | "tagWords">;

/** What a person does to a title's tags: names some to add, some to remove, or gives the whole list. */
export interface TagEdit {
  readonly tags?: readonly string[] | undefined;
  readonly addTags?: readonly string[] | undefined;
  /** Taken away after others were added. */
  readonly removeTags?: readonly string[] | undefined;
}

const NOTHING: TagWords = { added: [], removed: [] };
const isNothing = ({ added, removed }: TagWords) => added.length === 0 && removed.length === 0;

/** Whether somebody has said something of a title's tags. */
export const hasTagWords = (title: Tagged) => !isNothing(wordsOf(title));

/** The tags of a title after a person's edit, and what is said of them since. Nothing is kept for an upload: no folder gives it tags. */
export function withTagEdit(title: TitleWithSources, edit: TagEdit): TitleWithSources {
  const { addTags = [], removeTags = [] } = edit;
  const begun = edit.tags === undefined ? title.tags : withTags([], edit.tags);
  const tags = withoutTags(withTags(begun, addTags), removeTags);
  if (title.origin === "upload") return { ...title, tags };
  const { added, removed } = wordsOf(title);
  const gone = withoutTags(title.tags, tags);
  const said = withoutTags(withTags(withoutTags(tags, title.tags), addTags), withoutTags(addTags, tags));
  return withWords(
    { ...title, tags },
    {
      added: withTags(withoutTags(added, gone), said),
      removed: withTags(withoutTags(removed, said), inBoth(gone, allOf(title))),
    },
  );
}

/**
 * The tags of a title whose sources are others now: what folders and files gave goes and comes with them, but for what
 * people have said. A copy in a library folder that fewer people may see gives none.
 */
export function withFollowedTags(title: TitleWithSources, before: TitleWithSources): TitleWithSources {
  const words = wordsOf(before);
  const given = givenTo(title);
  const gone = withoutTags(withoutTags(allOf(before), given), words.added);
  const tags = withTags(withoutTags(title.tags, gone), withoutTags(given, words.removed));
  return withWords({ ...title, tags: tags.slice(0, TAGS_MAX) }, words);
}

/** What is said of a title's tags: as it was kept, else as the tags are others than its sources gave. */
function wordsOf(title: Tagged): TagWords {
  const { tagWords, tags, sources } = title;
  if (tagWords) return tagWords;
  // What was announced by an early version may have given any of the tags.
  if (sources.length === 0 || sources.some(({ derived }) => derived === null)) return NOTHING;
  return { added: withoutTags(tags, allOf(title)), removed: withoutTags(givenTo(title), tags) };
}

/** Keeps words, unless there are none and it looks like that. */
function withWords(title: TitleWithSources, { added, removed }: TagWords): TitleWithSources {
  const { tagWords: _, ...bare } = title;
  const tagWords = { added, removed: removed.slice(-TAGS_MAX) };
  return isNothing(tagWords) && isNothing(wordsOf(bare)) ? bare : { ...bare, tagWords };
}

const allOf = ({ sources }: Pick<Tagged, "sources">) => sources.flatMap(({ derived }) => derived?.tags ?? []);

/** The tags that its sources give to everybody who sees the title. */
function givenTo({ id, visibility, sources }: Tagged): string[] {
  const isTold = ({ sourceId, derived }: TitleSource) =>
    sourceId === id || narrower(derived?.visibility ?? visibility, visibility) === visibility;
  return withTags([], allOf({ sources: sources.filter(isTold) }));
}

function inBoth(some: readonly string[], others: readonly string[]): string[] {
  const keys = new Set(others.map(tagKeyOf));
  return some.filter((tag) => keys.has(tagKeyOf(tag)));
}
