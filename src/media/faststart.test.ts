import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBox, rebuildMovieBox } from "../../test/support/boxes.ts";
import { type FixtureName, fixture } from "../../test/support/fixtures.ts";
import { bytesSource, fileSource, movieOf, packetsOf, planBytes } from "../../test/support/packets.ts";
import type { ByteSource } from "./byte-source.ts";
import { faststartPlan } from "./faststart.ts";
import { fourCc, u32, u64 } from "./mp4/box-writer.ts";
import { openMedia } from "./open.ts";

async function fastStarted(name: FixtureName) {
  const path = await fixture(name);
  const source = await fileSource(path);
  const plan = await faststartPlan(source);
  if (plan === null) throw new Error(`${name} has moov first`);
  return { path, bytes: await planBytes(source, plan), sizeBytes: plan.sizeBytes };
}

for (const name of ["h264-aac.mp4", "h264-many-sounds.mp4", "prores-pcm.mov"] as const) {
  test(`faststart of ${name} has moov first and the same packets`, async () => {
    const { path, bytes, sizeBytes } = await fastStarted(name);
    expect(bytes.length).toBe(sizeBytes);
    expect(findBox(bytes, "ftyp").start).toBe(0);
    expect(findBox(bytes, "moov").start).toBeLessThan(findBox(bytes, "mdat").start);
    const folder = await mkdtemp(join(tmpdir(), "kinora-faststart-"));
    try {
      const copy = join(folder, "faststart.mp4");
      await Bun.write(copy, bytes);
      expect(await packetsOf(copy)).toEqual(await packetsOf(path));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test("a file whose moov is first already, and one that is no MP4, need none", async () => {
  for (const name of ["h264-aac-faststart.mp4", "h264-aac-fragmented.mp4", "h264-aac.mkv"] as const) {
    expect(await faststartPlan(await fileSource(await fixture(name)))).toBeNull();
  }
});

test("offsets that moov pushes beyond 4 GiB take 64 bits", async () => {
  const bytes = await Bun.file(await fixture("h264-aac.mp4")).bytes();
  const fileType = findBox(bytes, "ftyp").end;
  // The media ends 100 bytes below 4 GiB, so that the size of moov is what pushes it over.
  const mdatEnd = findBox(bytes, "mdat").end;
  const gap = 2 ** 32 - 100 - mdatEnd;
  const moov = rebuildMovieBox(bytes, (child) => {
    if (child.type !== "stco") return null;
    const moved = child.bytes.slice();
    const view = new DataView(moved.buffer);
    for (let i = 0; i < child.u32(4); i++) view.setUint32(16 + i * 4, child.u32(8 + i * 4) + gap);
    return moved;
  });
  const hole = Uint8Array.from([...u32(1), ...fourCc("free"), ...u64(gap)]);
  const head = Buffer.concat([bytes.subarray(0, fileType), hole]);
  const tail = Buffer.concat([bytes.subarray(fileType, mdatEnd), moov]);
  const source: ByteSource = {
    size: fileType + gap + tail.length,
    async read(offset, length) {
      if (offset >= fileType + gap) return new Uint8Array(tail.subarray(offset - fileType - gap).subarray(0, length));
      return new Uint8Array(head.subarray(offset, offset + length));
    },
  };
  const plan = await faststartPlan(source);
  if (plan === null) throw new Error("no plan");
  const shift = plan.sizeBytes - source.size + moov.length;
  const before = movieOf((await openMedia(source)).presentation).tracks[1]?.samples;
  // Only the header differs, so that is enough to read the index.
  const after: ByteSource = { size: plan.sizeBytes, read: async (at, length) => readHeader(plan.header, at, length) };
  const samples = movieOf((await openMedia(after)).presentation).tracks[1]?.samples;
  expect(samples?.count).toBe(before?.count);
  for (const sample of [0, 1, 77, 469]) {
    expect(samples?.offsetOf(sample)).toBe((before?.offsetOf(sample) ?? 0) + shift);
  }
  expect(samples?.offsetOf(469)).toBeGreaterThan(2 ** 32 - 1);
});

/** The header, and after it one box that takes in the rest. */
function readHeader(header: Uint8Array, at: number, length: number): Uint8Array {
  const rest = Uint8Array.from([...u32(0), ...fourCc("mdat"), ...new Array<number>(8).fill(0)]);
  const whole = Buffer.concat([header, rest]);
  return new Uint8Array(whole.subarray(at, at + length));
}

test("a damaged file is refused as everywhere", async () => {
  const bytes = await Bun.file(await fixture("h264-aac.mp4")).bytes();
  await expect(faststartPlan(bytesSource(bytes.subarray(0, bytes.length - 100)))).rejects.toMatchObject({
    code: "truncated",
  });
});
