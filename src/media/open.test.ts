import { describe, expect, test } from "bun:test";
import { findBox, rebuildMovieBox } from "../../test/support/boxes.ts";
import { type FixtureName, fixture } from "../../test/support/fixtures.ts";
import { bytesSource, fileSource, movieOf, planBytes } from "../../test/support/packets.ts";
import type { ByteSource } from "./byte-source.ts";
import { mediaSegment } from "./cmaf/media-segment.ts";
import { MediaError } from "./errors.ts";
import type { MediaDescription } from "./movie.ts";
import { cString, fourCc, fullBox, u32, u64 } from "./mp4/box-writer.ts";
import { openMedia } from "./open.ts";

const bytesOf = async (name: FixtureName) => Bun.file(await fixture(name)).bytes();

async function describeFixture(name: FixtureName): Promise<MediaDescription> {
  return (await openMedia(await fileSource(await fixture(name)))).description;
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

const h264 = { codec: "h264", width: 640, height: 360, frameRate: 25, rotation: 0 };
const aac = { codec: "aac", channels: 1, sampleRate: 48000, language: null };
const small = { width: 320, height: 180, frameRate: 25, rotation: 0 };

describe("what is not packaged", () => {
  for (const name of ["h264-twice.mkv", "h264-twice.mp4"] as const) {
    test(`a second picture is left out and named: ${name}`, async () => {
      const { presentation } = await openMedia(await fileSource(await fixture(name)));
      expect(presentation?.tracks.map(({ id, kind }) => [id, kind])).toEqual([
        [1, "video"],
        [3, "audio"],
      ]);
      expect(presentation?.leftOut).toEqual([{ id: 2, codec: "h264", reason: "a video has one picture" }]);
    });
  }

  test("what a container has no name for is called as its four characters say", async () => {
    const { description, presentation } = await openMedia(await fileSource(await fixture("ffv1-flac.mkv")));
    expect(description).toMatchObject({ video: { codec: "ffv1" }, needsRendition: { codec: "ffv1" } });
    expect(presentation).toBeNull();
    expect((await describeFixture("rawvideo-pcm.mov")).video?.codec).toBe("rawvideo");
  });
});

describe("what a file is", () => {
  test("MP4", async () => {
    expect(await describeFixture("h264-aac.mp4")).toEqual({
      durationSeconds: 10,
      container: "mp4",
      video: h264,
      audio: [aac],
      needsRendition: null,
    });
  });

  test("fragmented MP4", async () => {
    const { durationSeconds, video } = await describeFixture("h264-aac-fragmented.mp4");
    expect(durationSeconds).toBeCloseTo(7, 0);
    expect(video).toEqual({ codec: "h264", ...small });
  });

  test("QuickTime, with the turn and the language of its tracks", async () => {
    expect(await describeFixture("h264-aac-rotated.mov")).toMatchObject({
      container: "mov",
      video: { ...h264, rotation: 90 },
      audio: [{ ...aac, language: "fr" }],
    });
  });

  test("Matroska and WebM", async () => {
    for (const [name, container, video] of [
      ["h264-aac.mkv", "matroska", h264],
      ["vp9-opus.webm", "webm", { codec: "vp9", ...small }],
    ] as const) {
      const { description, presentation } = await openMedia(await fileSource(await fixture(name)));
      expect(description).toMatchObject({ container, video, needsRendition: null });
      expect(description.durationSeconds).toBeCloseTo(name === "vp9-opus.webm" ? 4 : 5, 0);
      expect(description.audio).toMatchObject([{ channels: 1, sampleRate: 48000, language: null }]);
      expect(presentation?.kind).toBe("matroska");
    }
  });

  test("a recording without a duration or an index, by its blocks", async () => {
    const { description } = await openMedia(await fileSource(await fixture("vp9-opus-live.webm")));
    expect(description.durationSeconds).toBeCloseTo(4, 0);
    expect(description.video).toEqual({ codec: "vp9", ...small });
  });

  test("every track of sound with its codec, channels and language", async () => {
    expect((await describeFixture("h264-many-sounds.mp4")).audio).toEqual([
      { codec: "aac", channels: 1, sampleRate: 48000, language: "en" },
      { codec: "ac3", channels: 2, sampleRate: 48000, language: "fr" },
      { codec: "opus", channels: 1, sampleRate: 48000, language: "ja" },
      { codec: "flac", channels: 1, sampleRate: 48000, language: "en" },
    ]);
  });

  test("E-AC-3, whose configuration is five bytes long", async () => {
    for (const name of ["matrix.mp4.h264.eac3.mp4", "matrix.mov.h264.eac3.mov"] as const) {
      expect((await describeFixture(name)).audio).toEqual([
        { codec: "eac3", channels: 2, sampleRate: 48000, language: null },
      ]);
    }
  });

  test("what no common browser decodes is named, with the reason", async () => {
    for (const [name, codec] of [
      ["h265-aac.mp4", "h265"],
      ["prores-pcm.mov", "prores"],
      ["mpeg4-mp3.mp4", "mpeg4"],
      ["matrix.mov.mpeg2.aac.mov", "mpeg2"],
    ] as const) {
      const { needsRendition } = await describeFixture(name);
      expect(needsRendition?.codec).toBe(codec);
      expect(needsRendition?.reason).not.toBe("");
    }
    for (const name of ["vp9-opus.mp4", "av1-aac.mp4", "h264-many-sounds.mp4", "h264-only.mp4"] as const) {
      expect((await describeFixture(name)).needsRendition).toBeNull();
    }
  });
});

describe("what is refused", () => {
  test("no bytes: empty", async () => {
    expect((await refusal(new Uint8Array(0))).code).toBe("empty");
  });

  test("text, zeros, noise and a picture: not a video", async () => {
    const noise = new Uint8Array(5000).map((_, i) => (i * 7919 + (i >> 3) * 31) & 0xff);
    for (const bytes of [new TextEncoder().encode("just a text\n".repeat(100)), new Uint8Array(1000), noise]) {
      expect((await refusal(bytes)).code).toBe("not-a-video");
    }
    const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...new Array(100).fill(1)]);
    expect((await refusal(png)).code).toBe("not-a-video");
  });

  test("sound without picture: sound only, and it says so", async () => {
    const error = await refusal(await bytesOf("aac-only.m4a"));
    expect(error.code).toBe("sound-only");
    expect(error.message).toStartWith("The file has sound only (box moov, offset ");
  });

  test("a file that ends early is truncated, wherever its index stands", async () => {
    for (const name of ["h264-aac.mp4", "h264-aac-faststart.mp4", "h264-aac-fragmented.mp4", "h264-aac.mkv"] as const) {
      const bytes = await bytesOf(name);
      for (const part of [0.3, 0.6, 0.9, 0.999]) {
        const error = await refusal(bytes.subarray(0, Math.floor(bytes.length * part)));
        expect({ name, part, code: error.code }).toEqual({ name, part, code: "truncated" });
      }
    }
  });

  test("an error names the box, the place, what was expected and what came", async () => {
    const bytes = (await bytesOf("h264-aac-faststart.mp4")).slice();
    const at = indexOf(bytes, "stsz");
    new DataView(bytes.buffer).setUint32(at + 12, 1_000_000);
    const error = await refusal(bytes);
    expect(error.code).toBe("not-a-video");
    expect(error.box).toBe("moov/trak/mdia/minf/stbl/stsz");
    expect(error.expected).toBe("4000000 bytes");
    expect(error.got).toBeNumber();
    expect(error.offset).toBe(at + 16);
  });

  test("media in another file is not followed", async () => {
    const bytes = await bytesOf("h264-aac.mp4");
    const elsewhere = fullBox("url ", 0, 0, cString("file:///etc/passwd"));
    const moov = rebuildMovieBox(bytes, ({ type }) =>
      type === "dref" ? fullBox("dref", 0, 0, u32(1), elsewhere) : null,
    );
    const error = await refusal(Buffer.concat([bytes.subarray(0, findBox(bytes, "moov").start), moov]));
    expect(error.code).toBe("unsupported");
    expect(error.message).toContain("moov/trak/mdia/minf/dinf/dref/url");
  });

  test("an encrypted video is unsupported", async () => {
    const bytes = (await bytesOf("h264-only.mp4")).slice();
    bytes.set(new TextEncoder().encode("encv"), indexOf(bytes, "avc1", findBox(bytes, "moov").start));
    expect((await refusal(bytes)).code).toBe("unsupported");
  });
});

type Span = ReturnType<typeof findBox>;

describe("forms a file may have", () => {
  async function segmentsOf(source: ByteSource): Promise<Uint8Array[]> {
    const movie = movieOf((await openMedia(source)).presentation);
    const plans = movie.tracks.flatMap(({ id }) => [1, 2, 3].map((n) => mediaSegment(movie, id, n)));
    return Promise.all(plans.filter((plan) => plan !== null).map((plan) => planBytes(source, plan)));
  }

  test("media beyond 4 GiB: 64-bit box sizes and chunk offsets", async () => {
    const bytes = await bytesOf("h264-aac.mp4");
    const gap = 5 * 2 ** 30;
    const fileType = findBox(bytes, "ftyp").end;
    const moov = rebuildMovieBox(bytes, (child) => {
      if (child.type !== "stco") return null;
      const offsets = Array.from({ length: child.u32(4) }, (_, i) => u64(child.u32(8 + i * 4) + gap));
      return fullBox("co64", 0, 0, u32(offsets.length), ...offsets);
    });
    const head = Buffer.concat([
      bytes.subarray(0, fileType),
      Uint8Array.from([...u32(1), ...fourCc("free"), ...u64(gap)]),
    ]);
    const tail = Buffer.concat([bytes.subarray(fileType, findBox(bytes, "moov").start), moov]);
    const source: ByteSource = {
      size: fileType + gap + tail.length,
      async read(offset, length) {
        const start = offset < head.length ? head : tail.subarray(offset - fileType - gap);
        const at = offset < head.length ? offset : 0;
        return new Uint8Array(start.subarray(at, at + length));
      },
    };
    const expected = await segmentsOf(bytesSource(bytes));
    expect(expected.length).toBe(6);
    expect(await segmentsOf(source)).toEqual(expected);
  });

  test("mdat of size 0 goes to the end of the file", async () => {
    const bytes = await bytesOf("h264-aac-faststart.mp4");
    const open = bytes.slice();
    new DataView(open.buffer).setUint32(findBox(bytes, "mdat").start, 0);
    expect(await segmentsOf(bytesSource(open))).toEqual(await segmentsOf(bytesSource(bytes)));
  });

  test("mdat with a size of 64 bits", async () => {
    const bytes = await bytesOf("h264-aac-faststart.mp4");
    const [fileType, old, mdat] = ["ftyp", "moov", "mdat"].map((type) => findBox(bytes, type)) as [Span, Span, Span];
    const moov = rebuildMovieBox(bytes, (child) => {
      if (child.type !== "stco") return null;
      // Eight bytes later, without what stood between them.
      const more = fileType.end + old.end - old.start + 16 - (mdat.start + 8);
      const offsets = Array.from({ length: child.u32(4) }, (_, i) => u32(child.u32(8 + i * 4) + more));
      return fullBox("stco", 0, 0, u32(offsets.length), ...offsets);
    });
    const content = bytes.subarray(mdat.start + 8, mdat.end);
    const header = Uint8Array.from([...u32(1), ...fourCc("mdat"), ...u64(content.length + 16)]);
    const large = new Uint8Array(Buffer.concat([bytes.subarray(0, fileType.end), moov, header, content]));
    expect(await segmentsOf(bytesSource(large))).toEqual(await segmentsOf(bytesSource(bytes)));
  });

  test("fragments that do not tell when they are decoded follow each other", async () => {
    const bytes = await bytesOf("h264-aac-fragmented.mp4");
    const silent = Buffer.from(bytes);
    let count = 0;
    for (let at = silent.indexOf("tfdt"); at >= 0; at = silent.indexOf("tfdt")) count += silent.write("free", at);
    expect(count).toBeGreaterThan(8);
    expect(await segmentsOf(bytesSource(new Uint8Array(silent)))).toEqual(await segmentsOf(bytesSource(bytes)));
  });

  test("junk after the last box is overlooked", async () => {
    const bytes = await bytesOf("h264-aac.mp4");
    const longer = Buffer.concat([bytes, new Uint8Array(777)]);
    expect(await segmentsOf(bytesSource(longer))).toEqual(await segmentsOf(bytesSource(bytes)));
  });

  test("no ftyp, as old QuickTime has it, is a MOV", async () => {
    const bytes = await bytesOf("h264-only.mp4");
    const { start } = findBox(bytes, "mdat");
    const hidden = bytes.slice();
    hidden.set(fourCc("wide"), 4);
    expect(start).toBeGreaterThan(8);
    expect((await openMedia(bytesSource(hidden))).description.container).toBe("mov");
  });
});

function indexOf(bytes: Uint8Array, text: string, from = 0): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(text, from, "latin1");
  if (at < 0) throw new Error(`no ${text}`);
  return at;
}
