import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createRoute, z } from "@hono/zod-openapi";
import pino from "pino";
import { until } from "../../test/support/until.ts";
import type { Principal } from "../auth/contract.ts";
import { StartError } from "../errors.ts";
import type { MountedService } from "../service.ts";
import { createApp } from "./app.ts";
import { type Listener, type ListenerOptions, listen } from "./listener.ts";
import { createMetrics } from "./metrics.ts";

const lines: Record<string, unknown>[] = [];
const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
let who: Principal | null = null;
let broken = false;

const routes = createApp();
routes.get("/api/things/:id", (c) => c.json({ id: c.req.param("id") }));
routes.put("/api/things/:id", (c) => c.body(null, 204));
routes.post("/api/broken", () => {
  throw new Error("the secret cause");
});
routes.get("/api/address", (c) => c.text(`${c.env.clientAddress} ${c.env.fromThisMachine}`));
routes.get("/api/gone", () => new Response(Bun.file("/nonexistent/kinora.mp4")));
routes.get("/api/folder", () => new Response(Bun.file(import.meta.dir)));
routes.post("/api/body", async (c) => c.json({ length: (await c.req.text()).length }));
routes.openapi(
  createRoute({
    method: "post",
    path: "/api/json",
    security: [],
    request: { body: { required: true, content: { "application/json": { schema: z.object({ a: z.string() }) } } } },
    responses: { 200: { description: "Read." } },
  }),
  (c) => c.json(c.req.valid("json"), 200),
);
routes.post("/api/large", async (c) => c.json({ length: (await c.req.text()).length }));
routes.get("/api/endless", (c) => {
  const chunks = new ReadableStream({
    start: (controller) => {
      controller.enqueue("x");
      c.env.stopping.addEventListener("abort", () => controller.close());
    },
  });
  return c.body(chunks);
});

const services: MountedService[] = [
  {
    name: "main",
    service: {
      routes,
      largeBodies: [{ method: "POST", path: "/api/large" }],
      ready: async () => undefined,
      leave: async () => undefined,
      close: async () => undefined,
    },
  },
  {
    name: "auth",
    service: {
      routes: createApp(),
      ready: async () => {
        if (broken) throw new Error("no database");
      },
      leave: async () => undefined,
      close: async () => undefined,
    },
  },
];

const open = (options: Partial<ListenerOptions> = {}): Listener =>
  listen({
    host: "127.0.0.1",
    port: 0,
    trustedProxies: [],
    publicOrigin: null,
    allowedHosts: [],
    loopbackOnly: true,
    log,
    metrics: createMetrics(),
    ...options,
  });

const noGrants = { resolveGrant: async () => null, onRevoked: () => () => undefined };

function start(options: Partial<ListenerOptions> = {}): Listener {
  const listener = open(options);
  listener.mount(services, { ...noGrants, authenticate: async () => who });
  return listener;
}

let listener: Listener;
const get = (path: string, init?: RequestInit) => fetch(listener.url + path, init);
beforeAll(() => {
  listener = start();
});
afterAll(() => listener.close(0));

const problem = z.object({ code: z.string(), status: z.number(), detail: z.string() });

async function expectProblem(response: Response, status: number, code: string) {
  expect(response.status).toBe(status);
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  const body = problem.parse(await response.json());
  expect(body).toMatchObject({ code, status });
  return body;
}

test("an unknown address is a 404 problem", async () => {
  await expectProblem(await get("/api/nothing"), 404, "not-found");
});

test("a method that an address does not know is a 405 problem naming those it knows", async () => {
  const response = await get("/api/things/1", { method: "DELETE" });
  await expectProblem(response, 405, "method-not-allowed");
  expect(response.headers.get("Allow")).toBe("GET, HEAD, PUT");
  const post = await get("/api/broken");
  await expectProblem(post, 405, "method-not-allowed");
  expect(post.headers.get("Allow")).toBe("POST");
});

test("HEAD answers what GET would, with its length and without its body", async () => {
  const [head, whole] = [await get("/api/things/1", { method: "HEAD" }), await get("/api/things/1")];
  expect(head.status).toBe(200);
  expect(head.headers.get("Content-Length")).toBe(String((await whole.text()).length));
  expect(await head.text()).toBe("");
});

test("what fails inside is a 500 that tells nothing, and the log has it under the request id", async () => {
  const response = await get("/api/broken", { method: "POST" });
  const { detail } = await expectProblem(response, 500, "internal");
  expect(detail).not.toContain("secret cause");
  const requestId = response.headers.get("X-Request-Id");
  const logged = lines.find((line) => line.requestId === requestId && line.level === 50);
  expect(JSON.stringify(logged)).toContain("the secret cause");
});

test("neither queries nor credentials are logged", async () => {
  await get("/api/things/1?grant=s3cret", { headers: { Authorization: "Bearer s3cret", Cookie: "kinora=s3cret" } });
  expect(lines.some(({ path }) => path === "/api/things/1")).toBe(true);
  expect(JSON.stringify(lines)).not.toContain("s3cret");
});

test("a state-changing request of another site's page is refused", async () => {
  const foreign = await get("/api/things/1", { method: "PUT", headers: { Origin: "https://evil.example" } });
  await expectProblem(foreign, 403, "forbidden");
  const own = await get("/api/things/1", { method: "PUT", headers: { Origin: listener.url } });
  expect(own.status).toBe(204);
});

test("a request for a host that is not Kinora's is refused: its page may be another site's", async () => {
  for (const path of ["/api/things/1", "/", "/readyz", "/metrics"]) {
    const { detail } = await expectProblem(await get(path, { headers: { Host: "evil.example" } }), 421, "wrong-host");
    expect(detail).toContain("allowedHosts");
  }
  expect((await get("/healthz", { headers: { Host: "evil.example" } })).status).toBe(200);
  expect((await get("/api/things/1", { headers: { Host: "localhost:1234" } })).status).toBe(200);
  expect((await get("/api/things/1", { headers: { "X-Forwarded-Host": "evil.example" } })).status).toBe(200);
});

test("a trusted proxy passes on the host that the client named, and it must be Kinora's", async () => {
  const proxied = start({ trustedProxies: ["127.0.0.1"], publicOrigin: "https://video.example.org" });
  const asked = (name: string) => fetch(`${proxied.url}/api/things/1`, { headers: { "X-Forwarded-Host": name } });
  expect((await asked("video.example.org")).status).toBe(200);
  await expectProblem(await asked("evil.example"), 421, "wrong-host");
  await proxied.close(0);
});

describe("bodies", () => {
  const KIB = 1024;
  const chunked = (bytes: number) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (bytes <= 0) return controller.close();
        controller.enqueue(new Uint8Array(Math.min(bytes, 16 * KIB)).fill(120));
        bytes -= 16 * KIB;
      },
    });
  const post = (path: string, body: ReadableStream<Uint8Array> | string) => get(path, { method: "POST", body });

  test("of more than 64 KiB are refused, announced or not", async () => {
    await expectProblem(await post("/api/body", "x".repeat(64 * KIB + 1)), 413, "too-large");
    await expectProblem(await post("/api/body", chunked(80 * KIB)), 413, "too-large");
    await expectProblem(await post("/api/things/1", "x".repeat(64 * KIB + 1)), 413, "too-large");
  });

  test("of 64 KiB are taken, announced or not", async () => {
    expect(await (await post("/api/body", "x".repeat(64 * KIB))).json()).toEqual({ length: 64 * KIB });
    expect(await (await post("/api/body", chunked(64 * KIB))).json()).toEqual({ length: 64 * KIB });
  });

  test("that are announced too large are refused before they are sent, and the connection is closed", async () => {
    let answer = "";
    let closed = false;
    const { hostname, port } = new URL(listener.url);
    await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        open: (socket) =>
          void socket.write("POST /api/body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\nx"),
        data: (_socket, bytes) => {
          answer += bytes.toString();
        },
        close: () => {
          closed = true;
        },
      },
    });
    await until(() => closed);
    expect(answer).toStartWith("HTTP/1.1 413");
  });

  test("may be larger where the service says so", async () => {
    expect(await (await post("/api/large", "x".repeat(200 * KIB))).json()).toEqual({ length: 200 * KIB });
  });
});

test("a client that leaves in the middle of its body is no failure of ours in log or metrics", async () => {
  const { hostname, port } = new URL(listener.url);
  lines.length = 0;
  for (const framing of ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]) {
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: () => undefined } });
    socket.write(`POST /api/json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${framing}`);
    await Bun.sleep(50);
    socket.terminate();
  }
  const left = () => lines.filter(({ path }) => path === "/api/json");
  await until(() => left().length === 2);
  expect(left().map(({ status, level }) => [status, level])).toEqual([
    [499, 20],
    [499, 20],
  ]);
  expect(lines.filter(({ level }) => Number(level) > 20)).toEqual([]);
  const metrics = await (await get("/metrics")).text();
  expect(metrics).toMatch(/method="POST",route="\/api\/json",status="499"/);
  expect(metrics).not.toMatch(/route="\/api\/json",status="5/);
});

test("an answer whose file is gone, or is a folder, is a 500 problem without a word about it", async () => {
  for (const path of ["/api/gone", "/api/folder"]) {
    const response = await get(path);
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    const { detail } = await expectProblem(response, 500, "internal");
    expect(detail).not.toContain("/");
  }
});

describe("client addresses", () => {
  const asked = async (listener: Listener, headers: Record<string, string>) =>
    (await fetch(`${listener.url}/api/address`, { headers })).text();

  test("are the peer's own, whatever it says, unless the proxy is trusted", async () => {
    expect(await asked(listener, {})).toBe("127.0.0.1 true");
    expect(await asked(listener, { "X-Forwarded-For": "192.0.2.1" })).toBe("127.0.0.1 false");
  });

  test("come from X-Forwarded-For through trusted proxies", async () => {
    const proxied = start({ trustedProxies: ["127.0.0.0/8", "10.0.0.0/8"] });
    expect(await asked(proxied, { "X-Forwarded-For": "203.0.113.9, 192.0.2.1, 10.1.1.1" })).toBe("192.0.2.1 false");
    await proxied.close(0);
  });
});

describe("operations", () => {
  test("/healthz answers whenever the process does", async () => {
    expect(await (await get("/healthz")).json()).toEqual({ status: "ok" });
  });

  test("/readyz names the services that are not ready", async () => {
    expect((await get("/readyz")).status).toBe(200);
    broken = true;
    const response = await get("/readyz");
    broken = false;
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      ...{ status: "not-ready", notReady: ["auth"] },
      reasons: [{ name: "auth", reason: "It cannot do its work right now." }],
    });
  });

  test("what is not ready is logged when it begins and when it ends, however often /readyz is asked", async () => {
    await get("/readyz");
    lines.length = 0;
    broken = true;
    for (let n = 0; n < 5; n++) expect((await get("/readyz")).status).toBe(503);
    broken = false;
    for (let n = 0; n < 5; n++) expect((await get("/readyz")).status).toBe(200);
    const told = lines
      .filter(({ msg }) => /ready/.test(String(msg)))
      .map(({ name, reason, msg }) => [name, reason, msg]);
    expect(told).toEqual([
      ["auth", "no database", "not ready"],
      ["auth", undefined, "ready again"],
    ]);
  });

  test("/metrics counts requests by method, pattern and status, never by path", async () => {
    await get("/api/things/7");
    const text = await (await get("/metrics")).text();
    expect(text).toMatch(
      /kinora_http_request_duration_seconds_count\{method="GET",route="\/api\/things\/:id",status="200"\} \d+/,
    );
    expect(text).toMatch(/le="\+Inf"/);
    expect(text).toMatch(/process_resident_memory_bytes \d{7,}/);
    expect(text).not.toContain("things/7");
  });

  test("unknown addresses and methods make no series of their own", async () => {
    for (const path of ["/api/x1", "/api/x2"]) await get(path, { method: "BREW" });
    const text = await (await get("/metrics")).text();
    expect(text).not.toContain("BREW");
    expect(text).not.toContain("x1");
  });

  test("/metrics is for admins when asked from elsewhere", async () => {
    const remote = { headers: { "X-Forwarded-For": "192.0.2.1" } };
    await expectProblem(await get("/metrics", remote), 401, "unauthorized");
    who = { userId: Bun.randomUUIDv7(), username: "v", role: "viewer", credential: { kind: "session", id: "1" } };
    await expectProblem(await get("/metrics", remote), 403, "forbidden");
    who = { ...who, role: "admin" };
    expect((await get("/metrics", remote)).status).toBe(200);
    who = null;
  });
});

describe("the life of a listener", () => {
  test("requests that come before its routes are mounted wait for them", async () => {
    const early = open();
    const answer = fetch(`${early.url}/healthz`);
    await Bun.sleep(5);
    early.mount(services, { ...noGrants, authenticate: async () => null });
    expect((await answer).status).toBe(200);
    await early.close(0);
  });

  test("a port that is in use is said, with what to do", () => {
    const port = Number(new URL(listener.url).port);
    let error: unknown;
    try {
      open({ port });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ message: `127.0.0.1:${port} is in use by another program.` });
  });

  test("closing ends answers that have no end of their own, well before the grace is over", async () => {
    const closing = start();
    const endless = await fetch(`${closing.url}/api/endless`);
    const begin = performance.now();
    await closing.close(5_000);
    expect(await endless.text()).toBe("x");
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});
