import { warmUp } from "../media/warm-up.ts";

/** After the start: whoever waits for the listener comes first. */
const DELAY_MS = 60;

/** Code is compiled once in a process, however many services it starts. */
let isWarm = false;

/** Has the code that makes an index compiled before the first viewer waits for one. What it returns calls that off. */
export function warmUpSoon(): () => void {
  const timer = setTimeout(() => {
    if (isWarm) return;
    isWarm = true;
    void warmUp();
  }, DELAY_MS);
  timer.unref();
  return () => clearTimeout(timer);
}
