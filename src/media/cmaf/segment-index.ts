import { MediaError } from "../errors.ts";
import type { Movie, SegmentIndex, Track } from "../movie.ts";
import { segmentBytes } from "./media-segment.ts";
import { findCuts, keepCuts, segmentStarts } from "./segments.ts";

/** Segments of all tracks of a movie: a day of 4 s with a picture and ten sounds has 240,000. */
const maxSegments = 400_000;
/** Samples of one segment: 4 hours of 60 pictures a second without a key frame, 16 MB of tables. */
const maxSamples = 1_000_000;
/** What finding and measuring a segment takes, beside its samples. */
const stepsPerSegment = 100;
const doneAtOnce = 2 ** 13;
const cutsAtOnce = 2 ** 10;

type Worked = (steps: number) => Promise<void>;

/** The movie with its segments worked out. `worked` counts the steps of it. A `MediaError` when there are too many. */
export async function indexSegments(movie: Movie, worked: Worked): Promise<Movie> {
  const tracks: Track[] = [];
  let segments = 0;
  for (const track of movie.tracks) {
    await cutInTurns(movie, track, worked);
    const index = emptyIndex(movie, track);
    segments += index.sizes.length;
    if (segments > maxSegments) refuse("The video has too many segments", maxSegments, segments);
    let steps = 0;
    for (let n = 1; n <= index.sizes.length; n++) {
      steps += stepsPerSegment + measure(movie, track, index, n);
      if (steps < doneAtOnce) continue;
      await worked(steps);
      steps = 0;
    }
    tracks.push({ ...track, segments: index });
  }
  return { ...movie, tracks };
}

const kept = new WeakMap<Track, SegmentIndex>();

/** The segments of a track whose index does not have them. */
export function segmentIndex(movie: Movie, track: Track): SegmentIndex {
  const known = kept.get(track);
  if (known !== undefined) return known;
  const index = emptyIndex(movie, track);
  for (let n = 1; n <= index.sizes.length; n++) measure(movie, track, index, n);
  kept.set(track, index);
  return index;
}

async function cutInTurns(movie: Movie, track: Track, worked: Worked): Promise<void> {
  const cuts: number[] = [];
  for (const cut of findCuts(movie, track)) {
    cuts.push(cut);
    if (cuts.length % cutsAtOnce === 0) await worked(cutsAtOnce * stepsPerSegment);
  }
  keepCuts(track, cuts);
}

function emptyIndex(movie: Movie, track: Track): SegmentIndex {
  const starts = segmentStarts(movie, track);
  return { starts, sizes: new Float64Array(starts.length - 1), keyFrames: new Float64Array(starts.length - 1) };
}

/** Fills in segment `n`; returns how many samples it has. */
function measure(movie: Movie, track: Track, { starts, sizes, keyFrames }: SegmentIndex, n: number): number {
  const samples = (starts[n] ?? 0) - (starts[n - 1] ?? 0);
  if (samples > maxSamples) refuse("A segment has too many samples", maxSamples, samples);
  const { whole, keyFrame } = segmentBytes(movie, track, n);
  sizes[n - 1] = whole;
  keyFrames[n - 1] = keyFrame;
  return samples;
}

function refuse(message: string, most: number, got: number): never {
  throw new MediaError("unsupported", message, { expected: `at most ${most}`, got });
}
