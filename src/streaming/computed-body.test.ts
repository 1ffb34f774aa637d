import { expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/folder.ts";
import { bodyOf, type ComputedBody } from "./computed-body.ts";
import { locateFirst } from "./file-bytes.ts";

const original = new Uint8Array(2_000_000).map((_, index) => (index * 7) & 255);

const body: ComputedBody = {
  header: new TextEncoder().encode("header"),
  ranges: [
    { offset: 1_000, length: 700_000 },
    { offset: 5, length: 3 },
    { offset: 1_200_000, length: 800_000 },
  ],
  sizeBytes: 6 + 700_000 + 3 + 800_000,
};
const whole = Buffer.concat([body.header, ...body.ranges.map((r) => original.subarray(r.offset, r.offset + r.length))]);

async function send(folder: string, start: number, end: number): Promise<Buffer> {
  const path = join(folder, "original");
  writeFileSync(path, original);
  const located = await locateFirst([path]);
  return Buffer.from(await new Response(await bodyOf(located, body, { start, end })).arrayBuffer());
}

test("sends the header and the ranges, whole and in part", async () => {
  using folder = temporaryFolder();
  const cuts = [0, 1, 5, 6, 7, 700_005, 700_006, 700_008, 700_009, 700_010, 1_000_000, whole.length - 1, whole.length];
  for (const start of cuts) {
    for (const end of cuts.filter((cut) => cut > start)) {
      const sent = await send(folder.path, start, end);
      expect(sent.equals(whole.subarray(start, end))).toBe(true);
    }
  }
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
