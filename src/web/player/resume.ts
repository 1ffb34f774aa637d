/** Seconds from the beginning that are not worth resuming at. */
const TOO_EARLY_SECONDS = 3;
/** The part of a video after which it counts as seen. */
const SEEN = 0.97;

/** Where to go on: null for from the beginning, when little was seen or all of it. */
export function resumePosition(positionSeconds: number, durationSeconds: number | null): number | null {
  if (positionSeconds < TOO_EARLY_SECONDS) return null;
  if (durationSeconds !== null && positionSeconds > durationSeconds * SEEN) return null;
  return positionSeconds;
}

/** What to remember: the position, or 0 when the video was seen to its end. */
export function positionToSave(positionSeconds: number, durationSeconds: number): number {
  return positionSeconds > durationSeconds * SEEN ? 0 : Math.round(positionSeconds * 1000) / 1000;
}
