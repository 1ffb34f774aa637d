import { z } from "zod";
import { NAME_MAX, tags } from "../catalog/contract.ts";
import { InvalidRequestError } from "../errors.ts";
import { cleanText, initialName } from "./title-name.ts";

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
  if (!parsed.success) throw new InvalidRequestError(`tags: ${z.prettifyError(parsed.error)}`);
  const cleaned = parsed.data.map(cleanText).filter((tag) => tag !== "");
  return { name: initialName(name, fileName), tags: [...new Set(cleaned)] };
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
