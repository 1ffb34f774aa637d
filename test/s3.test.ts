import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { fixture } from "./support/fixtures.ts";
import { startTestKinora, type TestKinora, TestUser } from "./support/kinora.ts";
import { TestS3 } from "./support/s3.ts";
import { until } from "./support/until.ts";

await ensureDebianPackages({ ffmpeg: "ffmpeg" });

describe.skipIf(!has("ffmpeg"))("Kinora with its videos in S3", () => {
  let s3: TestS3;
  let kinora: TestKinora;
  let onDisk: TestKinora;
  let ann: TestUser;
  let video = "";
  let bytes: Uint8Array<ArrayBuffer>;
  let id = "";

  beforeAll(async () => {
    video = await fixture("h264-aac.mp4");
    bytes = await Bun.file(video).bytes();
    s3 = await TestS3.start();
    kinora = await startTestKinora({ storage: s3.url, s3: s3.credentials });
    onDisk = await startTestKinora();
    ann = await TestUser.signIn(kinora, "ann");
  }, 60_000);
  afterAll(async () => {
    await Promise.all([kinora?.close(), onDisk?.close()]);
    await s3?.close();
  });

  const objects = () => s3.keys().filter((key) => /\/\d+$/.test(key));
  const isSame = async (answer: Response, wanted = bytes) => {
    const got = await answer.bytes();
    expect([answer.status < 300, got.length]).toEqual([true, wanted.length]);
    expect(Buffer.compare(got, wanted)).toBe(0);
  };
  const range = (from: number, to: number) =>
    ann.fetch(`/stream/${id}/original`, { headers: { Range: `bytes=${from}-${to - 1}` } });

  test("an upload is a title at once, and lies in S3", async () => {
    const title = await ann.upload(video, { name: "In S3" });
    id = title.id;
    expect(title).toMatchObject({ availability: "ready", sizeBytes: bytes.length });
    expect(title.mediaId).toBe(new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
    expect(objects()).toEqual([`sources/${id}/0`]);
  });

  test("the original is sent whole and in ranges, with HEAD, tags and conditions", async () => {
    const whole = await ann.get(`/stream/${id}/original`);
    await isSame(whole);
    const part = await range(100, 4_000);
    expect(part.status).toBe(206);
    expect(part.headers.get("Content-Range")).toBe(`bytes 100-3999/${bytes.length}`);
    expect(await part.bytes()).toEqual(bytes.slice(100, 4_000));
    const head = await ann.send("HEAD", `/stream/${id}/original`);
    expect(head.headers.get("Content-Length")).toBe(String(bytes.length));
    const headers = { "If-None-Match": whole.headers.get("ETag") ?? "" };
    expect((await ann.fetch(`/stream/${id}/original`, { headers })).status).toBe(304);
  });

  test("faststart, HLS and DASH are the same to the byte as from a disk", async () => {
    const bob = await TestUser.signIn(onDisk, "bob");
    const { id: other } = await bob.upload(video);
    const tracks = [1, 2].flatMap((track) => [
      `hls/${track}/playlist.m3u8`,
      `hls/${track}/init.mp4`,
      `hls/${track}/1.m4s`,
    ]);
    for (const path of ["faststart", "hls/master.m3u8", "dash/manifest.mpd", ...tracks]) {
      const [here, there] = await Promise.all([ann.get(`/stream/${id}/${path}`), bob.get(`/stream/${other}/${path}`)]);
      expect([path, here.status]).toEqual([path, there.status]);
      expect(Buffer.compare(await here.bytes(), await there.bytes())).toBe(0);
    }
  });

  test("equal content is stored once, and both titles play after either is made", async () => {
    const second = await ann.upload(video, { name: "The same" });
    expect(objects()).toEqual([`sources/${id}/0`]);
    await isSame(await ann.get(`/stream/${second.id}/original`));
  });

  test("what is no video leaves nothing", async () => {
    const form = new FormData();
    form.set("file", new Blob(["certainly no video"]), "notes.txt");
    expect((await ann.fetch("/api/titles", { method: "POST", body: form })).status).toBe(422);
    const cut = new FormData();
    cut.set("file", new Blob([bytes.slice(0, 5_000)]), "cut.mp4");
    expect((await ann.fetch("/api/titles", { method: "POST", body: cut })).status).toBe(422);
    expect(objects()).toEqual([`sources/${id}/0`]);
  });

  test("a resumable upload goes on after a restart", async () => {
    const tus = { "Tus-Resumable": "1.0.0" };
    const headers = { ...tus, "Upload-Length": String(bytes.length), "Upload-Metadata": `filename ${btoa("a.mp4")}` };
    const made = await ann.fetch("/api/uploads", { method: "POST", headers });
    const place = new URL(made.headers.get("Location") ?? "", kinora.url).pathname;
    const patch = (from: number, to: number) =>
      ann.fetch(place, {
        method: "PATCH",
        headers: { ...tus, "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream" },
        body: bytes.slice(from, to),
      });
    expect((await patch(0, 20_000)).status).toBe(204);
    await kinora.restart();
    const offset = (await ann.fetch(place, { method: "HEAD", headers: tus })).headers.get("Upload-Offset");
    expect(offset).toBe("20000");
    expect((await patch(20_000, bytes.length)).status).toBe(204);
    const done = await until(async () => {
      const state = (await (await ann.get(place)).json()) as { state: string; mediaId: string | null };
      return state.mediaId === null ? null : state;
    }, 20_000);
    expect(done).toMatchObject({ state: "ready", mediaId: new Bun.CryptoHasher("sha256").update(bytes).digest("hex") });
    await until(() => objects().length === 1);
  });

  test("S3 is gone for a moment: 503 with Retry-After for what must be read, and it plays again by itself", async () => {
    // Nothing of it is in memory after a restart.
    await s3.shut();
    await kinora.restart();
    for (const path of ["original", "faststart", "hls/1/1.m4s"]) {
      const refused = await ann.get(`/stream/${id}/${path}`);
      expect([path, refused.status]).toEqual([path, 503]);
      expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
      await refused.body?.cancel();
    }
    const form = new FormData();
    form.set("file", new Blob([bytes, new Uint8Array(8)]), "later.mp4");
    const upload = await ann.fetch("/api/titles", { method: "POST", body: form });
    expect([upload.status, upload.headers.has("Retry-After")]).toEqual([503, true]);
    expect((await fetch(`${kinora.url}/readyz`)).status).toBe(503);
    expect((await ann.get("/api/titles")).status).toBe(200);
    s3.open();
    expect(await (await range(0, 1_000)).bytes()).toEqual(bytes.slice(0, 1_000));
    expect((await ann.get(`/stream/${id}/hls/1/1.m4s`)).status).toBe(200);
    await until(async () => (await fetch(`${kinora.url}/readyz`)).status === 200, 20_000);
    // What was complete when it went is finished by itself.
    await until(async () => {
      const { items } = (await (await ann.get("/api/titles?name=later")).json()) as {
        items: { availability: string }[];
      };
      return items[0]?.availability === "ready";
    }, 30_000);
  }, 60_000);

  test("a slow S3 is played from all the same", async () => {
    s3.delayMs = 300;
    await kinora.restart();
    await isSame(await ann.get(`/stream/${id}/original`));
    s3.delayMs = 0;
  }, 30_000);

  test("wrong credentials refuse the start and say what to do", async () => {
    const wrong = startTestKinora({ storage: s3.url, s3: { ...s3.credentials, secretAccessKey: "wrong" } });
    expect(wrong).rejects.toMatchObject({
      message: expect.stringContaining("S3 refuses the credentials"),
      hint: expect.stringContaining("KINORA_S3_SECRET_ACCESS_KEY"),
    });
  });
});
