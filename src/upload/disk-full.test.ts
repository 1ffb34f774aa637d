import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forwarded, sha256, UploadHarness, videoBytes } from "../../test/support/upload-harness.ts";
import type { UploadFile, UploadFiles } from "./upload-files.ts";

const MIB = 1 << 20;

/** Files on a disk that holds `room` bytes more, in writes that may come half through. */
class SmallDisk {
  room = Number.POSITIVE_INFINITY;
  free = Number.POSITIVE_INFINITY;

  wrap = (files: UploadFiles): UploadFiles => ({
    ...forwarded(files),
    freeBytes: async () => Math.min(this.free, await files.freeBytes()),
    open: async (id) => this.#wrapFile(await files.open(id)),
  });

  #wrapFile(file: UploadFile): UploadFile {
    return {
      sync: () => file.sync(),
      read: (buffer, position) => file.read(buffer, position),
      close: () => file.close(),
      write: async (chunks, position) => {
        const bytes = Buffer.concat(chunks);
        const fits = Math.min(this.room, bytes.length);
        await file.write([bytes.subarray(0, fits)], position);
        this.room -= fits;
        if (fits < bytes.length) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      },
    };
  }
}

const form = (bytes: Uint8Array<ArrayBuffer>) => {
  const body = new FormData();
  body.set("file", new Blob([bytes]), "a.mp4");
  return { method: "POST", body };
};
const answerOf = async (response: Response) => [response.status, (await response.json()).code];

test("a disk that fills up answers 507, keeps what a resumable upload has, and lets it go on", async () => {
  const disk = new SmallDisk();
  const kinora = await UploadHarness.start({ wrapFiles: disk.wrap });
  const bytes = videoBytes(6 * MIB, 21);
  const path = await kinora.create(bytes.length);
  disk.room = 2.5 * MIB;
  expect(await answerOf(await kinora.append(path, 0, bytes))).toEqual([507, "disk-full"]);
  const offset = await kinora.offset(path);
  expect(offset).toBeLessThanOrEqual(2.5 * MIB);
  disk.room = Number.POSITIVE_INFINITY;
  expect((await kinora.append(path, offset, bytes.subarray(offset))).status).toBe(204);
  expect(await (await kinora.fetch(path)).json()).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  await kinora.close();
});

test("a disk that fills up during a form answers 507 and leaves nothing", async () => {
  const disk = new SmallDisk();
  const kinora = await UploadHarness.start({ wrapFiles: disk.wrap });
  disk.room = 2.5 * MIB;
  expect(await answerOf(await kinora.fetch("/api/titles", form(videoBytes(6 * MIB))))).toEqual([507, "disk-full"]);
  expect(kinora.leftBehind()).toEqual([]);
  expect(kinora.catalog.titles.size).toBe(0);
  await kinora.close();
});

test("what certainly does not fit is refused before it is sent", async () => {
  const disk = new SmallDisk();
  const kinora = await UploadHarness.start({ wrapFiles: disk.wrap });
  disk.free = 40 * MIB;
  const created = await kinora.tus("POST", "/api/uploads", { "Upload-Length": String(20 * MIB) });
  expect(await answerOf(created)).toEqual([507, "disk-full"]);
  expect(await answerOf(await kinora.fetch("/api/titles", form(videoBytes(20 * MIB))))).toEqual([507, "disk-full"]);
  expect(kinora.leftBehind()).toEqual([]);
  await kinora.close();
});

/** A file system of 64 MiB, when this may mount one. */
function mountSmall(): string | null {
  const folder = mkdtempSync(join(tmpdir(), "kinora-small-"));
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], { stderr: "ignore" });
  if (mount.success) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

const small = process.getuid?.() === 0 && Bun.which("mount") ? mountSmall() : null;
afterAll(() => {
  if (!small) return;
  Bun.spawnSync(["umount", "-l", small]);
  rmSync(small, { recursive: true, force: true });
});

test.skipIf(small === null)("a real file system that is full (needs root to mount one)", async () => {
  const folder = join(small ?? "", "uploads");
  const kinora = await UploadHarness.start({ folder });
  const bytes = videoBytes(24 * MIB, 22);
  const path = await kinora.create(bytes.length);
  const filler = join(small ?? "", "filler");
  writeFileSync(filler, new Uint8Array(54 * MIB));
  expect(await answerOf(await kinora.append(path, 0, bytes))).toEqual([507, "disk-full"]);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(Buffer.from("--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"));
      controller.enqueue(bytes);
      controller.enqueue(Buffer.from("\r\n--b--\r\n"));
      controller.close();
    },
  });
  const headers = { "Content-Type": "multipart/form-data; boundary=b" };
  expect(await answerOf(await kinora.fetch("/api/titles", { method: "POST", body, headers }))).toEqual([
    507,
    "disk-full",
  ]);
  expect(kinora.leftBehind()).toEqual([path.slice("/api/uploads/".length)]);
  rmSync(filler);
  const offset = await kinora.offset(path);
  expect(offset).toBeGreaterThan(0);
  expect((await kinora.append(path, offset, bytes.subarray(offset))).status).toBe(204);
  expect(await (await kinora.fetch(path)).json()).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  await kinora.close();
});
