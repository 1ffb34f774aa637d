/** How fast videos play, as times their own speed. */
export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

/** The next speed up (`step` 1) or down (-1); the last one stays. */
export function speedBeside(rate: number, step: 1 | -1): number {
  const beside = step > 0 ? speeds.find((speed) => speed > rate + 0.01) : speeds.findLast((s) => s < rate - 0.01);
  return beside ?? rate;
}

/** Sets the speed, also of what the element plays next. */
export function setSpeed(video: HTMLVideoElement, rate: number): void {
  video.defaultPlaybackRate = rate;
  video.playbackRate = rate;
}
