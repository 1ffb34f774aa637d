/** Pictures a second: what comes out above is damage, and not told. */
const maxFrameRate = 10_000;

/** A frame rate as it is told, to three decimals; 0 where it is not known or is none that a video has. */
export function toldFrameRate(rate: number): number {
  return rate > 0 && rate <= maxFrameRate ? Math.round(rate * 1000) / 1000 : 0;
}
