import type { Audience, Range, TitleSearch } from "../../catalog/title-repository.ts";
import type { Asked } from "./title-candidates.ts";
import { facetGroupsOf } from "./title-facets.ts";
import { ALL, phraseTerms, type Term, termOf } from "./title-terms.ts";

/** Runs of characters of a name, and words of a phrase, that are looked up: the text is looked at anyway then. */
const LOOKED_UP = 8;
/** Phrases that are looked up; of more, the rest is looked at in the text. */
const PHRASES_LOOKED_UP = 16;
/** A name of so many characters is one run of them: what is found by it has it. */
const RUN = 3;

/** How a search is answered. */
export interface Plan {
  readonly asked: Asked;
  /** What the postings do not tell for certain, to be looked at in the titles found. */
  readonly looksAt: { readonly name: boolean; readonly phrases: boolean };
}

/** What a search asks of the postings; null when nothing can fit. */
export function planOf(search: TitleSearch, audience: Audience): Plan | null {
  const { phrases, name, match, tagKeys, marks } = search;
  if ([search.durationMs, search.height].some(isEmpty)) return null;
  const looked = phrases.slice(0, PHRASES_LOOKED_UP).map(phraseTerms);
  const tags = tagKeys.map((key) => termOf("tag", key));
  const facets = facetGroupsOf(search).map((group) => group.map((facet) => termOf("facet", facet)));
  const groups = [
    ...stateTerms(search).map((term) => [term]),
    ...nameTerms(search).map((term) => [term]),
    ...looked.flatMap(({ terms }) => terms.slice(0, LOOKED_UP).map((term) => [term])),
    ...(match === "any" ? (tags.length > 0 ? [tags] : []) : tags.map((tag) => [tag])),
    ...marks.map((mark) => [termOf("mark", mark)]),
    ...facets,
    ...scopeGroups(search, audience),
  ];
  const unwatched = search.state.watched === false ? [termOf("watched", search.viewerId ?? "")] : [];
  return {
    asked: { groups, none: unwatched },
    looksAt: {
      name: name !== null && !name.exact && [...name.folded].length > RUN,
      phrases: phrases.length > PHRASES_LOOKED_UP || looked.some(({ isExact }) => !isExact),
    },
  };
}

const isEmpty = ({ min, max }: Range) => min !== null && max !== null && min > max;

function nameTerms({ name }: TitleSearch): Term[] {
  if (name === null) return [];
  if (name.exact) return [termOf("name", name.folded)];
  const step = Math.max(1, Math.ceil(name.grams.length / LOOKED_UP));
  return name.grams.filter((_, i) => i % step === 0 || i === name.grams.length - 1).map((gram) => termOf("gram", gram));
}

/** What people have done with titles are terms too, each person's their own. */
function stateTerms({ viewerId, state }: TitleSearch): Term[] {
  const user = viewerId ?? "";
  return [
    ...(state.favourite ? [termOf("favourite", user)] : []),
    ...(state.inProgress ? [termOf("inProgress", user)] : []),
    ...(state.watched ? [termOf("watched", user)] : []),
  ];
}

/** Whose titles are looked for, and which of them the audience may see. */
function scopeGroups({ ownerId, visibility }: TitleSearch, audience: Audience): Term[][] {
  const seen = (kind: string) => termOf("visibility", kind);
  return [
    ...(ownerId === null ? [] : [[termOf("owner", ownerId)]]),
    ...(visibility === null ? [] : [[seen(visibility)]]),
    ...("userId" in audience
      ? [[seen("public"), seen("members"), termOf("owner", audience.userId)]]
      : [[audience.sees === "public" ? seen("public") : ALL]]),
  ];
}

/** Whether a search has no condition at all. */
export function findsAll(search: TitleSearch): boolean {
  const { phrases, marks, tagKeys, codecs, name, ownerId, visibility, availability, folder, collectionId } = search;
  const ranges = [search.durationMs, search.height].flatMap(({ min, max }) => [min, max]);
  const single = [
    name,
    ownerId,
    visibility,
    availability,
    folder,
    collectionId,
    ...Object.values(search.state),
    ...ranges,
  ];
  return [...phrases, ...marks, ...tagKeys, ...codecs].length === 0 && single.every((value) => value === null);
}
