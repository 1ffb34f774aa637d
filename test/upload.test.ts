import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Upload } from "tus-js-client";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { sha256, until } from "./support/upload-harness.ts";

let kinora: TestKinora;
let ada: TestUser;
beforeAll(async () => {
  kinora = await startTestKinora();
  ada = await TestUser.signIn(kinora, "ada");
});
afterAll(() => kinora.close());

const fileBytes = async (path: string) => new Uint8Array(await Bun.file(path).arrayBuffer());
const leftBehind = (data: string) => {
  try {
    return readdirSync(join(data, "media", "uploads"));
  } catch {
    return [];
  }
};

/** Uploads with the client that the web app uses. */
function tusUpload(user: TestUser, url: string, bytes: Uint8Array, metadata: Record<string, string>): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const upload = new Upload(Buffer.from(bytes), {
    endpoint: `${url}/api/uploads`,
    headers: { Cookie: user.cookie },
    chunkSize: 100_000,
    metadata,
    retryDelays: null,
    onSuccess: () => resolve(new URL(upload.url ?? "").pathname),
    onError: reject,
  });
  upload.start();
  return promise;
}

test("a form upload can be watched at once: its original comes back byte for byte", async () => {
  const path = await fixture("h264-aac.mp4");
  const bytes = await fileBytes(path);
  const title = await ada.upload(path, { name: "Clip", tags: ["x"] });
  expect(title).toMatchObject({ name: "Clip", tags: ["x"], mediaId: sha256(bytes), availability: "ready" });
  const original = await ada.get(`/stream/${title.id}/original`);
  expect(original.status).toBe(200);
  expect(sha256(new Uint8Array(await original.arrayBuffer()))).toBe(sha256(bytes));
  expect(leftBehind(kinora.data)).toEqual([]);
});

test("tus-js-client uploads in many parts, and the title is found and played", async () => {
  const bytes = await fileBytes(await fixture("vp9-opus.webm"));
  const path = await tusUpload(ada, kinora.url, bytes, { filename: "Some film.webm", tags: '["tus"]' });
  const upload = await (await ada.get(path)).json();
  expect(upload).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  const found = await (await ada.get("/api/titles?tag=tus")).json();
  expect(found.items).toHaveLength(1);
  expect(found.items[0]).toMatchObject({ id: upload.titleId, name: "Some film", availability: "ready" });
  expect((await ada.get(`/stream/${upload.titleId}/original`)).status).toBe(200);
});

test("every container that is played can be uploaded", async () => {
  for (const name of [
    "h264-aac-faststart.mp4",
    "h264-only.mp4",
    "h264-aac.mkv",
    "h264-aac.ts",
    "h265-aac.mp4",
  ] as const) {
    const title = await ada.upload(await fixture(name));
    expect([name, title.availability]).toEqual([name, "ready"]);
  }
});

test("what is no whole video is refused with the reason, and nothing is left", async () => {
  const whole = await fileBytes(await fixture("h264-aac.mp4"));
  const zip = Uint8Array.from({ length: 50_000 }, (_, index) => (index < 4 ? [0x50, 0x4b, 3, 4][index] : index) ?? 0);
  const refused: [Uint8Array, string][] = [
    [whole.subarray(0, whole.length / 2), "truncated"],
    [zip, "not-a-video"],
    [new TextEncoder().encode("some text"), "not-a-video"],
    [new Uint8Array(), "empty"],
  ];
  const before = (await (await ada.get("/api/titles?limit=200")).json()).items.length;
  for (const [bytes, code] of refused) {
    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(bytes)]), "x.mp4");
    const response = await ada.fetch("/api/titles", { method: "POST", body: form });
    expect([response.status, (await response.json()).code]).toEqual([422, code]);
    expect(tusUpload(ada, kinora.url, bytes, { filename: "x.mp4" })).rejects.toThrow(code);
    await tusUpload(ada, kinora.url, bytes, { filename: "x.mp4" }).catch(() => undefined);
  }
  expect(leftBehind(kinora.data)).toEqual([]);
  expect((await (await ada.get("/api/titles?limit=200")).json()).items).toHaveLength(before);
});

test("equal bytes from two users are stored once, each with a title of their own", async () => {
  const path = await fixture("h264-only.mp4");
  const bob = await TestUser.signIn(kinora, "bob");
  const [first, second] = [await ada.upload(path), await bob.upload(path)];
  expect(second.mediaId).toBe(first.mediaId as string);
  expect(second.id).not.toBe(first.id);
  expect((await bob.get(`/api/titles/${first.id}`)).status).toBe(404);
  expect((await bob.get(`/stream/${second.id}/original`)).status).toBe(200);
});

test("signing out cuts an upload that runs within a second", async () => {
  const eve = await TestUser.signIn(kinora, "eve");
  const bytes = await fileBytes(await fixture("h264-aac.mp4"));
  const created = await eve.fetch("/api/uploads", {
    method: "POST",
    headers: { "Tus-Resumable": "1.0.0", "Upload-Length": String(bytes.length) },
  });
  const path = created.headers.get("Location") ?? "";
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(bytes.slice(0, 10_000));
      await new Promise(() => undefined);
    },
  });
  const headers = { "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" };
  const running = eve.fetch(path, { method: "PATCH", headers, body });
  await until(async () => (await eve.get(path)).status === 200);
  const start = performance.now();
  expect((await eve.send("DELETE", "/api/session")).status).toBe(204);
  expect((await running).status).toBe(401);
  expect(performance.now() - start).toBeLessThan(1_000);
});

/** A Kinora of its own process, that can be killed. */
class KinoraProcess {
  readonly data = mkdtempSync(join(tmpdir(), "kinora-killed-"));
  url = "";
  #process: Bun.Subprocess | null = null;

  async start(): Promise<void> {
    const kinora = join(import.meta.dir, "..", "src", "kinora.ts");
    const child = Bun.spawn([process.execPath, kinora, "serve", "--listen", "127.0.0.1:0", "--data", this.data], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#process = child;
    const output = child.stdout.pipeThrough(new TextDecoderStream());
    let text = "";
    for await (const piece of output) {
      text += piece;
      this.url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? "";
      if (this.url) return;
    }
    throw new Error(`Kinora did not start: ${text}`);
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }
}

test("killed with -9 in the middle of an upload, it goes on from acknowledged bytes to the right SHA-256", async () => {
  const kinora = new KinoraProcess();
  await kinora.start();
  const user = await TestUser.signIn(kinora, "ada");
  const bytes = await fileBytes(await fixture("h264-aac-60s.mp4"));
  const headers = { "Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream" };
  const patch = (path: string, offset: number, body: RequestInit["body"]) =>
    user.fetch(path, { method: "PATCH", headers: { ...headers, "Upload-Offset": String(offset) }, body: body ?? null });
  const created = await user.fetch("/api/uploads", {
    method: "POST",
    headers: { "Tus-Resumable": "1.0.0", "Upload-Length": String(bytes.length) },
  });
  const path = created.headers.get("Location") ?? "";
  const acknowledged = Math.floor(bytes.length / 3);
  expect((await patch(path, 0, bytes.slice(0, acknowledged))).status).toBe(204);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(bytes.slice(acknowledged, acknowledged * 2));
      await new Promise(() => undefined);
    },
  });
  const broken = patch(path, acknowledged, body).catch(() => null);
  await Bun.sleep(100);
  await kinora.kill();
  await broken;

  await kinora.start();
  const head = await user.fetch(path, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
  const offset = Number(head.headers.get("Upload-Offset"));
  expect(offset).toBeGreaterThanOrEqual(acknowledged);
  expect((await patch(path, offset, bytes.slice(offset))).status).toBe(204);
  const upload = await until(async () => {
    const state = await (await user.get(path)).json();
    return state.mediaId && state;
  });
  expect(upload).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  const title = await until(async () => {
    const current = await (await user.get(`/api/titles/${upload.titleId}`)).json();
    return current.mediaId && current;
  });
  expect(title.mediaId).toBe(sha256(bytes));
  const original = await user.get(`/stream/${upload.titleId}/original`);
  expect(sha256(new Uint8Array(await original.arrayBuffer()))).toBe(sha256(bytes));
  await kinora.kill();
  rmSync(kinora.data, { recursive: true, force: true });
});
