import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "../../test/support/until.ts";
import { UploadHarness, videoBytes } from "../../test/support/upload-harness.ts";

const idOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const attemptsOf = (kinora: UploadHarness) => {
  using database = new Database(join(kinora.data, "kinora.db"), { readonly: true });
  return database
    .query<{ attempts: number }, []>("select attempts from upload")
    .all()
    .map(({ attempts }) => attempts);
};

test("an upload whose inspection hangs is refused after two attempts, and nothing of it is left", async () => {
  const kinora = await UploadHarness.start({ adoptTimeoutMs: 50 });
  kinora.streaming.hangs = true;
  const bytes = videoBytes(10_000);
  const path = await kinora.create(bytes.length);
  expect((await kinora.append(path, 0, bytes)).status).toBe(503);
  expect(attemptsOf(kinora)).toEqual([1]);
  // Asked again by the sender, or by the service itself: whichever comes first.
  await until(async () => {
    await kinora.append(path, bytes.length, new Uint8Array());
    return (await (await kinora.fetch(path)).json()).state === "failed";
  });
  expect(await (await kinora.fetch(path)).json()).toMatchObject({ error: { code: "not-a-video" } });
  expect(kinora.streaming.inspections).toBe(2);
  expect(kinora.leftBehind()).toEqual([]);
  expect(kinora.catalog.titles.has(idOf(path))).toBe(false);
  await kinora.close();
});

test("an attempt is on record before the inspection begins: a crash in the middle counts, an orderly stop does not", async () => {
  const kinora = await UploadHarness.start();
  kinora.streaming.hangs = true;
  const bytes = videoBytes(10_000);
  const path = await kinora.create(bytes.length);
  const answer = kinora.append(path, 0, bytes).catch(() => null);
  await until(() => kinora.streaming.inspections === 1);
  expect(attemptsOf(kinora)).toEqual([1]);
  await kinora.restart();
  await answer;
  await until(() => kinora.streaming.inspections === 2);
  expect(attemptsOf(kinora)).toEqual([1]);
  await kinora.close();
});

test("a service that is away is no attempt", async () => {
  const kinora = await UploadHarness.start();
  kinora.streaming.down = true;
  const bytes = videoBytes(10_000);
  const path = await kinora.create(bytes.length);
  for (let round = 0; round < 4; round++) {
    await kinora.append(path, round === 0 ? 0 : bytes.length, round === 0 ? bytes : new Uint8Array());
    expect(attemptsOf(kinora)).toEqual([0]);
  }
  kinora.streaming.down = false;
  await kinora.restart();
  await until(async () => (await (await kinora.fetch(path)).json()).state === "ready");
  await kinora.close();
});
