import { afterEach, expect, test } from "bun:test";
import { until } from "../../test/support/until.ts";
import { StreamMemory } from "./stream-memory.ts";
import { UdpQueue } from "./udp-queue.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Channels 0 and 1 on lane `a`, 2 on lane `b`; a lane takes as many packets each time as it has room for. */
function open(memory = new StreamMemory(1 << 30)) {
  const room = { a: 0, b: 0 };
  const sent: string[] = [];
  const queue = new UdpQueue<"a" | "b", number>(memory, (lane, packets) => {
    const taken = packets.slice(0, room[lane]);
    sent.push(...taken.map(({ to, packet }) => `${lane}${to} ${packet[0]}`));
    return taken.length;
  });
  closers.push(() => queue.close());
  const wayOf = (channel: number) => (channel > 2 ? null : ({ lane: channel === 2 ? "b" : "a", to: channel } as const));
  return {
    room,
    sent,
    queue,
    send: (...packets: [channel: number, first: number][]) => queue.send(framesOf(packets), wayOf),
  };
}

/** Packets of 1,000 bytes that begin with a number, as a sink is given them. */
const framesOf = (packets: readonly [channel: number, first: number][]) =>
  new Uint8Array(packets.flatMap(([channel, first]) => [0x24, channel, 0x03, 0xe8, first, ...new Uint8Array(999)]));

test("what the system takes at once does not wait, and is put together by lane", () => {
  const { room, sent, queue, send } = open();
  Object.assign(room, { a: 9, b: 9 });
  send([0, 1], [2, 2], [1, 3], [7, 4]);
  expect(sent).toEqual(["a0 1", "a1 3", "b2 2"]);
  expect(queue.pendingBytes).toBe(0);
});

test("what it does not take waits in order, and whoever waits for that is told once", async () => {
  const memory = new StreamMemory(1 << 30);
  const { room, sent, queue, send } = open(memory);
  room.a = 1;
  const frames = framesOf([
    [0, 1],
    [1, 2],
    [2, 3],
    [0, 4],
  ]);
  queue.send(frames, (channel) => ({ lane: channel === 2 ? "b" : "a", to: channel }));
  // The bytes that were given are the sender's again.
  frames.fill(0);
  expect(sent).toEqual(["a0 1"]);
  send([0, 5]);
  expect([queue.pendingBytes, memory.usedBytes]).toEqual([4_000, 4_000]);
  let drained = 0;
  queue.onDrain(() => drained++);
  await until(() => sent.length === 4);
  // Lane b stands still, and does not hold up the other.
  expect([sent, drained]).toEqual([["a0 1", "a1 2", "a0 4", "a0 5"], 0]);
  room.b = 9;
  await until(() => drained === 1);
  expect(sent.at(-1)).toBe("b2 3");
  expect([queue.pendingBytes, memory.usedBytes]).toEqual([0, 0]);
});

test("beyond a bound packets are lost, and those of all streams beyond the memory there is", () => {
  const { queue, send } = open();
  for (let n = 0; n < 600; n++) send([0, n % 256]);
  expect(queue.pendingBytes).toBe(524_000);
  const full = open(new StreamMemory(2_500));
  for (let n = 0; n < 10; n++) full.send([0, n]);
  expect(full.queue.pendingBytes).toBe(3_000);
});

test("a queue that is closed sends nothing more and gives its memory back", async () => {
  const memory = new StreamMemory(1 << 30);
  const { room, sent, queue, send } = open(memory);
  send([0, 1]);
  queue.close();
  expect(memory.usedBytes).toBe(0);
  send([0, 2]);
  Object.assign(room, { a: 9, b: 9 });
  await Bun.sleep(20);
  expect([sent, memory.usedBytes]).toEqual([[], 0]);
});
