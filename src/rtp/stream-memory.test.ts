import { expect, test } from "bun:test";
import { until } from "../../test/support/until.ts";
import { BufferPool } from "./buffer-pool.ts";
import { type MemoryUser, StreamMemory } from "./stream-memory.ts";

/** Users that hold a part of a memory, behind for so long, until they are given up. */
function crowd(memory: StreamMemory, behind: readonly number[]) {
  const givenUp: number[] = [];
  for (const ms of behind) {
    memory.queued(100);
    const user: MemoryUser = {
      behindMs: () => ms,
      giveUp() {
        givenUp.push(ms);
        leave();
        memory.queued(-100);
      },
    };
    const leave = memory.join(user);
  }
  return givenUp;
}

test("past the bound those who are behind for longest go, as many as it takes", async () => {
  const memory = new StreamMemory(1_000);
  const givenUp = crowd(memory, [0, 900, 3_000, 0, 700, 5_000, 100, 0, 0, 0, 0, 0]);
  expect(memory.usedBytes).toBe(1_200);
  expect(memory.makeRoom()).toBe(false);
  await until(() => givenUp.length === 2);
  expect(givenUp).toEqual([5_000, 3_000]);
  expect(memory.isFull).toBe(false);
});

test("who keeps up is never given up, and who falls behind later is", async () => {
  const memory = new StreamMemory(100);
  const kept = crowd(memory, [0, 0, 400]);
  await Bun.sleep(50);
  expect(kept).toEqual([]);
  expect(crowd(memory, [600])).toEqual([]);
  await until(() => !kept.includes(0) && memory.usedBytes === 300);
  expect(memory.makeRoom()).toBe(false);
  memory.close();
});

test("what can be let go goes first, in the order it was told in", () => {
  const memory = new StreamMemory(100);
  const asked: string[] = [];
  memory.onPressure(() => {
    asked.push("first");
    memory.queued(-50);
  });
  memory.onPressure(() => asked.push("second"));
  memory.queued(150);
  expect(memory.makeRoom()).toBe(true);
  expect(asked).toEqual(["first"]);
  memory.close();
});

test("a group that nobody holds any more is given back, not one that was taken up again meanwhile", async () => {
  const pool = new BufferPool(2 ** 20);
  const memory = new StreamMemory(2 ** 20, pool);
  const group = () => {
    const none = { starts: new Uint32Array(1), rtpTimes: new Float64Array(0), dues: new Float64Array(0) };
    return { ...none, bytes: pool.take(100_000), count: 0, keys: new Uint8Array(0), endSeconds: 0 };
  };
  const [left, kept] = [group(), group()];
  for (const one of [left, kept]) {
    memory.hold(one);
    memory.hold(one);
    memory.release(one);
  }
  expect(memory.usedBytes).toBeGreaterThan(200_000);
  memory.release(left);
  memory.release(kept);
  expect([memory.usedBytes, pool.bytes]).toEqual([0, 0]);
  await Promise.resolve();
  memory.hold(kept);
  await until(() => pool.bytes > 0);
  const next = pool.take(100_000);
  expect(next.buffer).toBe(left.bytes.buffer);
  expect(pool.bytes).toBe(0);
});
