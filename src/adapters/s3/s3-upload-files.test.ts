import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../test/support/folder.ts";
import { TestS3 } from "../../../test/support/s3.ts";
import { KEPT, PART_BYTES } from "./s3-keys.ts";
import { S3UploadFiles } from "./s3-upload-files.ts";

let s3: TestS3;
beforeAll(async () => {
  s3 = await TestS3.start();
});
afterAll(() => s3.close());

const bytes = new Uint8Array(40 << 20).map((_, index) => (index * 13 + (index >> 11)) & 255);
const MIB = 1 << 20;

async function stage() {
  const [here, there] = [temporaryFolder(), temporaryFolder()];
  const id = Bun.randomUUIDv7();
  const filesIn = (spool: string) => new S3UploadFiles({ bucket: s3.bucket(), spool });
  const files = filesIn(here.path);
  await files.create(id);
  return {
    id,
    files,
    /** The same instance after a kill -9: nothing but the spool is left. */
    afterCrash: () => filesIn(here.path),
    /** Another instance. */
    other: () => filesIn(there.path),
    spooled: () => readdirSync(join(here.path, id)).toSorted(),
    stored: () => s3.keys().filter((key) => key.startsWith(`sources/${id}/`)),
    async read(from: S3UploadFiles, position: number, length: number) {
      const file = await from.open({ id, copy: null });
      const buffer = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const count = await file.read(buffer.subarray(filled), position + filled);
        if (count === 0) break;
        filled += count;
      }
      await file.close();
      return Buffer.compare(buffer.subarray(0, filled), bytes.subarray(position, position + length)) === 0;
    },
    async write(to: S3UploadFiles, from: number, end: number) {
      const file = await to.open({ id, copy: null });
      try {
        for (let at = from; at < end; at += MIB) await file.write([bytes.subarray(at, Math.min(at + MIB, end))], at);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    [Symbol.dispose]() {
      here[Symbol.dispose]();
      there[Symbol.dispose]();
    },
  };
}

test("full parts go to S3 as they arrive, the part in hand waits in the spool, and completing brings all of it there", async () => {
  using upload = await stage();
  await upload.write(upload.files, 0, 40 * MIB);
  expect(upload.spooled()).toEqual(["2"]);
  expect(upload.stored()).toEqual([0, 1].map((part) => `sources/${upload.id}/${part}`));
  expect(await upload.read(upload.files, PART_BYTES - 10, 100)).toBe(true);
  expect(await upload.read(upload.files, 30 * MIB, 10 * MIB)).toBe(true);
  await upload.files.complete({ id: upload.id, copy: null }, bytes.length);
  await upload.files.complete({ id: upload.id, copy: null }, bytes.length);
  expect(upload.stored().length).toBe(3);
  expect(await upload.read(upload.other(), 0, bytes.length)).toBe(true);
});

test("after a kill -9 the upload goes on where it was acknowledged, also when more was written and sent than that", async () => {
  using upload = await stage();
  await upload.write(upload.files, 0, 35 * MIB);
  const again = upload.afterCrash();
  // 20 MiB were acknowledged: the second part is in S3 whole, and no more in the spool.
  await upload.write(again, 20 * MIB, 40 * MIB);
  await again.complete({ id: upload.id, copy: null }, bytes.length);
  expect(await upload.read(upload.other(), 0, bytes.length)).toBe(true);
});

test("another instance reaches what S3 has, goes on from there, and what the first one had left counts no more", async () => {
  using upload = await stage();
  await upload.write(upload.files, 0, 20 * MIB);
  const other = upload.other();
  expect(await other.shared(upload.id, 20 * MIB)).toBe(16 * MIB);
  expect(other.complete({ id: upload.id, copy: null }, 20 * MIB)).rejects.toMatchObject({ status: 503 });
  await upload.write(other, 16 * MIB, 34 * MIB);
  await upload.files.discard(upload.id);
  expect(await upload.files.shared(upload.id, 34 * MIB)).toBe(32 * MIB);
  await upload.write(upload.files, 32 * MIB, 40 * MIB);
  await upload.files.complete({ id: upload.id, copy: null }, bytes.length);
  expect(await upload.read(upload.other(), 0, bytes.length)).toBe(true);
});

test("while S3 is away what comes is refused with 503, nothing that was synced is lost, and it goes on by itself", async () => {
  using upload = await stage();
  await upload.write(upload.files, 0, 10 * MIB);
  await s3.shut();
  const file = await upload.files.open({ id: upload.id, copy: null });
  await file.write([bytes.subarray(10 * MIB, 12 * MIB)], 10 * MIB);
  await file.sync();
  const sendAll = async () => {
    for (let at = 12 * MIB; at < 40 * MIB; at += MIB) await file.write([bytes.subarray(at, at + MIB)], at);
  };
  expect(await sendAll().catch((error: unknown) => error)).toMatchObject({
    status: 503,
    headers: { "Retry-After": "5" },
  });
  await file.sync();
  await file.close();
  expect(await upload.read(upload.afterCrash(), 0, 16 * MIB)).toBe(true);
  s3.open();
  await upload.write(upload.afterCrash(), 16 * MIB, 40 * MIB);
  await upload.files.complete({ id: upload.id, copy: null }, bytes.length);
  expect(await upload.read(upload.other(), 0, bytes.length)).toBe(true);
});

test("removes spool and objects, but nothing that streaming has taken over; spools of unknown uploads are swept", async () => {
  using upload = await stage();
  await upload.write(upload.files, 0, 17 * MIB);
  await upload.files.sweep(async (id) => ({ id, copy: null }));
  expect(upload.spooled()).toEqual(["1"]);
  await upload.files.sweep(async () => null);
  expect(upload.stored().length).toBe(1);
  await s3.bucket().put(`sources/${upload.id}/${KEPT}`, new Uint8Array(1));
  await upload.files.remove({ id: upload.id, copy: null });
  expect(upload.stored().length).toBe(2);
  await s3.bucket().delete(`sources/${upload.id}/${KEPT}`);
  await upload.files.remove({ id: upload.id, copy: null });
  await upload.files.remove({ id: upload.id, copy: null });
  expect(upload.stored()).toEqual([]);
});
