import type { Announcement } from "../streaming/contract.ts";
import { DESCRIPTION_MAX, TAG_MAX, TAGS_MAX } from "./contract.ts";
import { tagKeyOf } from "./title-index.ts";
import type { Derived, TitleRecord, TitleSource } from "./title-repository.ts";
import { cleanLine, cleanText, nameFrom, withoutTags, withTags } from "./title-text.ts";

type Edited = Pick<TitleRecord, "name" | "description" | "tags">;

/** What an announcement says of a title, in the form titles keep it. */
export function derivedOf({ name, description, tags, folders }: Announcement): Derived {
  const short = tags.map((tag) => cleanLine(tag).slice(0, TAG_MAX).toWellFormed().trim());
  return {
    name: nameFrom(name),
    description: cleanText(description).slice(0, DESCRIPTION_MAX).toWellFormed(),
    tags: withTags([], short).slice(0, TAGS_MAX),
    folders: folders.map(({ id }) => id),
  };
}

/** What an announcement is, but for who made it: equal ones have nothing new to say. */
export function fingerprintOf({ provider: _, ...announced }: Announcement): string {
  return Bun.hash.xxHash64(JSON.stringify(announced)).toString(36);
}

/**
 * Has a title follow its file: what nobody has edited since `before` becomes what it is `after`. Tags that somebody
 * removed stay away, tags that somebody added stay. `owns` says whether the title is this file's own, which alone
 * gives it name and description.
 */
export function follow(title: Edited, before: Derived | null, after: Derived, owns: boolean): Edited {
  const gone = before ? withoutTags(before.tags, after.tags) : [];
  const added = before ? withoutTags(after.tags, before.tags) : after.tags;
  const tags = withTags(withoutTags(title.tags, gone), added);
  return {
    name: owns && before && title.name === before.name ? after.name : title.name,
    description: owns && before && title.description === before.description ? after.description : title.description,
    tags: tags.length > TAGS_MAX ? title.tags : tags,
  };
}

/** Whether a title is as its only source made it. */
export function isUnedited(title: Edited, { derived }: TitleSource): boolean {
  if (!derived) return false;
  const keys = (tags: readonly string[]) => [...new Set(tags.map(tagKeyOf))].sort();
  return (
    title.name === derived.name &&
    title.description === derived.description &&
    Bun.deepEquals(keys(title.tags), keys(derived.tags))
  );
}
