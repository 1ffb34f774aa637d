import type { ByteSource } from "./byte-source.ts";
import type { SegmentPlan } from "./segment-plan.ts";

/** The original with `moov` before `mdat`; null when it is already so, or is no MP4 or MOV. */
export async function faststartPlan(_source: ByteSource): Promise<SegmentPlan | null> {
  throw new Error("Not written yet");
}
