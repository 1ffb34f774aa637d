import { expect, test } from "bun:test";
import type { StopReason } from "./contract.ts";
import { type LiveStream, LiveStreams } from "./live-streams.ts";

function recorder() {
  const calls: string[] = [];
  const stream: LiveStream = {
    pause: () => void calls.push("pause"),
    resume: () => void calls.push("resume"),
    close: (reason: StopReason) => void calls.push(`close ${reason}`),
  };
  return { calls, stream };
}

test("what plays under a grant is paused, resumed and closed by the grant's id, nothing else", () => {
  const streams = new LiveStreams();
  const [one, two, other] = [recorder(), recorder(), recorder()];
  streams.register("a", one.stream);
  streams.register("a", two.stream);
  streams.register("b", other.stream);
  expect([streams.count("a"), streams.count()]).toEqual([2, 3]);
  streams.pause("a");
  streams.resume("a");
  streams.close("a", "expired");
  streams.close("a", "expired");
  for (const { calls } of [one, two]) expect(calls).toEqual(["pause", "resume", "close expired"]);
  expect(other.calls).toEqual([]);
  expect([streams.count("a"), streams.count()]).toEqual([0, 1]);
});

test("a stream that begins under a paused grant is paused at once", () => {
  const streams = new LiveStreams();
  const { calls, stream } = recorder();
  streams.pause("a");
  streams.register("a", stream);
  expect(calls).toEqual(["pause"]);
});

test("its end is told while it is registered, and a released stream hears of nothing", () => {
  const streams = new LiveStreams();
  const ended: string[] = [];
  streams.onEnded = (grantId) => void ended.push(grantId);
  const { calls, stream } = recorder();
  const registration = streams.register("a", stream);
  registration.ended();
  registration.release();
  registration.release();
  registration.ended();
  streams.pause("a");
  streams.close("a", "stopped");
  expect([ended, calls, streams.count()]).toEqual([["a"], [], 0]);
});
