import { expect, test } from "bun:test";
import { BufferPool } from "./buffer-pool.ts";

test("what is given back is used again for what is about as long", () => {
  const pool = new BufferPool(2 ** 20);
  const first = pool.take(300_000);
  expect(first.length).toBe(300_000);
  expect(first.buffer.byteLength).toBeLessThan(1.25 * 300_000);
  pool.give(first.subarray(0, 10));
  expect(pool.bytes).toBe(first.buffer.byteLength);
  const second = pool.take(310_000);
  expect(second.buffer).toBe(first.buffer);
  expect(second.length).toBe(310_000);
  expect(pool.take(300_000).buffer).not.toBe(first.buffer);
});

test("arrays of others, and one that is given twice, are nobody's to have again", () => {
  const pool = new BufferPool(2 ** 20);
  pool.give(new Uint8Array(65_536));
  expect(pool.bytes).toBe(0);
  const one = pool.take(65_536);
  pool.give(one);
  pool.give(one);
  const [a, b] = [pool.take(65_536), pool.take(65_536)];
  expect(a.buffer).not.toBe(b.buffer);
});

test("no more is kept than the limit, small and huge ones not at all", () => {
  const pool = new BufferPool(200_000);
  const all = Array.from({ length: 10 }, () => pool.take(65_536));
  const other = pool.take(20_000);
  pool.give(other);
  for (const bytes of all) pool.give(bytes);
  expect(pool.bytes).toBeLessThanOrEqual(200_000);
  // Of the size there is most of one goes first.
  expect(pool.take(20_000).buffer).toBe(other.buffer);
  const before = pool.bytes;
  pool.give(pool.take(100));
  pool.give(pool.take(64 * 2 ** 20));
  expect(pool.bytes).toBe(before);
  pool.clear();
  expect(pool.bytes).toBe(0);
});
