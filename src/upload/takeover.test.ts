import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { forwarded, sha256, UploadHarness, until, videoBytes } from "../../test/support/upload-harness.ts";
import type { UploadFile } from "./upload-files.ts";
import type { LockHolder, UploadLocks } from "./upload-locks.ts";

/** Locks in memory whose holders can be made to hang: they hear nothing, and their lock can be taken. */
class SharedLocks {
  readonly #held = new Map<string, { readonly by: string; readonly holder: LockHolder }>();
  readonly hanging = new Set<string>();

  of(instance: string): UploadLocks {
    const isLive = (id: string) => !this.hanging.has(this.#held.get(id)?.by ?? instance);
    return {
      decides: true,
      take: async (id, holder) => {
        if (this.#held.has(id) && isLive(id)) return null;
        const mine = { by: instance, holder };
        this.#held.set(id, mine);
        return {
          release: async () => {
            if (this.#held.get(id) === mine) this.#held.delete(id);
          },
        };
      },
      ask: async (id) => !(this.#held.has(id) && isLive(id)),
      isHeld: async (id) => this.#held.has(id) && isLive(id),
    };
  }
}

const locks = new SharedLocks();
/** Opens when what the first instance was about to write may be written after all. */
let gate: PromiseWithResolvers<void> | null = null;
let stuck = 0;
let one: UploadHarness;
let two: UploadHarness;

/** Writes wait at the gate, as on a disk that hangs, or in a process that was suspended between looking and writing. */
const hanging = (file: UploadFile): UploadFile => ({
  async write(chunks, position) {
    if (gate) {
      stuck++;
      await gate.promise;
    }
    await file.write(chunks, position);
  },
  sync: () => file.sync(),
  read: (buffer, position) => file.read(buffer, position),
  close: () => file.close(),
});

beforeAll(async () => {
  one = await UploadHarness.start({
    writer: "one",
    locks: locks.of("one"),
    wrapFiles: (files) => ({ ...forwarded(files), open: async (name) => hanging(await files.open(name)) }),
  });
  two = await UploadHarness.start({ writer: "two", locks: locks.of("two"), data: one.data, folder: one.folder });
});
afterAll(async () => {
  await two.close();
  await one.close();
});

const idOf = (path: string) => path.slice("/api/uploads/".length);

test("what an instance that hung still writes, after another went on with its upload, reaches nothing that counts", async () => {
  const bytes = videoBytes(3 << 20);
  const other = videoBytes(3 << 20, 7);
  const path = await one.create(bytes.length);
  expect((await one.append(path, 0, bytes.slice(0, 1 << 20))).status).toBe(204);
  gate = Promise.withResolvers();
  // Other bytes than the second instance is going to get, so that they would be seen.
  const late = one.append(path, 1 << 20, other.slice(1 << 20));
  await until(() => stuck > 0);
  expect((await two.append(path, 1 << 20, bytes.slice(1 << 20, 2 << 20))).status).toBe(423);
  locks.hanging.add("one");
  expect(await two.offset(path)).toBe(1 << 20);
  expect((await two.append(path, 1 << 20, bytes.slice(1 << 20, 2 << 20))).status).toBe(204);
  // It goes on where it was: it writes, and its bytes are not counted.
  gate.resolve();
  gate = null;
  expect((await late).status).toBe(423);
  expect(await two.offset(path)).toBe(2 << 20);
  expect((await two.append(path, 2 << 20, bytes.slice(2 << 20))).status).toBe(204);
  const mediaId = await until(() => two.streaming.adopted.get(idOf(path))?.mediaId);
  expect(mediaId).toBe(sha256(bytes));
  expect(sha256(await Bun.file(join(two.data, mediaId)).bytes())).toBe(sha256(bytes));
  expect(two.leftBehind()).toEqual([]);
  locks.hanging.clear();
});

test("an upload that was let go of is taken over without a copy, and given back", async () => {
  const bytes = videoBytes(3000);
  const path = await one.create(bytes.length);
  expect((await one.append(path, 0, bytes.slice(0, 1000))).status).toBe(204);
  expect((await two.append(path, 1000, bytes.slice(1000, 2000))).status).toBe(204);
  expect(two.leftBehind()).toEqual([idOf(path)]);
  expect((await one.append(path, 2000, bytes.slice(2000))).status).toBe(204);
  const mediaId = await until(
    () => one.streaming.adopted.get(idOf(path))?.mediaId ?? one.streaming.identified.get(idOf(path)),
  );
  expect(mediaId).toBe(sha256(bytes));
});

test("an upload whose bytes have all come is finished by another instance as it is", async () => {
  const bytes = videoBytes(3000);
  const path = await one.create(bytes.length);
  one.streaming.down = true;
  expect((await one.append(path, 0, bytes)).status).toBe(503);
  expect(await two.offset(path)).toBe(3000);
  one.streaming.down = false;
  expect((await two.append(path, 3000, "")).status).toBe(204);
  expect(two.streaming.adopted.has(idOf(path)) || one.streaming.adopted.has(idOf(path))).toBe(true);
});
