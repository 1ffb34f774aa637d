import type { Movie } from "../movie.ts";
import type { SegmentPlan } from "../segment-plan.ts";

/** Segment `n` (from 1) of a track; null when the movie has no such track or segment. */
export function mediaSegment(_movie: Movie, _trackId: number, _n: number): SegmentPlan | null {
  throw new Error("Not written yet");
}
