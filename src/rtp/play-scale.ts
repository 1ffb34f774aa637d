/** All pictures are sent between these. */
const least = 0.5;
const most = 2;
/** Of these speeds only key frames are sent. */
const keyFrameScales = [4, 8];

/** The nearest scale that is supported; 1 for what is no forward speed. */
export function supportedScale(wanted: number): number {
  if (!(wanted > 0)) return 1;
  if (wanted <= most) return Math.max(least, wanted);
  const choices = [most, ...keyFrameScales];
  return choices.reduce((best, scale) => (Math.abs(scale - wanted) < Math.abs(best - wanted) ? scale : best), most);
}

/** Whether only key frames are sent. */
export const isKeyFrameScale = (scale: number) => keyFrameScales.includes(scale);
