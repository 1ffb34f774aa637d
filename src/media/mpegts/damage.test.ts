import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type FixtureName, fixture } from "../../../test/support/fixtures.ts";
import { bytesSource, movieOf, run } from "../../../test/support/packets.ts";
import {
  join,
  nullPacket,
  type Pes,
  packetsIn,
  pidOf,
  startsUnit,
  videoPid,
  writeTransportStream,
} from "../../../test/support/transport-stream.ts";
import { segmentTimes } from "../cmaf/segments.ts";
import { MediaError } from "../errors.ts";
import { encodeIndex } from "../index-file.ts";
import type { Movie, Track } from "../movie.ts";
import { openMedia } from "../open.ts";
import { packetRanges } from "./packet-ranges.ts";

const bytesOf = async (name: FixtureName) => Bun.file(await fixture(name)).bytes();

/** A sample as it is sent: hash, and when it is presented in ms from 0. */
interface Sent {
  readonly hash: string;
  readonly at: number;
}

async function samplesOf(bytes: Uint8Array, track: Track): Promise<Sent[]> {
  const { packets, samples, timescale, delay, mediaTime } = track;
  if (packets === undefined) throw new Error("no transport stream");
  const sent: Sent[] = [];
  for (let sample = track.firstSample; sample < track.endSample; sample++) {
    const hash = createHash("md5");
    for (const part of packetRanges(packets, samples, sample, sample + 1)) {
      if ("bytes" in part) hash.update(part.bytes);
      else if ("decode" in part) hash.update(part.decode(bytes.slice(part.offset, part.offset + part.length)));
    }
    const ticks = samples.compositionTimeOf(sample) + delay - mediaTime;
    sent.push({ hash: hash.digest("hex"), at: Math.round((ticks * 1000) / timescale) });
  }
  return sent;
}

async function indexed(bytes: Uint8Array): Promise<{ movie: Movie; picture: Sent[]; sound: Sent[] }> {
  const movie = movieOf((await openMedia(bytesSource(bytes))).presentation);
  const [video, audio] = movie.tracks;
  return {
    movie,
    picture: video === undefined ? [] : await samplesOf(bytes, video),
    sound: audio === undefined ? [] : await samplesOf(bytes, audio),
  };
}

async function refusal(bytes: Uint8Array): Promise<MediaError> {
  try {
    await openMedia(bytesSource(bytes));
  } catch (error) {
    if (error instanceof MediaError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

const hashes = (samples: readonly Sent[]) => samples.map(({ hash }) => hash);

/** How much later each sample is than the same one of another list; samples of silence are alike and left out. */
function shifts(samples: readonly Sent[], others: readonly Sent[]): number[] {
  const count = new Map<string, number>();
  for (const { hash } of others) count.set(hash, (count.get(hash) ?? 0) + 1);
  const times = new Map(others.map(({ hash, at }) => [hash, at]));
  return samples.flatMap(({ hash, at }) => (count.get(hash) === 1 ? [at - (times.get(hash) ?? Number.NaN)] : []));
}

const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);

describe("a transport stream is the same", () => {
  test("with stuffing packets and packets sent twice", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const more = packetsIn(bytes).flatMap((packet, i) => [
      packet,
      ...(i % 3 === 0 ? [nullPacket()] : []),
      ...(i % 7 === 0 ? [packet] : []),
    ]);
    const [plain, stuffed] = [await indexed(bytes), await indexed(join(more))];
    expect(stuffed.picture).toEqual(plain.picture);
    expect(stuffed.sound).toEqual(plain.sound);
  });

  test("with junk between packets, also such that looks like the start of one", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const more = packetsIn(bytes).flatMap((packet, i) => [
      packet,
      ...(i % 500 === 250 ? [new Uint8Array(1 + (i % 400)).fill(i % 1000 === 250 ? 0x47 : i)] : []),
    ]);
    const [plain, littered] = [await indexed(bytes), await indexed(join(more))];
    expect(littered.picture).toEqual(plain.picture);
    expect(littered.sound).toEqual(plain.sound);
  });

  test("in packets of 204 bytes", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const coded = join(packetsIn(bytes).flatMap((packet) => [packet, new Uint8Array(16).fill(0x47)]));
    const [plain, other] = [await indexed(bytes), await indexed(coded)];
    expect(other.picture).toEqual(plain.picture);
    expect(other.sound).toEqual(plain.sound);
  });
});

describe("a damaged transport stream", () => {
  test("cut in the middle of packets starts with its first key frame and ends with its last whole picture", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const whole = await indexed(bytes);
    const cut = await indexed(bytes.subarray(100_001, bytes.length - 50_077));
    const first = hashes(whole.picture).indexOf(cut.picture[0]?.hash ?? "");
    expect(first).toBe(50);
    expect(hashes(whole.picture).slice(first, first + cut.picture.length)).toEqual(hashes(cut.picture));
    expect(cut.picture.length).toBeGreaterThan(60);
    expect(spread([...shifts(cut.picture, whole.picture), ...shifts(cut.sound, whole.sound)])).toBeLessThanOrEqual(1);
  });

  test("loses the samples whose packets are lost, and no others change or move", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const kept = packetsIn(bytes).filter((_, i) => i < 100 || i % 97 !== 0);
    const [whole, torn] = [await indexed(bytes), await indexed(join(kept))];
    for (const kind of ["picture", "sound"] as const) {
      const known = new Set(hashes(whole[kind]));
      expect(torn[kind].every(({ hash }) => known.has(hash))).toBe(true);
      expect(torn[kind].length).toBeGreaterThan(whole[kind].length * 0.6);
      expect(torn[kind].length).toBeLessThan(whole[kind].length);
    }
    const moved = [...shifts(torn.picture, whole.picture), ...shifts(torn.sound, whole.sound)];
    expect(spread(moved)).toBeLessThanOrEqual(1);
  });

  test("with errors that the receiver marked is treated like one with losses", async () => {
    const packets = packetsIn(await bytesOf("h264-aac.ts"));
    const whole = await indexed(join(packets));
    const marked = packets.map((packet, i) =>
      i % 211 === 210 ? packet.slice().fill(0x80 | (packet[1] ?? 0), 1, 2) : packet,
    );
    const torn = await indexed(join(marked));
    const known = new Set(hashes(whole.picture));
    expect(torn.picture.every(({ hash }) => known.has(hash))).toBe(true);
    expect(torn.picture.length).toBeLessThan(whole.picture.length);
  });

  test("without any tables, key frames or pictures is refused, and the error says what is missing", async () => {
    const packets = packetsIn(await bytesOf("h264-aac.ts"));
    const withoutTables = await refusal(join(packets.filter((packet) => pidOf(packet) > 0)));
    expect(withoutTables).toMatchObject({
      code: "not-a-video",
      box: "mpegts",
      expected: "a program association table",
    });
    const withoutMap = await refusal(join(packets.filter((packet) => pidOf(packet) !== 0x1000)));
    expect(withoutMap).toMatchObject({ code: "not-a-video", expected: "a program map table" });
    const withoutPicture = await refusal(join(packets.filter((packet) => pidOf(packet) !== videoPid)));
    expect(withoutPicture).toMatchObject({ code: "not-a-video", expected: "a key frame with its parameter sets" });
  });

  test("that is scrambled is refused, and the error says where that begins", async () => {
    const packets = packetsIn(await bytesOf("h264-aac.ts"));
    const first = packets.findIndex((packet) => pidOf(packet) === videoPid);
    const scrambled = packets.map((packet) =>
      pidOf(packet) < videoPid || pidOf(packet) > 0xfff ? packet : packet.slice().fill(0x80 | (packet[3] ?? 0), 3, 4),
    );
    const error = await refusal(join(scrambled));
    expect(error).toMatchObject({ code: "unsupported", offset: first * 188 });
    expect(error.message).toStartWith("The video is scrambled (conditional access)");
  });
});

describe("recordings put together", () => {
  test("go on where the one before ends, with picture and sound together", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const one = await indexed(bytes);
    const times = 8;
    const { movie, picture, sound } = await indexed(join(new Array<Uint8Array>(times).fill(bytes)));
    expect(picture.length).toBeGreaterThanOrEqual(one.picture.length * times - (times - 1));
    expect(movie.description.durationSeconds).toBeCloseTo(one.movie.description.durationSeconds * times, 0);
    const distance = (from: readonly Sent[], to: readonly Sent[]) => (to.at(-20)?.at ?? 0) - (from.at(-20)?.at ?? 0);
    expect(Math.abs(distance(one.picture, picture) - distance(one.sound, sound))).toBeLessThanOrEqual(2);
    const video = movie.tracks[0];
    if (video === undefined) throw new Error("no video");
    expect(spread([...segmentTimes(movie, video)].map((at, i, all) => at - (all[i - 1] ?? at - 4)))).toBeLessThan(4);
  });

  test("take at most 14 bytes of index for each sample", async () => {
    const bytes = await bytesOf("h264-aac.ts");
    const { presentation } = await openMedia(bytesSource(join(new Array<Uint8Array>(8).fill(bytes))));
    if (presentation === null) throw new Error("not packaged");
    const samples = movieOf(presentation).tracks.reduce((sum, track) => sum + track.samples.count, 0);
    expect(encodeIndex(presentation).length).toBeLessThan(samples * 14);
  });

  test("of other parameters keep them in the stream, and say so", async () => {
    const [large, small] = [await bytesOf("h264-aac.ts"), await bytesOf("h264-no-b-frames.ts")];
    const [video] = (await indexed(large)).movie.tracks;
    const [changed] = (await indexed(join([large, small]))).movie.tracks;
    expect([video?.codecString.slice(0, 5), changed?.codecString.slice(0, 5)]).toEqual(["avc1.", "avc3."]);
  });
});

describe("access units", () => {
  /** The pictures of a stream without B-frames as they come, each from its access unit delimiter. */
  async function accessUnits(): Promise<Uint8Array[]> {
    const path = await fixture("h264-no-b-frames.ts");
    const file = `${path}.h264`;
    await run(["ffmpeg", "-v", "error", "-y", "-i", path, "-map", "0:v", "-c", "copy", "-f", "h264", file]);
    const stream = Buffer.from(await Bun.file(file).bytes());
    const starts: number[] = [];
    const delimiter = Buffer.from([0, 0, 0, 1, 9]);
    for (let at = stream.indexOf(delimiter); at >= 0; at = stream.indexOf(delimiter, at + 1)) starts.push(at);
    return starts.map((start, i) => new Uint8Array(stream.subarray(start, starts[i + 1])));
  }
  const first = 126_000;
  const step = 3600;

  test("several in a PES packet are told apart, with times between those that are told", async () => {
    const units = await accessUnits();
    const expected = (await indexed(await bytesOf("h264-no-b-frames.ts"))).picture;
    const packets: Pes[] = [];
    for (let i = 0; i < units.length; i += 3) {
      packets.push({ content: join(units.slice(i, i + 3)), pts: first + i * step, isRandomAccess: i === 0 });
    }
    const { picture } = await indexed(writeTransportStream(packets));
    expect(hashes(picture)).toEqual(hashes(expected));
    expect(picture.map(({ at }) => at)).toEqual(picture.map((_, i) => i * 40));
  });

  test("that go on in the next PES packets stay whole, wherever those begin", async () => {
    const units = await accessUnits();
    const expected = (await indexed(await bytesOf("h264-no-b-frames.ts"))).picture;
    const packets = units.flatMap((unit, i): Pes[] => {
      const cuts = [0, 2 + (i % 5), Math.min(unit.length - 1, 40 + i), unit.length];
      return [0, 1, 2].map((part) => ({
        content: unit.slice(cuts[part], cuts[part + 1]),
        pts: part === 0 ? first + i * step : null,
      }));
    });
    const { picture } = await indexed(writeTransportStream(packets));
    expect(hashes(picture)).toEqual(hashes(expected));
    expect(picture.map(({ at }) => at)).toEqual(picture.map((_, i) => i * 40));
  });

  test("of a clock that starts anew go on, and pauses of a few seconds stay", async () => {
    const units = await accessUnits();
    const packets = units.map((content, i) => ({
      content,
      pts: i < 40 ? first + i * step : i < 80 ? 5_000_000 + i * step : 5_000_000 + i * step + 450_000,
    }));
    const times = (await indexed(writeTransportStream(packets))).picture.map(({ at }) => at);
    expect([times[39], times[40], times[79], times[80]]).toEqual([39 * 40, 40 * 40, 79 * 40, 80 * 40 + 5000]);
  });

  test("without a packet to start in are of no stream: its packets before the first header are left out", async () => {
    const units = await accessUnits();
    const bytes = writeTransportStream(units.map((content, i) => ({ content, pts: first + i * step })));
    const packets = packetsIn(bytes);
    const begin = packets.findIndex((packet) => pidOf(packet) === videoPid && startsUnit(packet));
    const tail = packets.slice(begin + 1);
    const { picture } = await indexed(join([...packets.slice(0, begin), ...tail]));
    expect(picture.length).toBe(units.length - 25);
  });
});
