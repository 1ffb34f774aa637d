import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import pino from "pino";
import { until } from "../../test/support/until.ts";
import { MemoryBus } from "../adapters/memory/memory-bus.ts";
import { permissionsOf } from "../bus/permissions.ts";
import { announcePresence } from "../bus/presence.ts";
import { proxyOf } from "../bus/proxy.ts";
import { contracts } from "../contracts.ts";
import { createApp } from "../http/app.ts";
import { type Listener, listen } from "../http/listener.ts";
import { createMetrics } from "../http/metrics.ts";
import { BusForwardTrust } from "../identity/bus-forward-trust.ts";
import type { Service } from "../service.ts";
import { mainContract } from "./contract.ts";
import { startMain } from "./main-service.ts";

const log = pino({ level: "silent" });
const nobody = { authenticate: async () => null, resolveGrant: async () => null, onRevoked: () => () => undefined };
const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const MEBIBYTE = 1 << 20;
const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
/** What an owner saw of the requests that arrived. */
const seen: { instance: string; address: string; origin: string; secure: boolean; headers: Headers }[] = [];
const state = { received: 0, cancelled: 0, held: Promise.withResolvers<void>() };

/** A listener on a free loopback port. */
function open(options: { trustedProxies?: string[]; publicOrigin?: string } = {}): Listener {
  const listener = listen({
    ...{ host: "127.0.0.1", port: 0, trustedProxies: options.trustedProxies ?? [], allowedHosts: ["video.example"] },
    ...{ publicOrigin: options.publicOrigin ?? null, loopbackOnly: true, log, metrics: createMetrics() },
  });
  closers.push(() => listener.close(0));
  return listener;
}

/** An instance of streaming whose routes show what arrives. */
async function openOwner(instance: string) {
  const connection = await bus.connect({ service: "streaming", instance });
  const routes = createApp();
  routes.get("/stream/:id/who", (c) => {
    const { clientAddress, origin, secure } = c.env;
    seen.push({ instance, address: clientAddress, origin, secure, headers: c.req.raw.headers });
    return c.text(instance, 200, { "X-Kept": "yes", "Keep-Alive": "timeout=1" });
  });
  routes.get("/stream/:id/sized/:bytes", (c) => {
    const size = Number(c.req.param("bytes"));
    const headers = { "Content-Length": String(size), ETag: '"a"', "Accept-Ranges": "bytes" };
    if (c.req.header("If-None-Match") === '"a"') return new Response(null, { status: 304, headers: { ETag: '"a"' } });
    return new Response(c.req.method === "HEAD" ? null : new Uint8Array(size), { headers });
  });
  routes.get("/stream/:id/endless", () => {
    const chunk = new Uint8Array(64 << 10);
    return new Response(
      new ReadableStream(
        { pull: (it) => it.enqueue(chunk), cancel: () => void state.cancelled++ },
        { highWaterMark: 0 },
      ),
    );
  });
  routes.get("/stream/:id/stuck", () => {
    let isFirst = true;
    const pull = (it: ReadableStreamDefaultController<Uint8Array>) => {
      if (!isFirst) return new Promise<void>(() => undefined);
      isFirst = false;
      return it.enqueue(new Uint8Array(10));
    };
    return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), {
      headers: { "Content-Length": "1000000" },
    });
  });
  routes.get("/stream/:id/busy", (c) => c.text("not here", 503, { "Retry-After": "2" }));
  routes.post("/stream/:id/take", async (c) => {
    for await (const chunk of c.req.raw.body ?? []) {
      state.received += chunk.length;
      await state.held.promise;
    }
    return c.json({ received: state.received });
  });
  const service: Service = {
    routes,
    largeBodies: [{ method: "POST", path: "/stream", below: true }],
    ready: async () => undefined,
    leave: async () => undefined,
    close: async () => undefined,
  };
  const listener = open();
  listener.mount([{ name: "streaming", service }], nobody, { trust: new BusForwardTrust([connection]) });
  const presence = await announcePresence(connection, () => [...listener.addresses]);
  return { listener, presence, connection, url: listener.url };
}

describe("main sends requests on", () => {
  let main: Listener;
  let owner: Awaited<ReturnType<typeof openOwner>>;

  beforeAll(async () => {
    main = open({ trustedProxies: ["127.0.0.1"] });
    const service = await startMain({
      connection: await bus.connect({ service: "main", instance: "m" }),
      authenticator: nobody,
      addresses: () => [...main.addresses],
      forwards: true,
    });
    closers.push(() => service.close());
    main.mount([{ name: "main", service }], nobody);
    owner = await openOwner("a");
    await until(async () => (await fetch(`${main.url}/stream/1/who`)).status === 200);
  });

  const lastSeen = () => {
    const last = seen.at(-1);
    if (!last) throw new Error("nothing arrived");
    return last;
  };

  test("the owner sees the client that main saw, and what the client says of itself counts no more than there", async () => {
    const headers = {
      Host: "video.example",
      "X-Forwarded-For": "203.0.113.7, 198.51.100.4",
      "X-Forwarded-Proto": "https",
      "Kinora-Client": '{"clientAddress":"10.0.0.1","behindUnknownProxy":false,"secure":false,"origin":"http://evil"}',
      Connection: "close, X-Secret-Hop",
      "X-Secret-Hop": "1",
    };
    const response = await fetch(`${main.url}/stream/1/who`, { headers });
    expect(await response.text()).toBe("a");
    expect(lastSeen()).toMatchObject({ address: "198.51.100.4", secure: true, origin: "https://video.example" });
    expect(lastSeen().headers.get("Host")).toBe("video.example");
    expect(lastSeen().headers.get("X-Forwarded-For")).toBe("198.51.100.4");
    expect(lastSeen().headers.get("X-Secret-Hop")).toBeNull();
    expect(response.headers.get("X-Kept")).toBe("yes");
    expect(response.headers.get("Keep-Alive")).toBeNull();
  });

  test("answers keep their tags and their length: HEAD always, GET where they are small", async () => {
    for (const [method, size, length] of [
      ["HEAD", 5_000_000, "5000000"],
      ["HEAD", 100, "100"],
      ["GET", 100, "100"],
      ["GET", 100_000, "100000"],
      ["GET", 5_000_000, null],
    ] as const) {
      const answer = await fetch(`${main.url}/stream/1/sized/${size}`, { method });
      const { headers } = answer;
      expect([method, size, answer.status, headers.get("Content-Length")]).toEqual([method, size, 200, length]);
      expect([headers.get("ETag"), headers.get("Accept-Ranges")]).toEqual(['"a"', "bytes"]);
      expect((await answer.bytes()).length).toBe(method === "HEAD" ? 0 : size);
    }
    const same = await fetch(`${main.url}/stream/1/sized/100`, { headers: { "If-None-Match": '"a"' } });
    expect([same.status, same.headers.get("ETag")]).toEqual([304, '"a"']);
  });

  test("who reaches an owner directly is believed nothing", async () => {
    const client = '{"clientAddress":"10.0.0.1","behindUnknownProxy":false,"secure":true,"origin":"http://evil"}';
    await fetch(`${owner.url}/stream/1/who`, { headers: { "Kinora-Client": client, "X-Forwarded-For": "10.0.0.1" } });
    expect(lastSeen()).toMatchObject({ address: "127.0.0.1", secure: false, origin: owner.url });
    const time = Date.now();
    const key = (await proxyOf(owner.connection, mainContract).getForwardKey({}, { instance: "m" })).key;
    const mac = "A".repeat(43);
    for (const claim of [
      // The form before this one: a key in clear.
      `m ${key} a`,
      ...["m guess a", "m", "* * *", `2 m streaming a ${time} ${mac}`, `2 nobody streaming a ${time} ${mac}`],
      ...[`2 m nothing a ${time} ${mac}`, `2 m streaming a ${time} ${mac} more`, `2 m streaming a now ${mac}`],
    ]) {
      const response = await fetch(`${owner.url}/stream/1/who`, { headers: { "Kinora-Forwarded": claim } });
      expect([claim, response.status]).toEqual([claim, 403]);
    }
  });

  test("a proof counts for the request it came with and no other", async () => {
    // Whatever a path may hold arrives as main has proven it.
    for (const path of ["/stream/1/who", "/stream/%C3%A9%2F%7C'[]{}/who?a=b%20c&d='|[]&e=é+", "/stream/a%20b/who?"]) {
      const response = await fetch(`${main.url}${path}`);
      expect([path, response.status]).toEqual([path, 200]);
    }
    await fetch(`${main.url}/stream/1/who?a=b`);
    const [proof, client] = ["Kinora-Forwarded", "Kinora-Client"].map((name) => lastSeen().headers.get(name) ?? "");
    if (!proof || !client) throw new Error("main proved nothing");
    const ask = async (path: string, headers: Record<string, string>, method = "GET") =>
      (await fetch(`${owner.url}${path}`, { method, headers })).status;
    const same = { "Kinora-Forwarded": proof, "Kinora-Client": client };
    expect(await ask("/stream/1/who?a=b", same)).toBe(200);
    const invented = client.replace("127.0.0.1", "198.51.100.66");
    expect(invented).not.toBe(client);
    expect(await ask("/stream/1/who?a=b", { ...same, "Kinora-Client": invented })).toBe(403);
    expect(await ask("/stream/1/who?a=b", { "Kinora-Forwarded": proof })).toBe(403);
    expect(await ask("/stream/1/who?a=c", same)).toBe(403);
    expect(await ask("/stream/2/who?a=b", same)).toBe(403);
    expect(await ask("/stream/1/who?a=b", same, "HEAD")).toBe(403);
    const late = proof.replace(/ (\d+) /, (_, at) => ` ${Number(at) + 1} `);
    expect(await ask("/stream/1/who?a=b", { ...same, "Kinora-Forwarded": late })).toBe(403);
    // Nothing that gives main's proofs away arrives: neither its secret nor this service's key.
    const key = (await proxyOf(owner.connection, mainContract).getForwardKey({}, { instance: "m" })).key;
    expect(JSON.stringify([...lastSeen().headers])).not.toContain(key);
  });

  test("a slow owner slows the sender down: what is in between stays small", async () => {
    state.received = 0;
    let sent = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(it) {
          sent += MEBIBYTE;
          if (sent > 200 * MEBIBYTE) it.close();
          else it.enqueue(new Uint8Array(MEBIBYTE));
        },
      },
      { highWaterMark: 0 },
    );
    const sending = fetch(`${main.url}/stream/1/take`, { method: "POST", body });
    await until(() => state.received > 0);
    await Bun.sleep(500);
    expect(sent).toBeLessThan(100 * MEBIBYTE);
    state.held.resolve();
    expect(await (await sending).json()).toEqual({ received: 200 * MEBIBYTE });
  }, 30_000);

  test("a reader that leaves ends the owner's answer, too", async () => {
    const before = state.cancelled;
    const leaving = new AbortController();
    const response = await fetch(`${main.url}/stream/1/endless`, { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await until(() => state.cancelled > before);
  });

  test("an answer whose instance hangs in its middle is cut, so that the reader asks again", async () => {
    const hanging = await openOwner("hangs");
    const id = await until(async () => {
      const candidate = crypto.randomUUID();
      return (await (await fetch(`${main.url}/stream/${candidate}/who`)).text()) === "hangs" && candidate;
    });
    const response = await fetch(`${main.url}/stream/${id}/stuck`);
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value?.length).toBe(10);
    const rest = reader?.read().then(
      ({ done }) => `ended: ${done}`,
      () => "cut",
    );
    // What still runs is not to depend on what a collector leaves.
    Bun.gc(true);
    await hanging.connection.close();
    expect(await rest).toBe("cut");
    await hanging.listener.close(0);
  }, 20_000);

  test("an instance that is gone is passed over; one that has nothing is asked first and answered for by another", async () => {
    const other = await openOwner("b");
    const who = async () =>
      new Set(await Promise.all(ids.map(async (id) => (await fetch(`${main.url}/stream/${id}/who`)).text())));
    const ids = Array.from({ length: 20 }, (_, n) => `title-${n}`);
    expect(await who()).toEqual(new Set(["a", "b"]));
    const busy = await fetch(`${main.url}/stream/1/busy`);
    expect([busy.status, busy.headers.get("Retry-After")]).toEqual([503, "2"]);
    await other.listener.close(0);
    expect(await who()).toEqual(new Set(["a"]));
    await other.presence.close();
    await owner.listener.close(0);
    const nobodyLeft = await fetch(`${main.url}/stream/1/who`);
    expect([nobodyLeft.status, nobodyLeft.headers.has("Retry-After")]).toEqual([503, true]);
    const posting = await fetch(`${main.url}/stream/1/take`, { method: "POST", body: "x" });
    expect(posting.status).toBe(503);
  });

  test("what main owns is answered there, and a service that does not run at all is 503", async () => {
    expect((await fetch(`${main.url}/api/services`)).status).toBe(401);
    const response = await fetch(`${main.url}/api/titles`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "temporary-unavailable" });
  });
});
