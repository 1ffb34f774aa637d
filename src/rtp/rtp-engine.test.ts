import { expect, test } from "bun:test";
import { depacketise } from "../../test/support/depacketise.ts";
import type { FixtureName } from "../../test/support/fixtures.ts";
import { HandClock, KeepingSink, type StagedOriginal, stagedOriginal } from "../../test/support/rtp-stage.ts";
import { RtpEngine } from "./rtp-engine.ts";
import type { PlayRequest, RtpStream, StreamEnd } from "./rtp-stream.ts";

interface Stage {
  readonly clock: HandClock;
  readonly engine: RtpEngine;
  readonly original: StagedOriginal;
  readonly sink: KeepingSink;
  readonly stream: RtpStream;
  readonly ends: StreamEnd[];
}

async function stage(name: FixtureName): Promise<Stage> {
  const clock = new HandClock();
  const engine = new RtpEngine({ clock });
  const original = await stagedOriginal(name);
  return { clock, engine, original, ...open({ clock, engine, original }) };
}

function open({ clock, engine, original }: Pick<Stage, "clock" | "engine" | "original">) {
  const sink = new KeepingSink(clock);
  const stream = engine.open({ original, tracks: original.tracks, sink });
  const ends: StreamEnd[] = [];
  stream.onEnd((end) => ends.push(end));
  return { sink, stream, ends };
}

const request = (request: Partial<PlayRequest> = {}): PlayRequest => ({
  ...{ startSeconds: 0, endSeconds: null, scale: 1 },
  ...request,
});

const [video, sound] = [0, 2];
/** Ticks from one timestamp to another, across the turnover. */
const ticks = (from: number, to: number) => (to - from) | 0;

/** The sender reports of a channel: what RFC 3550 section 6.4.1 has in the first packet of a compound. */
function reportsOf({ rtcp }: KeepingSink, channel: number) {
  return rtcp.flatMap((packet) => {
    if (packet.channel !== channel) return [];
    const view = new DataView(packet.bytes.buffer, packet.bytes.byteOffset, packet.bytes.byteLength);
    expect(view.getUint8(1)).toBe(200);
    const types: number[] = [];
    for (let at = 0; at < view.byteLength; at += (view.getUint16(at + 2) + 1) * 4) types.push(view.getUint8(at + 1));
    return [
      {
        ...{ types, ssrc: view.getUint32(4), rtpTime: view.getUint32(16) },
        ...{ ntpSeconds: view.getUint32(8) + view.getUint32(12) / 2 ** 32 },
        ...{ packets: view.getUint32(20), octets: view.getUint32(24) },
      },
    ];
  });
}

test("a whole video is sent at its own speed: nothing late, nothing more than a little early, then BYE", async () => {
  const { clock, engine, sink, stream, ends } = await stage("h264-aac.mp4");
  const info = await stream.play(request());
  expect(sink.calls).toBe(0);
  expect(info).toMatchObject({ startSeconds: 0, endSeconds: 10, scale: 1 });
  await clock.advance(10);
  const startMs = sink.packets[0]?.atMs ?? 0;
  await clock.advance(10_500);
  expect(ends.map(({ kind }) => kind)).toEqual(["ended"]);
  expect(engine.statistics.latePackets).toBe(0);
  expect(depacketise("h264", sink.of(video)).length).toBe(250);
  expect(depacketise("aac", sink.of(sound)).length).toBe(470);
  for (const [channel, clockRate] of [
    [video, 90_000],
    [sound, 48_000],
  ] as const) {
    const track = info.tracks[channel / 2];
    sink.of(channel).forEach((packet, i) => {
      expect(packet.seq).toBe(((track?.seq ?? 0) + i) & 0xffff);
      const media = ticks(track?.rtptime ?? 0, packet.timestamp) / clockRate;
      // Pictures may be shown up to 0.2 s after they are decoded; several frames of sound are in one packet.
      expect(media - (packet.atMs - startMs) / 1000).toBeLessThan(0.2 + 0.2);
      expect(media - (packet.atMs - startMs) / 1000).toBeGreaterThan(-0.15);
    });
  }
  expect(reportsOf(sink, 1).at(-1)?.types).toEqual([200, 202, 203]);
  expect(clock.isWanted).toBe(false);
});

test("sender reports place picture and sound on one clock, from the first packet on", async () => {
  const { clock, sink, stream } = await stage("h264-aac-60s.mp4");
  const info = await stream.play(request({ startSeconds: 21.3 }));
  await clock.advance(12_000);
  const [first, second] = [reportsOf(sink, 1), reportsOf(sink, 3)];
  // At once, when the start is shown, and after 5 and 10 s more.
  expect(first.length).toBe(4);
  expect(sink.rtcp[0]?.atMs).toBe(sink.packets[0]?.atMs ?? -1);
  for (const [i, report] of first.entries()) {
    const other = second[i];
    if (other === undefined) throw new Error("a report is missing");
    expect(other.ntpSeconds).toBe(report.ntpSeconds);
    const [videoTrack, soundTrack] = info.tracks;
    const shown = ticks(videoTrack?.rtptime ?? 0, report.rtpTime) / 90_000;
    const heard = ticks(soundTrack?.rtptime ?? 0, other.rtpTime) / 48_000;
    expect(Math.abs(shown - heard)).toBeLessThan(0.0001);
  }
  const sent = sink.of(video).filter(({ atMs }) => atMs < (sink.rtcp.at(-1)?.atMs ?? 0));
  expect(first.at(-1)?.packets).toBe(sent.length);
  expect(first.at(-1)?.octets).toBe(sent.reduce((sum, { payload }) => sum + payload.length, 0));
  expect(first[0]?.ssrc).toBe(stream.ssrcOf(info.tracks[0]?.trackId ?? 0));
});

test("a sender report of a moment that receivers have packets of comes at once, also after a seek", async () => {
  const { clock, sink, stream } = await stage("h264-aac-3.72s.mp4");
  for (const startSeconds of [0, 2.5]) {
    sink.rtcp.splice(0);
    const { tracks } = await stream.play(request({ startSeconds }));
    await clock.advance(400);
    for (const [index, track] of tracks.entries()) {
      const reports = reportsOf(sink, index * 2 + 1);
      expect(reports.some(({ rtpTime }) => ticks(track.rtptime, rtpTime) >= 0)).toBe(true);
    }
  }
});

test("a seek starts with the key frame at or before it, and timestamps go on", async () => {
  const { clock, sink, stream } = await stage("h264-aac-60s.mp4");
  await stream.play(request());
  await clock.advance(2000);
  const before = sink.packets.length;
  const info = await stream.play(request({ startSeconds: 33.3 }));
  expect(info.startSeconds).toBe(32);
  await clock.advance(1000);
  const after = sink.packets.slice(before);
  for (const { rtptime, seq, trackId } of info.tracks) {
    const channel = trackId === info.tracks[0]?.trackId ? video : sound;
    const [first] = after.filter((packet) => packet.channel === channel);
    expect(first?.seq).toBe(seq);
    const late = ticks(rtptime, first?.timestamp ?? 0) / (channel === video ? 90_000 : 48_000);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(channel === video ? 0.0001 : 0.1);
    const last = sink.packets.slice(0, before).findLast((packet) => packet.channel === channel);
    expect(ticks(last?.timestamp ?? 0, first?.timestamp ?? 0)).toBeGreaterThan(0);
    expect(first?.seq).toBe(((last?.seq ?? 0) + 1) & 0xffff);
  }
  const [picture] = depacketise("h264", after.filter(({ channel }) => channel === video).slice(0, 40));
  expect(picture?.units.map((unit) => (unit[0] ?? 0) & 0x1f)).toContain(5);
  expect(stream.positionSeconds).toBeCloseTo(32.9, 0);
});

test("after a seek no picture comes that is shown before the key frame, and refers to what was not sent", async () => {
  for (const name of ["h264-open-gop.mkv", "h264-open-gop.ts"] as const) {
    const { clock, sink, stream } = await stage(name);
    const info = await stream.play(request({ startSeconds: 4.4 }));
    expect(info.startSeconds).toBeGreaterThan(2);
    expect(info.startSeconds).toBeLessThanOrEqual(4.4);
    await clock.advance(400);
    const shown = sink.of(video).map(({ timestamp }) => ticks(info.tracks[0]?.rtptime ?? 0, timestamp));
    expect(shown[0]).toBe(0);
    expect(Math.min(...shown)).toBe(0);
    stream.close();
  }
});

test("after a pause it goes on with the very next packet", async () => {
  const { clock, sink, stream, ends } = await stage("h264-aac.mp4");
  await stream.play(request());
  await clock.advance(3000);
  const at = stream.pause();
  expect(at).toBeCloseTo(2.95, 1);
  const sent = sink.packets.length;
  await clock.advance(60_000);
  expect(sink.packets.length).toBe(sent);
  expect(clock.isWanted).toBe(false);
  const info = await stream.play(request({ startSeconds: null }));
  expect(info.startSeconds).toBe(at);
  await clock.advance(8000);
  expect(ends.length).toBe(1);
  expect(depacketise("h264", sink.of(video)).length).toBe(250);
  expect(depacketise("aac", sink.of(sound)).length).toBe(470);
});

test("at half and double speed every picture comes, without sound, its timestamps closer or farther apart", async () => {
  for (const scale of [0.5, 2]) {
    const { clock, sink, stream, ends } = await stage("h264-aac.mp4");
    const info = await stream.play(request({ scale }));
    expect(info).toMatchObject({ scale, tracks: [{ trackId: 1 }] });
    await clock.advance(10_000 / scale + 600);
    expect(ends.length).toBe(1);
    const pictures = depacketise("h264", sink.of(video));
    expect(pictures.length).toBe(250);
    expect(sink.of(sound)).toEqual([]);
    const times = pictures.map(({ timestamp }) => ticks(info.tracks[0]?.rtptime ?? 0, timestamp));
    expect(times.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 250 }, (_, i) => (i * 3600) / scale));
  }
});

test("at 4 and 8 times the speed only key frames come", async () => {
  const { clock, sink, stream, ends } = await stage("h264-aac-60s.mp4");
  const info = await stream.play(request({ scale: 8 }));
  await clock.advance(8000);
  expect(ends.length).toBe(1);
  const pictures = depacketise("h264", sink.of(video));
  expect(pictures.length).toBe(30);
  expect(pictures.every(({ units }) => units.some((unit) => ((unit[0] ?? 0) & 0x1f) === 5))).toBe(true);
  const last = pictures.at(-1)?.timestamp ?? 0;
  expect(ticks(info.tracks[0]?.rtptime ?? 0, last)).toBe((58 * 90_000) / 8);
});

test("other scales become the nearest one, and the answer tells", async () => {
  const { stream } = await stage("h264-aac.mp4");
  for (const [wanted, given] of [
    ...[
      [-1, 1],
      [0, 1],
      [Number.NaN, 1],
      [0.1, 0.5],
      [1.5, 1.5],
    ],
    ...[
      [2.9, 2],
      [3.5, 4],
      [7, 8],
      [100, 8],
    ],
  ] as const) {
    expect((await stream.play(request({ scale: wanted }))).scale).toBe(given);
  }
  stream.close();
});

test("a closed range stops where it ends", async () => {
  const { clock, sink, stream, ends } = await stage("h264-aac.mp4");
  const info = await stream.play(request({ startSeconds: 2, endSeconds: 4 }));
  expect(info).toMatchObject({ startSeconds: 2, endSeconds: 4 });
  await clock.advance(2100);
  expect(ends.length).toBe(1);
  // Up to 4 s in decode order; pictures are decoded two frames before they are shown.
  expect(depacketise("h264", sink.of(video)).length).toBe(52);
  await expect(stream.play(request({ startSeconds: 11 }))).rejects.toBeInstanceOf(RangeError);
  await expect(stream.play(request({ startSeconds: 4, endSeconds: 3 }))).rejects.toBeInstanceOf(RangeError);
  expect((await stream.play(request({ startSeconds: 5 }))).startSeconds).toBe(4);
});

test("a sink that is full is waited for, and what was missed does not come in a burst", async () => {
  const { clock, engine, sink, stream } = await stage("h264-aac.mp4");
  await stream.play(request());
  await clock.advance(1000);
  sink.pendingBytes = 2 * 2 ** 20;
  await clock.advance(100);
  const sent = sink.packets.length;
  await clock.advance(5000);
  expect(sink.packets.length).toBe(sent);
  sink.drain();
  await clock.advance(100);
  expect(sink.packets.length - sent).toBeLessThan(40);
  await clock.advance(10_000);
  expect(depacketise("h264", sink.of(video)).length).toBe(250);
  expect(engine.statistics.latePackets).toBe(0);
});

test("a sink that takes nothing for 10 s is given up; one that takes a little is not", async () => {
  const { clock, engine, sink, stream, ends } = await stage("h264-aac.mp4");
  await stream.play(request());
  await clock.advance(500);
  for (let i = 0; i < 4; i++) {
    sink.pendingBytes = 2 ** 21 - i;
    await clock.advance(6000);
  }
  expect(ends).toEqual([]);
  await clock.advance(5000);
  expect(ends).toEqual([{ kind: "too-slow", reason: "The client took nothing for 10 s." }]);
  expect(engine.statistics.streams).toBe(0);
  await expect(stream.play(request())).rejects.toThrow("closed");
});

test("streams that wait or are paused hold no packets, and go on with the very next one", async () => {
  const clock = new HandClock();
  const engine = new RtpEngine({ clock, cacheBytes: 1 });
  const original = await stagedOriginal("h264-aac-60s.mp4");
  const all = Array.from({ length: 20 }, () => open({ clock, engine, original }));
  for (const [n, { stream }] of all.entries()) await stream.play(request({ startSeconds: 2 * n }));
  await clock.advance(500);
  expect(engine.statistics.memoryBytes).toBeGreaterThan(100_000);
  for (const [n, { stream, sink }] of all.entries()) {
    if (n % 2 === 0) stream.pause();
    else sink.pendingBytes = 300_000;
  }
  await clock.advance(2000);
  expect(engine.statistics.memoryBytes).toBe(0);
  for (const [n, { stream, sink }] of all.entries()) {
    if (n % 2 === 0) await stream.play(request({ startSeconds: null }));
    else sink.drain();
  }
  await clock.advance(5000);
  for (const { sink, ends } of all) {
    expect(ends).toEqual([]);
    const [first] = sink.of(video);
    sink.of(video).forEach(({ seq }, i) => {
      expect(seq).toBe(((first?.seq ?? 0) + i) & 0xffff);
    });
    expect((sink.packets.at(-1)?.atMs ?? 0) - (sink.packets[0]?.atMs ?? 0)).toBeGreaterThan(5000);
  }
  expect(engine.statistics.latePackets).toBe(0);
  for (const { stream } of all) stream.close();
  expect(engine.statistics.memoryBytes).toBe(0);
});

test("arrays that are used again have the packets of whoever has them: streams that overlap send the same", async () => {
  const clock = new HandClock();
  const engine = new RtpEngine({ clock, cacheBytes: 1 });
  const original = await stagedOriginal("h264-aac-heavy.mp4");
  const all = Array.from({ length: 4 }, () => open({ clock, engine, original }));
  for (const [n, { stream }] of all.entries()) await stream.play(request({ startSeconds: n }));
  await clock.advance(3000);
  for (const { stream } of all) stream.pause();
  await clock.advance(100);
  for (const { stream } of all) await stream.play(request({ startSeconds: null }));
  await clock.advance(3000);
  const sums = all.map(({ sink }) => sink.of(video).map(({ payload }) => Bun.hash.crc32(payload)));
  for (const [n, later] of sums.entries()) {
    const earlier = sums[Math.max(0, n - 1)] ?? [];
    const from = earlier.indexOf(later[0] ?? 0);
    expect(from).toBeGreaterThanOrEqual(0);
    const common = earlier.slice(from, from + later.length);
    expect(common.length).toBeGreaterThan(300);
    expect(later.slice(0, common.length)).toEqual(common);
  }
});

test("what is kept for others goes when those who play need the memory", async () => {
  const clock = new HandClock();
  const original = await stagedOriginal("h264-aac-60s.mp4");
  const engine = new RtpEngine({ clock, memoryBytes: 64 * 2 ** 20 });
  const all = Array.from({ length: 5 }, () => open({ clock, engine, original }));
  for (const [n, { stream }] of all.entries()) await stream.play(request({ startSeconds: 10 * n }));
  await clock.advance(5000);
  const { cachedBytes } = engine.statistics;
  expect(cachedBytes).toBeGreaterThan(0);
  engine.memory.queued(64 * 2 ** 20);
  expect(engine.memory.makeRoom()).toBe(false);
  expect(engine.statistics.cachedBytes).toBe(0);
  await clock.advance(1000);
  expect(engine.statistics.latePackets).toBe(0);
});

test("an original that cannot be read any more ends its stream", async () => {
  const { clock, original, sink, stream, ends } = await stage("h264-aac-60s.mp4");
  await stream.play(request());
  original.reads.fail = new Error("the disk is gone");
  await clock.advance(20_000);
  expect(ends).toMatchObject([{ kind: "failed", cause: original.reads.fail }]);
  expect(reportsOf(sink, 1).at(-1)?.types).toEqual([200, 202, 203]);
  expect(clock.isWanted).toBe(false);
});

test("a start that cannot be read is refused, and may be tried again", async () => {
  const { clock, original, sink, stream } = await stage("h264-aac.mp4");
  original.reads.fail = new Error("the disk is gone");
  await expect(stream.play(request())).rejects.toThrow("the disk is gone");
  await clock.advance(100);
  original.reads.fail = null;
  await stream.play(request());
  await clock.advance(500);
  expect(sink.packets.length).toBeGreaterThan(0);
});

test("streams of one title read it once between them, each with its own numbers", async () => {
  const { clock, engine, original, sink, stream } = await stage("h264-aac-heavy.mp4");
  const others = Array.from({ length: 20 }, () => open({ clock, engine, original }));
  await Promise.all([stream, ...others.map((other) => other.stream)].map((each) => each.play(request())));
  await clock.advance(6500);
  const [size] = [original.presentation.segmentSizes(1).reduce((sum, bytes) => sum + bytes, 0)];
  expect(original.reads.bytes).toBeLessThan(size * 2.2);
  const payloads = (kept: KeepingSink) => kept.of(video).map(({ payload }) => Bun.hash.crc32(payload));
  const ssrcs = new Set([sink, ...others.map((other) => other.sink)].map((kept) => kept.packets[0]?.ssrc));
  expect(ssrcs.size).toBe(21);
  for (const other of others) expect(payloads(other.sink)).toEqual(payloads(sink));
});

test("playing anew or closing while a start is being read leaves one start, or none", async () => {
  const { clock, sink, stream } = await stage("h264-aac-60s.mp4");
  const first = stream.play(request());
  const second = stream.play(request({ startSeconds: 10 }));
  await expect(first).rejects.toThrow("played anew");
  expect((await second).startSeconds).toBe(10);
  const third = stream.play(request({ startSeconds: 20 }));
  stream.close();
  await expect(third).rejects.toThrow("closed");
  await clock.advance(1000);
  expect(sink.packets).toEqual([]);
  expect(clock.isWanted).toBe(false);
});

test("tracks that were not set up are not sent; unknown ones are refused", async () => {
  const { clock, engine, original } = await stage("h264-aac.mp4");
  const sink = new KeepingSink(clock);
  const only = engine.open({ original, tracks: original.tracks.slice(1), sink });
  const info = await only.play(request({ startSeconds: 3.3, scale: 4 }));
  expect(info).toMatchObject({ startSeconds: 3.3, scale: 1, tracks: [{ trackId: 2 }] });
  await clock.advance(1000);
  expect(sink.packets.every(({ channel }) => channel === sound)).toBe(true);
  const foreign = [{ trackId: 99, rtpChannel: 0, rtcpChannel: 1 }];
  expect(() => engine.open({ original, tracks: foreign, sink })).toThrow(RangeError);
  engine.close();
  expect(engine.statistics.streams).toBe(0);
});

test("what receivers report is read; what is no RTCP is ignored", async () => {
  const { clock, sink, stream } = await stage("h264-aac.mp4");
  await stream.play(request());
  await clock.advance(1000);
  const [report] = reportsOf(sink, 1);
  const heard = sink.rtcp[0]?.bytes ?? new Uint8Array(0);
  const middle = Buffer.from(heard).readUInt32BE(10);
  const packet = Buffer.alloc(32);
  packet.set([0x81, 201, 0, 7]);
  packet.writeUInt32BE(report?.ssrc ?? 0, 8);
  packet.set([64, 0xff, 0xff, 0xfe], 12);
  packet.writeUInt32BE(900, 20);
  packet.writeUInt32BE(middle, 24);
  packet.writeUInt32BE(0x8000, 28);
  expect(stream.handleRtcp(packet)).toBe(true);
  const [told] = stream.reports;
  expect(told).toMatchObject({ trackId: 1, fractionLost: 0.25, packetsLost: -2, jitterSeconds: 0.01 });
  expect(told?.roundTripSeconds).toBeCloseTo(0.49, 1);
  expect(stream.handleRtcp(Uint8Array.from([0x81, 201, 0, 1, 0, 0, 0, 0]))).toBe(false);
  expect(stream.handleRtcp(packet.subarray(0, 31))).toBe(false);
  expect(stream.handleRtcp(new Uint8Array(0))).toBe(false);
  for (let round = 0; round < 2000; round++) {
    const hostile = Buffer.from(packet);
    for (let i = 0; i < 4; i++) hostile[(round * 7 + i * 5) % 32] = (round * 31 + i * 97) & 0xff;
    stream.handleRtcp(hostile.subarray(0, round % 33));
  }
  expect(stream.reports.length).toBeLessThanOrEqual(2);
  stream.close();
});
