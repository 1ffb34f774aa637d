import type { Range, TitleSearch, TitleSource } from "../../catalog/title-repository.ts";
import type { TitleRow } from "./title-rows.ts";

// Filters as words: what an index of words can find titles by that a person filters by.

/** Where one bucket ends and the next begins: minutes of playing, lines of picture. */
const DURATIONS_MS = [1, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300].map((minutes) => minutes * 60_000);
const HEIGHTS = [1, 241, 361, 481, 577, 721, 1_081, 1_441, 2_161];

/** The words of a title. */
export function facetsOf(
  row: Pick<TitleRow, "availability" | "codec" | "duration_ms" | "height">,
  sources: readonly Pick<TitleSource, "derived">[],
): string[] {
  const folders = sources.map(({ derived }) => derived?.folders ?? []);
  return [
    ...new Set(folders.flat().map((id) => `below:${id}`)),
    ...new Set(folders.flatMap((chain) => chain.slice(-1).map((id) => `in:${id}`))),
    `availability:${row.availability}`,
    ...(row.codec === "" ? [] : [`codec:${row.codec}`]),
    ...(row.duration_ms < 0 ? [] : [`duration:${bucketOf(row.duration_ms, DURATIONS_MS)}`]),
    ...(row.height === 0 ? [] : [`height:${bucketOf(row.height, HEIGHTS)}`]),
  ];
}

/** What a search asks for: of each group a title must have one word. It may have more than fits; never less. */
export function facetGroupsOf({ availability, codecs, durationMs, height, folder }: TitleSearch): string[][] {
  return [
    ...(folder ? [[`${folder.below ? "below" : "in"}:${folder.id}`]] : []),
    ...(availability === null ? [] : [[`availability:${availability}`]]),
    ...(codecs.length === 0 ? [] : [codecs.map((codec) => `codec:${codec}`)]),
    ...rangeGroups("duration", durationMs, DURATIONS_MS),
    ...rangeGroups("height", height, HEIGHTS),
  ];
}

function rangeGroups(name: string, { min, max }: Range, bounds: readonly number[]): string[][] {
  if (min === null && max === null) return [];
  const first = bucketOf(min ?? 0, bounds);
  const last = max === null ? bounds.length : bucketOf(max, bounds);
  return [Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => `${name}:${first + i}`)];
}

/** How many bounds a value has reached. */
const bucketOf = (value: number, bounds: readonly number[]) => bounds.filter((bound) => bound <= value).length;
