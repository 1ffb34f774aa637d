import { cleanName, languageTag } from "../media/mp4/track-box.ts";
import type { TextInfo } from "../media/text/subtitle-info.ts";

const subtitleName = /\.(?:srt|vtt)$/i;
const hearingImpaired = new Set(["sdh", "cc", "hi"]);

/** Whether a file is a subtitle file by its name. */
export function isSubtitleName(name: string): boolean {
  return subtitleName.test(name);
}

/**
 * What the name of a subtitle file says of it, for a video called `stem` without its extension: `film.srt`,
 * `film.en.srt`, `film.pt-BR.forced.vtt`, `film.Director.en.sdh.srt`. Null when it belongs to another video.
 */
export function sidecarInfo(stem: string, name: string): TextInfo | null {
  if (!isSubtitleName(name) || !name.startsWith(`${stem}.`)) return null;
  const words = name
    .slice(stem.length + 1, -"srt".length)
    .split(".")
    .filter((word) => word !== "");
  const found = { language: null as string | null, forced: false, isDefault: false, forHearingImpaired: false };
  const rest: string[] = [];
  for (const word of words) {
    const lower = word.toLowerCase();
    const language = found.language === null ? languageOf(word) : null;
    if (lower === "forced") found.forced = true;
    else if (lower === "default") found.isDefault = true;
    // `hi` is Hindi where no language is named before it.
    else if (language !== null && lower !== "sdh" && lower !== "cc") found.language = language;
    else if (hearingImpaired.has(lower)) found.forHearingImpaired = true;
    else rest.push(word);
  }
  return { ...found, name: cleanName(rest.join(" ")) };
}

const displayNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
let tagsByName: ReadonlyMap<string, string> | null = null;

/** The tag of a language that is written as a tag (`en`, `eng`, `pt-BR`, `pt_BR`) or in English; null for other words. */
function languageOf(word: string): string | null {
  tagsByName ??= namedTags();
  const named = tagsByName.get(word.toLowerCase());
  if (named !== undefined) return named;
  const tag = languageTag(word.replaceAll("_", "-"));
  return tag !== null && isKnown(tag) ? tag : null;
}

function isKnown(tag: string): boolean {
  return displayNames.of(tag.split("-")[0] ?? "") !== undefined;
}

/** Languages with a tag of two letters, by their English name in lower case. */
function namedTags(): ReadonlyMap<string, string> {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const tags = letters.flatMap((first) => letters.map((second) => first + second));
  return new Map(
    tags.flatMap((tag) => {
      const name = displayNames.of(tag);
      return name === undefined ? [] : [[name.toLowerCase(), tag] as const];
    }),
  );
}
