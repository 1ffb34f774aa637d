import { expect, test } from "bun:test";
import { Speed } from "./speed.ts";

test("there is no speed before there is something to measure", () => {
  const speed = new Speed();
  expect(speed.bytesPerSecond).toBeNull();
  speed.add({ atMs: 0, bytes: 0 });
  speed.add({ atMs: 100, bytes: 50 });
  expect(speed.bytesPerSecond).toBeNull();
});

test("the speed is that of the last five seconds", () => {
  const speed = new Speed();
  for (let second = 0; second <= 10; second++) speed.add({ atMs: second * 1000, bytes: second * 100 });
  expect(speed.bytesPerSecond).toBe(100);
  for (let second = 11; second <= 20; second++) speed.add({ atMs: second * 1000, bytes: 1000 + (second - 10) * 300 });
  expect(speed.bytesPerSecond).toBe(300);
});

test("after a pause the measuring begins anew", () => {
  const speed = new Speed();
  speed.add({ atMs: 0, bytes: 0 });
  speed.add({ atMs: 1000, bytes: 1000 });
  speed.reset();
  speed.add({ atMs: 60_000, bytes: 1000 });
  expect(speed.bytesPerSecond).toBeNull();
  speed.add({ atMs: 61_000, bytes: 3000 });
  expect(speed.bytesPerSecond).toBe(2000);
});

test("a silence is no slowness: the measuring begins anew after it", () => {
  const speed = new Speed();
  speed.add({ atMs: 0, bytes: 0 });
  speed.add({ atMs: 1000, bytes: 1000 });
  speed.add({ atMs: 9000, bytes: 1000 });
  expect(speed.bytesPerSecond).toBeNull();
  speed.add({ atMs: 10_000, bytes: 2000 });
  expect(speed.bytesPerSecond).toBe(1000);
});
