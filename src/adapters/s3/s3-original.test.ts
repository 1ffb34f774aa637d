import { afterAll, beforeAll, expect, test } from "bun:test";
import { TestS3 } from "../../../test/support/s3.ts";
import { until } from "../../../test/support/until.ts";
import { S3Blocks } from "./s3-blocks.ts";
import { S3Original } from "./s3-original.ts";

const MIB = 1 << 20;
const SIZE = 24 * MIB;
const CACHE = 8 * MIB;
const bytes = new Uint8Array(SIZE).map((_, index) => (index * 31 + (index >> 13)) & 255);
const sourceId = Bun.randomUUIDv7();

let s3: TestS3;
beforeAll(async () => {
  s3 = await TestS3.start();
  await s3.bucket().put(`sources/${sourceId}/0`, bytes.slice(0, 16 * MIB));
  await s3.bucket().put(`sources/${sourceId}/1`, bytes.slice(16 * MIB));
});
afterAll(() => s3.close());

/** A reader of the film with a cache of its own, and what was fetched for it. */
function open() {
  const blocks = new S3Blocks(s3.bucket(), CACHE);
  const before = { bytes: s3.sentBytes, requests: s3.requests.GET ?? 0 };
  return {
    blocks,
    reader: new S3Original({ blocks, sizeBytes: SIZE, mtimeMs: 0, resolve: async () => sourceId }),
    fetched: () => ({ bytes: s3.sentBytes - before.bytes, requests: (s3.requests.GET ?? 0) - before.requests }),
  };
}

const STEP = 256 << 10;

test("whoever reads on, as the packager does, has the next megabytes fetched before asking for them", async () => {
  const { reader, fetched } = open();
  await reader.read(0, STEP);
  expect(fetched().bytes).toBeLessThan(2 * MIB);
  await reader.read(STEP, STEP);
  await until(() => fetched().bytes >= 4 * MIB);
  // Nobody has read more than half a megabyte, and what comes next costs no request.
  const { requests } = fetched();
  for (let offset = 2 * STEP; offset < 2 * MIB; offset += STEP) {
    expect(Buffer.compare(await reader.read(offset, STEP), bytes.subarray(offset, offset + STEP))).toBe(0);
  }
  expect(fetched().requests).toBe(requests);
  await reader.close();
});

test("a film larger than the cache is read with few, large requests, each byte fetched once, and never fills more than the bound", async () => {
  const { blocks, reader, fetched } = open();
  let most = 0;
  for (let offset = 0; offset < SIZE; offset += STEP) {
    expect(Buffer.compare(await reader.read(offset, STEP), bytes.subarray(offset, offset + STEP))).toBe(0);
    most = Math.max(most, blocks.keptBytes);
  }
  await reader.close();
  expect(most).toBeLessThanOrEqual(CACHE);
  expect(fetched().bytes).toBe(SIZE);
  expect(fetched().requests).toBeLessThanOrEqual(SIZE / (4 * MIB) + 6);
});

test("whoever jumps about has nothing fetched ahead", async () => {
  const { reader, fetched } = open();
  for (const place of [20, 3, 11, 7]) await reader.read(place * MIB, 1_000);
  await Bun.sleep(50);
  expect(fetched()).toEqual({ bytes: 4 * MIB, requests: 4 });
  await reader.close();
});
