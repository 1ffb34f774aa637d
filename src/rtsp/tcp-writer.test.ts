import { expect, test } from "bun:test";
import { TcpWriter } from "./tcp-writer.ts";

/** A connection that takes as many bytes as it has room for. */
function open(room: number) {
  const state = { room, written: "", overflows: 0, sent: 0, queued: 0 };
  const socket = {
    write(bytes: Uint8Array) {
      const taken = Math.min(state.room, bytes.length);
      state.room -= taken;
      state.written += Buffer.from(bytes.subarray(0, taken)).toString("latin1");
      return taken;
    },
  };
  const overflow = () => void state.overflows++;
  const sent = (bytes: number) => {
    state.sent += bytes;
  };
  const queued = (bytes: number) => {
    state.queued += bytes;
  };
  return { state, writer: new TcpWriter(socket, { overflow, sent, queued }) };
}

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));

test("what is not taken waits in its order, and the memory it came in may be used again", () => {
  const { state, writer } = open(4);
  const reused = bytes("packet");
  writer.send(reused);
  reused.fill(0x2e);
  writer.answer(bytes("answer"));
  expect([state.written, writer.pendingBytes]).toEqual(["pack", 8]);
  state.room = 3;
  writer.flush();
  expect([state.written, writer.pendingBytes]).toEqual(["packeta", 5]);
  state.room = 100;
  writer.flush();
  expect([state.written, writer.pendingBytes, state.sent, state.queued]).toEqual(["packetanswer", 0, 12, 0]);
});

test("packets wait for the answer that tells of them", () => {
  const { state, writer } = open(1_000);
  writer.hold();
  writer.send(bytes("$1"));
  writer.send(bytes("$2"));
  expect([state.written, writer.pendingBytes]).toEqual(["", 4]);
  writer.answer(bytes("200 OK "));
  writer.release();
  expect([state.written, writer.pendingBytes]).toEqual(["200 OK $1$2", 0]);
});

test("whoever waits is told once, when little is left, and never from within its question", async () => {
  const { state, writer } = open(0);
  writer.send(new Uint8Array(100_000));
  let told = 0;
  writer.onDrain(() => void told++);
  state.room = 50_000;
  writer.flush();
  expect(told).toBe(0);
  state.room = 50_000;
  writer.flush();
  writer.flush();
  expect(told).toBe(1);
  writer.onDrain(() => void told++);
  expect(told).toBe(1);
  await Bun.sleep(0);
  expect(told).toBe(2);
});

test("more than a bound does not wait, and how long nothing was taken is known", async () => {
  const { state, writer } = open(0);
  expect(writer.stalledMs(performance.now() + 1_000)).toBe(0);
  writer.send(new Uint8Array(9 * 2 ** 20));
  expect(state.overflows).toBe(1);
  expect(writer.stalledMs(performance.now() + 1_000)).toBeGreaterThanOrEqual(1_000);
  writer.close();
  expect(writer.pendingBytes).toBe(0);
  writer.send(bytes("late"));
  expect([state.written, writer.pendingBytes]).toEqual(["", 0]);
});

test("answers that are not read wait up to a bound of their own, however much of a video waits with them", () => {
  const { state, writer } = open(0);
  writer.send(new Uint8Array(2 ** 20));
  for (let n = 0; n < 256; n++) writer.answer(new Uint8Array(1024));
  expect(state.overflows).toBe(0);
  writer.answer(bytes("one more"));
  expect(state.overflows).toBe(1);
  writer.close();
  expect(state.queued).toBe(0);
});

test("whoever takes a little now and then is behind all the same, until little waits", () => {
  const { state, writer } = open(0);
  writer.send(new Uint8Array(100_000));
  const now = performance.now();
  state.room = 1_000;
  writer.flush();
  expect(writer.behindMs(now + 5_000)).toBeGreaterThan(4_000);
  state.room = 90_000;
  writer.flush();
  expect(writer.behindMs(now + 5_000)).toBe(0);
});
