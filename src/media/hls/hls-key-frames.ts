import { durationsOf, ratesOfParts, targetDuration } from "../cmaf/rates.ts";
import { keptFor } from "../kept.ts";
import { requireTrack, type VideoTrackInfo } from "../movie.ts";
import { shownSize } from "../mp4/pixel-aspect.ts";
import { videoRange } from "../mp4/video-range.ts";
import type { Presentation } from "../presentation.ts";
import { lineEnd, version } from "./hls-lines.ts";

/** The key frames that segments start with. */
interface KeyFrames {
  /** Number of the segment that each is in, from 1. */
  readonly segments: readonly number[];
  /** Bytes of each, from the start of its segment. */
  readonly sizes: readonly number[];
  readonly areRanges: boolean;
  /** When each is shown, in seconds, and when the last segment ends. */
  readonly times: Float64Array;
}

/**
 * The I-frame playlist of the video (RFC 8216 section 4.3.3.6) for fast forward and previews: of each segment the bytes
 * up to the end of its first picture; where only reading the original tells how many those are, `key/{n}.m4s`, which has
 * the picture alone. Null for sound. A `RangeError` when there is no such track.
 */
export function hlsKeyFramePlaylist(presentation: Presentation, trackId: number): string | null {
  return keptFor(presentation, `hls-key-frames ${trackId}`, () => keyFramePlaylist(presentation, trackId));
}

function keyFramePlaylist(presentation: Presentation, trackId: number): string | null {
  const found = keyFramesOf(presentation, trackId);
  if (found === null) return null;
  const durations = durationsOf(found.times);
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${targetDuration(durations)}`,
    "#EXT-X-MEDIA-SEQUENCE:1",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-I-FRAMES-ONLY",
    '#EXT-X-MAP:URI="init.mp4"',
    ...found.segments.flatMap((n, i) => [
      `#EXTINF:${(durations[i] ?? 0).toFixed(6)},`,
      ...(found.areRanges ? [`#EXT-X-BYTERANGE:${found.sizes[i]}@0`, `${n}.m4s`] : [`key/${n}.m4s`]),
    ]),
    "#EXT-X-ENDLIST",
  ];
  return lines.join(lineEnd) + lineEnd;
}

/** The line that leads to the I-frame playlist, if there is one. */
export function keyFrameVariant(presentation: Presentation, video: VideoTrackInfo): readonly string[] {
  return keptFor(presentation, "hls-key-frame-variant", () => makeVariant(presentation, video));
}

function makeVariant(presentation: Presentation, video: VideoTrackInfo): string[] {
  const found = keyFramesOf(presentation, video.id);
  if (found === null) return [];
  const rates = ratesOfParts(
    found.times,
    found.sizes.map((bytes) => bytes * 8),
  );
  const attributes = [
    `BANDWIDTH=${rates.peak}`,
    `AVERAGE-BANDWIDTH=${rates.average}`,
    `CODECS="${video.codecString}"`,
    ...pictureAttributes(video),
    `URI="${video.id}/iframes.m3u8"`,
  ];
  return [`#EXT-X-I-FRAME-STREAM-INF:${attributes.join(",")}`];
}

/** Width and height as they are shown, and whether they are brighter than usual. */
export function pictureAttributes(video: VideoTrackInfo): string[] {
  const { width, height } = shownSize(video);
  const range = videoRange(video.sampleEntries[0]);
  const size = video.rotation % 180 === 0 ? `RESOLUTION=${width}x${height}` : `RESOLUTION=${height}x${width}`;
  return range === "SDR" ? [size] : [size, `VIDEO-RANGE=${range}`];
}

function keyFramesOf(presentation: Presentation, trackId: number): KeyFrames | null {
  const { kind } = requireTrack(presentation, trackId);
  if (kind !== "video") return null;
  const { sizes: all, areRanges } = presentation.keyFrames(trackId);
  const times = presentation.segmentTimes(trackId);
  const segments = Array.from(all, (_, i) => i + 1).filter((n) => (all[n - 1] ?? 0) > 0);
  if (segments.length === 0) return null;
  return {
    segments,
    areRanges,
    sizes: segments.map((n) => all[n - 1] ?? 0),
    times: Float64Array.from([...segments.map((n) => times[n - 1] ?? 0), times.at(-1) ?? 0]),
  };
}
