import { turn } from "../turn.ts";

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

const indexesAtOnce = 2 ** 16;

/** Does something for all indexes from `first` to `count`, with turns for the event loop every few milliseconds. */
export async function forEachIndex(count: number, use: (index: number) => void, first = 0): Promise<void> {
  for (let from = first; from < count; from += indexesAtOnce) {
    for (let i = from; i < Math.min(count, from + indexesAtOnce); i++) use(i);
    await turn();
  }
}

/** `a[i] - b[i]`. */
export async function differences(a: Float64Array, b: Float64Array): Promise<Float64Array> {
  const found = new Float64Array(a.length);
  await forEachIndex(a.length, (i) => {
    found[i] = (a[i] ?? 0) - (b[i] ?? 0);
  });
  return found;
}

/** How far each value is from the one before; 0 for the first. */
export async function steps(values: Float64Array): Promise<Float64Array> {
  const found = await differences(values.subarray(1), values);
  const shifted = new Float64Array(values.length);
  shifted.set(found, 1);
  return shifted;
}

/** Whether all values are multiples of `unit`. */
export async function areMultiples(values: Float64Array, unit: number): Promise<boolean> {
  let rest = 0;
  await forEachIndex(values.length, (i) => {
    rest += (values[i] ?? 0) % unit;
  });
  return rest === 0;
}

/** Divides all values, in place. */
export async function divide(values: Float64Array, unit: number): Promise<Float64Array> {
  await forEachIndex(values.length, (i) => {
    values[i] = (values[i] ?? 0) / unit;
  });
  return values;
}
