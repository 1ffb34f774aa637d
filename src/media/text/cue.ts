/** One subtitle: from when to when it is shown, on the clock that the movie starts at 0 of. */
export interface Cue {
  /** Whole milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** WebVTT cue text (W3C WebVTT section 4.2.2), with nothing in it but the standard tags; no empty line. */
  readonly text: string;
  /** WebVTT cue settings, or "". */
  readonly settings: string;
}

/** The cues that are shown at some moment between two times; one that goes on is in the next stretch as well. */
export function cuesBetween(cues: readonly Cue[], fromMs: number, toMs: number): Cue[] {
  return cues.filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs);
}
