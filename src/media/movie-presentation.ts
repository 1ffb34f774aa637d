import type { ByteSource } from "./byte-source.ts";
import { mediaSegment, segmentSamples } from "./cmaf/media-segment.ts";
import { segmentIndex } from "./cmaf/segment-index.ts";
import { segmentTimes, startsAtKeyFrames } from "./cmaf/segments.ts";
import { keptFor } from "./kept.ts";
import { type BlockText, cuesAt } from "./matroska/text-blocks.ts";
import {
  type LeftOutTrack,
  type MediaDescription,
  type Movie,
  requireTrack,
  type SegmentIndex,
  type TextTrack,
  type Track,
} from "./movie.ts";
import type { KeyFrames, Presentation } from "./presentation.ts";
import type { SampleRange } from "./sample-range.ts";
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
  readonly texts: readonly (Stored<TextTrack> | BlockText)[];
  readonly leftOut: readonly LeftOutTrack[];
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

  get leftOut(): readonly LeftOutTrack[] {
    return this.movie.leftOut;
  }

  segmentTimes(trackId: number): Float64Array {
    return keptFor(this, `times ${trackId}`, () => segmentTimes(this.movie, requireTrack(this.movie, trackId)));
  }

  segmentSizes(trackId: number): Float64Array {
    return segmentsOf(this.movie, trackId).sizes;
  }

  keyFrames(trackId: number): KeyFrames {
    return { sizes: segmentsOf(this.movie, trackId).keyFrames, areRanges: true };
  }

  async planKeyFrame(): Promise<null> {
    return null;
  }

  startsAtKeyFrames(trackId: number): boolean {
    return keptFor(this, `starts ${trackId}`, () => startsAtKeyFrames(this.movie, requireTrack(this.movie, trackId)));
  }

  async plan(_source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null> {
    return mediaSegment(this.movie, trackId, n);
  }

  async segmentSamples(_source: ByteSource, trackId: number, n: number): Promise<SampleRange | null> {
    return segmentSamples(this.movie, trackId, n);
  }

  get texts(): Movie["texts"] {
    return this.movie.texts;
  }

  async cues(source: ByteSource, textId: number, fromMs: number, toMs: number): Promise<Cue[]> {
    const track = this.movie.texts.find(({ id }) => id === textId);
    if (track === undefined) throw new RangeError(`There are no subtitles ${textId}.`);
    return "places" in track ? cuesAt(source, track, fromMs, toMs) : cuesOfTrack(source, track, fromMs, toMs);
  }

  stored(): StoredMovie {
    const { tracks, texts, ...rest } = this.movie;
    return {
      ...rest,
      tracks: tracks.map(storedTrack),
      texts: texts.map((text) => ("places" in text ? text : storedTrack(text))),
    };
  }

  /** Back from what `stored` gave. */
  static load({ tracks, texts, ...rest }: StoredMovie): MoviePresentation {
    return new MoviePresentation({
      ...rest,
      tracks: tracks.map((track) => loadedTrack<Track>(track)),
      texts: texts.map((text) => ("places" in text ? text : loadedTrack<TextTrack>(text))),
    });
  }
}

function segmentsOf(movie: Movie, trackId: number): SegmentIndex {
  const track = requireTrack(movie, trackId);
  return track.segments ?? segmentIndex(movie, track);
}

function storedTrack<T extends { readonly samples: SampleTable }>(track: T): Stored<T> {
  return { ...track, samples: track.samples.columns };
}

function loadedTrack<T extends { readonly samples: SampleTable }>(track: Stored<T>): T {
  return { ...track, samples: new SampleTable(track.samples) } as unknown as T;
}
