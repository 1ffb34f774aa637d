/** Time as controllers see it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs something once at a time (epoch milliseconds), at once when it has passed. The result calls it off. */
  at(timeMs: number, run: () => void): () => void;
}

/** `setTimeout` fires at once for more than this. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(timeMs, run) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const leftMs = timeMs - Date.now();
      timer = setTimeout(leftMs > 0 ? wait : run, Math.max(0, Math.min(leftMs, LONGEST_TIMEOUT_MS)));
    };
    wait();
    return () => clearTimeout(timer);
  },
};
