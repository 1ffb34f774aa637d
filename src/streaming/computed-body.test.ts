import { expect, test } from "bun:test";
import { existsSync, readdirSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/folder.ts";
import { partBytes, type SegmentPlan } from "../media/segment-plan.ts";
import { bodyOf } from "./computed-body.ts";
import { type LocatedFile, locateFirst } from "./file-bytes.ts";
import { OpenFiles } from "./open-files.ts";

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

/** Sends bodies as the listener does. The URL says which bytes: `/start/end`. */
function serve(located: LocatedFile, plan: SegmentPlan, tls?: Bun.TLSOptions) {
  const server = Bun.serve({
    port: 0,
    ...(tls ? { tls } : {}),
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const [start = 0, end = 0] = new URL(request.url).pathname.split("/").slice(1).map(Number);
      return new Response(await bodyOf(located, plan, { start, end }, { copiesChunks: true }));
    },
    error: (error) => new Response(error.message, { status: 500 }),
  });
  return { url: server.url, [Symbol.dispose]: () => void server.stop(true) };
}

/** What comes of a stream until it ends, or the error's message. */
async function endOf(stream: BodyInit): Promise<string> {
  const reader = (stream as ReadableStream<Uint8Array>).getReader();
  try {
    while (!(await reader.read()).done);
    return "ended";
  } catch (error) {
    return String(error);
  }
}

test("sends the header, ranges, literal bytes and decoded ranges, whole and in part", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const located = await locateFirst([path]);
  using server = serve(located, body);
  const ends = [body.header, ...body.ranges].map((_, i) => {
    return body.header.length + body.ranges.slice(0, i).reduce((sum, part) => sum + partBytes(part), 0);
  });
  const around = ends.flatMap((end) => [end - 1, end, end + 1]);
  const cuts = [...new Set([0, 1, ...around, 720_000, 1_000_000, whole.length])].filter((cut) => cut <= whole.length);
  for (const start of cuts) {
    for (const end of cuts.filter((cut) => cut > start)) {
      const sent = await (await fetch(new URL(`/${start}/${end}`, server.url))).bytes();
      expect(whole.subarray(start, end).equals(sent)).toBe(true);
      const kept = await new Response(await bodyOf(located, body, { start, end })).bytes();
      expect(whole.subarray(start, end).equals(kept)).toBe(true);
    }
  }
});

/** A key and a certificate of its own. */
async function certificate(folder: string): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(folder, "tls.key"), join(folder, "tls.pem")];
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"];
  const made = Bun.spawnSync(["openssl", "req", "-x509", ...options, "-keyout", key, "-out", cert]);
  expect(made.exitCode).toBe(0);
  return { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() };
}

test.each(["HTTP", "HTTPS"])(
  "viewers who read slowly, quickly, or stop get their own bytes over %s",
  async (protocol) => {
    using folder = temporaryFolder();
    const path = join(folder.path, "large");
    const bytes = new Uint32Array(4_000_000).map((_, index) => index * 2_654_435_761);
    writeFileSync(path, bytes);
    const large = Buffer.from(bytes.buffer);
    const plan = {
      header: body.header,
      ranges: [{ offset: 0, length: large.length }],
      sizeBytes: body.header.length + large.length,
    };
    const all = Buffer.concat([body.header, large]);
    const tls = protocol === "HTTPS" ? await certificate(folder.path) : undefined;
    using server = serve(await locateFirst([path]), plan, tls);
    const view = async (viewer: number) => {
      const start = viewer * 100_003;
      const response = await fetch(new URL(`/${start}/${all.length}`, server.url), {
        tls: { rejectUnauthorized: false },
      });
      let at = start;
      for await (const chunk of response.body ?? []) {
        if (!all.subarray(at, at + chunk.length).equals(chunk)) throw new Error(`viewer ${viewer} got others' bytes`);
        at += chunk.length;
        if (viewer % 3 === 0 && Math.floor(at / 2 ** 20) > Math.floor((at - chunk.length) / 2 ** 20))
          await Bun.sleep(20);
        // Long enough that its memory is given back.
        if (viewer % 7 === 1 && at - chunk.length < 8_000_000 && at >= 8_000_000) await Bun.sleep(700);
        if (viewer % 5 === 4 && at > start + 3_000_000) return "left";
      }
      return at === all.length ? "whole" : `ended at ${at}`;
    };
    const ends = await Promise.all(Array.from({ length: 20 }, (_, viewer) => view(viewer)));
    expect(ends).toEqual(ends.map((_, viewer) => (viewer % 5 === 4 ? "left" : "whole")));
  },
);

test("samples far apart, near each other, and backwards are gathered", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const near = Array.from({ length: 1200 }, (_, i) => ({ offset: i * 300, length: 30 + (i % 7) }));
  const ranges = [...near, { offset: 1_900_000, length: 5 }, { offset: 100, length: 70 }, { offset: 100, length: 70 }];
  const sizeBytes = ranges.reduce((sum, { length }) => sum + length, 0);
  using server = serve(await locateFirst([path]), { header: new Uint8Array(0), ranges, sizeBytes });
  const sent = await (await fetch(new URL(`/0/${sizeBytes}`, server.url))).bytes();
  const wanted = Buffer.concat(ranges.map(({ offset, length }) => original.subarray(offset, offset + length)));
  expect(wanted.equals(sent)).toBe(true);
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
  expect(chunks.length).toBeLessThan(10);
});

test("a file that became shorter fails instead of sending something else", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "short");
  writeFileSync(path, original.subarray(0, 1_500_000));
  const located = await locateFirst([path]);
  expect(await endOf(await bodyOf(located, body, { start: 0, end: body.sizeBytes }))).toContain(
    "the file ends at 1500000",
  );
  // The same where many ranges are read at once.
  const ranges = Array.from({ length: 100 }, (_, i) => ({ offset: 1_499_000 + i * 200, length: 10 }));
  const gathered = { header: new Uint8Array(0), ranges, sizeBytes: 1000 };
  expect(bodyOf(located, gathered, { start: 0, end: 1000 })).rejects.toThrow("the file ends at 1500000");
});

test("a file that was replaced fails instead of sending something else", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const located = await locateFirst([path]);
  writeFileSync(path, original.subarray(1));
  expect(bodyOf(located, body, { start: 0, end: 100 })).rejects.toThrow("has changed");
  expect(await endOf(await bodyOf(located, body, { start: 0, end: body.sizeBytes }))).toContain("has changed");
});

/** How often this process has a file open. */
const timesOpen = (path: string) =>
  readdirSync("/proc/self/fd").filter((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return existsSync(link) && readlinkSync(link).startsWith(path);
  }).length;

test("opens a file once for all who read it, not before they read, and closes it when nobody has for a while", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const located = await locateFirst([path]);
  const files = new OpenFiles(40);
  const sent = await bodyOf(located, body, { start: 0, end: body.sizeBytes }, { files });
  const other = await bodyOf(located, body, { start: 9, end: body.sizeBytes }, { files });
  expect(timesOpen(path)).toBe(0);
  const readers = [sent, other].map((stream) => (stream as ReadableStream<Uint8Array>).getReader());
  for (const reader of readers) await reader.read();
  expect(timesOpen(path)).toBe(1);
  await readers[0]?.cancel();
  await Bun.sleep(200);
  expect(timesOpen(path)).toBe(1);
  await readers[1]?.cancel();
  while (timesOpen(path) > 0) await Bun.sleep(10);
});

test("a file that took another's place is opened anew", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "original");
  writeFileSync(path, original);
  const files = new OpenFiles();
  const first = async () => {
    const located = await locateFirst([path]);
    return new Response(await bodyOf(located, body, { start: 6, end: 106 }, { files })).bytes();
  };
  expect(await first()).toEqual(original.slice(1_000, 1_100));
  writeFileSync(`${path}.new`, original.toReversed());
  renameSync(`${path}.new`, path);
  expect(await first()).toEqual(original.toReversed().slice(1_000, 1_100));
});

/** The same, and how often it was read. */
function counting(located: LocatedFile) {
  const counts = { reads: 0 };
  const open = async () => {
    const file = await located.open();
    const counted = <T>(work: () => Promise<T>) => {
      counts.reads++;
      return work();
    };
    return {
      ...{ size: file.size, isElsewhere: file.isElsewhere, close: () => file.close() },
      read: (offset: number, length: number) => counted(() => file.read(offset, length)),
      readInto: (target: Uint8Array, offset: number) => counted(() => file.readInto(target, offset)),
      readEach: (targets: readonly Uint8Array[], offset: number) => counted(() => file.readEach(targets, offset)),
    };
  };
  return { counts, located: { ...located, isUnchanged: () => located.isUnchanged(), open } };
}

test("reads only what is asked for, and nothing more once the viewer has left", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "large");
  writeFileSync(path, new Uint8Array(8 * 2 ** 20));
  const { counts, located } = counting(await locateFirst([path]));
  const plan = { header: body.header, ranges: [{ offset: 0, length: 8 * 2 ** 20 }], sizeBytes: 6 + 8 * 2 ** 20 };
  const files = new OpenFiles(40);
  const range = { start: 0, end: plan.sizeBytes };
  const reader = ((await bodyOf(located, plan, range, { files })) as ReadableStream<Uint8Array>).getReader();
  await Bun.sleep(30);
  expect(counts.reads).toBe(0);
  await reader.read();
  await Bun.sleep(30);
  expect(counts.reads).toBe(1);
  const second = reader.read();
  await reader.cancel();
  await second;
  await Bun.sleep(30);
  expect(counts.reads).toBeLessThanOrEqual(2);
});
