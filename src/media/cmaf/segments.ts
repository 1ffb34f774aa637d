import { MediaError } from "../errors.ts";
import { type Movie, type Track, type VideoTrack, videoTrack } from "../movie.ts";
import { lowerBound, type SampleTable } from "../sample-table.ts";

/** Segments are cut at the key frame nearest to this. */
export const targetSeconds = 4;
/** Sound that goes on after the picture is cut on when there is at least this much. */
export const minTailSeconds = 2;
/** The most pictures that H.264 and H.265 reorder, and one. */
export const maxReorder = 17;
/** Segments of one track: four days and a half of 4 s each. */
export const maxSegments = 100_000;

const cache = new WeakMap<Track, Uint32Array>();

/** First sample of each segment of a track, and the end at the end. A `MediaError` when there are too many. */
export function segmentStarts(movie: Movie, track: Track): Uint32Array {
  const known = track.segments?.starts ?? cache.get(track);
  if (known !== undefined) return known;
  return keepCuts(track, [...findCuts(movie, track)]);
}

/** Samples that segments start with, in no order, some perhaps twice: for those who cannot find them all at once. */
export function* findCuts(movie: Movie, track: Track): Generator<number> {
  const video = videoTrack(movie);
  yield track.firstSample;
  if (track.kind === "video") yield* videoCuts(track);
  else if (video === null) yield* tailCuts(track, 0);
  else yield* audioCuts(movie, track, video);
  yield* entryChanges(track);
}

/** Keeps all that `findCuts` found; returns the segments' starts. A `MediaError` when there are too many. */
export function keepCuts(track: Track, cuts: readonly number[]): Uint32Array {
  const starts = tidy(track, cuts);
  cache.set(track, starts);
  return starts;
}

/** When a sample is presented, in ticks of the track; its edits are applied. */
export function presentationTicks(track: Track, sample: number): number {
  return track.samples.compositionTimeOf(sample) - track.mediaTime + track.delay;
}

/** When each segment starts, and when the last one ends, in ticks of the track. */
function segmentTicks(movie: Movie, track: Track): Float64Array {
  const starts = segmentStarts(movie, track);
  const ticks = new Float64Array(starts.length);
  const last = starts.length - 1;
  // What comes before 0 is needed to decode and never presented; a clock that runs backwards is damage.
  for (let i = 0; i < last; i++) ticks[i] = Math.max(ticks[i - 1] ?? 0, presentationTicks(track, starts[i] ?? 0));
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
function endTicks(track: Track): number {
  let end = 0;
  // The last in decode order need not be the last one shown.
  for (let sample = Math.max(track.firstSample, track.endSample - maxReorder); sample < track.endSample; sample++) {
    end = Math.max(end, presentationTicks(track, sample) + track.samples.durationOf(sample));
  }
  return end;
}

/** Key frames nearest to 4 s after the one before. */
function* videoCuts(track: VideoTrack): Generator<number> {
  const { samples } = track;
  const target = targetSeconds * track.timescale;
  let last: KeyFrame = { sample: track.firstSample, time: presentationTicks(track, track.firstSample) };
  for (let count = 0; count <= maxSegments; count++) {
    const next = keyFrameNear(track, last, target);
    if (next === null) return;
    if (syncSampleFrom(samples, next.sample + 1) >= track.endSample) {
      yield* finalCut(track, last.time, next);
      return;
    }
    yield next.sample;
    last = next;
  }
}

interface KeyFrame {
  readonly sample: number;
  readonly time: number;
}

/** The key frame nearest to `target` ticks after `last`; null when there is none after it. Found without looking at each. */
function keyFrameNear(track: VideoTrack, last: KeyFrame, target: number): KeyFrame | null {
  const { samples, endSample } = track;
  const wanted = samples.sampleAtDecodeTime(samples.decodeTimeOf(last.sample) + target);
  const before = lastSyncSampleUpTo(samples, wanted);
  const after = syncSampleFrom(samples, Math.max(wanted, last.sample) + 1);
  const isBefore = before > last.sample && before < endSample;
  const isAfter = after > last.sample && after < endSample;
  const timeBefore = isBefore ? presentationTicks(track, before) : 0;
  const timeAfter = isAfter ? presentationTicks(track, after) : 0;
  const wantedTime = last.time + target;
  const isAfterNearer = Math.abs(timeAfter - wantedTime) < Math.abs(timeBefore - wantedTime);
  if (isAfter && (!isBefore || isAfterNearer)) return { sample: after, time: timeAfter };
  return isBefore ? { sample: before, time: timeBefore } : null;
}

function lastSyncSampleUpTo({ columns }: SampleTable, sample: number): number {
  const { syncSamples } = columns;
  return syncSamples === null ? sample : (syncSamples[lowerBound(syncSamples, sample + 1) - 1] ?? -1);
}

/** The first sync sample from `sample` on; infinity when there is none. */
function syncSampleFrom({ columns, count }: SampleTable, sample: number): number {
  const { syncSamples } = columns;
  const found = syncSamples === null ? sample : syncSamples[lowerBound(syncSamples, sample)];
  return found === undefined || found >= count ? Number.POSITIVE_INFINITY : found;
}

/** The last key frame starts a segment of its own only when one without it would be too long. */
function finalCut(track: VideoTrack, last: number, candidate: KeyFrame): number[] {
  const target = targetSeconds * track.timescale;
  const whole = endTicks(track) - last;
  return Math.abs(whole - target) <= Math.abs(candidate.time - last - target) ? [] : [candidate.sample];
}

/** The video's cuts, and every 4 s where there is no more picture. */
function* audioCuts(movie: Movie, track: Track, video: VideoTrack): Generator<number> {
  for (const sample of segmentStarts(movie, video).subarray(1, -1)) {
    yield sampleAt(track, presentationTicks(video, sample) / video.timescale);
  }
  yield* tailCuts(track, endTicks(video) / video.timescale);
}

/** A cut every 4 s from a time on; where samples are longer than that, at each of them. */
function* tailCuts(track: Track, fromSeconds: number): Generator<number> {
  const end = endTicks(track) / track.timescale;
  let [time, last] = [fromSeconds, -1];
  for (let count = 0; count <= maxSegments && end - time >= minTailSeconds; count++) {
    const sample = sampleAt(track, time);
    if (sample >= track.endSample || sample <= last) return;
    yield sample;
    last = sample;
    time = Math.max(time, presentationTicks(track, sample) / track.timescale) + targetSeconds;
  }
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
function* entryChanges({ samples }: Track): Generator<number> {
  const { chunkEntries } = samples.columns;
  let count = 0;
  for (let chunk = 1; chunk < chunkEntries.length && count <= maxSegments; chunk++) {
    if (chunkEntries[chunk] === chunkEntries[chunk - 1]) continue;
    count++;
    yield samples.chunkStart(chunk);
  }
}

function tidy(track: Track, cuts: readonly number[]): Uint32Array {
  const starts = Uint32Array.from(cuts).sort();
  let kept = 0;
  for (let i = 0; i < starts.length; i++) {
    const sample = starts[i] ?? 0;
    const isInside = sample >= track.firstSample && sample < track.endSample;
    if (isInside && (kept === 0 || sample !== starts[kept - 1])) starts[kept++] = sample;
  }
  if (kept > maxSegments) {
    const details = { expected: `at most ${maxSegments}`, got: "more" };
    throw new MediaError("unsupported", `Track ${track.id} has too many segments`, details);
  }
  const found = new Uint32Array(kept + 1);
  found.set(starts.subarray(0, kept));
  found[kept] = track.endSample;
  return found;
}
