import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuriedTitle, TitlePage } from "../src/catalog/contract.ts";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "kinora-deleted-"));
let kinora: TestKinora;
let admin: TestUser;

beforeAll(async () => {
  copyFileSync(await fixture("h264-only.mp4"), join(folder, "lake.mp4"));
  kinora = await startTestKinora({ library: { folders: [{ path: folder }] } });
  admin = await TestUser.signIn(kinora, "maria", "correct horse battery");
}, 60_000);
afterAll(async () => {
  await kinora.close();
  rmSync(folder, { recursive: true, force: true });
});

const titles = async () => ((await (await admin.get("/api/titles")).json()) as TitlePage).items;
const buried = async () =>
  ((await (await admin.get("/api/titles/buried")).json()) as { items: readonly BuriedTitle[] }).items;
const rescan = async () => {
  await admin.send("POST", "/api/library/rescan");
  await until(async () => {
    const { items } = (await (await admin.get("/api/library")).json()) as { items: { state: string }[] };
    return items.every(({ state }) => state === "ready");
  });
};

test("a library video that was deleted for good stays away, also under another name, until an admin brings it back", async () => {
  const { id } = (await until(async () => (await titles())[0])) ?? { id: "" };
  await admin.send("DELETE", `/api/titles/${id}`);
  // Its time to be restored is over.
  await kinora.restart(() => {
    const database = new Database(join(kinora.data, "kinora.db"));
    database.run("update titles set deleted_at = 1 where id = ?", [id]);
    database.close();
  });
  expect(await until(async () => (await buried())[0])).toMatchObject({ id, name: "lake" });
  await rescan();
  renameSync(join(folder, "lake.mp4"), join(folder, "sea.mp4"));
  await rescan();
  expect(await titles()).toEqual([]);
  expect((await admin.send("POST", `/api/titles/buried/${id}/restore`)).status).toBe(204);
  expect(await until(async () => (await titles())[0])).toMatchObject({ id, name: "sea", availability: "ready" });
  expect(await buried()).toEqual([]);
  expect(await Bun.file(join(folder, "sea.mp4")).exists()).toBe(true);
});
