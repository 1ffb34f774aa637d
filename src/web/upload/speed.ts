/** How many milliseconds of the past count for the speed. */
const WINDOW_MS = 5_000;
/** A silence of more is a pause, not slowness. */
const LONGEST_SILENCE_MS = 3_000;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Estimates speed over the last seconds, so that one stall or burst does not make the time left jump. */
export class Speed {
  #samples: Sample[] = [];

  /** Adds how many bytes are through at a time; times must not go back. After a long silence it measures anew. */
  add(sample: Sample): void {
    const last = this.#samples.at(-1);
    if (last && (sample.atMs - last.atMs > LONGEST_SILENCE_MS || sample.bytes < last.bytes)) this.reset();
    this.#samples.push(sample);
    const oldest = sample.atMs - WINDOW_MS;
    // One sample older than the window stays: the window's beginning.
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? 0) <= oldest) this.#samples.shift();
  }

  /** Null until there is something to measure. */
  get bytesPerSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.atMs - first.atMs < 200) return null;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }

  /** Forgets all, after a pause. */
  reset(): void {
    this.#samples = [];
  }
}
