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

/** RFC 8216 section 6.2.4: all media playlists of a video have the same. */
export function commonTarget(presentation: Presentation): number {
  return keptFor(presentation, "hls-target", () =>
    Math.max(...presentation.tracks.map(({ id }) => targetDuration(durationsOf(presentation.segmentTimes(id))))),
  );
}
