import { afterAll, beforeAll, expect, test } from "bun:test";
import { TestS3 } from "../../../test/support/s3.ts";
import { mediaStoreSuite } from "../../streaming/media-store.suite.ts";
import { migrate } from "../sql/migrate.ts";
import { SqlStoredContents } from "../sql/sql-stored-contents.ts";
import { openSqlite } from "../sqlite/sqlite-database.ts";
import { S3Blocks } from "./s3-blocks.ts";
import { S3MediaStore } from "./s3-media-store.ts";

let s3: TestS3;
beforeAll(async () => {
  s3 = await TestS3.start();
});
afterAll(() => s3.close());

mediaStoreSuite("S3", async () => {
  const { database } = openSqlite(":memory:");
  await migrate(database);
  const bucket = s3.bucket();
  let aheadMs = 0;
  const contents = new SqlStoredContents(database);
  const now = () => Date.now() + aheadMs;
  return {
    store: new S3MediaStore({ bucket, place: "s3:films/kinora/", contents, cacheBytes: 1 << 20, now }),
    upload: (id, bytes) => bucket.put(`sources/${id}/0`, bytes),
    copies: async () => s3.keys().filter((key) => /^sources\/.*\/\d+$/.test(key)).length,
    later: () => {
      aheadMs = 86_400_000;
    },
    close: async () => {
      await bucket.deleteAll("");
      await database.destroy();
    },
  };
});

test("wrong credentials and a missing bucket refuse the start, and say why", async () => {
  expect(await s3.bucket().tryOut()).toBeUndefined();
  expect(s3.keys()).toEqual([]);
  const wrong = s3.bucket({ secretAccessKey: "wrong" }).tryOut();
  expect(wrong).rejects.toMatchObject({ name: "StartError", message: expect.stringContaining("credentials") });
  const missing = s3.bucket({ bucket: "nothing-here" }).tryOut();
  expect(missing).rejects.toMatchObject({ name: "StartError", message: expect.stringContaining("no bucket") });
});

test("a store that is away, broken or too slow is 503 with Retry-After, and no message or cause holds a signed URL", async () => {
  const bucket = s3.bucket({ timeoutMs: 300 });
  const failure = async () => {
    const error: unknown = await bucket.get("sources/x/0", 0, 1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 503, headers: { "Retry-After": "5" } });
    expect(Bun.inspect(error)).not.toContain("X-Amz");
  };
  await s3.shut();
  await failure();
  s3.open();
  s3.failWith = 500;
  await failure();
  s3.failWith = null;
  s3.delayMs = 1_000;
  await failure();
  s3.delayMs = 0;
  expect(bucket.get("sources/x/0", 0, 1)).rejects.toMatchObject({ code: "ENOENT" });
});

test("reads of any range, over the ends of blocks and parts, fetch each block once and keep no more than the bound", async () => {
  const bytes = new Uint8Array(18 << 20).map((_, index) => (index * 31 + (index >> 13)) & 255);
  const bucket = s3.bucket();
  const sourceId = Bun.randomUUIDv7();
  await bucket.put(`sources/${sourceId}/0`, bytes.slice(0, 16 << 20));
  await bucket.put(`sources/${sourceId}/1`, bytes.slice(16 << 20));
  const blocks = new S3Blocks(bucket, 8 << 20);
  const stored = { sourceId, sizeBytes: bytes.length };
  const same = async (offset: number, length: number) => {
    const target = new Uint8Array(length);
    const read = target.subarray(0, await blocks.readInto(target, stored, offset));
    expect(Buffer.compare(read, bytes.subarray(offset, Math.min(bytes.length, offset + length)))).toBe(0);
  };
  await same((16 << 20) - 100, 200);
  await same((1 << 20) - 1, 2);
  await same(bytes.length - 10, 100);
  await same(0, bytes.length);
  expect(blocks.keptBytes).toBeLessThanOrEqual(8 << 20);
  const before = s3.requests.GET ?? 0;
  await Promise.all(Array.from({ length: 20 }, () => same(17 << 20, 1000)));
  expect((s3.requests.GET ?? 0) - before).toBeLessThanOrEqual(1);
  await bucket.deleteAll("");
});
