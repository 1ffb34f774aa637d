import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type AccessUnit, depacketise, rtpPackets } from "../../../test/support/depacketise.ts";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { fileSource, type Packet, packetsOf, run } from "../../../test/support/packets.ts";
import type { ByteSource } from "../byte-source.ts";
import { openMedia } from "../open.ts";
import type { Presentation } from "../presentation.ts";
import { maxPayloadBytes, type PacketGroup } from "./packet-group.ts";
import { packetise, piecesOf } from "./packetise.ts";
import { type RtpTrack, rtpTracksOf } from "./rtp-tracks.ts";

async function open(name: FixtureName): Promise<{ source: ByteSource; presentation: Presentation }> {
  const source = await fileSource(await fixture(name));
  const { presentation } = await openMedia(source);
  if (presentation === null) throw new Error(`${name} is not packaged`);
  return { source, presentation };
}

async function groupsOf(source: ByteSource, presentation: Presentation, track: RtpTrack): Promise<PacketGroup[]> {
  const groups: PacketGroup[] = [];
  for (let n = 1; ; n++) {
    const range = await presentation.segmentSamples(source, track.trackId, n);
    if (range === null) return groups;
    for (const piece of piecesOf(range)) groups.push(await packetise(source, piece, track));
  }
}

/** An access unit, with its exact time. */
interface Sent extends AccessUnit {
  readonly seconds: number;
}

/** What a receiver makes of all packets of a track. */
function received(groups: readonly PacketGroup[], { codec, clockRate }: RtpTrack): Sent[] {
  return groups.flatMap((group) => {
    const packets = rtpPackets(group.bytes).map((packet, i) => ({ ...packet, timestamp: group.rtpTimes[i] ?? 0 }));
    return depacketise(codec, packets).map((unit) => ({ ...unit, seconds: unit.timestamp / clockRate }));
  });
}

const md5 = (bytes: Uint8Array) => `MD5:${createHash("md5").update(bytes).digest("hex")}`;

/** NAL units after their lengths, as the original has them. */
const lengthPrefixed = (units: readonly Uint8Array[]) =>
  Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(unit.length);
      return [length, unit];
    }),
  );

const isSet: Readonly<Record<string, (unit: Uint8Array) => boolean>> = {
  h264: (unit) => [7, 8].includes((unit[0] ?? 0) & 0x1f),
  h265: (unit) => [32, 33, 34].includes((unit[0] ?? 0) >> 1),
};

/** Hashes of a picture as it was sent, and without the parameter sets that come before key frames. */
function hashesOf(codec: string, units: readonly Uint8Array[]): string[] {
  const setOf = isSet[codec];
  if (setOf === undefined) return units.map(md5);
  return [units, units.filter((unit) => !setOf(unit))].map((kept) => md5(lengthPrefixed(kept)));
}

const originals = new Map<string, Promise<readonly Packet[]>>();

/** The original's packets; of a transport stream as ffmpeg puts them into an MP4. */
function original(name: FixtureName, codec: string): Promise<readonly Packet[]> {
  const key = `${name} ${codec}`;
  const asked = originals.get(key) ?? askForOriginal(name, codec);
  originals.set(key, asked);
  return asked;
}

async function askForOriginal(name: FixtureName, codec: string): Promise<readonly Packet[]> {
  const path = await fixture(name);
  const kind = codec === "h264" || codec === "h265" ? "V:0" : "a:0";
  if (!/ts$/.test(name)) return packetsOf(path, "-select_streams", kind);
  using folder = temporaryFolder();
  const copy = join(folder.path, "copy.mp4");
  await run([
    "ffmpeg",
    "-v",
    "fatal",
    "-probesize",
    "50M",
    "-i",
    path,
    "-map",
    `0:${kind}`,
    "-c",
    "copy",
    "-strict",
    "-2",
    copy,
  ]);
  return await packetsOf(copy, "-ignore_editlist", "1");
}

const carried: readonly (readonly [FixtureName, readonly string[]])[] = [
  ["h264-aac.mp4", ["h264", "aac"]],
  ["h264-aac-heavy.mp4", ["h264", "aac"]],
  ["h264-large.mp4", ["h264", "aac"]],
  ["matrix.mp4.hev1.aac.mp4", ["h265", "aac"]],
  ["h264-aac-fragmented.mp4", ["h264", "aac"]],
  ["h264-late-aac.mp4", ["h264", "aac"]],
  ["h264-aac-rotated.mov", ["h264", "aac"]],
  ["h264-variable.mp4", ["h264", "aac"]],
  ["h264-negative-offsets.mp4", ["h264"]],
  ["h265-aac.mp4", ["h265", "aac"]],
  ["h265-opus.mp4", ["h265", "opus"]],
  ["h265-opus.mkv", ["h265", "opus"]],
  ["h264-aac.mkv", ["h264", "aac"]],
  ["h264-aac-live.mkv", ["h264", "aac"]],
  ["h264-open-gop.mkv", ["h264", "aac"]],
  ["h264-aac.ts", ["h264", "aac"]],
  ["h265-aac.ts", ["h265", "aac"]],
  ["h264-large.ts", ["h264", "aac"]],
  ["h264-opus.ts", ["h264", "opus"]],
];

describe.each(carried)("%s", (name, codecs) => {
  test("comes out of its packets as it was, every picture and every frame of sound", async () => {
    const { source, presentation } = await open(name);
    const { tracks } = rtpTracksOf(presentation);
    expect(tracks.map(({ codec }) => codec)).toEqual([...codecs]);
    for (const track of tracks) {
      const sent = received(await groupsOf(source, presentation, track), track);
      const expected = await original(name, track.codec);
      expect(sent.length).toBe(expected.length);
      sent.forEach(({ units }, i) => {
        expect(hashesOf(track.codec, units)).toContain(expected[i]?.hash ?? "");
      });
    }
  });

  test("has the original's times, to a tick of the original's clock", async () => {
    const { source, presentation } = await open(name);
    const clocks = new Map<string, number>();
    for (const track of rtpTracksOf(presentation).tracks) {
      const sent = received(await groupsOf(source, presentation, track), track);
      const expected = await original(name, track.codec);
      const shift = (sent[0]?.seconds ?? 0) - (expected[0]?.seconds ?? 0);
      clocks.set(track.codec, shift);
      const slack = name.endsWith(".mkv") ? 0.0015 : 1.5 / 44_100;
      sent.forEach(({ seconds }, i) => {
        expect(Math.abs(seconds - shift - (expected[i]?.seconds ?? 0))).toBeLessThan(slack);
      });
    }
    // Transport streams are copied track by track, so their clocks are not comparable.
    const [first, second] = [...clocks.values()];
    if (!/ts$/.test(name) && second !== undefined) expect(Math.abs(second - (first ?? 0))).toBeLessThan(0.002);
  });

  test("has packets that fit into a datagram, with parameter sets before every key frame", async () => {
    const { source, presentation } = await open(name);
    for (const track of rtpTracksOf(presentation).tracks) {
      for (const group of await groupsOf(source, presentation, track)) {
        const packets = rtpPackets(group.bytes);
        expect(packets.length).toBe(group.count);
        for (const { payload, payloadType } of packets) {
          if (track.codec !== "opus") expect(payload.length).toBeLessThanOrEqual(maxPayloadBytes);
          expect(payloadType).toBe(track.payloadType);
        }
        const setOf = isSet[track.codec];
        if (setOf === undefined) continue;
        const units = depacketise(
          track.codec,
          packets.map((packet, i) => ({ ...packet, timestamp: group.rtpTimes[i] ?? 0 })),
        );
        const keys = group.keys.reduce((sum, key) => sum + key, 0);
        expect(units.filter((unit) => unit.units.some(setOf)).length).toBeGreaterThanOrEqual(keys);
      }
    }
  });
});

test("a packet's due time never goes back", async () => {
  const { source, presentation } = await open("h264-aac.mp4");
  for (const track of rtpTracksOf(presentation).tracks) {
    let last = Number.NEGATIVE_INFINITY;
    for (const group of await groupsOf(source, presentation, track)) {
      for (const due of group.dues) {
        expect(due).toBeGreaterThanOrEqual(last);
        last = due;
      }
    }
  }
});

test("tracks without a payload format are left out, with the reason", async () => {
  const { presentation } = await open("h264-many-sounds.mkv");
  const { tracks, leftOut } = rtpTracksOf(presentation);
  expect(tracks.map(({ codec, payloadType }) => [codec, payloadType])).toEqual([
    ["h264", 96],
    ["aac", 97],
    ["opus", 98],
  ]);
  expect(leftOut.map(({ codec }) => codec).sort()).toEqual(["ac3", "eac3", "flac", "mp3"]);
  for (const { reason } of leftOut) expect(reason).toBe("no RTP payload of this codec is made here");
});
