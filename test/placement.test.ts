import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { caddyfile } from "../scripts/edge-caddy.ts";
import { nginxConf } from "../scripts/edge-nginx.ts";
import type { ServiceName } from "../src/bus/contract.ts";
import { Cluster, type ClusterProcess } from "./support/cluster.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { makeCertificate, startCaddy, startNginx } from "./support/edge.ts";
import { fixture } from "./support/fixtures.ts";
import { TestUser } from "./support/kinora.ts";
import { sharedMariaDb } from "./support/mariadb.ts";
import { freePort } from "./support/nats.ts";
import { RtspClient } from "./support/rtsp-client.ts";
import { TestS3 } from "./support/s3.ts";
import { until } from "./support/until.ts";

await ensureDebianPackages({
  ...{ "nats-server": "nats-server", mariadbd: "mariadb-server", ffmpeg: "ffmpeg" },
  ...{ caddy: "caddy", nginx: "nginx-light", openssl: "openssl" },
});

const MIB = 1 << 20;
/** The long run has all three placements; the short one leaves out the volume, which others share in `shared-state.test.ts`. */
const LONG = Boolean(process.env.KINORA_TEST_LONG);
const NODES = LONG ? 6 : 4;
/** A busy machine takes its time to start processes. */
const PATIENCE_MS = 60_000;
const TUS = { "Tus-Resumable": "1.0.0" };

/** Where bytes lie, and two processes that each run upload and streaming. */
interface Placement {
  readonly name: "own disk" | "shared volume" | "S3";
  readonly nodes: readonly [ClusterProcess, ClusterProcess];
  /** A video that no other placement has, and its bytes, uploaded at the first node. */
  title: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A resumable upload that the first node has 18 MiB of, and its bytes: more than an object of S3 takes. */
  begun: string;
  readonly large: Uint8Array<ArrayBuffer>;
}

describe.skipIf(!has("nats-server", "mariadbd", "ffmpeg"))("two upload and two streaming instances", () => {
  let s3: TestS3;
  let cluster: Cluster;
  let main: ClusterProcess;
  let ann: TestUser;
  let video = "";
  let bytes: Uint8Array<ArrayBuffer>;
  let all: Placement[] = [];

  beforeAll(async () => {
    video = await fixture("h264-aac.mp4");
    bytes = await Bun.file(video).bytes();
    const database = await sharedMariaDb();
    [s3, cluster] = await Promise.all([TestS3.start(), Cluster.open()]);
    const env = { KINORA_DATABASE: await database.newDatabase() };
    const core = cluster.run("core", ["main", "auth", "catalog"], { env });
    const credentials = { KINORA_S3_ACCESS_KEY_ID: "S3RVER", KINORA_S3_SECRET_ACCESS_KEY: "S3RVER" };
    const storages = {
      "own disk": (n: number) => ({ KINORA_STORAGE: `file:${join(cluster.folder, `disk-${n}`)}` }),
      "shared volume": () => ({ KINORA_STORAGE: `file:${join(cluster.folder, "volume")}` }),
      S3: () => ({ KINORA_STORAGE: s3.url, ...credentials }),
    };
    const node = (name: Placement["name"], n: number) => {
      const library = join(cluster.folder, `library-${name}-${n}`.replace(/\W/g, "-"));
      mkdirSync(library);
      return cluster.run(`${name}-${n}`.replace(/\W/g, "-"), ["upload", "streaming"], {
        args: name === "own disk" ? [library] : [],
        env: { ...env, ...storages[name](n) },
        ...(name === "S3" ? { envAt: (url: string) => ({ KINORA_REDIRECT_TO: url }) } : {}),
      });
    };
    const names = Object.keys(storages).filter((name) => LONG || name !== "shared volume");
    const placements = names.map(async (key) => {
      const name = key as Placement["name"];
      const nodes = await Promise.all([node(name, 1), node(name, 2)]);
      const own = { bytes: withFreeSpace(bytes, bytes.length + 64, name), large: withFreeSpace(bytes, 20 * MIB, name) };
      return { name, nodes, ...own, title: "", begun: "" } satisfies Placement;
    });
    [main, all] = await Promise.all([core, Promise.all(placements)]);
    ann = await until(
      () => TestUser.signIn({ url: main.url, firstAdminCode: cluster.firstAdminCode }, "ann").catch(() => null),
      PATIENCE_MS,
    );
    await until(async () => (await services()).filter(({ service }) => service === "streaming").length === NODES);
  }, 180_000);
  afterAll(async () => {
    await cluster?.close();
    await s3?.close();
  });

  const services = async () =>
    ((await (await ann.get("/api/services")).json()) as { items: { service: string; instance: string }[] }).items;
  /** Ann at a process, past main. */
  const at = (process: Pick<ClusterProcess, "url">) => {
    const user = new TestUser({ url: process.url });
    user.cookie = ann.cookie;
    return user;
  };
  const expectSame = async (answer: Response, wanted: Uint8Array) => {
    const got = await answer.bytes();
    expect([answer.status < 300, got.length]).toEqual([true, wanted.length]);
    expect(Buffer.compare(got, wanted)).toBe(0);
  };
  const expectAway = async (answer: Response) => {
    expect([answer.status, Number(answer.headers.get("Retry-After")) > 0]).toEqual([503, true]);
    await answer.body?.cancel();
  };
  const each = (use: (placement: Placement) => Promise<void>) =>
    Promise.all(
      all.map((placement) =>
        use(placement).catch((error: unknown) => {
          throw new Error(`${placement.name}: ${error instanceof Error ? error.message : error}`, { cause: error });
        }),
      ),
    );
  const grantFor = async (titleId: string) => {
    const link = (await (await ann.post("/api/links", { titleId })).json()) as { url: string; hlsUrl: string };
    return new URL(link.hlsUrl).searchParams.get("grant") ?? "";
  };
  const begin = async (user: TestUser, size: number) => {
    const headers = { ...TUS, "Upload-Length": String(size), "Upload-Metadata": `filename ${btoa("a.mp4")}` };
    const made = await user.fetch("/api/uploads", { method: "POST", headers });
    expect(made.status).toBe(201);
    return new URL(made.headers.get("Location") ?? "", main.url).pathname.split("/").at(-1) ?? "";
  };
  const patch = (user: TestUser, id: string, offset: number, body: RequestInit["body"]) =>
    user.fetch(`/api/uploads/${id}`, {
      method: "PATCH",
      headers: { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
      body: body ?? null,
    });
  const offsetOf = async (user: TestUser, id: string) =>
    Number((await user.fetch(`/api/uploads/${id}`, { method: "HEAD", headers: TUS })).headers.get("Upload-Offset"));
  /** What is counted of an upload, without asking its sender to give way. */
  const countedOf = async (id: string) =>
    ((await (await ann.get(`/api/uploads/${id}`)).json()) as { offset: number }).offset;
  /** Sends the rest as a tus client does: asks where it is, and asks again when it may not go on yet. */
  const finish = ({ begun, large }: Pick<Placement, "begun" | "large">) =>
    until(async () => {
      const offset = await offsetOf(ann, begun);
      return (await patch(ann, begun, offset, large.slice(offset))).status === 204;
    }, PATIENCE_MS);
  const upload = async (process: ClusterProcess, name: string, content: Uint8Array<ArrayBuffer>) => {
    const path = join(cluster.folder, `${name}.mp4`);
    await Bun.write(path, content);
    return (await at(process).upload(path, { name })).id;
  };

  test("what one receives is played through main and, where both reach it, through the other: progressive, HLS, DASH, RTSP", async () => {
    await each(async (placement) => {
      const { nodes, bytes } = placement;
      const [first, second] = nodes;
      const id = await upload(first, placement.name, bytes);
      placement.title = id;
      await expectSame(await ann.get(`/stream/${id}/original`), bytes);
      const head = await ann.send("HEAD", `/stream/${id}/original`);
      expect(head.headers.get("Content-Length")).toBe(String(bytes.length));
      const part = await ann.fetch(`/stream/${id}/original`, { headers: { Range: "bytes=100-299" } });
      expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes 100-299/${bytes.length}`]);
      expect(await part.bytes()).toEqual(bytes.slice(100, 300));
      const tag = head.headers.get("ETag") ?? "";
      const same = await ann.fetch(`/stream/${id}/original`, { headers: { "If-None-Match": tag } });
      expect(same.status).toBe(304);
      const paths = ["faststart", "hls/master.m3u8", "hls/1/init.mp4", "hls/1/1.m4s", "dash/manifest.mpd"];
      for (const path of paths) {
        const [owner, through] = [await at(first).get(`/stream/${id}/${path}`), await ann.get(`/stream/${id}/${path}`)];
        expect([path, through.status, through.headers.get("ETag")]).toEqual([path, 200, owner.headers.get("ETag")]);
        await expectSame(through, await owner.bytes());
      }
      const past = await at(second).get(`/stream/${id}/original`);
      if (placement.name === "own disk") await expectAway(past);
      else await expectSame(past, bytes);
      await expectRtsp(placement);
    });
  }, 60_000);

  /** Plays at the second instance: there, or where that one leads to. */
  async function expectRtsp({ name, title, nodes: [first, second] }: Placement): Promise<void> {
    const path = `/${title}?grant=${await grantFor(title)}`;
    let player = await RtspClient.connect(second.rtspPort);
    if (name === "own disk") {
      const led = await player.ask("DESCRIBE", `rtsp://127.0.0.1:${second.rtspPort}${path}`);
      player.close();
      expect(led.status).toBe(302);
      expect(led.headers.get("location")).toBe(`rtsp://127.0.0.1:${first.rtspPort}${path}`);
      if (LONG) await expectFollowed(`rtsp://127.0.0.1:${second.rtspPort}${path}`);
      player = await RtspClient.connect(first.rtspPort);
      expect((await player.play(led.headers.get("location") ?? "")).status).toBe(200);
    } else {
      expect((await player.play(`rtsp://127.0.0.1:${second.rtspPort}${path}`)).status).toBe(200);
    }
    await until(() => player.packets.length > 20);
    player.close();
  }

  /** A real player goes where it is led. */
  async function expectFollowed(url: string): Promise<void> {
    const show = ["-show_entries", "stream=codec_name", "-of", "csv=p=0"];
    const probe = Bun.spawn(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", ...show, url], { stdout: "pipe" });
    expect((await new Response(probe.stdout).text()).trim().split("\n").toSorted()).toEqual(["aac", "h264"]);
  }

  test("resumable uploads through main: each request reaches the instance that has the bytes, whoever made it", async () => {
    const half = bytes.length >> 1;
    await Promise.all(
      Array.from({ length: NODES }, async () => {
        const id = await begin(ann, bytes.length);
        expect((await patch(ann, id, 0, bytes.slice(0, half))).status).toBe(204);
        expect(await offsetOf(ann, id)).toBe(half);
        expect((await patch(ann, id, half, bytes.slice(half))).status).toBe(204);
        await expectSame(await ann.get(`/stream/${id}/original`), bytes);
      }),
    );
  }, 60_000);

  test.skipIf(!has("caddy", "nginx", "openssl"))(
    "behind the edges whose file is for bytes that differ, every title plays and uploads reach their instance; not so behind the others",
    async () => {
      const { certificate, key } = await makeCertificate(cluster.folder);
      const hosts = (processes: readonly ClusterProcess[]) => processes.map(({ url }) => new URL(url).host);
      const instancesOf = (service: ServiceName) =>
        hosts(service === "upload" || service === "streaming" ? all.flatMap(({ nodes }) => [...nodes]) : [main]);
      const [caddy, nginx, unaware] = [await freePort(), await freePort(), await freePort()];
      const forNginx = (port: number) => ({
        ...{ global: "", upstreams: instancesOf, listen: `127.0.0.1:${port}`, serverName: "localhost" },
        ...{ certificate, certificateKey: key },
      });
      const programs = await Promise.all([
        startCaddy(
          caddyfile({
            global: "{\n\tadmin off\n\tauto_https off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n",
            placement: "own",
            site: `http://localhost:${caddy}`,
            upstreams: (service) => `to ${instancesOf(service).join(" ")}`,
          }),
          [caddy],
        ),
        startNginx(nginxConf({ ...forNginx(nginx), placement: "own" }), [nginx]),
        startNginx(nginxConf({ ...forNginx(unaware), placement: "shared" }), [unaware]),
      ]);
      try {
        const behind = (port: number) => at({ url: `http://localhost:${port}` });
        const half = bytes.length >> 1;
        for (const user of [behind(caddy), behind(nginx)]) {
          for (const placement of all)
            for (let n = 0; n < NODES; n++)
              await expectSame(await user.get(`/stream/${placement.title}/original`), placement.bytes);
          for (let n = 0; n < NODES; n++) {
            const id = await begin(user, bytes.length);
            expect((await patch(user, id, 0, bytes.slice(0, half))).status).toBe(204);
            expect((await patch(user, id, half, bytes.slice(half))).status).toBe(204);
          }
        }
        const statuses = new Set<number>();
        for (let n = 0; n < 2 * NODES; n++)
          statuses.add((await behind(unaware).get(`/stream/${all[0]?.title}/original`)).status);
        expect(statuses).toEqual(new Set([200, 503]));
      } finally {
        await Promise.all(programs.map((program) => program.close()));
      }
    },
    90_000,
  );

  test("one upload has one writer: a second instance is refused while the first receives", async () => {
    await each(async (placement) => {
      const { nodes, large } = placement;
      const [first, second] = nodes;
      placement.begun = await begin(at(first), large.length);
      const slow = slowly(large, 18 * MIB);
      const sending = patch(at(first), placement.begun, 0, slow.body);
      await until(async () => (await countedOf(placement.begun)) > 0, PATIENCE_MS);
      const refused = await until(async () => {
        const { status } = await patch(at(second), placement.begun, await offsetOf(at(second), placement.begun), "x");
        // It went on in between.
        return status !== 409 && status;
      });
      expect([placement.name, refused]).toEqual([placement.name, placement.name === "own disk" ? 503 : 423]);
      slow.finish();
      expect((await sending).status).toBe(204);
      expect(await offsetOf(ann, placement.begun)).toBe(18 * MIB);
    });
  }, 60_000);

  test("kill -9 of the one with the bytes: another that has them plays, else 503; uploads go on where they can", async () => {
    const [disk] = all as [Placement];
    // Equal content on the other disk plays as well; what is nowhere else does not.
    await upload(disk.nodes[1], "twin", disk.bytes);
    const alone = await upload(disk.nodes[0], "alone", withFreeSpace(bytes, bytes.length + 64, "alone"));
    await Promise.all(all.map(({ nodes: [first] }) => first.kill()));
    const killedAt = performance.now();
    await each(async (placement) => {
      const { name, title, begun, bytes, large, nodes } = placement;
      await expectSame(await ann.get(`/stream/${title}/original`), bytes);
      console.log(`${name}: played ${Math.round(performance.now() - killedAt)} ms after kill -9`);
      if (name === "own disk") {
        await expectAway(await ann.get(`/stream/${alone}/original`));
        return expectAway(await patch(ann, begun, 18 * MIB, large.slice(18 * MIB)));
      }
      // Of what the dead one had, S3 has whole objects; the rest comes again.
      expect(await offsetOf(at(nodes[1]), begun)).toBe((name === "S3" ? 16 : 18) * MIB);
      await finish(placement);
      await expectSame(await ann.get(`/stream/${begun}/original`), large);
    });
    await Promise.all(all.map(({ nodes: [first] }) => first.start()));
    await each(async (placement) => {
      const { name, title, begun, large } = placement;
      await until(async () => (await ann.get(`/stream/${title}/hls/master.m3u8`)).status === 200, PATIENCE_MS);
      if (name === "own disk") {
        await until(async () => (await ann.get(`/stream/${alone}/hls/master.m3u8`)).status === 200, PATIENCE_MS);
        await finish(placement);
      }
      const done = await until(async () => {
        const state = (await (await ann.get(`/api/uploads/${begun}`)).json()) as { state: string; mediaId: string };
        return state.mediaId === null ? null : state;
      }, PATIENCE_MS);
      expect(done).toMatchObject({ state: "ready", mediaId: sha256(large) });
      await expectSame(await ann.get(`/stream/${begun}/original`), large);
    });
  }, 150_000);

  test.skipIf(!LONG)(
    "kill -9 in the middle of receiving: nothing acknowledged is lost, and the upload goes on by itself",
    async () => {
      await each(async ({ name, nodes: [first], bytes }) => {
        const large = withFreeSpace(bytes, 20 * MIB, `${name}, received twice`);
        const id = await begin(at(first), large.length);
        const sending = patch(at(first), id, 0, slowly(large, 18 * MIB).body).catch(() => null);
        const counted = await until(() => countedOf(id), PATIENCE_MS);
        await first.kill();
        const killedAt = performance.now();
        await sending;
        if (name === "own disk") await first.start();
        const least = name === "S3" ? 0 : counted;
        expect(await until(() => offsetOf(ann, id), PATIENCE_MS)).toBeGreaterThanOrEqual(least);
        await finish({ begun: id, large });
        console.log(`${name}: received to its end ${Math.round((performance.now() - killedAt) / 1e3)} s after kill -9`);
        await expectSame(await ann.get(`/stream/${id}/original`), large);
        if (name !== "own disk") await first.start();
      });
      await until(
        async () => (await services()).filter(({ service }) => service === "streaming").length === NODES,
        20_000,
      );
    },
    150_000,
  );

  test("what is given up leaves nothing, in any store", async () => {
    const before = s3.keys().length;
    await each(async ({ nodes: [first], large }) => {
      const id = await begin(at(first), large.length);
      expect((await patch(at(first), id, 0, large.slice(0, 17 * MIB))).status).toBe(204);
      const gone = await ann.fetch(`/api/uploads/${id}`, { method: "DELETE", headers: TUS });
      expect(gone.status).toBe(204);
      expect((await ann.get(`/api/uploads/${id}`)).status).toBe(404);
      const files = [...new Bun.Glob(`**/${id}*`).scanSync({ cwd: cluster.folder, onlyFiles: false })];
      expect(files).toEqual([]);
    });
    expect(s3.keys().length).toBe(before);
  }, 60_000);

  test.skipIf(!LONG)(
    "S3 is gone for a moment: 503 with Retry-After through main, the others play, and it plays again by itself",
    async () => {
      const [disk, volume, objects] = all as [Placement, Placement, Placement];
      await s3.shut();
      // What nobody has read yet, so that it is in no memory.
      const range = (from: number) =>
        ann.fetch(`/stream/${objects.begun}/original`, { headers: { Range: `bytes=${from}-${from + 99}` } });
      for (const { nodes } of [objects]) for (const node of nodes) await node.kill();
      await Promise.all(objects.nodes.map((node) => node.start()));
      await until(
        async () => (await services()).filter(({ service }) => service === "streaming").length === NODES,
        20_000,
      );
      await expectAway(await range(17 * MIB));
      for (const { title } of [disk, volume]) expect((await ann.get(`/stream/${title}/hls/1/1.m4s`)).status).toBe(200);
      s3.open();
      const again = await until(async () => {
        const answer = await range(17 * MIB);
        return answer.status === 206 ? answer : null;
      }, 20_000);
      expect(await again.bytes()).toEqual(objects.large.slice(17 * MIB, 17 * MIB + 100));
    },
    90_000,
  );

  test("with a grant main leads to the instance itself where its operator wants that; a cookie never goes along", async () => {
    const [disk, objects] = [all.at(0), all.at(-1)] as [Placement, Placement];
    const nobody = new TestUser({ url: main.url });
    const path = `/stream/${objects.title}/hls/master.m3u8?grant=${await grantFor(objects.title)}`;
    // Until the instances that were killed before have said again what they have, main sends it on itself.
    await until(async () => (await nobody.get(path)).status === 307);
    const led = await nobody.get(path);
    expect([led.status, led.headers.get("Access-Control-Allow-Origin")]).toEqual([307, "*"]);
    const target = new URL(led.headers.get("Location") ?? "");
    expect(objects.nodes.map(({ url }) => url)).toContain(target.origin);
    expect(target.pathname + target.search).toBe(path);
    expect(await (await fetch(target)).text()).toContain("#EXTM3U");
    expect((await ann.get(`/stream/${objects.title}/hls/master.m3u8`)).status).toBe(200);
    // The policy of our own pages lets them fetch from main alone.
    const ours: Record<string, string>[] = [{ "Sec-Fetch-Site": "same-origin" }, { Referer: `${main.url}/watch/1` }];
    for (const headers of ours) expect((await nobody.fetch(path, { headers })).status).toBe(200);
    expect((await nobody.fetch(path, { headers: { Referer: "https://elsewhere.example/" } })).status).toBe(307);
    const grant = await grantFor(disk.title);
    expect((await nobody.get(`/stream/${disk.title}/hls/master.m3u8?grant=${grant}`)).status).toBe(200);
  });

  test.skipIf(!LONG)(
    "main leads nobody to an instance that hangs, once it has fallen silent",
    async () => {
      const objects = all.at(-1) as Placement;
      const path = `/stream/${objects.title}/hls/master.m3u8?grant=${await grantFor(objects.title)}`;
      const nobody = new TestUser({ url: main.url });
      const target = async () => URL.parse((await nobody.get(path)).headers.get("Location") ?? "")?.origin;
      const origin = await until(target);
      const hung = objects.nodes.find(({ url }) => url === origin);
      hung?.pause();
      const begin = performance.now();
      try {
        await until(async () => (await target()) !== origin, 20_000);
        console.log(`led elsewhere ${Math.round(performance.now() - begin)} ms after it began to hang`);
        const led = await nobody.get(path);
        expect(led.status === 200 || (await target()) !== origin).toBe(true);
        const next = led.headers.get("Location");
        if (next) expect(await (await fetch(next)).text()).toContain("#EXTM3U");
      } finally {
        hung?.resume();
      }
    },
    60_000,
  );

  test("/api/library is that of all machines, and /api/openapi.json describes all services", async () => {
    type Report = { items: { id: string; folder: string; instance: string }[]; missing: string[] };
    const report = async (answer: Promise<Response>) => (await (await answer).json()) as Report;
    const here = await report(ann.get("/api/library"));
    expect(here.items.map(({ folder }) => folder.slice(-1)).toSorted()).toEqual(["1", "2"]);
    expect(new Set(here.items.map(({ instance }) => instance)).size).toBe(2);
    expect(here.missing).toEqual([]);
    expect((await report(ann.post("/api/library/rescan"))).items).toHaveLength(2);

    const path = join(cluster.folder, "added");
    mkdirSync(path);
    expect((await ann.post("/api/library/folders", { path })).status).toBe(409);
    const { instance = "" } = here.items[1] ?? {};
    const added = await report(ann.post("/api/library/folders", { path, instance }));
    const item = added.items.find(({ folder }) => folder === path);
    expect(item?.instance).toBe(instance);
    expect((await ann.send("DELETE", `/api/library/folders/${item?.id}`)).status).toBe(204);
    expect((await report(ann.get("/api/library"))).items).toHaveLength(2);

    const { paths } = (await (await fetch(`${main.url}/api/openapi.json`)).json()) as { paths: object };
    const wanted = ["/api/services", "/api/session", "/api/titles", "/api/uploads", "/api/library", "/api/links"];
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(wanted));
    expect(await (await fetch(`${main.url}/api/docs`)).text()).toContain("/api/uploads");
  });
});

/** The first `end` bytes of something, most of them at once, the last not before `finish`; never silent for long: who is gives way. */
function slowly(of: Uint8Array, end: number) {
  let sent = 0;
  let isOver = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // Slow enough that some of it is counted on the way.
      if (sent > 0) await Bun.sleep(20);
      const step = sent < end - 65_536 ? 65_536 : 1;
      const next = sent === 0 ? end - 4 * MIB : isOver ? end : sent + step;
      controller.enqueue(of.subarray(sent, next));
      sent = next;
      if (isOver) controller.close();
    },
  });
  return {
    body,
    finish() {
      isOver = true;
    },
  };
}

const sha256 = (of: Uint8Array) => new Bun.CryptoHasher("sha256").update(of).digest("hex");

/** The same MP4 with a box of free space behind it (ISO/IEC 14496-12 section 8.1.2) that says `text` in places: `size` bytes in all. */
function withFreeSpace(mp4: Uint8Array, size: number, text: string): Uint8Array<ArrayBuffer> {
  const whole = Buffer.alloc(size);
  whole.set(mp4);
  // Not the same everywhere: a mistake in order must show.
  for (let at = mp4.length + 8; at < size; at += 4096) whole.write(`${text} ${at}`, at);
  whole.writeUint32BE(size - mp4.length, mp4.length);
  whole.write("free", mp4.length + 4);
  return new Uint8Array(whole.buffer, whole.byteOffset, size);
}
