import type { Announcement } from "../streaming/contract.ts";
import { DESCRIPTION_MAX, narrower, TAG_MAX, TAGS_MAX, type Visibility } from "./contract.ts";
import { hasTagWords } from "./tag-words.ts";
import { tagKeyOf } from "./title-index.ts";
import type { Derived, TitleRecord, TitleSource, TitleWithSources } from "./title-repository.ts";
import { cleanLine, cleanText, nameFrom, withTags } from "./title-text.ts";

type Followed = Pick<TitleRecord, "name" | "description" | "visibility">;

/** What an announcement says of a title, in the form titles keep it. */
export function derivedOf(announced: Announcement): Derived {
  const { name, fileName, description, tags, folders, origin, visibility } = announced;
  const short = tags.map((tag) => cleanLine(tag).slice(0, TAG_MAX).toWellFormed().trim());
  return {
    name: nameFrom(name),
    ...(fileName === undefined ? {} : { fileName: nameFrom(fileName) }),
    description: cleanText(description).slice(0, DESCRIPTION_MAX).toWellFormed(),
    tags: withTags([], short).slice(0, TAGS_MAX),
    folders: folders.map(({ id }) => id),
    ...(origin === "library" ? { visibility } : {}),
  };
}

/** What an announcement is, but for who made it: equal ones have nothing new to say. */
export function fingerprintOf({ provider: _, ...announced }: Announcement): string {
  return Bun.hash.xxHash64(JSON.stringify(announced)).toString(36);
}

/**
 * Has a title follow its own file: what nobody has edited since `before` becomes what it is `after`. Its tags
 * follow all of its files: see `withFollowedTags`.
 */
export function follow(title: Followed, before: Derived | null, after: Derived): Followed {
  return {
    name: before && title.name === before.name ? after.name : title.name,
    description: before && title.description === before.description ? after.description : title.description,
    visibility: visibilityAfter(title.visibility, before, after),
  };
}

/**
 * Who may see a title when its file moved, or its folder is for others now. What somebody has said stays, but not for
 * more people than the new folder is for: who moves a file into a folder of few people hides it.
 */
function visibilityAfter(said: Visibility, before: Derived | null, after: Derived): Visibility {
  if (!before?.visibility || !after.visibility || before.visibility === after.visibility) return said;
  if (before.visibility === said) return after.visibility;
  return narrower(before.visibility, after.visibility) === after.visibility ? narrower(said, after.visibility) : said;
}

/** Whether a title is as its only source made it. */
export function isUnedited(title: TitleWithSources, { derived }: TitleSource): boolean {
  if (!derived) return false;
  const keys = (tags: readonly string[]) => [...new Set(tags.map(tagKeyOf))].sort();
  return (
    title.visibility === (derived.visibility ?? title.visibility) &&
    title.name === derived.name &&
    title.description === derived.description &&
    Bun.deepEquals(keys(title.tags), keys(derived.tags)) &&
    !hasTagWords(title)
  );
}
