import { RtspError } from "./errors.ts";

const SLOWEST = 0.5;
const FASTEST_WITH_ALL_FRAMES = 2;
/** Above these only key frames are sent. */
const BY_KEY_FRAMES = [4, 8] as const;

/**
 * `Scale` of PLAY (RFC 2326 section 12.34): the nearest speed there is, which the answer tells. 1 for what would play
 * backwards. 400 for what is no number.
 */
export function parseScale(value: string): number {
  if (!/^[+-]?\d{1,6}(\.\d{0,6})?$/.test(value)) throw new RtspError(400, "a scale that is no number");
  const wanted = Number(value);
  if (wanted <= 0) return 1;
  if (wanted <= FASTEST_WITH_ALL_FRAMES) return Math.max(SLOWEST, wanted);
  const speeds = [FASTEST_WITH_ALL_FRAMES, ...BY_KEY_FRAMES];
  return speeds.reduce((best, speed) => (Math.abs(speed - wanted) < Math.abs(best - wanted) ? speed : best));
}
