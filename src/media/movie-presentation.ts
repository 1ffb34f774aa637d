import type { ByteSource } from "./byte-source.ts";
import { mediaSegment, mediaSegmentBytes } from "./cmaf/media-segment.ts";
import { segmentCount, segmentTimes, startsAtKeyFrames } from "./cmaf/segments.ts";
import { type MediaDescription, type Movie, requireTrack, type Track } from "./movie.ts";
import type { Presentation } from "./presentation.ts";
import { type SampleColumns, SampleTable } from "./sample-table.ts";
import type { SegmentPlan } from "./segment-plan.ts";

type StoredTrack = Omit<Track, "samples"> & { readonly samples: SampleColumns };

interface StoredMovie {
  readonly description: MediaDescription;
  readonly timescale: number;
  readonly tracks: readonly StoredTrack[];
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

  startsAtKeyFrames(trackId: number): boolean {
    return startsAtKeyFrames(this.movie, requireTrack(this.movie, trackId));
  }

  async plan(_source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null> {
    return mediaSegment(this.movie, trackId, n);
  }

  stored(): StoredMovie {
    const { description, timescale, tracks } = this.movie;
    return { description, timescale, tracks: tracks.map((track) => ({ ...track, samples: track.samples.columns })) };
  }

  /** Back from what `stored` gave. */
  static load({ description, timescale, tracks }: StoredMovie): MoviePresentation {
    const loaded = tracks.map((track) => ({ ...track, samples: new SampleTable(track.samples) }) as Track);
    return new MoviePresentation({ description, timescale, tracks: loaded });
  }
}
