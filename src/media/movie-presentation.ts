import type { ByteSource } from "./byte-source.ts";
import { keyFrameBytes, mediaSegment, mediaSegmentBytes } from "./cmaf/media-segment.ts";
import { segmentCount, segmentTimes, startsAtKeyFrames } from "./cmaf/segments.ts";
import { type MediaDescription, type Movie, requireTrack, type TextTrack, type Track } from "./movie.ts";
import type { Presentation } from "./presentation.ts";
import { type SampleColumns, SampleTable } from "./sample-table.ts";
import type { SegmentPlan } from "./segment-plan.ts";
import type { Cue } from "./text/cue.ts";
import { cuesOfTrack } from "./text/text-samples.ts";

/** A track with the columns of its samples only. */
type Stored<T> = Omit<T, "samples"> & { readonly samples: SampleColumns };

interface StoredMovie {
  readonly description: MediaDescription;
  readonly timescale: number;
  readonly tracks: readonly Stored<Track>[];
  readonly texts: readonly Stored<TextTrack>[];
}

/** An original whose samples are all indexed: no plan reads anything. */
export class MoviePresentation implements Presentation {
  static readonly kind = "movie";
  readonly kind = MoviePresentation.kind;
  readonly movie: Movie;

  constructor(movie: Movie) {
    this.movie = movie;
  }

  get description(): MediaDescription {
    return this.movie.description;
  }

  get tracks(): readonly Track[] {
    return this.movie.tracks;
  }

  segmentTimes(trackId: number): Float64Array {
    return segmentTimes(this.movie, requireTrack(this.movie, trackId));
  }

  segmentSizes(trackId: number): Float64Array {
    const track = requireTrack(this.movie, trackId);
    const sizes = new Float64Array(segmentCount(this.movie, track));
    return sizes.map((_, i) => mediaSegmentBytes(this.movie, track, i + 1));
  }

  keyFrameSizes(trackId: number): Float64Array {
    const track = requireTrack(this.movie, trackId);
    const sizes = new Float64Array(segmentCount(this.movie, track));
    return sizes.map((_, i) => keyFrameBytes(this.movie, track, i + 1));
  }

  startsAtKeyFrames(trackId: number): boolean {
    return startsAtKeyFrames(this.movie, requireTrack(this.movie, trackId));
  }

  async plan(_source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null> {
    return mediaSegment(this.movie, trackId, n);
  }

  get texts(): readonly TextTrack[] {
    return this.movie.texts;
  }

  async cues(source: ByteSource, textId: number, fromMs: number, toMs: number): Promise<Cue[]> {
    const track = this.movie.texts.find(({ id }) => id === textId);
    if (track === undefined) throw new RangeError(`There are no subtitles ${textId}.`);
    return cuesOfTrack(source, track, fromMs, toMs);
  }

  stored(): StoredMovie {
    const { description, timescale, tracks, texts } = this.movie;
    return { description, timescale, tracks: tracks.map(storedTrack), texts: texts.map(storedTrack) };
  }

  /** Back from what `stored` gave. */
  static load({ description, timescale, tracks, texts }: StoredMovie): MoviePresentation {
    return new MoviePresentation({
      description,
      timescale,
      tracks: tracks.map((track) => loadedTrack<Track>(track)),
      texts: texts.map((track) => loadedTrack<TextTrack>(track)),
    });
  }
}

function storedTrack<T extends { readonly samples: SampleTable }>(track: T): Stored<T> {
  return { ...track, samples: track.samples.columns };
}

function loadedTrack<T extends { readonly samples: SampleTable }>(track: Stored<T>): T {
  return { ...track, samples: new SampleTable(track.samples) } as unknown as T;
}
