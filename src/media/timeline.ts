import { MediaError } from "./errors.ts";
import type { Edit } from "./mp4/edits.ts";
import { lowerBound, type SampleTable } from "./sample-table.ts";

/** A track with the edit that places it on the movie's clock. */
export interface TimedTrack {
  readonly id: number;
  readonly kind: "video" | "audio" | "text";
  readonly timescale: number;
  readonly movieTimescale: number;
  readonly edit: Edit;
  readonly samples: SampleTable;
  /** Ticks by which its clock starts after the first track's. */
  readonly lateTicks: number;
}

/** A track placed: which samples are sent, and when. */
export interface PlacedTrack extends TimedTrack {
  readonly mediaTime: number;
  readonly delay: number;
  readonly firstSample: number;
  readonly endSample: number;
  /** When its last sample ends. */
  readonly endSeconds: number;
}

/** Sound decoders need a packet or a few before the first one that is heard. */
const audioPreroll = 3;
/** A year: times beyond are damage, not video. */
const maxSeconds = 366 * 24 * 3600;
/** B-frames look back no further: the most pictures that H.264 and H.265 reorder. */
const maxReorder = 17;
/** Key frames or samples looked at to find the one before an edit, or at its end. */
const maxSearched = 1000;

/**
 * Places the tracks on one clock that starts at 0. An edit that starts between two key frames cannot be cut there:
 * what comes before is shown as well, and all tracks move later by that much, so they stay together.
 */
export function timeTracks(tracks: readonly TimedTrack[]): readonly PlacedTrack[] {
  const leadSeconds = Math.max(0, ...tracks.filter(({ kind }) => kind === "video").map(leadOf));
  const placed = fromZero(tracks.map((track) => placeTrack(track, leadSeconds)));
  const endSeconds = Math.max(0, ...placed.filter(isSeenOrHeard).map((track) => track.endSeconds));
  if (endSeconds > maxSeconds) {
    throw new MediaError("not-a-video", "The video is damaged: its clock is impossible", {
      box: "moov",
      expected: `at most ${maxSeconds} s`,
      got: endSeconds,
    });
  }
  return alignMediaTimes(placed.filter((track) => isSeenOrHeard(track) || track.endSeconds <= maxSeconds));
}

/** The same with nothing before the first picture or sound: all media times are later by what is there. */
function fromZero(tracks: readonly PlacedTrack[]): readonly PlacedTrack[] {
  const starts = tracks.filter((track) => isSeenOrHeard(track) && track.samples.count > 0).map(startOf);
  const earliest = Math.min(...starts);
  const seconds = Number.isFinite(earliest) ? Math.max(0, earliest) : 0;
  return tracks.map((track) => ({
    ...track,
    mediaTime: track.mediaTime + Math.round(seconds * track.timescale),
    endSeconds: Math.max(0, track.endSeconds - seconds),
  }));
}

/** When the first of its samples is presented, in seconds. */
function startOf({ samples, firstSample, endSample, mediaTime, delay, timescale }: PlacedTrack): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (let sample = firstSample; sample < Math.min(endSample, firstSample + maxReorder); sample++) {
    earliest = Math.min(earliest, samples.compositionTimeOf(sample));
  }
  return (earliest - mediaTime + delay) / timescale;
}

/**
 * Makes the picture's media time how long its first sample waits to be shown, and gives the others the same; delays make
 * up for it. VLC and GStreamer overlook `elst` in fragmented files: where all tracks begin equally late they are together
 * all the same. hls.js and Shaka take decode times for those of the playlist: so they are, wherever a segment starts.
 */
function alignMediaTimes(tracks: readonly PlacedTrack[]): readonly PlacedTrack[] {
  const video = tracks.find(({ kind, samples }) => kind === "video" && samples.count > 0);
  if (video === undefined) return tracks;
  const waiting = Math.max(video.mediaTime, video.samples.compositionOffsetOf(video.firstSample));
  const seconds = waiting / video.timescale;
  return tracks.map((track) => {
    const more = Math.max(0, Math.round(seconds * track.timescale) - track.mediaTime);
    return { ...track, mediaTime: track.mediaTime + more, delay: track.delay + more };
  });
}

const isSeenOrHeard = ({ kind }: TimedTrack) => kind !== "text";

function placeTrack(track: TimedTrack, leadSeconds: number): PlacedTrack {
  const { edit, samples, timescale, movieTimescale } = track;
  const lateTicks = Math.round((edit.delayMovieTicks * timescale) / movieTimescale) + track.lateTicks;
  const start = edit.mediaTime - Math.round(leadSeconds * timescale);
  const from = Math.max(0, start);
  const firstSample = firstSampleOf(track, from);
  const endSample = Math.max(endSampleOf(track), Math.min(firstSample + 1, samples.count));
  // What edits cut off at the front is taken off both clocks: players that overlook `elst` then are off by a frame only.
  const cutOff = Math.min(samples.decodeTimeOf(firstSample), from);
  const mediaTime = from - cutOff;
  const delay = lateTicks + (from - start) - cutOff;
  const end = endSample === 0 ? 0 : latestEnd(samples, endSample) - mediaTime + delay;
  return { ...track, mediaTime, delay, firstSample, endSample, endSeconds: Math.max(0, end / timescale) };
}

/** How long before the start of the edit its key frame is. */
function leadOf({ samples, edit, timescale }: TimedTrack): number {
  if (edit.mediaTime === 0 || samples.count === 0) return 0;
  const before = edit.mediaTime - samples.compositionTimeOf(keyFrameAt(samples, edit.mediaTime));
  return Math.max(0, before / timescale);
}

/** The last sync sample presented at or before `mediaTime`; 0 when there is none near. */
function keyFrameAt(samples: SampleTable, mediaTime: number): number {
  const { syncSamples } = samples.columns;
  // Decode times run ahead of the media time by the reordering, so look a little further.
  const near = Math.min(samples.sampleAtDecodeTime(mediaTime) + maxReorder, samples.count - 1);
  const index = syncSamples === null ? near : lowerBound(syncSamples, near + 1) - 1;
  for (let i = index; i > Math.max(0, index - maxSearched); i--) {
    const sample = syncSamples === null ? i : (syncSamples[i] ?? 0);
    if (samples.compositionTimeOf(sample) <= mediaTime) return sample;
  }
  // Before the first key frame nothing can be decoded, but whatever stands there is sent as it is.
  return 0;
}

function firstSampleOf({ kind, samples }: TimedTrack, mediaTime: number): number {
  if (kind === "video") return keyFrameAt(samples, mediaTime);
  const preroll = kind === "audio" ? audioPreroll : 0;
  return mediaTime <= 0 ? 0 : Math.max(0, samples.sampleAtDecodeTime(mediaTime) - preroll);
}

/** The end of the samples that the edit's duration reaches; one tick of the movie's clock is forgiven. */
function endSampleOf({ samples, edit, timescale, movieTimescale }: TimedTrack): number {
  if (edit.durationMovieTicks === null) return samples.count;
  const end = edit.mediaTime + ((edit.durationMovieTicks + 1) * timescale) / movieTimescale;
  let sample = Math.min(samples.count, samples.sampleAtDecodeTime(end) + 1 + maxReorder);
  const least = Math.max(0, sample - maxSearched);
  while (sample > least && samples.compositionTimeOf(sample - 1) >= end) sample--;
  return sample;
}

/** The latest presentation end, in ticks, of the samples before `endSample`. */
function latestEnd(samples: SampleTable, endSample: number): number {
  let latest = 0;
  for (let sample = Math.max(0, endSample - maxReorder); sample < endSample; sample++) {
    latest = Math.max(latest, samples.compositionTimeOf(sample) + samples.durationOf(sample));
  }
  return latest;
}
