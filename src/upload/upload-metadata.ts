import { NAME_MAX, TAG_MAX, TAGS_MAX, tags } from "../catalog/contract.ts";
import { InvalidRequestError } from "../errors.ts";
import { cleanText, initialName } from "./title-name.ts";

/** Characters of a tag by which one knows which it is. */
const SHOWN = 20;

/** What the uploader says of a title. */
export interface TitleFields {
  readonly name: string;
  readonly tags: string[];
}

/** Checks name and tags; `InvalidRequestError` says which of them is wrong. */
export function titleFields(name: string | null, tagList: unknown, fileName: string | null): TitleFields {
  if (name !== null && cleanText(name).length > NAME_MAX)
    throw new InvalidRequestError(`name: expected at most ${NAME_MAX} characters.`);
  const parsed = tags.safeParse(tagList);
  if (!parsed.success) throw new InvalidRequestError(whyNot(tagList));
  const cleaned = parsed.data.map(cleanText).filter((tag) => tag !== "");
  return { name: initialName(name, fileName), tags: [...new Set(cleaned)] };
}

/** What is wrong with a list of tags, for whoever typed them. */
function whyNot(tagList: unknown): string {
  if (!Array.isArray(tagList) || !tagList.every((tag) => typeof tag === "string"))
    return "tags: expected a JSON array of strings.";
  if (tagList.length > TAGS_MAX) return `A video has ${TAGS_MAX} tags at most: these are ${tagList.length}.`;
  const long = tagList.map((tag) => tag.trim()).find((tag) => tag.length > TAG_MAX);
  if (long === undefined) return "A tag has at least one character: one of these is empty.";
  return `A tag has ${TAG_MAX} characters at most: “${cleanText(long.slice(0, SHOWN)).toWellFormed()}…” has ${long.length}.`;
}

/** Reads tus metadata: `filename`, `name`, `tags` as a JSON array of strings. Other keys mean nothing here. */
export function readMetadata(metadata: Readonly<Record<string, string | null>>): TitleFields {
  let tagList: unknown = [];
  if (metadata.tags) {
    try {
      tagList = JSON.parse(metadata.tags);
    } catch {
      throw new InvalidRequestError("tags: expected a JSON array of strings.");
    }
  }
  return titleFields(metadata.name ?? null, tagList, metadata.filename ?? null);
}
