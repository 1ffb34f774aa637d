import { durationsOf, targetDuration } from "../cmaf/rates.ts";
import { keptFor } from "../kept.ts";
import type { Presentation } from "../presentation.ts";

/** RFC 8216 section 7: `EXT-X-MAP` outside I-frame playlists needs version 6, fragmented MP4 as used here 7. */
export const version = 7;
export const lineEnd = "\n";

/** A quoted string (RFC 8216 section 4.2); what it cannot hold is left out. */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\r\n]/g, "")}"`;
}

/**
 * A playlist whose references all carry a query, such as `?a=b`; the same when it is empty. What the playlists refer to
 * stands on a line of its own, or last in a tag's attributes.
 */
export function withQuery(playlist: string, query: string): string {
  if (query === "") return playlist;
  return playlist
    .split(lineEnd)
    .map((line) => {
      if (!line.startsWith("#")) return line === "" ? line : line + query;
      return line.startsWith("#EXT-X-") ? line.replace(/([:,]URI="[^"]*)"$/, (_, start) => `${start}${query}"`) : line;
    })
    .join(lineEnd);
}

/** RFC 8216 section 6.2.4: all media playlists of a video have the same. */
export function commonTarget(presentation: Presentation): number {
  return keptFor(presentation, "hls-target", () =>
    Math.max(...presentation.tracks.map(({ id }) => targetDuration(durationsOf(presentation.segmentTimes(id))))),
  );
}
