import { clockRate, clockWrap } from "./pes.ts";

/** A stream's clock that goes on by more than this, alone, has been set anew. */
const maxGap = 10 * clockRate;
/** One that goes back by more than this has been set anew. */
const maxBack = clockRate;
/** Clocks that streams may still follow: after a splice, what was sent late has times of the one before. */
const keptOffsets = 4;
/** A stream's next time after its clock was set anew is this much later, unless its pace is known. */
const defaultStep = clockRate / 25;

/** What the clock keeps of each stream. */
export interface StreamClock {
  last: number | null;
  step: number;
}

export const newStreamClock = (): StreamClock => ({ last: null, step: defaultStep });

/**
 * Makes times that only go on out of 33-bit clock values that wrap around, and that start anew where recordings were
 * put together. All streams of a program share it, so what was together stays together.
 */
export class ProgramClock {
  /** What is added to clock values, latest first; none before the first value. */
  readonly #offsets: number[] = [];
  /** The latest time of any stream. */
  #now: number | null = null;

  /** The time of a decoding time stamp of a stream, in ticks of 90 kHz, from those of the values before. */
  timeOf(value: number, stream: StreamClock): number {
    const time = this.#now === null ? this.#begin(value) : this.#follow(value, this.#now, stream);
    if (stream.last !== null && time > stream.last && time - stream.last < clockRate) stream.step = time - stream.last;
    stream.last = time;
    this.#now = Math.max(this.#now ?? time, time);
    return time;
  }

  #begin(value: number): number {
    this.#offsets.push(0);
    return value;
  }

  #follow(value: number, now: number, stream: StreamClock): number {
    const expected = stream.last ?? now;
    const times = this.#offsets.map((offset) => nearest(value + offset, expected));
    const fitting = times.filter((time) => stream.last === null || fits(time, stream.last, now));
    if (fitting.length === 0) return this.#startAnew(value, expected + stream.step);
    return fitting.reduce((best, time) => (Math.abs(time - expected) < Math.abs(best - expected) ? time : best));
  }

  #startAnew(value: number, time: number): number {
    this.#offsets.unshift(time - value);
    if (this.#offsets.length > keptOffsets) this.#offsets.pop();
    return time;
  }
}

/** Whether a stream may go on at a time: soon, or after a pause in which the others went on as well. */
const fits = (time: number, last: number, now: number) =>
  time > last - maxBack && (time < last + maxGap || Math.abs(time - now) < maxGap);

/** Of all the times that a clock value may stand for, the one nearest to another time. */
function nearest(time: number, other: number): number {
  return time + Math.round((other - time) / clockWrap) * clockWrap;
}

/** How much later one clock value is than another, at most half a turn of the clock either way. */
export function clockDistance(from: number, to: number): number {
  return nearest(to - from, 0);
}
