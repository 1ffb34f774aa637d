import type { ByteSource } from "../byte-source.ts";
import { keptFor } from "../kept.ts";
import type { Presentation } from "../presentation.ts";
import type { SegmentPlan } from "../segment-plan.ts";
import { initSegment } from "./init-segment.ts";
import { fragmentPlan, fromZero } from "./media-segment.ts";

/** Key frames that are compared. */
const CANDIDATES = 9;
/** Where they lie, as shares of the length: after the titles, before what should not be told. */
const [FIRST, LAST] = [0.08, 0.5];
/** Of larger ones a smaller one is preferred. */
const MANY_BYTES = 1_000_000;

/**
 * One picture of the video as an MP4 file of one sample, for whoever decodes it: a key frame of the original, at time 0.
 * Of a few that lie apart it is the one with most bytes, which is hardly ever black or blank. Null where there is none.
 * Throws a `MediaError` for a damaged original.
 */
export async function planStill(presentation: Presentation, source: ByteSource): Promise<SegmentPlan | null> {
  const video = presentation.tracks.find(({ kind }) => kind === "video");
  if (!video) return null;
  const n = keptFor(presentation, "still", () => stillSegment(presentation, video.id));
  const plan = n === 0 ? null : await pictureOf(presentation, source, video.id, n);
  if (!plan) return null;
  const { header, ranges, sizeBytes } = fromZero(plan);
  const init = initSegment(presentation, video.id);
  const joined = new Uint8Array(init.length + header.length);
  joined.set(init);
  joined.set(header, init.length);
  return { header: joined, ranges, sizeBytes: init.length + sizeBytes };
}

/** The key frame that segment `n` starts with, alone. */
async function pictureOf(
  presentation: Presentation,
  source: ByteSource,
  trackId: number,
  n: number,
): Promise<SegmentPlan | null> {
  if (!presentation.keyFrames(trackId).areRanges) return presentation.planKeyFrame(source, trackId, n);
  const samples = await presentation.segmentSamples(source, trackId, n);
  // As if it were not the first: nothing comes before it here.
  return samples && fragmentPlan({ ...samples, to: samples.from + 1 }, 2);
}

/** The segment, from 1, whose key frame it is; 0 where none has one. */
function stillSegment(presentation: Presentation, trackId: number): number {
  const { sizes } = presentation.keyFrames(trackId);
  const keys = Array.from(sizes, (_, i) => i + 1).filter((n) => sizeOf(n) > 0);
  const picked = Array.from({ length: CANDIDATES }, (_, i) => {
    const share = FIRST + ((LAST - FIRST) * i) / (CANDIDATES - 1);
    return keys[Math.floor(share * keys.length)] ?? 0;
  });
  const small = picked.filter((n) => sizeOf(n) <= MANY_BYTES);
  return (small.length > 0 ? small : picked).reduce((best, n) => (sizeOf(n) > sizeOf(best) ? n : best), picked[0] ?? 0);

  function sizeOf(n: number): number {
    return sizes[n - 1] ?? 0;
  }
}
