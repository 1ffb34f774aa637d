import type { Box } from "./box.ts";

/** What a track's edit list says, as far as it can be packaged. */
export interface Edit {
  /** Ticks of the movie before the track starts (empty edits). */
  readonly delayMovieTicks: number;
  /** Media time that is presented first. */
  readonly mediaTime: number;
  /** Ticks of the movie that are presented; null: all. */
  readonly durationMovieTicks: number | null;
  /** True when there were several parts, which are ignored. */
  readonly ignored: boolean;
}

const maxEdits = 10_000;
const noEdit: Edit = { delayMovieTicks: 0, mediaTime: 0, durationMovieTicks: null, ignored: false };

interface Entry {
  readonly duration: number;
  readonly mediaTime: number;
  readonly rate: number;
}

function readEntries(elst: Box): Entry[] {
  const large = elst.version === 1;
  const count = elst.u32(4);
  const bytes = large ? 20 : 12;
  if (count > maxEdits) elst.fail("too many edits", { expected: maxEdits, got: count, code: "unsupported" });
  elst.need(8, count * bytes);
  return Array.from({ length: count }, (_, i) => {
    const at = 8 + i * bytes;
    return large
      ? { duration: elst.u64(at), mediaTime: elst.i64(at + 8), rate: elst.i16(at + 16) }
      : { duration: elst.u32(at), mediaTime: elst.i32(at + 4), rate: elst.i16(at + 8) };
  });
}

/**
 * Reads `edts` (ISO/IEC 14496-12 section 8.6.5): leading empty edits become a delay, one edit its media time. Edits
 * that follow each other in the media are one; any others are ignored and marked so.
 */
export function readEdit(edts: Box | null, movieTimescale: number, timescale: number): Edit {
  const elst = edts?.child("elst") ?? null;
  if (elst === null) return noEdit;
  const entries = readEntries(elst);
  const firstPart = entries.findIndex((entry) => entry.mediaTime >= 0);
  if (firstPart < 0) return noEdit;
  const delayMovieTicks = entries.slice(0, firstPart).reduce((sum, entry) => sum + entry.duration, 0);
  const parts = entries.slice(firstPart);
  const toMovie = (ticks: number) => (ticks * movieTimescale) / timescale;
  let duration = 0;
  let open = false;
  const start = parts[0]?.mediaTime ?? 0;
  for (const part of parts) {
    const follows = Math.abs(toMovie(part.mediaTime - start) - duration) <= 1;
    if (open || part.rate !== 1 || part.mediaTime < 0 || !follows) {
      return { ...noEdit, delayMovieTicks, ignored: true };
    }
    duration += part.duration;
    // A duration of 0 means "to the end", as fragmented files have it.
    open = part.duration === 0;
  }
  return { delayMovieTicks, mediaTime: start, durationMovieTicks: open ? null : duration, ignored: false };
}
