import { turn } from "./turn.ts";

/** Work in pieces, each a few milliseconds long. */
export type Work<T> = Generator<void, T>;

export function atOnce<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** With turns for others. */
export async function inTurns<T>(work: Work<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await turn();
  }
}

const indexesAtOnce = 2 ** 16;

/** Does something for all indexes up to `count`. */
export function* eachIndex(count: number, use: (index: number) => void): Work<void> {
  for (let from = 0; from < count; from += indexesAtOnce) {
    for (let i = from; i < Math.min(count, from + indexesAtOnce); i++) use(i);
    if (from + indexesAtOnce < count) yield;
  }
}

/** The same numbers in ascending order. */
export function* ascending(values: Float64Array): Work<Float64Array> {
  const count = values.length;
  let from = values.slice();
  for (let at = 0; at < count; at += indexesAtOnce) {
    from.subarray(at, at + indexesAtOnce).sort();
    if (at + indexesAtOnce < count) yield;
  }
  let to = new Float64Array(count > indexesAtOnce ? count : 0);
  for (let width = indexesAtOnce; width < count; width *= 2) {
    for (let at = 0; at < count; at += width * 2) {
      yield* merge(from, to, at, Math.min(count, at + width), Math.min(count, at + width * 2));
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Puts two ascending runs of `from`, up to `middle` and up to `end`, into `to` as one. */
function* merge(from: Float64Array, to: Float64Array, start: number, middle: number, end: number): Work<void> {
  const areInOrder = middle === end || (from[middle - 1] ?? 0) <= (from[middle] ?? 0);
  if (areInOrder) {
    to.set(from.subarray(start, end), start);
    return;
  }
  let [left, right] = [start, middle];
  yield* eachIndex(end - start, (i) => {
    const isLeft = left < middle && (right >= end || (from[left] ?? 0) <= (from[right] ?? 0));
    to[start + i] = (isLeft ? from[left++] : from[right++]) ?? 0;
  });
}
