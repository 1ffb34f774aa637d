import type { Column } from "../sample-table.ts";

const startCapacity = 64;

/** A frame as its block tells of it. Times in ticks of the segment's `TimestampScale`. */
export interface Frame {
  /** When it is presented; for all but the first of a lace it may have a fraction. */
  readonly time: number;
  /** Where its bytes start in the original, without those that header stripping took away. */
  readonly offset: number;
  readonly size: number;
  /** Ticks; 0 when the block does not tell. */
  readonly duration: number;
  /** Ticks at its end that are not to be heard. */
  readonly padding: number;
  readonly isKey: boolean;
}

/** Frames of one track in the order of the file, 33 bytes each. */
export class FrameList {
  count = 0;
  /** Ticks at the start of the first frame that are not to be heard. */
  silentTicks = 0;
  times = new Float64Array(startCapacity);
  offsets = new Float64Array(startCapacity);
  durations = new Float64Array(startCapacity);
  paddings = new Float32Array(startCapacity);
  sizes = new Uint32Array(startCapacity);
  keys = new Uint8Array(startCapacity);

  push({ time, offset, size, duration, padding, isKey }: Frame): void {
    if (this.count === this.sizes.length) this.#grow();
    this.times[this.count] = time;
    this.offsets[this.count] = offset;
    this.durations[this.count] = duration;
    this.paddings[this.count] = padding;
    this.sizes[this.count] = size;
    this.keys[this.count] = Number(isKey);
    this.count++;
  }

  /** Adds a frame of another list. */
  append(list: FrameList, index: number): void {
    this.push(list.at(index));
  }

  at(index: number): Frame {
    return {
      time: this.times[index] ?? 0,
      offset: this.offsets[index] ?? 0,
      size: this.sizes[index] ?? 0,
      duration: this.durations[index] ?? 0,
      padding: this.paddings[index] ?? 0,
      isKey: this.keys[index] === 1,
    };
  }

  #grow(): void {
    const grown = <T extends Column | Float32Array>(array: T): T => {
      const larger = new (array.constructor as new (length: number) => T)(array.length * 2);
      larger.set(array);
      return larger;
    };
    this.times = grown(this.times);
    this.offsets = grown(this.offsets);
    this.durations = grown(this.durations);
    this.paddings = grown(this.paddings);
    this.sizes = grown(this.sizes);
    this.keys = grown(this.keys);
  }
}

/** Bytes that each frame takes in memory. */
export const frameBytes = 33;
