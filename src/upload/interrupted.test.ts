import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { ada, bob, forwarded, sha256, UploadHarness, until, videoBytes } from "../../test/support/upload-harness.ts";
import { RUNNING_MAX, SILENT_MS } from "./receptions.ts";

let kinora: UploadHarness;
beforeAll(async () => {
  kinora = await UploadHarness.start();
});
afterAll(() => kinora.close());

const idOf = (path: string) => path.slice("/api/uploads/".length);
const stateOf = async (path: string) => (await kinora.fetch(path)).json();

/** A PATCH by hand, so that it can be slow, stop and break. */
class RawPatch {
  readonly #socket: Socket;
  answer = "";
  closed = false;

  constructor(path: string, offset: number, length: number) {
    const { hostname, port } = new URL(kinora.url);
    this.#socket = connect(Number(port), hostname);
    this.#socket.on("data", (data) => {
      this.answer += data.toString();
    });
    this.#socket.on("close", () => {
      this.closed = true;
    });
    this.#socket.on("error", () => undefined);
    this.#socket.write(
      [
        `PATCH ${path} HTTP/1.1`,
        "Host: localhost",
        "X-Test-User: ada",
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        `Upload-Offset: ${offset}`,
        `Content-Length: ${length}`,
        "\r\n",
      ].join("\r\n"),
    );
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  break(): void {
    this.#socket.destroy();
  }

  get status(): number {
    return Number(this.answer.split(" ")[1] ?? 0);
  }
}

/** Waits until the server has taken the first bytes. */
const begun = (path: string) => until(() => kinora.progress.some(({ id }) => id === idOf(path)));

/** Waits until the server has these bytes. Its offset only tells what is synced, about once a second. */
const received = (path: string, count: number) => until(async () => (await kinora.offset(path)) >= count);

test("a connection that breaks leaves what has arrived, and the upload goes on to the right SHA-256", async () => {
  const bytes = videoBytes(2_000_000, 11);
  const path = await kinora.create(bytes.length);
  const patch = new RawPatch(path, 0, bytes.length);
  await patch.send(bytes.subarray(0, 777_777));
  patch.break();
  await received(path, 777_777);
  expect(await kinora.offset(path)).toBe(777_777);
  expect((await kinora.append(path, 777_777, bytes.subarray(777_777))).status).toBe(204);
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
});

test("of two requests that send one upload at once, the second is refused and the first goes on", async () => {
  const bytes = videoBytes(1_000_000, 12);
  const path = await kinora.create(bytes.length);
  const first = new RawPatch(path, 0, bytes.length);
  await first.send(bytes.subarray(0, 10_000));
  await begun(path);
  const second = await kinora.append(path, 0, bytes);
  expect([second.status, (await second.json()).code]).toEqual([423, "upload-locked"]);
  await first.send(bytes.subarray(10_000));
  await until(() => first.status === 204);
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
});

test("many requests at once for one upload never mix their bytes", async () => {
  const bytes = videoBytes(300_000, 13);
  const path = await kinora.create(bytes.length);
  const answers = await Promise.all(Array.from({ length: 8 }, () => kinora.append(path, 0, bytes)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses[0]).toBe(204);
  for (const status of statuses.slice(1)) expect([409, 423]).toContain(status);
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
});

test("a sender that has gone silent gives way to a new request", async () => {
  const bytes = videoBytes(100_000, 14);
  const path = await kinora.create(bytes.length);
  const silent = new RawPatch(path, 0, bytes.length);
  await silent.send(bytes.subarray(0, 40_000));
  await begun(path);
  await Bun.sleep(SILENT_MS + 200);
  expect(await kinora.offset(path)).toBe(40_000);
  expect((await kinora.append(path, 40_000, bytes.subarray(40_000))).status).toBe(204);
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  silent.break();
});

test("revoking the sender's credential cuts the upload at once and keeps what has arrived", async () => {
  const path = await kinora.create(1_000_000);
  const patch = new RawPatch(path, 0, 1_000_000);
  await patch.send(videoBytes(200_000));
  await begun(path);
  const start = performance.now();
  kinora.revoke(ada);
  await until(() => patch.status !== 0);
  expect(patch.status).toBe(401);
  await until(() => patch.closed);
  expect(performance.now() - start).toBeLessThan(1_000);
  expect(await kinora.offset(path)).toBeGreaterThan(0);
  patch.break();
});

test("revoking the sender's credential cuts a form and leaves nothing", async () => {
  const socketBody = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(
        new TextEncoder().encode("--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"),
      );
      controller.enqueue(videoBytes(100_000));
      await new Promise(() => undefined);
    },
  });
  const headers = { "Content-Type": "multipart/form-data; boundary=b" };
  const before = kinora.leftBehind().length;
  const answer = kinora.fetch("/api/titles", { method: "POST", body: socketBody, headers });
  await until(() => kinora.leftBehind().length > before);
  kinora.revoke(ada);
  expect((await answer).status).toBe(401);
  expect(kinora.leftBehind().length).toBe(before);
});

test("deleting the title ends its upload and leaves nothing", async () => {
  const path = await kinora.create(1_000_000);
  const patch = new RawPatch(path, 0, 1_000_000);
  await patch.send(videoBytes(200_000));
  await begun(path);
  await kinora.deleteTitle(idOf(path));
  await until(() => patch.status !== 0);
  expect(patch.status).toBe(410);
  await until(async () => (await kinora.fetch(path)).status === 404);
  expect(kinora.leftBehind()).not.toContain(idOf(path));
  patch.break();
});

test("a form whose connection breaks leaves nothing", async () => {
  const before = kinora.leftBehind().length;
  const { hostname, port } = new URL(kinora.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    "POST /api/titles HTTP/1.1\r\nHost: localhost\r\nX-Test-User: ada\r\nContent-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n",
  );
  socket.write(videoBytes(100_000));
  await until(() => kinora.leftBehind().length > before);
  socket.destroy();
  await until(() => kinora.leftBehind().length === before);
});

test("after a restart an upload goes on, and is hashed again from its first byte", async () => {
  const bytes = videoBytes(5_000_000, 15);
  const path = await kinora.create(bytes.length, { filename: "a.mp4", name: "Restarted" });
  await kinora.append(path, 0, bytes.subarray(0, 3_000_000));
  await kinora.restart();
  const head = await kinora.tus("HEAD", path);
  expect(head.headers.get("Upload-Offset")).toBe("3000000");
  expect(head.headers.get("Upload-Metadata")).toContain(`name ${Buffer.from("Restarted").toString("base64")}`);
  expect((await kinora.append(path, 3_000_000, bytes.subarray(3_000_000))).status).toBe(204);
  await until(async () => (await stateOf(path)).mediaId);
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
});

test("a complete upload is finished when the service that was away is back", async () => {
  const bytes = videoBytes(50_000, 16);
  const path = await kinora.create(bytes.length);
  kinora.streaming.down = true;
  const answer = await kinora.append(path, 0, bytes);
  expect([answer.status, (await answer.json()).code]).toEqual([503, "temporary-unavailable"]);
  expect(await stateOf(path)).toMatchObject({ state: "receiving", offset: bytes.length });
  kinora.streaming.down = false;
  await kinora.restart();
  await until(async () => (await stateOf(path)).state === "ready");
  expect(await stateOf(path)).toMatchObject({ mediaId: sha256(bytes) });
});

test("a form that was complete when a service was away is not lost", async () => {
  kinora.catalog.titles.clear();
  kinora.catalog.down = true;
  const form = new FormData();
  form.set("file", new Blob([videoBytes(30_000, 17)]), "later.mp4");
  expect((await kinora.fetch("/api/titles", { method: "POST", body: form })).status).toBe(503);
  kinora.catalog.down = false;
  await kinora.restart();
  const title = await until(() =>
    [...kinora.catalog.titles.values()].find(({ availability }) => availability === "ready"),
  );
  expect(title.name).toBe("later");
});

test("a title that is ready before its bytes are hashed again gets its SHA-256 later", async () => {
  let unreadable = false;
  const slow = await UploadHarness.start({
    wrapFiles: (files) => ({
      ...forwarded(files),
      open: async (id) => {
        const file = await files.open(id);
        const read = file.read.bind(file);
        return Object.assign(file, {
          read: async (buffer: Uint8Array, position: number) => {
            if (unreadable) throw new Error("not now");
            return read(buffer, position);
          },
        });
      },
    }),
  });
  const bytes = videoBytes(400_000, 18);
  const path = await slow.create(bytes.length);
  await slow.append(path, 0, bytes.subarray(0, 100_000));
  await slow.restart();
  unreadable = true;
  expect((await slow.append(path, 100_000, bytes.subarray(100_000))).status).toBe(204);
  const id = idOf(path);
  expect(await (await slow.fetch(path)).json()).toMatchObject({ state: "ready", mediaId: null });
  expect(slow.catalog.titles.get(id)).toMatchObject({ availability: "ready", mediaId: null });
  unreadable = false;
  await slow.restart();
  await until(() => slow.streaming.identified.has(id));
  expect(slow.streaming.identified.get(id)).toBe(sha256(bytes));
  await until(async () => (await (await slow.fetch(path)).json()).mediaId === sha256(bytes));
  await slow.close();
});

test("one user may not have too many requests sending at once", async () => {
  const paths = await Promise.all(Array.from({ length: RUNNING_MAX }, () => kinora.create(1000)));
  const patches = paths.map((path) => new RawPatch(path, 0, 1000));
  await Promise.all(patches.map((patch) => patch.send(videoBytes(500))));
  await Promise.all(paths.map(begun));
  const one = await kinora.tus("POST", "/api/uploads", { "Upload-Length": "1000" });
  expect([one.status, (await one.json()).code]).toEqual([429, "rate-limited"]);
  expect(Number(one.headers.get("Retry-After"))).toBeGreaterThan(0);
  const other = await kinora.tus("POST", "/api/uploads", { "Upload-Length": "1000" }, undefined, bob);
  expect(other.status).toBe(201);
  for (const patch of patches) patch.break();
});

test.skipIf(!process.env.KINORA_TEST_LONG)(
  "a sender that pauses for longer than other connections may is not cut",
  async () => {
    const bytes = videoBytes(100_000, 19);
    const path = await kinora.create(bytes.length);
    const patch = new RawPatch(path, 0, bytes.length);
    await patch.send(bytes.subarray(0, 50_000));
    await Bun.sleep(75_000);
    await patch.send(bytes.subarray(50_000));
    await until(() => patch.status === 204);
    expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  },
  120_000,
);
