import type { Track } from "../movie.ts";
import { maxReorder, presentationTicks } from "./segments.ts";
import { silentPacket } from "./silence.ts";

/** Packets of silence before a track's own. */
export interface Silence {
  readonly count: number;
  readonly packet: Uint8Array;
  /** How long each is, in ticks. */
  readonly ticks: number;
  /** How long the first one is: it takes what is left over, so that they begin at 0. */
  readonly firstTicks: number;
}

/** What the first segment of a track that starts late begins with, so that it starts at 0 like the others. */
export interface Lead {
  /** Ticks by which it starts earlier. */
  readonly ticks: number;
  /** What sound begins with; null for pictures, whose first one is shown from 0 on. */
  readonly silence: Silence | null;
}

/** Less is rounding. */
const minLeadSeconds = 0.001;
/** Later tracks start when they start: what is made up here must not grow with what a file claims. */
const maxLeadSeconds = 60;

/**
 * The lead of the segment that starts with `sample`, a track's first one; null where none is needed or can be made.
 * Media Source plays only where all tracks have something, so players wait there, or jump to where the last one starts.
 */
export function leadOf(track: Track, sample: number): Lead | null {
  const ticks = presentationTicks(track, sample);
  const seconds = ticks / track.timescale;
  if (seconds < minLeadSeconds || seconds > maxLeadSeconds) return null;
  if (ticks > track.samples.decodeTimeOf(sample) + track.delay) return null;
  if (track.kind === "video") return isShownFirst(track, sample) ? { ticks, silence: null } : null;
  const silent = silentPacket(track);
  const count = silent === null ? 0 : Math.floor(ticks / silent.ticks);
  if (silent === null || count === 0) return null;
  const each = Math.floor(silent.ticks);
  const silence = { count, packet: silent.bytes, ticks: each, firstTicks: ticks - (count - 1) * each };
  return { ticks, silence };
}

function isShownFirst(track: Track, sample: number): boolean {
  const shown = presentationTicks(track, sample);
  for (let other = sample + 1; other < Math.min(track.endSample, sample + maxReorder); other++) {
    if (presentationTicks(track, other) < shown) return false;
  }
  return true;
}
