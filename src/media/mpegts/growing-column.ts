const firstCapacity = 64;

/** Numbers of which it is not known beforehand how many there are. */
export class GrowingColumn {
  #values = new Float64Array(0);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(Math.max(firstCapacity, this.length * 2));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** The value at an index that is there. */
  at(index: number): number {
    return this.#values[index] ?? Number.NaN;
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }

  /** All of them; a view. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.length);
  }
}

/** `a[i] - b[i]`. By index, here and below: callbacks take ten times as long before they are compiled. */
export function differences(a: Float64Array, b: Float64Array): Float64Array {
  const found = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) found[i] = (a[i] ?? 0) - (b[i] ?? 0);
  return found;
}

/** How far each value is from the one before; 0 for the first. */
export function steps(values: Float64Array): Float64Array {
  const found = new Float64Array(values.length);
  for (let i = 1; i < values.length; i++) found[i] = (values[i] ?? 0) - (values[i - 1] ?? 0);
  return found;
}

/** Whether all values are multiples of `unit`. */
export function areMultiples(values: Float64Array, unit: number): boolean {
  for (let i = 0; i < values.length; i++) if ((values[i] ?? 0) % unit !== 0) return false;
  return true;
}

/** Divides all values, in place. */
export function divide(values: Float64Array, unit: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / unit;
  return values;
}

/** Lets the event loop have its turn: what is done for each sample of a long video takes a few milliseconds. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
