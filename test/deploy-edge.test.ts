import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { caddyfile } from "../scripts/edge-caddy.ts";
import { nginxConf, originalPortsConf, rtspConf } from "../scripts/edge-nginx.ts";
import { type ServiceName, serviceNames } from "../src/bus/contract.ts";
import { Cluster, type ClusterProcess } from "./support/cluster.ts";
import { ensureDebianPackages, has } from "./support/debian.ts";
import { type Certificate, makeCertificate, startCaddy, startNginx } from "./support/edge.ts";
import { fixture } from "./support/fixtures.ts";
import { TestUser } from "./support/kinora.ts";
import { freePort } from "./support/nats.ts";
import { startRedis, type TestRedis } from "./support/redis.ts";
import type { TestSqlServer } from "./support/sql-server.ts";
import { deployedServer } from "./support/sql-servers.ts";
import { until } from "./support/until.ts";

await ensureDebianPackages({
  mariadbd: "mariadb-server",
  "redis-server": "redis-server",
  "nats-server": "nats-server",
  ffmpeg: "ffmpeg",
  caddy: "caddy",
  nginx: "nginx-light",
  "libnginx-mod-stream": "libnginx-mod-stream",
  openssl: "openssl",
  curl: "curl",
});

/** Nothing of the system's is used or touched. */
const CADDY_GLOBAL =
  "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n";
const INIT_SQL = join(import.meta.dir, "../deploy/mysql/init.sql");
const REDIS_PASSWORD = "a-password-of-redis";
const password = "correct horse battery";
/** Not the address that the proxies and the services have. */
const CLIENT = "127.0.0.9";
const configOf = (service: ServiceName) => join(import.meta.dir, "../deploy/config", `${service}.yaml`);

describe.skipIf(
  !deployedServer.isThere || !has("redis-server", "nats-server", "ffmpeg", "caddy", "nginx", "openssl", "curl"),
)(`the services as deploy/config has them, on ${deployedServer.name}, Redis and NATS, behind Caddy and nginx`, () => {
  const folder = mkdtempSync(join(tmpdir(), "kinora-edge-"));
  const processes = new Map<string, ClusterProcess>();
  const closing: { close(): Promise<unknown> }[] = [];
  let cluster: Cluster;
  let redis: TestRedis;
  let database: TestSqlServer;
  let certificate: Certificate;
  let ca = "";
  let video = "";
  let code: string | null = null;
  const ports = { caddy: 0, nginx: 0 };

  /** A client of an edge, which it trusts by the test's certificate. */
  class EdgeUser extends TestUser {
    override fetch(path: string, init: RequestInit = {}): Promise<Response> {
      return super.fetch(path, { ...init, tls: { ca } } as RequestInit);
    }
  }

  const at = (edge: "caddy" | "nginx") => `https://localhost:${ports[edge]}`;
  const addressOf = (name: string) => new URL(processes.get(name)?.url ?? "http://none").host;
  const instancesOf = (service: ServiceName) =>
    [...processes.keys()].filter((name) => name.split("-")[0] === service).map(addressOf);

  async function startServices(): Promise<void> {
    [cluster, redis, database] = await Promise.all([Cluster.open(), startRedis(), deployedServer.start()]);
    closing.push(cluster, redis, database);
    // As compose's images make them: the script as the administrator, and a Redis that asks for a password.
    await database.query(`create user 'kinora'@'%' identified by '${password}'`);
    const statements = (await Bun.file(INIT_SQL).text()).replace(/^--.*$/gm, "").split(";");
    for (const statement of statements) if (statement.trim() !== "") await database.query(statement);
    await redis.send("CONFIG", "SET", "requirepass", REDIS_PASSWORD);
    const env = {
      KINORA_DATABASE: `mysql://kinora:${encodeURIComponent(password)}@127.0.0.1:${database.port}/kinora`,
      KINORA_REDIS: `redis://:${REDIS_PASSWORD}@${new URL(redis.url).host}`,
      KINORA_PUBLIC_URL: at("caddy"),
      KINORA_TRUSTED_PROXIES: "127.0.0.1",
      // As the file says.
      KINORA_REGISTRATION: "",
    };
    const run = async (name: string, service: ServiceName) =>
      processes.set(name, await cluster.run(name, [service], { env, args: ["--config", configOf(service)] }));
    await Promise.all([...serviceNames.map((service) => run(service, service)), run("streaming-2", "streaming")]);
    code = cluster.firstAdminCode;
  }

  async function startEdges(): Promise<void> {
    const caddy = caddyfile({
      global: CADDY_GLOBAL,
      site: at("caddy"),
      siteOptions: `\ttls ${certificate.certificate} ${certificate.key}\n`,
      upstreams: (service) => `to ${instancesOf(service).join(" ")}`,
    });
    const nginx = nginxConf({
      global: "",
      upstreams: instancesOf,
      listen: `127.0.0.1:${ports.nginx} ssl http2`,
      serverName: "localhost",
      certificate: certificate.certificate,
      certificateKey: certificate.key,
    });
    closing.push(...(await Promise.all([startCaddy(caddy, [ports.caddy]), startNginx(nginx, [ports.nginx])])));
  }

  beforeAll(async () => {
    [video, certificate, ports.caddy, ports.nginx] = await Promise.all([
      fixture("h264-aac.mp4"),
      makeCertificate(folder),
      freePort(),
      freePort(),
    ]);
    ca = await Bun.file(certificate.certificate).text();
    await startServices();
    await startEdges();
  }, 120_000);
  afterAll(async () => {
    for (const one of closing.reverse()) await one.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("each starts with its file, says that it is ready, and holds to what the file says", async () => {
    for (const { url } of processes.values())
      await until(async () => (await fetch(`${url}/readyz`)).status === 200, 30_000);
    expect(code).not.toBeNull();
    const stranger = new EdgeUser({ url: at("caddy") });
    const refused = await stranger.post("/api/session", { username: "eve", password });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "setup-code-required"]);
  });

  describe.each(["caddy", "nginx"] as const)("%s", (edge) => {
    const user = new EdgeUser({
      get url() {
        return at(edge);
      },
    });
    let title = "";

    test("signing in: a cookie for HTTPS alone; a page of another site is refused, one of our own is not", async () => {
      const body = { username: "ann", password, ...(edge === "caddy" ? { setupCode: code } : {}) };
      const answer = await user.post("/api/session", body);
      expect([answer.status, await answer.text()]).toEqual([edge === "caddy" ? 201 : 200, expect.anything()]);
      expect(answer.headers.getSetCookie()[0]).toContain("Secure");
      const from = (origin: string) => user.fetch("/api/links", { method: "POST", headers: { Origin: origin } });
      expect((await from("https://evil.example")).status).toBe(403);
      expect((await from(at(edge))).status).toBe(400);
      const claiming = await user.fetch("/api/titles", { headers: { "Kinora-Forwarded": "1-main guess 1-here" } });
      expect(claiming.status).toBe(403);
    });

    test("the client's address is the one it has, whatever it says itself", async () => {
      const forged = ["X-Forwarded-For: 203.0.113.9", "X-Real-IP: 203.0.113.9", "Forwarded: for=203.0.113.9;host=evil"];
      const { stdout } = Bun.spawnSync([
        ...["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", certificate.certificate],
        ...["--interface", CLIENT, "--resolve", `localhost:${ports[edge]}:127.0.0.1`],
        ...["-H", "Content-Type: application/json", ...forged.flatMap((header) => ["-H", header])],
        ...["-d", JSON.stringify({ username: "ann", password }), `${at(edge)}/api/session`],
      ]);
      expect(stdout.toString()).toBe("200");
      const sessions = (await (await user.get("/api/auth/list-sessions")).json()) as { ipAddress: string }[];
      expect(sessions.map(({ ipAddress }) => ipAddress).sort()).toContain(CLIENT);
      expect(sessions.some(({ ipAddress }) => ipAddress.startsWith("203."))).toBe(false);
    });

    test("a resumable upload arrives as it is sent, and events come as they happen", async () => {
      const bytes = await Bun.file(video).bytes();
      const tus = { "Tus-Resumable": "1.0.0" };
      const metadata = `filename ${btoa("a.mp4")},name ${btoa(`Through ${edge}`)}`;
      const made = await user.fetch("/api/uploads", {
        method: "POST",
        headers: { ...tus, "Upload-Length": String(bytes.length), "Upload-Metadata": metadata },
      });
      expect(made.status).toBe(201);
      const place = new URL(made.headers.get("Location") ?? "", at(edge)).pathname;
      title = place.slice(place.lastIndexOf("/") + 1);

      const leaving = new AbortController();
      const events = await user.fetch("/api/events", { signal: leaving.signal });
      const reader = events.body?.getReader();
      await reader?.read();
      const rest = Promise.withResolvers<void>();
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(bytes.subarray(0, bytes.length >> 1));
          await rest.promise;
          controller.enqueue(bytes.subarray(bytes.length >> 1));
          controller.close();
        },
      });
      const headers = { ...tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream" };
      const sending = user.fetch(place, { method: "PATCH", headers, body });
      // Half of it is there, and main has told so, before the other half leaves.
      let seen = "";
      while (!seen.includes(title)) seen += new TextDecoder().decode((await reader?.read())?.value);
      expect(seen).toContain('"state":"running"');
      rest.resolve();
      expect((await sending).status).toBe(204);
      leaving.abort();
      await until(async () => ((await (await user.get(place)).json()) as { state: string }).state === "ready", 20_000);
    }, 60_000);

    test("a plain upload", async () => {
      const { name, availability } = await user.upload(video, { name: `Form ${edge}` });
      expect([name, availability]).toEqual([`Form ${edge}`, "ready"]);
    }, 30_000);

    test("ranges, whole originals, playlists and segments", async () => {
      const original = `/stream/${title}/original`;
      const size = Bun.file(video).size;
      const part = await user.fetch(original, { headers: { Range: "bytes=100-299" } });
      expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes 100-299/${size}`]);
      expect(await part.bytes()).toEqual(await Bun.file(video).slice(100, 300).bytes());
      expect(await (await user.get(original)).bytes()).toEqual(await Bun.file(video).bytes());
      const head = await user.send("HEAD", original);
      expect(head.headers.get("Content-Length")).toBe(String(size));
      const etag = head.headers.get("ETag") ?? "none";
      expect((await user.fetch(original, { headers: { "If-None-Match": etag } })).status).toBe(304);
      const master = await (await user.get(`/stream/${title}/hls/master.m3u8`)).text();
      const playlist = master.split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "none";
      const media = await (await user.get(`/stream/${title}/hls/${playlist}`)).text();
      const segment = media.split("\n").find((line) => line !== "" && !line.startsWith("#")) ?? "none";
      const url = new URL(segment, `${at(edge)}/stream/${title}/hls/${playlist}`);
      expect((await user.get(url.pathname + url.search)).status).toBe(200);
      expect((await new EdgeUser({ url: at(edge) }).get(original)).status).toBe(401);
    });

    test("links lead to where people reach it", async () => {
      const link = (await (await user.post("/api/links", { titleId: title })).json()) as {
        url: string;
        hlsUrl: string;
      };
      expect([link.url, link.hlsUrl].every((url) => url.startsWith(`${at("caddy")}/`))).toBe(true);
      const { pathname, search } = new URL(link.hlsUrl);
      expect((await new EdgeUser({ url: at(edge) }).get(pathname + search)).status).toBe(200);
    });
  });

  test("a streaming instance is killed: what is asked for next is answered by the other", async () => {
    const user = new EdgeUser({ url: at("caddy") });
    await user.post("/api/session", { username: "ann", password });
    const { id } = await user.upload(video, { name: "Goes on" });
    await processes.get("streaming-2")?.kill();
    for (const edge of ["caddy", "nginx"] as const) {
      const other = new EdgeUser({ url: at(edge) });
      other.cookie = user.cookie;
      const statuses: number[] = [];
      for (let n = 0; n < 8; n++) statuses.push((await other.get(`/stream/${id}/hls/master.m3u8`)).status);
      expect([edge, ...statuses]).toEqual([edge, ...statuses.map(() => 200)]);
    }
  }, 60_000);

  describe.skipIf(!has("libnginx-mod-stream"))("the original system's ports", () => {
    const real = [5000, 5001, 5002, 3306, 6379, 8554];
    const published = new Map<number, number>();
    const on = (port: number) => ({ url: `http://localhost:${published.get(port)}` });

    beforeAll(async () => {
      for (const port of real) published.set(port, await freePort());
      const rtsp = /rtsp:\/\/(\S+)/.exec(processes.get("streaming")?.output() ?? "")?.[1] ?? "none";
      const servers: Readonly<Record<string, string>> = {
        "mysql:3306": `127.0.0.1:${database.port}`,
        "redis:6379": new URL(redis.url).host,
        "streaming:8554": rtsp,
      };
      const options = {
        global: "",
        resolver: "127.0.0.1",
        target: (name: string) => servers[name] ?? addressOf(name),
        listen: (port: number) => `127.0.0.1:${published.get(port)}`,
      };
      const taken = real.map((port) => published.get(port) ?? 0);
      closing.push(await startNginx(originalPortsConf(options), taken.slice(0, 5)));
      closing.push(await startNginx(rtspConf(options), taken.slice(5)));
    });

    test("5000, 5001 and 5002 begin with signing in, uploading and one's own videos, and share a session", async () => {
      for (const [port, page] of [
        [5000, "/sign-in"],
        [5001, "/upload"],
        [5002, "/videos"],
      ] as const) {
        const answer = await new TestUser(on(port)).get("/");
        expect([port, answer.status, answer.headers.get("Location")]).toEqual([port, 302, page]);
      }
      const user = await TestUser.signIn(on(5000), "ann");
      const uploading = new TestUser(on(5001));
      uploading.cookie = user.cookie;
      const { id } = await uploading.upload(video, { name: "The old way" });
      const watching = new TestUser(on(5002));
      watching.cookie = user.cookie;
      expect((await watching.get(`/stream/${id}/original`)).status).toBe(200);
    }, 30_000);

    test("3306 and 6379 are the database's and Redis's, 8554 RTSP's", async () => {
      const said = (port: number, text: string) =>
        new Promise<string>((resolve, reject) => {
          const socket = connect(published.get(port) ?? 0, "127.0.0.1", () => socket.write(text));
          socket.on("error", reject);
          socket.on("data", (data) => {
            resolve(data.toString("latin1"));
            socket.destroy();
          });
        });
      const [version] = await database.query("select version() as text");
      expect(await said(3306, "")).toContain(String(version?.text));
      expect(await said(6379, "PING\r\n")).toStartWith("-NOAUTH");
      expect(await said(6379, `AUTH ${REDIS_PASSWORD}\r\n`)).toBe("+OK\r\n");
      expect(await said(8554, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")).toStartWith("RTSP/1.0 200 ");
    });
  });

  test("kinora probe: 0 for what is ready, 1 for what is not", async () => {
    const probe = async (...args: string[]) => {
      const program = join(import.meta.dir, "../src/kinora.ts");
      const child = Bun.spawn([process.execPath, program, "probe", ...args], {
        stdio: ["ignore", "ignore", "ignore"],
      });
      return child.exited;
    };
    const nowhere = `127.0.0.1:${await freePort()}`;
    const codes = await Promise.all([
      probe(processes.get("main")?.url ?? ""),
      probe(`${at("nginx")}/healthz`),
      probe(`nats://${cluster.nats.server}`, "--wait", "5"),
      probe(`http://${nowhere}/readyz`),
      probe(`nats://${nowhere}`),
      probe(`nats://${new URL(redis.url).host}`),
    ]);
    expect(codes).toEqual([0, 0, 0, 1, 1, 1]);
  }, 30_000);
});
