import { expect, test } from "bun:test";
import { depacketise, rtpPackets } from "../../../test/support/depacketise.ts";
import { AacPayloadWriter, maxUnitBytes } from "./aac-payload.ts";
import type { NalConfig } from "./codec-config.ts";
import { h264Payload, h265Payload, packetisePicture } from "./nal-payload.ts";
import { maxPayloadBytes, PacketGroupWriter, type SampleTime } from "./packet-group.ts";

const time = (i = 0): SampleTime => ({ rtpTime: i * 1024, dueSeconds: i * 0.02, durationSeconds: 0.02 });

const sps = Uint8Array.of(0x67, 1, 2, 3);
const pps = Uint8Array.of(0x68, 4, 5);
const config = (lengthBytes: number): NalConfig => ({ lengthBytes, vps: [], sps: [sps], pps: [pps], profileLevel: "" });

/** A NAL unit with this first byte that is `size` bytes long. */
const unit = (first: number, size: number) => Uint8Array.from({ length: size }, (_, i) => (i === 0 ? first : i & 0xff));

function sampleOf(units: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  return Buffer.concat(
    units.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length.subarray(4 - lengthBytes), nal];
    }),
  );
}

function pictureOf(sample: Uint8Array, lengthBytes: number, isKey: boolean) {
  const writer = new PacketGroupWriter(96, 0);
  writer.beginSample(time(), isKey);
  packetisePicture(writer, h264Payload, config(lengthBytes), sample, isKey);
  writer.endSample();
  const group = writer.finish();
  return { group, packets: rtpPackets(group.bytes) };
}

for (const lengthBytes of [1, 2, 3, 4]) {
  test(`NAL units after lengths of ${lengthBytes} bytes are found`, () => {
    const units = [unit(0x09, 2), unit(0x06, 40), unit(0x65, lengthBytes === 1 ? 255 : 9000)];
    const { packets } = pictureOf(sampleOf(units, lengthBytes), lengthBytes, false);
    expect(depacketise("h264", packets).map((picture) => picture.units.map((nal) => Buffer.from(nal)))).toEqual([
      units.map((nal) => Buffer.from(nal)),
    ]);
  });
}

test("parameter sets come after the delimiter of a key frame, in one packet with what is small, and only once", () => {
  const units = [unit(0x09, 2), unit(0x06, 40), unit(0x65, 9000)];
  const { packets, group } = pictureOf(sampleOf(units, 4), 4, true);
  const types = (nals: readonly Uint8Array[]) => nals.map((nal) => (nal[0] ?? 0) & 0x1f);
  expect(types(depacketise("h264", packets)[0]?.units ?? [])).toEqual([9, 7, 8, 6, 5]);
  // STAP-A with the highest importance of what is in it.
  expect(packets[0]?.payload[0]).toBe(0x60 | 24);
  expect([...group.keys.subarray(0, 2)]).toEqual([1, 0]);
  const own = [unit(0x67, 9), unit(0x68, 4), unit(0x65, 90)];
  const carried = depacketise("h264", pictureOf(sampleOf(own, 4), 4, true).packets)[0]?.units ?? [];
  expect(types(carried)).toEqual([7, 8, 5]);
  expect(carried[0]?.length).toBe(9);
});

test("units at the edges of a packet's size come out whole", () => {
  for (let size = maxPayloadBytes - 6; size <= maxPayloadBytes + 6; size++) {
    for (const [format, codec, first] of [
      [h264Payload, "h264", 0x41],
      [h265Payload, "h265", 0x02],
    ] as const) {
      const writer = new PacketGroupWriter(96, 0);
      const units = [unit(first, size), unit(first, 3), unit(first, size * 2)];
      packetisePicture(writer, format, config(4), sampleOf(units, 4), false);
      const packets = rtpPackets(writer.finish().bytes);
      expect(Math.max(...packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
      expect(packets.map(({ marker }) => marker)).toEqual(packets.map((_, i) => i === packets.length - 1));
      const restored = depacketise(codec, packets)[0]?.units ?? [];
      expect(restored.map((nal) => Buffer.from(nal))).toEqual(units.map((nal) => Buffer.from(nal)));
    }
  }
});

test("a damaged rest of a picture is left out, and nothing is made of rubbish alone", () => {
  const whole = sampleOf([unit(0x41, 50), unit(0x41, 60)], 4);
  const { packets } = pictureOf(whole.subarray(0, whole.length - 1), 4, false);
  expect(depacketise("h264", packets)[0]?.units.map((nal) => nal.length)).toEqual([50]);
  expect(pictureOf(new Uint8Array(0), 4, true).packets).toEqual([]);
  expect(pictureOf(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1), 4, true).packets).toEqual([]);
  expect(pictureOf(new Uint8Array(400), 4, true).packets).toEqual([]);
});

function aacOf(sizes: readonly number[], times = sizes.map((_, i) => time(i))) {
  const writer = new PacketGroupWriter(97, 0);
  const payload = new AacPayloadWriter(writer);
  sizes.forEach((size, i) => {
    payload.push(unit(i, size), times[i] ?? time());
  });
  payload.flush();
  const group = writer.finish();
  return rtpPackets(group.bytes).map((packet, i) => ({ ...packet, timestamp: group.rtpTimes[i] ?? 0 }));
}

test("frames of sound share a packet up to its size and 0.1 s; those that are too large come in parts", () => {
  const sizes = [10, 20, 30, 40, 50, 60, 1300, 200, maxUnitBytes, 5000, 7];
  const packets = aacOf(sizes);
  expect(Math.max(...packets.map(({ payload }) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
  const restored = depacketise("aac", packets);
  expect(restored.map(({ units }) => units[0]?.length)).toEqual(sizes);
  expect(restored.map(({ timestamp }) => timestamp)).toEqual(sizes.map((_, i) => i * 1024));
  expect(packets[0]?.payload[1]).toBe(5 * 16);
});

test("a gap in the sound begins a packet, for receivers reckon the times within one", () => {
  const packets = aacOf([10, 10, 10], [time(0), time(1), time(9)]);
  expect(packets.map(({ timestamp }) => timestamp)).toEqual([0, 9 * 1024]);
});

test("frames that have no place in the format are left out", () => {
  expect(depacketise("aac", aacOf([10, 0, maxUnitBytes + 1, 12])).map(({ units }) => units[0]?.length)).toEqual([
    10, 12,
  ]);
});
