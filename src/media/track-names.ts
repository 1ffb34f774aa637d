import type { AudioTrackInfo } from "./movie.ts";
import type { TextInfo } from "./text/subtitle-info.ts";

/** Sound in the order of how many players decode it: the first is what they start with. */
const audioOrder = ["aac", "mp3", "opus", "flac", "ac3", "eac3", "alac", "mp2"];

/** The codecs of these tracks, the one that most players decode first. */
export function audioCodecs(tracks: readonly AudioTrackInfo[]): string[] {
  return audioOrder.filter((codec) => tracks.some((track) => track.codec === codec));
}

/** What each of some tracks is called: its name, else its language, else `otherwise`; numbered where two would be the same. */
export function uniqueNames(
  tracks: readonly { readonly name: string | null; readonly language: string | null }[],
  otherwise: string,
): string[] {
  const names: string[] = [];
  for (const track of tracks) {
    const plain = track.name ?? languageName(track.language) ?? otherwise;
    let name = plain;
    for (let n = 2; names.includes(name); n++) name = `${plain} ${n}`;
    names.push(name);
  }
  return names;
}

/** What each of some subtitles is called, with what they are for. */
export function subtitleNames(subtitles: readonly TextInfo[]): string[] {
  const named = subtitles.map(({ name, language, forced, forHearingImpaired }) => {
    const purpose = forced ? " (forced)" : forHearingImpaired ? " (SDH)" : "";
    return { name: `${name ?? languageName(language) ?? "Subtitles"}${purpose}`, language };
  });
  return uniqueNames(named, "Subtitles");
}

function languageName(language: string | null): string | null {
  if (language === null) return null;
  // Extensions and private parts (RFC 5646 section 2.2.6), each after a single character, have no names.
  const named = language.replace(/-[0-9a-z]-.*$/i, "");
  return new Intl.DisplayNames(["en"], { type: "language" }).of(named) ?? language;
}
