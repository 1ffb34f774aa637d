import { afterAll, beforeAll, expect, test } from "bun:test";
import { ada, bob, root, sha256, UploadHarness, until, vic, videoBytes } from "../../test/support/upload-harness.ts";

let kinora: UploadHarness;
beforeAll(async () => {
  kinora = await UploadHarness.start({ maxSizeBytes: 64 << 20 });
});
afterAll(() => kinora.close());

const idOf = (path: string) => path.slice("/api/uploads/".length);
const stateOf = async (path: string) => (await kinora.fetch(path)).json();

test("an upload in two parts becomes a ready title under the SHA-256 of its bytes", async () => {
  const bytes = videoBytes(3_000_000);
  const path = await kinora.create(bytes.length, { filename: "My clip.mp4", tags: '["a","b"]' });
  expect(path).toStartWith("/api/uploads/");
  expect(kinora.catalog.titles.get(idOf(path))).toMatchObject({ availability: "receiving", name: "My clip" });
  const first = await kinora.append(path, 0, bytes.subarray(0, 1_234_567));
  expect(first.status).toBe(204);
  expect(first.headers.get("Upload-Offset")).toBe("1234567");
  expect(await kinora.offset(path)).toBe(1_234_567);
  expect(await stateOf(path)).toEqual({
    id: idOf(path),
    state: "receiving",
    offset: 1_234_567,
    sizeBytes: bytes.length,
    titleId: idOf(path),
    mediaId: null,
    error: null,
  });
  const last = await kinora.append(path, 1_234_567, bytes.subarray(1_234_567));
  expect(last.status).toBe(204);
  expect(await stateOf(path)).toMatchObject({ state: "ready", offset: bytes.length, mediaId: sha256(bytes) });
  expect(kinora.catalog.titles.get(idOf(path))).toMatchObject({
    availability: "ready",
    mediaId: sha256(bytes),
    name: "My clip",
    tags: ["a", "b"],
    owner: { id: ada.userId, username: "ada" },
  });
});

test("bytes can come with the creation", async () => {
  const bytes = videoBytes(50_000, 2);
  const headers = { "Upload-Length": String(bytes.length), "Content-Type": "application/offset+octet-stream" };
  const response = await kinora.tus("POST", "/api/uploads", headers, bytes);
  expect(response.status).toBe(201);
  expect(response.headers.get("Upload-Offset")).toBe("50000");
  const path = response.headers.get("Location") ?? "";
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
  expect(kinora.catalog.titles.get(idOf(path))?.name).toBe("Untitled");
});

test("only the owner sees an upload, whatever the method; admins neither", async () => {
  const path = await kinora.create(1000);
  for (const who of [bob, root]) {
    for (const method of ["GET", "HEAD", "DELETE"])
      expect((await kinora.tus(method, path, {}, undefined, who)).status).toBe(404);
    expect((await kinora.append(path, 0, "x", who)).status).toBe(404);
  }
  expect((await kinora.tus("POST", "/api/uploads", { "Upload-Length": "1" }, undefined, vic)).status).toBe(403);
  for (const method of ["GET", "HEAD", "PATCH", "DELETE"])
    expect((await kinora.fetch(path, { method }, null)).status).toBe(401);
  for (const method of ["POST", "OPTIONS"])
    expect((await kinora.fetch("/api/uploads", { method }, null)).status).toBe(401);
  expect(await kinora.offset(path)).toBe(0);
});

test("what the client gets wrong is answered with a problem document that says so", async () => {
  const created = (headers: Record<string, string>) => kinora.tus("POST", "/api/uploads", headers);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const tags = (text: string) => ({ "Upload-Length": "9", "Upload-Metadata": `tags ${base64(text)}` });
  const table: [Response, number, string][] = [
    [await created({}), 400, "invalid-request"],
    [await created({ "Upload-Length": "-1" }), 400, "invalid-request"],
    [await created({ "Upload-Length": "9", "Upload-Metadata": "tags %%" }), 400, "invalid-request"],
    [await created(tags("no json")), 400, "invalid-request"],
    [await created(tags('{"a":1}')), 400, "invalid-request"],
    [await created(tags(`["${"x".repeat(65)}"]`)), 400, "invalid-request"],
    [await created({ "Upload-Length": "0" }), 422, "empty"],
    [await created({ "Upload-Length": String((64 << 20) + 1) }), 413, "too-large"],
    [await created({ "Upload-Defer-Length": "1" }), 501, "not-implemented"],
    [await created({ "Upload-Length": "9", "Upload-Concat": "partial" }), 501, "not-implemented"],
    [await created({ "Upload-Length": "9", "Tus-Resumable": "0.2.2" }), 412, "tus-version"],
    [await kinora.tus("HEAD", "/api/uploads/nothing"), 404, ""],
    [await kinora.tus("GET", `/api/uploads/${Bun.randomUUIDv7()}`), 404, "not-found"],
    [await kinora.fetch("/api/uploads?x=1", { method: "POST" }), 400, "invalid-request"],
  ];
  for (const [response, status, code] of table) {
    expect([response.status, code && (await response.json()).code]).toEqual([status, code]);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(response.headers.has("Access-Control-Allow-Origin")).toBe(false);
  }
  const many = Array.from({ length: 101 }, (_, index) => `tag ${index}`);
  const refused: [string[], string][] = [
    [["x".repeat(80)], `A tag has 64 characters at most: “${"x".repeat(20)}…” has 80.`],
    [many, "A video has 100 tags at most: these are 101."],
    [[" "], "A tag has at least one character: one of these is empty."],
  ];
  for (const [list, detail] of refused)
    expect((await (await created(tags(JSON.stringify(list)))).json()).detail).toBe(detail);
});

test("PATCH needs the right offset, type and length", async () => {
  const path = await kinora.create(1000);
  const bytes = videoBytes(1000);
  expect((await kinora.append(path, 5, bytes)).status).toBe(409);
  const type = { "Upload-Offset": "0", "Content-Type": "text/plain" };
  expect((await kinora.tus("PATCH", path, type, bytes)).status).toBe(415);
  const missing = { "Content-Type": "application/offset+octet-stream" };
  expect((await kinora.tus("PATCH", path, missing, bytes)).status).toBe(400);
  expect((await kinora.append(path, 0, videoBytes(1001))).status).toBe(413);
  expect(await kinora.offset(path)).toBe(0);
});

test("DELETE leaves nothing of an unfinished upload", async () => {
  const path = await kinora.create(1_000_000);
  await kinora.append(path, 0, videoBytes(1_000_000).subarray(0, 1000));
  expect(kinora.leftBehind()).toContain(idOf(path));
  expect((await kinora.tus("DELETE", path)).status).toBe(204);
  expect(kinora.leftBehind()).not.toContain(idOf(path));
  expect(kinora.catalog.titles.has(idOf(path))).toBe(false);
  expect((await kinora.fetch(path)).status).toBe(404);
  expect((await kinora.tus("HEAD", path)).status).toBe(404);
});

test("what begins like no video is refused with its first bytes and leaves nothing", async () => {
  const path = await kinora.create(50_000_000, { filename: "x.zip" });
  const zip = new Uint8Array(100_000);
  zip.set([0x50, 0x4b, 3, 4]);
  const refused = await kinora.append(path, 0, zip);
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ code: "not-a-video", status: 422 });
  expect(await stateOf(path)).toMatchObject({ state: "failed", error: { code: "not-a-video" } });
  expect((await kinora.tus("HEAD", path)).status).toBe(410);
  expect((await kinora.append(path, 0, zip)).status).toBe(422);
  expect(kinora.leftBehind()).not.toContain(idOf(path));
  expect(kinora.catalog.titles.has(idOf(path))).toBe(false);
});

test("what streaming refuses at the last byte leaves nothing and says why", async () => {
  const bytes = new TextEncoder().encode("only some text");
  const path = await kinora.create(bytes.length);
  const refused = await kinora.append(path, 0, bytes);
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ code: "not-a-video" });
  expect(await stateOf(path)).toMatchObject({ state: "failed", error: { code: "not-a-video" } });
  expect(kinora.leftBehind()).not.toContain(idOf(path));
  expect(kinora.catalog.titles.has(idOf(path))).toBe(false);
});

test("progress is told to the owner while it runs and when it is done", async () => {
  kinora.progress.length = 0;
  const bytes = videoBytes(200_000, 9);
  const path = await kinora.create(bytes.length, { name: "Film" });
  await kinora.append(path, 0, bytes);
  await until(() => kinora.progress.some(({ state }) => state === "done"));
  expect(kinora.progress.at(0)).toMatchObject({
    kind: "upload",
    id: idOf(path),
    userId: ada.userId,
    state: "running",
    label: "Film",
  });
  expect(kinora.progress.at(-1)).toMatchObject({
    state: "done",
    done: bytes.length,
    total: bytes.length,
    titleId: idOf(path),
  });
});

test("OPTIONS says what is spoken", async () => {
  const response = await kinora.tus("OPTIONS", "/api/uploads");
  expect(response.status).toBe(204);
  expect(response.headers.get("Tus-Version")).toBe("1.0.0");
  expect(response.headers.get("Tus-Max-Size")).toBe(String(64 << 20));
  expect(response.headers.get("Tus-Extension")).toBe("creation,creation-with-upload,termination,expiration,checksum");
  expect(response.headers.get("Tus-Checksum-Algorithm")).toBe("sha1,sha256,md5");
});

test("bytes with a wrong checksum are not kept, and the right ones go on from there", async () => {
  const bytes = videoBytes(150_000, 30);
  const path = await kinora.create(bytes.length);
  const send = (offset: number, part: Uint8Array<ArrayBuffer>, checksum: string) => {
    const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    return kinora.tus("PATCH", path, { ...headers, "Upload-Checksum": checksum }, part);
  };
  const sha1 = (part: Uint8Array) => `sha1 ${new Bun.CryptoHasher("sha1").update(part).digest("base64")}`;
  const [first, second] = [bytes.subarray(0, 100_000), bytes.subarray(100_000)];
  expect((await send(0, first, sha1(first))).status).toBe(204);
  const wrong = await send(100_000, second, sha1(first));
  expect([wrong.status, (await wrong.json()).code]).toEqual([460, "checksum-mismatch"]);
  expect(await kinora.offset(path)).toBe(100_000);
  expect((await send(100_000, second, "crc32 AAAA")).status).toBe(400);
  expect((await send(100_000, second, sha1(second))).status).toBe(204);
  expect(await stateOf(path)).toMatchObject({ state: "ready", mediaId: sha256(bytes) });
});
