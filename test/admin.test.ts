import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { version } from "../src/version.ts";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

let kinora: TestKinora;
let root: TestUser;
let editor: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora();
  root = await TestUser.signIn(kinora, "root");
  editor = await TestUser.signIn(kinora, "ed");
});
afterAll(() => kinora.close());

const anyId = "01890a5d-ac96-774b-bcce-b302099a8057";

const adminRoutes = [
  ["GET", "/api/users"],
  ["GET", "/api/users?q=root"],
  ["POST", "/api/users"],
  ["PATCH", `/api/users/${anyId}`],
  ["DELETE", `/api/users/${anyId}`],
  ["GET", "/api/invites"],
  ["POST", "/api/invites"],
  ["DELETE", `/api/invites/${anyId}`],
  ["GET", "/api/library"],
  ["POST", "/api/library/rescan"],
  ["POST", "/api/library/folders"],
  ["DELETE", `/api/library/folders/${anyId}`],
  ["GET", "/api/storage"],
  ["DELETE", "/api/storage/index"],
] as const;

test.each(adminRoutes)("%s %s is for admins; others are refused and learn nothing", async (method, path) => {
  const valid = { username: "new", password: "correct horse battery" };
  const bodies: Readonly<Record<string, unknown>> = {
    "POST /api/users": valid,
    "POST /api/invites": {},
    "POST /api/library/folders": { path: "/srv" },
    [`PATCH /api/users/${anyId}`]: { role: "admin" },
  };
  const body = bodies[`${method} ${path}`];
  const viewer = await TestUser.signIn(kinora, "vera");
  for (const [who, status] of [
    [new TestUser(kinora), 401],
    [editor, 403],
    [viewer, 403],
  ] as const) {
    const response = await who.send(method, path, body);
    const answer = (await response.json()) as Record<string, unknown>;
    expect([response.status, Object.keys(answer).toSorted()]).toEqual([
      status,
      ["code", "detail", "status", "title", "type"],
    ]);
  }
});

test("an admin sees version, load and heartbeat of each service; others only that it runs", async () => {
  interface Instance {
    readonly service: string;
    readonly version: string;
    readonly heardAt: string;
    readonly load: { readonly cpu: number; readonly memoryBytes: number };
  }
  const { items } = (await (await root.get("/api/services")).json()) as { items: Instance[] };
  expect(items.map(({ service }) => service)).toEqual(["main", "auth", "catalog", "upload", "streaming"]);
  for (const item of items) {
    expect(item.version).toBe(version);
    expect(item.load.memoryBytes).toBeGreaterThan(10_000_000);
    expect(item.load.cpu).toBeGreaterThanOrEqual(0);
    expect(Date.now() - Date.parse(item.heardAt)).toBeLessThan(10_000);
  }
  const short = (await (await editor.get("/api/services")).json()) as { items: { addresses: string[] }[] };
  expect(short.items.length).toBe(items.length);
  for (const item of short.items) {
    expect(Object.keys(item).toSorted()).toEqual(["addresses", "instance", "service", "since"]);
    expect(item.addresses).toEqual([new URL(kinora.url).origin]);
  }
});

interface Report {
  readonly areas: readonly { kind: string; bytes: number; files: number | null; removable: boolean }[];
  readonly volumes: readonly { holds: string[]; freeBytes: number; totalBytes: number }[];
  readonly owners: readonly { user: { username: string }; bytes: number; files: number }[];
}

test("storage counts uploads once for equal content, folders, indexes and free space, and what may be removed", async () => {
  const file = await fixture("h264-aac.mp4");
  const size = Bun.file(file).size;
  const { id } = await editor.upload(file, { name: "One" });
  await root.upload(file, { name: "The same" });
  const folder = join(kinora.data, "..", `${kinora.data.split("/").at(-1)}-library`);
  mkdirSync(folder, { recursive: true });
  await Bun.write(join(folder, "a.mp4"), Bun.file(await fixture("h264-only.mp4")));
  expect((await root.post("/api/library/folders", { path: folder })).status).toBe(201);
  const read = async () => (await (await root.get("/api/storage")).json()) as Report;
  const area = (report: Report, kind: string) => report.areas.find((one) => one.kind === kind);
  // The report is measured every few seconds at most, and the file is found behind the request.
  await until(async () => (area(await read(), "library")?.files ?? 0) === 1, 20_000);
  const report = await read();
  expect(area(report, "originals")).toEqual({ kind: "originals", bytes: size, files: 1, removable: false });
  expect(area(report, "database")?.bytes).toBeGreaterThan(1_000);
  expect(area(report, "index")?.removable).toBe(true);
  expect(area(report, "index")?.files).toBeGreaterThan(0);
  expect(report.volumes[0]?.holds).toContain("data");
  expect(report.volumes[0]?.freeBytes).toBeGreaterThan(0);
  expect(report.owners.map(({ user, files, bytes }) => [user.username, files, bytes]).toSorted()).toEqual([
    ["ed", 1, size],
    ["root", 1, size],
  ]);
  const playlist = `/stream/${id}/hls/master.m3u8`;
  expect((await editor.get(playlist)).status).toBe(200);
  expect(await (await root.send("DELETE", "/api/storage/index")).json()).toMatchObject({
    files: area(report, "index")?.files,
  });
  expect(area(await read(), "index")?.files).toBe(0);
  expect((await editor.get(playlist)).status).toBe(200);
  await kinora.restart();
  expect((await editor.get(playlist)).status).toBe(200);
});

test("an admin hears of streams that begin and end, and stops one; its owner hears of it too, others do not", async () => {
  const { id: titleId } = await editor.upload(await fixture("h264-only.mp4"), { name: "Concert" });
  const other = await TestUser.signIn(kinora, "other");
  const heard = async (who: TestUser) => {
    const response = await who.get("/api/events");
    const lines: string[] = [];
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    void (async () => {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) lines.push(part.value);
    })().catch(() => undefined);
    await until(() => lines.length > 0);
    return { text: () => lines.join(""), end: () => reader?.cancel() };
  };
  const [admin, owner, stranger] = [await heard(root), await heard(editor), await heard(other)];
  const { id } = (await (await editor.post("/api/streams", { titleId, protocol: "hls" })).json()) as { id: string };
  await until(() => admin.text().includes(id));
  expect(admin.text()).toContain("event: stream");
  const { items } = (await (await root.get("/api/streams")).json()) as { items: { id: string; user: object }[] };
  expect(items).toEqual([expect.objectContaining({ id, user: expect.objectContaining({ username: "ed" }) })]);
  expect((await other.send("DELETE", `/api/streams/${id}`)).status).toBe(404);
  expect((await root.send("DELETE", `/api/streams/${id}`)).status).toBe(204);
  await until(() => owner.text().includes('"state":"done"'));
  expect(stranger.text()).not.toContain(id);
  for (const reading of [admin, owner, stranger]) await reading.end();
});
