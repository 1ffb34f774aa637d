import { durationsOf, ratesOf } from "../cmaf/rates.ts";
import { keptFor } from "../kept.ts";
import { type AudioTrackInfo, type VideoTrackInfo, videoTrack } from "../movie.ts";
import type { Presentation } from "../presentation.ts";
import type { SubtitleInfo } from "../text/subtitle-info.ts";
import { audioCodecs, uniqueNames } from "../track-names.ts";
import { keyFrameVariant, pictureAttributes } from "./hls-key-frames.ts";
import { commonTarget, lineEnd, version } from "./hls-lines.ts";
import { subtitleGroup, subtitleRenditions } from "./hls-subtitles.ts";

/**
 * The multivariant playlist. Refers to `{trackId}/playlist.m3u8`, `{trackId}/iframes.m3u8` and
 * `subtitles/{key}/playlist.m3u8`, relative to itself. Sound of each codec is a group with a variant of its own, so that
 * a player leaves out what it cannot decode.
 */
export function hlsMultivariantPlaylist(presentation: Presentation, subtitles: readonly SubtitleInfo[] = []): string {
  const video = videoTrack(presentation);
  if (video === null) throw new RangeError("A movie without video has no playlist.");
  const audio = presentation.tracks.filter((track) => track.kind === "audio");
  const codecs = audioCodecs(audio);
  const names = uniqueNames(audio, "Audio");
  const lines = ["#EXTM3U", `#EXT-X-VERSION:${version}`];
  if (presentation.startsAtKeyFrames(video.id)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  // A comment to players, an answer to who wonders where it is.
  for (const { id, codec, reason } of presentation.leftOut)
    lines.push(`# Track ${id} (${codec}) is left out: ${reason}.`);
  for (const codec of codecs) {
    const group = audio.filter((track) => track.codec === codec);
    const main = group.find(({ isDefault }) => isDefault) ?? group[0];
    for (const track of group) lines.push(audioRendition(track, names[audio.indexOf(track)] ?? "", track === main));
  }
  lines.push(...subtitleRenditions(subtitles));
  const text = subtitles.length > 0 ? [`SUBTITLES="${subtitleGroup}"`] : [];
  // A codec at a time; none at all where there is no sound.
  for (const codec of codecs.length > 0 ? codecs : [null]) {
    const sound = audio.filter((track) => track.codec === codec);
    lines.push(...variant(presentation, video, sound, text));
  }
  lines.push(...keyFrameVariant(presentation, video));
  return lines.join(lineEnd) + lineEnd;
}

/** The media playlist of a track. Refers to `init.mp4` and `{n}.m4s`, n from 1, relative to itself. A `RangeError` when there is no such track. */
export function hlsMediaPlaylist(presentation: Presentation, trackId: number): string {
  return keptFor(presentation, `hls-media ${trackId}`, () => mediaPlaylist(presentation, trackId));
}

function mediaPlaylist(presentation: Presentation, trackId: number): string {
  const durations = durationsOf(presentation.segmentTimes(trackId));
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${commonTarget(presentation)}`,
    "#EXT-X-MEDIA-SEQUENCE:1",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    ...(presentation.startsAtKeyFrames(trackId) ? ["#EXT-X-INDEPENDENT-SEGMENTS"] : []),
    '#EXT-X-MAP:URI="init.mp4"',
    ...durations.flatMap((duration, i) => [`#EXTINF:${duration.toFixed(6)},`, `${i + 1}.m4s`]),
    "#EXT-X-ENDLIST",
  ];
  return lines.join(lineEnd) + lineEnd;
}

const groupOf = (track: AudioTrackInfo) => `audio-${track.codec}`;

function audioRendition(track: AudioTrackInfo, name: string, isDefault: boolean): string {
  const attributes = [
    "TYPE=AUDIO",
    `GROUP-ID="${groupOf(track)}"`,
    `NAME="${name}"`,
    ...(track.language === null ? [] : [`LANGUAGE="${track.language}"`]),
    `DEFAULT=${isDefault ? "YES" : "NO"}`,
    "AUTOSELECT=YES",
    ...(track.channels > 0 ? [`CHANNELS="${track.channels}"`] : []),
    `URI="${track.id}/playlist.m3u8"`,
  ];
  return `#EXT-X-MEDIA:${attributes.join(",")}`;
}

function variant(
  presentation: Presentation,
  video: VideoTrackInfo,
  audio: readonly AudioTrackInfo[],
  text: readonly string[],
): string[] {
  const sound = audio.map((track) => ratesOf(presentation, track));
  const picture = ratesOf(presentation, video);
  const codecs = [...new Set([video, ...audio].map((track) => track.codecString))].filter((codec) => codec !== "");
  const first = audio[0];
  const attributes = [
    `BANDWIDTH=${picture.peak + Math.max(0, ...sound.map(({ peak }) => peak))}`,
    `AVERAGE-BANDWIDTH=${picture.average + Math.max(0, ...sound.map(({ average }) => average))}`,
    `CODECS="${codecs.join(",")}"`,
    ...pictureAttributes(video),
    ...(video.frameRate > 0 ? [`FRAME-RATE=${video.frameRate.toFixed(3)}`] : []),
    ...(first === undefined ? [] : [`AUDIO="${groupOf(first)}"`]),
    ...text,
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(",")}`, `${video.id}/playlist.m3u8`];
}
