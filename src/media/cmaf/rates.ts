import type { TrackInfo } from "../movie.ts";
import type { Presentation } from "../presentation.ts";

/** Bits a second. */
export interface Rates {
  readonly peak: number;
  readonly average: number;
}

const kept = new WeakMap<TrackInfo, Rates>();

/** Bits a second that a track's segments are sent with, headers included: the peak over a stretch, and overall. */
export function ratesOf(presentation: Presentation, track: TrackInfo): Rates {
  const known = kept.get(track);
  if (known !== undefined) return known;
  const bits = Array.from(presentation.segmentSizes(track.id), (bytes) => bytes * 8);
  const found = ratesOfParts(presentation.segmentTimes(track.id), bits);
  kept.set(track, found);
  return found;
}

/** The rates of parts that start at `times` (seconds; the end at the end) and have so many `bits`. */
export function ratesOfParts(times: Float64Array, bits: readonly number[]): Rates {
  const total = bits.reduce((sum, value) => sum + value, 0);
  const seconds = times[bits.length] ?? 0;
  const average = seconds > 0 ? Math.ceil(total / seconds) : total;
  return { peak: Math.max(average, peakRate(times, bits)), average };
}

/** Seconds from each time to the next. */
export function durationsOf(times: Float64Array): number[] {
  return Array.from({ length: Math.max(0, times.length - 1) }, (_, i) => (times[i + 1] ?? 0) - (times[i] ?? 0));
}

/**
 * No duration exceeds the target. RFC 8216 section 4.3.3.1 forgives half a second, GStreamer's older HLS element does
 * not. What the six digits of `EXTINF` do not show is no excess.
 */
export function targetDuration(durations: readonly number[]): number {
  return durations.reduce((max, duration) => Math.max(max, Math.ceil(duration - 5e-7)), 1);
}

/** Ends of stretches that are looked at for one start: more than real videos have. */
const maxEnds = 64;

/**
 * RFC 8216 section 4.1, "peak segment bit rate": over stretches of 0.5 to 1.5 target durations. Where more than
 * `maxEnds` stretches have the same start it is a little more than that, for the work must not grow with their square.
 */
function peakRate(times: Float64Array, bits: readonly number[]): number {
  const target = targetDuration(durationsOf(times));
  const sums = new Float64Array(bits.length + 1);
  for (let i = 0; i < bits.length; i++) sums[i + 1] = (sums[i] ?? 0) + (bits[i] ?? 0);
  const between = (values: Float64Array, from: number, to: number) => (values[to] ?? 0) - (values[from] ?? 0);
  let [peak, shortest, longest] = [0, 0, 0];
  for (let first = 0; first < bits.length; first++) {
    while (shortest <= bits.length && between(times, first, shortest) < 0.5 * target) shortest++;
    while (longest < bits.length && between(times, first, longest + 1) <= 1.5 * target) longest++;
    const step = Math.max(1, Math.ceil((longest - shortest + 1) / maxEnds));
    for (let end = shortest; end <= longest; end += step) {
      // No end of this step has more bits or fewer seconds.
      const most = between(sums, first, Math.min(longest, end + step - 1));
      peak = Math.max(peak, Math.ceil(most / Math.max(0.5 * target, between(times, first, end))));
    }
  }
  return peak;
}
