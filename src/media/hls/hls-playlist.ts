import { mediaSegmentBytes } from "../cmaf/media-segment.ts";
import { segmentCount, segmentStarts, segmentTimes } from "../cmaf/segments.ts";
import { type AudioTrack, type Movie, requireTrack, type Track, type VideoTrack, videoTrack } from "../movie.ts";

/** RFC 8216 section 7: `EXT-X-MAP` outside I-frame playlists needs version 6, fragmented MP4 as used here 7. */
const version = 7;
const lineEnd = "\n";
/** Sound in the order of how many players decode it: the first variant is what they start with. */
const audioOrder = ["aac", "mp3", "opus", "flac", "ac3", "eac3", "alac"];

interface Rates {
  readonly peak: number;
  readonly average: number;
}

const rates = new WeakMap<Track, Rates>();

/**
 * The multivariant playlist. Refers to `{trackId}/playlist.m3u8`, relative to itself. Sound of each codec is a group
 * with a variant of its own, so that a player leaves out what it cannot decode.
 */
export function hlsMultivariantPlaylist(movie: Movie): string {
  const video = videoTrack(movie);
  if (video === null) throw new RangeError("A movie without video has no playlist.");
  const audio = movie.tracks.filter((track) => track.kind === "audio");
  const codecs = audioOrder.filter((codec) => audio.some((track) => track.codec === codec));
  const names = uniqueNames(audio);
  const lines = ["#EXTM3U", `#EXT-X-VERSION:${version}`];
  if (startsAtKeyFrames(movie, video)) lines.push("#EXT-X-INDEPENDENT-SEGMENTS");
  for (const codec of codecs) {
    const group = audio.filter((track) => track.codec === codec);
    group.forEach((track, i) => {
      lines.push(audioRendition(track, names.get(track.id) ?? "", i === 0));
    });
  }
  for (const codec of codecs) {
    lines.push(
      ...variant(
        movie,
        video,
        audio.filter((track) => track.codec === codec),
      ),
    );
  }
  if (codecs.length === 0) lines.push(...variant(movie, video, []));
  return lines.join(lineEnd) + lineEnd;
}

/** The media playlist of a track. Refers to `init.mp4` and `{n}.m4s`, n from 1, relative to itself. A `RangeError` when there is no such track. */
export function hlsMediaPlaylist(movie: Movie, trackId: number): string {
  const track = requireTrack(movie, trackId);
  const times = segmentTimes(movie, track);
  const durations = Array.from({ length: times.length - 1 }, (_, i) => (times[i + 1] ?? 0) - (times[i] ?? 0));
  const lines = [
    "#EXTM3U",
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${targetDuration(durations)}`,
    "#EXT-X-MEDIA-SEQUENCE:1",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    ...(startsAtKeyFrames(movie, track) ? ["#EXT-X-INDEPENDENT-SEGMENTS"] : []),
    '#EXT-X-MAP:URI="init.mp4"',
    ...durations.flatMap((duration, i) => [`#EXTINF:${duration.toFixed(6)},`, `${i + 1}.m4s`]),
    "#EXT-X-ENDLIST",
  ];
  return lines.join(lineEnd) + lineEnd;
}

/** Each `EXTINF`, rounded, is at most the target (RFC 8216 section 4.3.3.1). */
const targetDuration = (durations: readonly number[]) => durations.reduce((max, d) => Math.max(max, Math.round(d)), 1);

function startsAtKeyFrames(movie: Movie, track: Track): boolean {
  const { samples } = track;
  return segmentStarts(movie, track)
    .subarray(0, -1)
    .every((sample) => samples.isSync(sample));
}

const groupOf = (track: AudioTrack) => `audio-${track.codec}`;

function audioRendition(track: AudioTrack, name: string, isDefault: boolean): string {
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

function variant(movie: Movie, video: VideoTrack, audio: readonly AudioTrack[]): string[] {
  const sound = audio.map((track) => ratesOf(movie, track));
  const picture = ratesOf(movie, video);
  const codecs = [...new Set([video, ...audio].map((track) => track.codecString))].filter((codec) => codec !== "");
  const turned = video.rotation % 180 !== 0;
  const first = audio[0];
  const attributes = [
    `BANDWIDTH=${picture.peak + Math.max(0, ...sound.map(({ peak }) => peak))}`,
    `AVERAGE-BANDWIDTH=${picture.average + Math.max(0, ...sound.map(({ average }) => average))}`,
    `CODECS="${codecs.join(",")}"`,
    `RESOLUTION=${turned ? video.height : video.width}x${turned ? video.width : video.height}`,
    ...(video.frameRate > 0 ? [`FRAME-RATE=${video.frameRate.toFixed(3)}`] : []),
    ...(first === undefined ? [] : [`AUDIO="${groupOf(first)}"`]),
  ];
  return [`#EXT-X-STREAM-INF:${attributes.join(",")}`, `${video.id}/playlist.m3u8`];
}

/** Bits a second that are sent, headers included: the peak over stretches of 0.5 to 1.5 target durations, and overall. */
function ratesOf(movie: Movie, track: Track): Rates {
  const known = rates.get(track);
  if (known !== undefined) return known;
  const times = segmentTimes(movie, track);
  const count = segmentCount(movie, track);
  const bits = Array.from({ length: count }, (_, i) => mediaSegmentBytes(movie, track, i + 1) * 8);
  const total = bits.reduce((sum, value) => sum + value, 0);
  const seconds = times[count] ?? 0;
  const average = seconds > 0 ? Math.ceil(total / seconds) : total;
  const found = { peak: Math.max(average, peakRate(times, bits)), average };
  rates.set(track, found);
  return found;
}

/** RFC 8216 section 4.1, "peak segment bit rate". */
function peakRate(times: Float64Array, bits: readonly number[]): number {
  const target = targetDuration(bits.map((_, i) => (times[i + 1] ?? 0) - (times[i] ?? 0)));
  let peak = 0;
  for (let first = 0; first < bits.length; first++) {
    let sum = 0;
    for (let last = first; last < bits.length; last++) {
      sum += bits[last] ?? 0;
      const seconds = (times[last + 1] ?? 0) - (times[first] ?? 0);
      if (seconds > 1.5 * target) break;
      if (seconds >= 0.5 * target) peak = Math.max(peak, Math.ceil(sum / seconds));
    }
  }
  return peak;
}

/** What each track is called: its name, else its language, else "Audio"; numbered where two would be the same. */
function uniqueNames(tracks: readonly AudioTrack[]): Map<number, string> {
  const names = new Map<number, string>();
  for (const track of tracks) {
    const plain = track.name ?? languageName(track.language) ?? "Audio";
    let name = plain;
    for (let n = 2; [...names.values()].includes(name); n++) name = `${plain} ${n}`;
    names.set(track.id, name);
  }
  return names;
}

function languageName(language: string | null): string | null {
  return language === null ? null : (new Intl.DisplayNames(["en"], { type: "language" }).of(language) ?? language);
}
