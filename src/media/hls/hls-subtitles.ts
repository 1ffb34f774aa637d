import { durationsOf } from "../cmaf/rates.ts";
import { videoTrack } from "../movie.ts";
import type { Presentation } from "../presentation.ts";
import type { SubtitleInfo } from "../text/subtitle-info.ts";
import { subtitleNames } from "../track-names.ts";
import { commonTarget, lineEnd, quoted, version } from "./hls-lines.ts";

/** The group that all subtitles are in. */
export const subtitleGroup = "subtitles";

/** An `EXT-X-MEDIA` line for each of the subtitles. */
export function subtitleRenditions(subtitles: readonly SubtitleInfo[]): string[] {
  const names = subtitleNames(subtitles);
  return subtitles.map((subtitle, i) => {
    const { key, language, forced, isDefault, forHearingImpaired } = subtitle;
    const sounds = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";
    const attributes = [
      "TYPE=SUBTITLES",
      `GROUP-ID="${subtitleGroup}"`,
      `NAME=${quoted(names[i] ?? "")}`,
      ...(language === null ? [] : [`LANGUAGE=${quoted(language)}`]),
      `DEFAULT=${isDefault ? "YES" : "NO"}`,
      "AUTOSELECT=YES",
      `FORCED=${forced ? "YES" : "NO"}`,
      ...(forHearingImpaired ? [`CHARACTERISTICS="${sounds}"`] : []),
      `URI=${quoted(`subtitles/${key}/playlist.m3u8`)}`,
    ];
    return `#EXT-X-MEDIA:${attributes.join(",")}`;
  });
}

/** The media playlist of any subtitles: cut where the picture is. Refers to `{n}.vtt`, n from 1, relative to itself. */
export function hlsSubtitlePlaylist(presentation: Presentation): string {
  const durations = durationsOf(cuts(presentation));
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${commonTarget(presentation)}`,
    "#EXT-X-MEDIA-SEQUENCE:1",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    ...durations.flatMap((duration, i) => [`#EXTINF:${duration.toFixed(6)},`, `${i + 1}.vtt`]),
    "#EXT-X-ENDLIST",
  ];
  return lines.join(lineEnd) + lineEnd;
}

/** What segment `n` of subtitles covers; null when there is none. The last one has all that is left. */
export function hlsSubtitleSpan(presentation: Presentation, n: number): { fromMs: number; toMs: number } | null {
  const times = cuts(presentation);
  const from = times[n - 1];
  const to = times[n];
  if (!Number.isInteger(n) || from === undefined || to === undefined) return null;
  return { fromMs: from * 1000, toMs: n === times.length - 1 ? Number.POSITIVE_INFINITY : to * 1000 };
}

function cuts(presentation: Presentation): Float64Array {
  const video = videoTrack(presentation);
  if (video === null) throw new RangeError("A movie without video has no playlist.");
  return presentation.segmentTimes(video.id);
}
