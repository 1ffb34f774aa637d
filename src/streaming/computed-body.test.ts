import { expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/folder.ts";
import { partBytes, type SegmentPlan } from "../media/segment-plan.ts";
import { bodyOf } from "./computed-body.ts";
import { locateFirst } from "./file-bytes.ts";

const original = new Uint8Array(2_000_000).map((_, index) => (index * 7) & 255);

const flipped = (bytes: Uint8Array) => bytes.toReversed();

const body: SegmentPlan = {
  header: new TextEncoder().encode("header"),
  ranges: [
    { offset: 1_000, length: 700_000 },
    { offset: 5, length: 3 },
    { bytes: new TextEncoder().encode("literal") },
    { offset: 900_000, length: 100_000, sizeBytes: 50_000, decode: (bytes) => flipped(bytes).subarray(50_000) },
    { bytes: new Uint8Array(0) },
    { offset: 1_200_000, length: 800_000 },
  ],
  sizeBytes: 6 + 700_000 + 3 + 7 + 50_000 + 800_000,
};
const whole = Buffer.concat([
  body.header,
  ...body.ranges.map((part) => {
    if ("bytes" in part) return part.bytes;
    const bytes = original.subarray(part.offset, part.offset + part.length);
    return "decode" in part ? part.decode(bytes) : bytes;
  }),
]);

async function send(folder: string, start: number, end: number): Promise<Buffer> {
  const path = join(folder, "original");
  writeFileSync(path, original);
  const located = await locateFirst([path]);
  return Buffer.from(await new Response(await bodyOf(located, body, { start, end })).arrayBuffer());
}

test("sends the header, ranges, literal bytes and decoded ranges, whole and in part", async () => {
  using folder = temporaryFolder();
  const ends = [body.header, ...body.ranges].map((_, i) => {
    return body.header.length + body.ranges.slice(0, i).reduce((sum, part) => sum + partBytes(part), 0);
  });
  const around = ends.flatMap((end) => [end - 1, end, end + 1]);
  const cuts = [...new Set([0, 1, ...around, 720_000, 1_000_000, whole.length])].filter((cut) => cut <= whole.length);
  for (const start of cuts) {
    for (const end of cuts.filter((cut) => cut > start)) {
      const sent = await send(folder.path, start, end);
      expect(sent.equals(whole.subarray(start, end))).toBe(true);
    }
  }
});

test("a range that does not decode to what was said fails instead of sending something else", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const part = { offset: 0, length: 10, sizeBytes: 20, decode: flipped };
  const lying = { header: new Uint8Array(0), ranges: [part], sizeBytes: 20 };
  expect(bodyOf(await locateFirst([path]), lying, { start: 0, end: 20 })).rejects.toThrow("decoded to 10, not 20");
});

test("samples of a few bytes are sent together", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const ranges = Array.from({ length: 1000 }, (_, i) => ({ offset: i * 2000, length: 400 }));
  const plan = { header: new Uint8Array(10), ranges, sizeBytes: 10 + 400_000 };
  const stream = await bodyOf(await locateFirst([path]), plan, { start: 0, end: plan.sizeBytes });
  const chunks = await Array.fromAsync(stream as ReadableStream<Uint8Array>);
  expect(chunks.length).toBe(3);
});

test("a file that became shorter fails instead of sending something else", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "short");
  writeFileSync(path, original.subarray(0, 1_500_000));
  const located = await locateFirst([path]);
  const response = new Response(await bodyOf(located, body, { start: 0, end: body.sizeBytes }));
  expect(response.arrayBuffer()).rejects.toThrow("the file ends at 1500000");
});

test("a file that was replaced fails instead of sending something else", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const located = await locateFirst([path]);
  writeFileSync(path, original.subarray(1));
  expect(bodyOf(located, body, { start: 0, end: 100 })).rejects.toThrow("has changed");
  const response = new Response(await bodyOf(located, body, { start: 0, end: body.sizeBytes }));
  expect(response.arrayBuffer()).rejects.toThrow("has changed");
});

test("holds no file before the client reads, and none after it has gone away", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const open = () =>
    readdirSync("/proc/self/fd").filter((fd) => {
      const link = `/proc/self/fd/${fd}`;
      return existsSync(link) && readlinkSync(link) === path;
    }).length;
  const sent = await bodyOf(await locateFirst([path]), body, { start: 0, end: body.sizeBytes });
  expect(open()).toBe(0);
  const reader = (sent as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  expect(open()).toBe(1);
  await reader.cancel();
  expect(open()).toBe(0);
});
