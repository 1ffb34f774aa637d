import { type Movie, type Track, type VideoTrack, videoTrack } from "../movie.ts";
import { lowerBound, valueAt } from "../sample-table.ts";

/** Segments are cut at the key frame nearest to this. */
const targetSeconds = 4;
/** Sound that goes on after the picture is cut on when there is at least this much. */
const minTailSeconds = 2;

const cache = new WeakMap<Track, Uint32Array>();

/** First sample of each segment of a track, and the end at the end. */
export function segmentStarts(movie: Movie, track: Track): Uint32Array {
  const known = cache.get(track);
  if (known !== undefined) return known;
  const video = videoTrack(movie);
  const cuts =
    track.kind === "video" ? videoCuts(track) : video === null ? tailCuts(track, 0) : audioCuts(movie, track, video);
  const starts = tidy(track, [track.firstSample, ...cuts, ...entryChanges(track)]);
  cache.set(track, starts);
  return starts;
}

/** How many segments a track has. */
export function segmentCount(movie: Movie, track: Track): number {
  return segmentStarts(movie, track).length - 1;
}

/** When a sample is presented, in ticks of the track; its edits are applied. */
export function presentationTicks(track: Track, sample: number): number {
  return track.samples.compositionTimeOf(sample) - track.mediaTime + track.delay;
}

/** When each segment starts, and when the last one ends, in ticks of the track. */
export function segmentTicks(movie: Movie, track: Track): Float64Array {
  const starts = segmentStarts(movie, track);
  const ticks = new Float64Array(starts.length);
  const last = starts.length - 1;
  // What comes before 0 is needed to decode and never presented.
  for (let i = 0; i < last; i++) ticks[i] = Math.max(0, presentationTicks(track, starts[i] ?? 0));
  if (last > 0) ticks[last] = Math.max(ticks[last - 1] ?? 0, endTicks(track));
  return ticks;
}

/** The same in seconds; the first segment takes in what is silent before it. */
export function segmentTimes(movie: Movie, track: Track): Float64Array {
  const times = segmentTicks(movie, track).map((ticks) => ticks / track.timescale);
  times[0] = 0;
  return times;
}

/** Whether every segment can be decoded without the one before. */
export function startsAtKeyFrames(movie: Movie, track: Track): boolean {
  const starts = segmentStarts(movie, track).subarray(0, -1);
  return starts.every((sample) => track.samples.isSync(sample));
}

/** When the track's last picture or packet ends, in ticks. */
export function endTicks(track: Track): number {
  let end = 0;
  // The last in decode order need not be the last one shown.
  for (let sample = Math.max(track.firstSample, track.endSample - 17); sample < track.endSample; sample++) {
    end = Math.max(end, presentationTicks(track, sample) + track.samples.durationOf(sample));
  }
  return end;
}

/** Key frames nearest to 4 s after the one before. */
function videoCuts(track: VideoTrack): number[] {
  const { syncSamples } = track.samples.columns;
  const target = targetSeconds * track.timescale;
  const syncAt = (index: number) => (syncSamples === null ? index : (syncSamples[index] ?? track.endSample));
  const cuts: number[] = [];
  let last = presentationTicks(track, track.firstSample);
  let index = syncSamples === null ? track.firstSample + 1 : lowerBound(syncSamples, track.firstSample + 1);
  let candidate: { sample: number; time: number } | null = null;
  const count = syncSamples === null ? track.endSample : syncSamples.length;
  while (index < count && syncAt(index) < track.endSample) {
    const sample = syncAt(index);
    const time = presentationTicks(track, sample);
    if (candidate !== null && Math.abs(time - last - target) >= Math.abs(candidate.time - last - target)) {
      cuts.push(candidate.sample);
      last = candidate.time;
      candidate = null;
    } else {
      candidate = { sample, time };
      index++;
    }
  }
  if (candidate !== null) cuts.push(...finalCut(track, last, candidate));
  return cuts;
}

/** The last key frame starts a segment of its own only when one without it would be too long. */
function finalCut(track: VideoTrack, last: number, candidate: { sample: number; time: number }): number[] {
  const target = targetSeconds * track.timescale;
  const whole = endTicks(track) - last;
  return Math.abs(whole - target) <= Math.abs(candidate.time - last - target) ? [] : [candidate.sample];
}

/** The video's cuts, and every 4 s where there is no more picture. */
function audioCuts(movie: Movie, track: Track, video: VideoTrack): number[] {
  const cuts: number[] = [];
  for (const sample of segmentStarts(movie, video).subarray(1, -1)) {
    cuts.push(sampleAt(track, presentationTicks(video, sample) / video.timescale));
  }
  return [...cuts, ...tailCuts(track, endTicks(video) / video.timescale)];
}

/** A cut every 4 s from a time on; where samples are longer than that, at each of them. */
function tailCuts(track: Track, fromSeconds: number): number[] {
  const cuts: number[] = [];
  const end = endTicks(track) / track.timescale;
  let time = fromSeconds;
  while (end - time >= minTailSeconds) {
    const sample = sampleAt(track, time);
    if (sample >= track.endSample || sample <= (cuts.at(-1) ?? -1)) break;
    cuts.push(sample);
    time = Math.max(time, presentationTicks(track, sample) / track.timescale) + targetSeconds;
  }
  return cuts;
}

/** The first sample of sound at or after a time. */
function sampleAt(track: Track, seconds: number): number {
  const { samples } = track;
  const ticks = seconds * track.timescale + track.mediaTime - track.delay;
  const sample = samples.sampleAtDecodeTime(ticks);
  // Half a tick: both clocks are rounded.
  return samples.decodeTimeOf(sample) + 0.5 < ticks ? sample + 1 : sample;
}

/** Where another sample entry begins: one segment has one. */
function entryChanges({ samples }: Track): number[] {
  const { chunkEntries, chunkStarts } = samples.columns;
  const changes: number[] = [];
  for (let chunk = 1; chunk < chunkEntries.length; chunk++) {
    if (chunkEntries[chunk] !== chunkEntries[chunk - 1]) changes.push(valueAt(chunkStarts, chunk));
  }
  return changes;
}

function tidy(track: Track, cuts: readonly number[]): Uint32Array {
  const inside = cuts.filter((sample) => sample >= track.firstSample && sample < track.endSample);
  return Uint32Array.from([...new Set(inside)].sort((a, b) => a - b).concat(track.endSample));
}
