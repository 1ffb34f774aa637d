import type { TitleSearch, TitleSource } from "../../catalog/title-repository.ts";
import type { TitleRow } from "./title-rows.ts";

// Filters as words: what an index of words can find titles by that a person filters by.

/** The words of a title. */
export function facetsOf(
  row: Pick<TitleRow, "availability" | "codec">,
  sources: readonly Pick<TitleSource, "derived">[],
): string[] {
  const folders = sources.map(({ derived }) => derived?.folders ?? []);
  return [
    ...new Set(folders.flat().map((id) => `below:${id}`)),
    ...new Set(folders.flatMap((chain) => chain.slice(-1).map((id) => `in:${id}`))),
    `availability:${row.availability}`,
    ...(row.codec === "" ? [] : [`codec:${row.codec}`]),
  ];
}

/** What a search asks for: of each group a title must have one word. */
export function facetGroupsOf({ availability, codecs, folder }: TitleSearch): string[][] {
  return [
    ...(folder ? [[`${folder.below ? "below" : "in"}:${folder.id}`]] : []),
    ...(availability === null ? [] : [[`availability:${availability}`]]),
    ...(codecs.length === 0 ? [] : [codecs.map((codec) => `codec:${codec}`)]),
  ];
}
