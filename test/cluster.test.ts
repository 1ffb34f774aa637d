import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServiceName, serviceNames } from "../src/bus/contract.ts";
import { Cluster, type ClusterProcess } from "./support/cluster.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { fixture } from "./support/fixtures.ts";
import { TestUser } from "./support/kinora.ts";
import { until } from "./support/until.ts";

await ensureDebianPackages({ "nats-server": "nats-server", ffmpeg: "ffmpeg" });

/** The order services are started in, by a seed that is printed when something fails. */
const seed = Number(process.env.KINORA_TEST_SEED ?? Math.floor(Math.random() * 1e6));
const shuffled = serviceNames
  .map((name, n) => ({ name, place: Math.sin(seed + n * 7919) }))
  .sort((a, b) => a.place - b.place)
  .map(({ name }) => name);

describe.skipIf(!has("nats-server", "ffmpeg"))(
  `five processes, started as ${shuffled.join(", ")} (seed ${seed})`,
  () => {
    let cluster: Cluster;
    let main: ClusterProcess;
    let ann: TestUser;
    let title: Record<string, unknown> & { id: string };
    const processes = new Map<ServiceName, ClusterProcess>();
    let video = "";
    const processOf = (name: ServiceName): ClusterProcess => {
      const found = processes.get(name);
      if (!found) throw new Error(`${name} does not run`);
      return found;
    };

    beforeAll(async () => {
      video = await fixture("h264-aac.mp4");
      cluster = await Cluster.open();
      // Together, and none waits for another.
      await Promise.all(shuffled.map(async (name) => processes.set(name, await cluster.run(name, [name]))));
      main = processOf("main");
    }, 120_000);
    afterAll(async () => {
      await cluster?.close();
    });

    const services = async () =>
      ((await (await ann.get("/api/services")).json()) as { items: { service: string; addresses: string[] }[] }).items;
    const playlist = () => ann.get(`/stream/${title.id}/hls/master.m3u8`);

    test("each process opens only what its services need", () => {
      const has = (name: ServiceName, path: string) => existsSync(join(cluster.folder, name, path));
      expect(existsSync(join(cluster.folder, "main"))).toBe(false);
      for (const name of ["auth", "catalog", "upload", "streaming"] as const) expect(has(name, "kinora.db")).toBe(true);
      for (const name of ["auth", "catalog"] as const) expect(has(name, "media")).toBe(false);
      expect(serviceNames.some((name) => has(name, "secrets.json"))).toBe(false);
    });

    test("sign in, upload, find and watch, all through main", async () => {
      ann = await until(() =>
        TestUser.signIn({ url: main.url, firstAdminCode: cluster.firstAdminCode }, "ann").catch(() => null),
      );
      title = await until(() => ann.upload(video, { name: "Spread out", tags: ["nats"] }).catch(() => null));
      expect(title).toMatchObject({ name: "Spread out", availability: "ready" });
      const found = (await (await ann.get("/api/titles?q=spread")).json()) as { items: { id: string }[] };
      expect(found.items.map(({ id }) => id)).toEqual([title.id]);

      const original = await ann.fetch(`/stream/${title.id}/original`, { headers: { Range: "bytes=100-299" } });
      expect(original.status).toBe(206);
      expect(original.headers.get("Content-Range")).toBe(`bytes 100-299/${Bun.file(video).size}`);
      expect(await original.bytes()).toEqual(await Bun.file(video).slice(100, 300).bytes());
      const whole = await ann.get(`/stream/${title.id}/original`);
      expect(await whole.bytes()).toEqual(await Bun.file(video).bytes());
      const head = await ann.send("HEAD", `/stream/${title.id}/original`);
      expect(head.headers.get("Content-Length")).toBe(String(Bun.file(video).size));
      expect(await (await playlist()).text()).toContain("#EXTM3U");
    }, 60_000);

    test("nobody else is let in by the way through main", async () => {
      const nobody = new TestUser({ url: main.url });
      expect((await nobody.get(`/stream/${title.id}/original`)).status).toBe(401);
      const foreign = await ann.fetch("/api/tokens", { method: "POST", headers: { Origin: "https://evil.example" } });
      expect(foreign.status).toBe(403);
      for (const { url } of processes.values()) {
        const claiming = await fetch(`${url}/api/titles`, { headers: { "Kinora-Forwarded": "1-main guess 1-here" } });
        expect(claiming.status).toBe(403);
      }
    });

    test("/api/services shows each instance with its address", async () => {
      const items = await services();
      expect(items.map(({ service }) => service)).toEqual([...serviceNames]);
      for (const { service, addresses } of items) expect(addresses).toEqual([processOf(service as ServiceName).url]);
    });

    test("a resumable upload goes through main, and one that is left resumes", async () => {
      const bytes = await Bun.file(video).bytes();
      const half = bytes.length >> 1;
      const tus = { "Tus-Resumable": "1.0.0" };
      const made = await ann.fetch("/api/uploads", {
        method: "POST",
        headers: { ...tus, "Upload-Length": String(bytes.length), "Upload-Metadata": `filename ${btoa("again.mp4")}` },
      });
      expect(made.status).toBe(201);
      const place = new URL(made.headers.get("Location") ?? "", main.url).pathname;
      const patch = (body: Uint8Array<ArrayBuffer>, offset: number) =>
        ann.fetch(place, {
          method: "PATCH",
          headers: { ...tus, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
          body,
        });
      expect((await patch(bytes.slice(0, half), 0)).status).toBe(204);
      const head = await ann.fetch(place, { method: "HEAD", headers: tus });
      expect(head.headers.get("Upload-Offset")).toBe(String(half));
      expect((await patch(bytes.slice(half), half)).status).toBe(204);
      await until(async () => ((await (await ann.get(place)).json()) as { state: string }).state === "ready", 20_000);
    }, 60_000);

    test("events of other processes arrive in main's event stream, and stop when the reader leaves", async () => {
      const leaving = new AbortController();
      const stream = await ann.fetch("/api/events", { signal: leaving.signal });
      const reader = stream.body?.getReader();
      await reader?.read();
      const uploading = ann.upload(video, { name: "Twice" });
      let seen = "";
      while (!seen.includes("event: upload")) seen += new TextDecoder().decode((await reader?.read())?.value);
      await uploading;
      leaving.abort();
    }, 60_000);

    test("kill -9 of streaming: 503 with Retry-After, search goes on; it comes back by itself", async () => {
      await processOf("streaming").kill();
      const refused = await playlist();
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect((await ann.get("/api/titles?q=spread")).status).toBe(200);
      await processOf("streaming").start();
      await until(async () => (await playlist()).status === 200, 20_000);
    }, 60_000);

    test("a second streaming instance: each title is played by one that has it, and by another with the same content", async () => {
      const library = mkdtempSync(join(tmpdir(), "kinora-cluster-library-"));
      try {
        await Bun.write(join(library, "Only here.mp4"), Bun.file(await fixture("h264-aac-faststart.mp4")));
        await Bun.write(join(library, "In both.mp4"), Bun.file(video));
        const second = await cluster.run("streaming-2", ["streaming"], { args: [library] });
        const named = (name: string) =>
          until(async () => {
            const page = (await (await ann.get(`/api/titles?name=${name}`)).json()) as { items: { id: string }[] };
            return page.items[0]?.id;
          }, 20_000);
        const [onlyHere, inBoth] = [await named("Only%20here"), await named("In%20both")];
        const statusOf = async (id: string) => (await ann.get(`/stream/${id}/hls/master.m3u8`)).status;
        await until(
          async () => (await services()).filter(({ service }) => service === "streaming").length === 2,
          20_000,
        );
        for (let n = 0; n < 4; n++)
          for (const id of [title.id, onlyHere, inBoth]) expect([id, await statusOf(id)]).toEqual([id, 200]);
        await second.kill();
        const gone = await ann.get(`/stream/${onlyHere}/hls/master.m3u8`);
        expect(gone.status).toBe(503);
        expect(gone.headers.get("Retry-After")).not.toBeNull();
        expect([await statusOf(title.id), await statusOf(inBoth)]).toEqual([200, 200]);
      } finally {
        rmSync(library, { recursive: true, force: true });
      }
    }, 90_000);

    test("what a streaming instance finds while the catalog or the broker is down is a title soon after they are back", async () => {
      const library = mkdtempSync(join(tmpdir(), "kinora-cluster-late-"));
      /** The same film with some bytes at its end that mean nothing: another content. */
      const add = async (name: string, more: number) => {
        const padding = new Uint8Array(8 + more);
        new DataView(padding.buffer).setUint32(0, padding.length);
        padding.set(Buffer.from("free"), 4);
        await Bun.write(join(library, name), new Blob([await Bun.file(video).bytes(), padding]));
      };
      const found = () => {
        const database = new Database(join(cluster.folder, "streaming-late", "kinora.db"), { readonly: true });
        const { n } = database.query("select count(*) as n from sources where origin = 'library'").get() as {
          n: number;
        };
        database.close();
        return n;
      };
      const named = async (name: string) => {
        const page = (await (await ann.get(`/api/titles?name=${name}`)).json()) as { items?: unknown[] };
        return page.items?.length === 1;
      };
      try {
        await processOf("catalog").kill();
        await add("Nobody listens.mp4", 1);
        const late = await cluster.run("streaming-late", ["streaming"], { args: [library] });
        await until(() => found() === 1, 20_000);
        await processOf("catalog").start();
        await until(() => named("nobody"), 20_000);
        await cluster.nats.kill();
        await add("Silence.mp4", 2);
        await until(() => found() === 2, 20_000);
        await cluster.nats.start();
        await until(() => named("silence"), 30_000);
        await late.kill();
        // What may have been missed has been read anew.
        for (let n = 0; n < 3; n++) await until(async () => (await playlist()).status === 200, 20_000);
      } finally {
        rmSync(library, { recursive: true, force: true });
      }
    }, 120_000);

    test("the broker restarts: what plays goes on, and everything works again by itself", async () => {
      await cluster.nats.kill();
      expect((await playlist()).status).toBe(200);
      await cluster.nats.start();
      await until(async () => (await ann.get("/api/titles?q=spread")).status === 200, 20_000);
      await until(async () => (await ann.upload(video, { name: "After" }).catch(() => null)) !== null, 30_000);
      expect((await playlist()).status).toBe(200);
    }, 90_000);

    test("a user is deleted while catalog and upload are down: their titles go when those are back", async () => {
      const bob = await TestUser.signIn({ url: main.url }, "bob");
      const his = await bob.upload(video, { name: "Of Bob" });
      const users = (await (await ann.get("/api/users")).json()) as { items: { id: string; username: string }[] };
      const id = users.items.find(({ username }) => username === "bob")?.id;
      await Promise.all([processOf("catalog").kill(), processOf("upload").kill()]);
      expect((await ann.send("DELETE", `/api/users/${id}`)).status).toBe(204);
      await Promise.all([processOf("catalog").start(), processOf("upload").start()]);
      await until(async () => (await ann.get(`/api/titles/${his.id}`)).status === 404, 20_000);
      expect((await bob.get("/api/session")).status).toBe(401);
    }, 90_000);

    test("signing out in one process counts in all at once", async () => {
      const cookie = ann.cookie;
      expect((await ann.send("DELETE", "/api/session")).status).toBe(204);
      for (const url of [main.url, processOf("streaming").url]) {
        const response = await fetch(`${url}/stream/${title.id}/original`, { headers: { Cookie: cookie } });
        expect(response.status).toBe(401);
      }
    });

    test("each stops on SIGTERM within 10 s", async () => {
      const codes = await Promise.all([...processes.values()].map((one) => one.stop()));
      expect(codes).toEqual(codes.map(() => 0));
    }, 30_000);
  },
);
