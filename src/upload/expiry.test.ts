import { afterEach, beforeEach, expect, test } from "bun:test";
import { UploadHarness, until, videoBytes } from "../../test/support/upload-harness.ts";
import { UNFINISHED_MAX } from "./uploads.ts";

const HOUR_MS = 3_600_000;
let kinora: UploadHarness;
beforeEach(async () => {
  kinora = await UploadHarness.start();
});
afterEach(() => kinora.close());

const idOf = (path: string) => path.slice("/api/uploads/".length);

async function restartAfter(hours: number): Promise<void> {
  kinora.aheadMs += hours * HOUR_MS;
  await kinora.restart();
}

test("an unfinished upload goes 24 hours after its last byte, with its file and title", async () => {
  const path = await kinora.create(100_000);
  const headers = (await kinora.tus("HEAD", path)).headers;
  expect(headers.get("Upload-Offset")).toBe("0");
  await restartAfter(20);
  const patch = await kinora.append(path, 0, videoBytes(50_000));
  expect(patch.status).toBe(204);
  expect(Date.parse(patch.headers.get("Upload-Expires") ?? "") - Date.now()).toBeGreaterThan(23 * HOUR_MS);
  await restartAfter(20);
  expect(await kinora.offset(path)).toBe(50_000);
  await restartAfter(5);
  await until(async () => (await kinora.fetch(path)).status === 404);
  await until(() => !kinora.leftBehind().includes(idOf(path)));
  expect(kinora.catalog.titles.has(idOf(path))).toBe(false);
});

test("uploads that could not be begun, as the catalog was away, do not count as unfinished ones, and leave nothing", async () => {
  kinora.catalog.down = true;
  for (let n = 0; n <= UNFINISHED_MAX; n++) await expect(kinora.create(1_000)).rejects.toThrow("503");
  kinora.catalog.down = false;
  const path = await kinora.create(1_000);
  await restartAfter(1);
  await until(() => kinora.leftBehind().length === 1);
  expect(kinora.leftBehind()).toEqual([idOf(path)]);
});

test("a finished upload can be asked for during 24 hours; its title stays", async () => {
  const bytes = videoBytes(20_000);
  const path = await kinora.create(bytes.length);
  await kinora.append(path, 0, bytes);
  await restartAfter(23);
  expect((await (await kinora.fetch(path)).json()).state).toBe("ready");
  await restartAfter(2);
  await until(async () => (await kinora.fetch(path)).status === 404);
  expect(kinora.catalog.titles.get(idOf(path))?.availability).toBe("ready");
  expect(kinora.catalog.discarded).not.toContain(idOf(path));
});

test("what lies in another store waits for its instance: it is not received, removed, finished or expired here", async () => {
  const bytes = videoBytes(20_000);
  const [path, complete] = [await kinora.create(bytes.length), await kinora.create(bytes.length)];
  await kinora.append(path, 0, bytes.slice(0, 5_000));
  await kinora.append(complete, 0, bytes);
  kinora.place = "file:other";
  await restartAfter(1);
  expect(await kinora.offset(path)).toBe(5_000);
  for (const refused of [await kinora.append(path, 5_000, bytes.slice(5_000)), await kinora.tus("DELETE", path)]) {
    expect([refused.status, Number(refused.headers.get("Retry-After")) > 0]).toEqual([503, true]);
  }
  await restartAfter(30);
  await kinora.restart();
  expect(kinora.leftBehind()).toContain(idOf(path));
  expect((await kinora.fetch(path)).status).toBe(200);
  kinora.place = "file:harness";
  await kinora.restart();
  await until(async () => (await kinora.fetch(path)).status === 404);
  await until(() => !kinora.leftBehind().includes(idOf(path)));
});
