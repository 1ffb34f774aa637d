import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import pino from "pino";
import { MemoryBus } from "../adapters/memory/memory-bus.ts";
import type { GrantHolder, Principal, Role } from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { permissionsOf } from "../bus/permissions.ts";
import { announcePresence } from "../bus/presence.ts";
import { proxyOf } from "../bus/proxy.ts";
import { publish } from "../bus/topics.ts";
import { contracts } from "../contracts.ts";
import { type Listener, listen } from "../http/listener.ts";
import { createMetrics } from "../http/metrics.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { Service } from "../service.ts";
import { mainContract, Progress, type ProgressEvent, ServiceAvailability } from "./contract.ts";
import { STREAMS_MAX } from "./event-stream.ts";
import { startMain } from "./main-service.ts";

/** Knows people by their `X-Test-User`; cuts them on demand. */
class TestAuthenticator implements Authenticator {
  readonly people = new Map<string, Principal>();
  readonly watches = new Map<string, Set<() => void>>();

  add(username: string, role: Role): string {
    const userId = Bun.randomUUIDv7();
    this.people.set(username, { userId, username, role, credential: { kind: "session", id: username } });
    return userId;
  }

  async authenticate(request: Request): Promise<Principal | null> {
    return this.people.get(request.headers.get("X-Test-User") ?? "") ?? null;
  }

  async resolveGrant() {
    return null;
  }

  onRevoked(who: Principal | GrantHolder, cut: () => void): () => void {
    const username = "grantId" in who ? who.grantId : who.username;
    const cuts = this.watches.get(username) ?? new Set();
    this.watches.set(username, cuts.add(cut));
    return () => cuts.delete(cut);
  }

  revoke(username: string): void {
    for (const cut of this.watches.get(username) ?? []) cut();
  }

  get watching(): number {
    return [...this.watches.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

let bus: MemoryBus;
let main: Service;
let listener: Listener;
let streaming: BusConnection;
let authenticator: TestAuthenticator;
let adaId = "";

beforeEach(async () => {
  bus = new MemoryBus(permissionsOf(contracts), (_where, error) => {
    throw error;
  });
  authenticator = new TestAuthenticator();
  adaId = authenticator.add("ada", "editor");
  authenticator.add("bob", "viewer");
  authenticator.add("root", "admin");
  const log = pino({ level: "silent" });
  const options = {
    host: "127.0.0.1",
    port: 0,
    trustedProxies: [],
    publicOrigin: null,
    allowedHosts: [],
    loopbackOnly: true,
    log,
    metrics: createMetrics(),
  };
  listener = listen(options);
  main = await startMain({
    connection: await bus.connect({ service: "main", instance: "m" }),
    authenticator,
    addresses: () => [...listener.addresses],
    forwards: false,
    commentEveryMs: 20,
  });
  listener.mount([{ name: "main", service: main }], authenticator);
  streaming = await bus.connect({ service: "streaming", instance: "s" });
});

afterEach(async () => {
  await listener.close(1_000);
  await main.close();
  await bus.close();
});

const as = (user: string) => ({ headers: { "X-Test-User": user } });
const progress = (event: Partial<ProgressEvent>) =>
  publish(streaming, Progress, {
    kind: "scan",
    id: "1",
    userId: null,
    state: "running",
    label: "Videos",
    done: 1,
    total: null,
    ...event,
  });

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it never came to: ${condition}`);
    await Bun.sleep(5);
  }
}

/** An open event stream and the text it has brought so far. */
class Events {
  text = "";
  ended = false;
  readonly response: Response;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.#read().catch(() => undefined);
  }

  static async open(user: string): Promise<Events> {
    const abort = new AbortController();
    const response = await fetch(`${listener.url}/api/events`, { ...as(user), signal: abort.signal });
    const events = new Events(response, abort);
    await until(() => events.text.includes("hello"));
    return events;
  }

  get data(): ProgressEvent[] {
    return [...this.text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? ""));
  }

  leave(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.response.body ?? []) this.text += decoder.decode(chunk, { stream: true });
    this.ended = true;
  }
}

describe("the registry", () => {
  const listed = async () => {
    const response = await fetch(`${listener.url}/api/services`, as("ada"));
    const { items } = (await response.json()) as {
      items: { service: string; instance: string; addresses: string[] }[];
    };
    return items;
  };

  test("lists main itself with its addresses, and who joins and leaves", async () => {
    await until(async () => (await listed()).length === 1);
    expect(await listed()).toMatchObject([{ service: "main", instance: "m", addresses: [listener.url] }]);
    const presence = await announcePresence(streaming, () => ["http://127.0.0.1:1"]);
    await until(async () => (await listed()).some(({ service }) => service === "streaming"));
    const { locate, listServices } = proxyOf(await bus.connect({ service: "main", instance: "x" }), mainContract);
    expect(await locate({ service: "streaming" })).toMatchObject({ instance: "s", addresses: ["http://127.0.0.1:1"] });
    expect((await listServices({})).items).toHaveLength(2);
    await presence.close();
    await until(async () => (await listed()).length === 1);
  });

  test("tells addresses to admins alone; others where they reach Kinora, and an instance that is there for players", async () => {
    const instance = { instance: "s2", since: new Date().toISOString(), service: "streaming" as const };
    const inner = "http://10.1.2.3:8080";
    const direct = "https://videos.example";
    await publish(streaming, ServiceAvailability, { type: "available", ...instance, addresses: [inner], direct });
    const streamingOf = async (user: string) => {
      const answer = await fetch(`${listener.url}/api/services`, as(user));
      const text = await answer.text();
      const { items } = JSON.parse(text) as { items: { instance: string; addresses: string[] }[] };
      return { text, addresses: items.find(({ instance }) => instance === "s2")?.addresses };
    };
    await until(async () => (await streamingOf("root")).addresses !== undefined);
    expect((await streamingOf("root")).addresses).toEqual([inner]);
    const member = await streamingOf("ada");
    expect(member.addresses).toEqual([direct, listener.url]);
    expect(member.text).not.toContain("10.1.2.3");
    await publish(streaming, ServiceAvailability, { ...instance, type: "goodbye" });
    await until(async () => (await streamingOf("root")).addresses === undefined);
  });

  test("hears of no instances, and of no goodbyes, from another service", async () => {
    const evil = {
      service: "auth" as const,
      instance: "evil",
      addresses: ["http://127.0.0.1:1"],
      since: new Date().toISOString(),
    };
    await publish(streaming, ServiceAvailability, { type: "available", ...evil });
    await publish(streaming, ServiceAvailability, { type: "goodbye", service: "main", instance: "m" });
    const presence = await announcePresence(streaming, () => []);
    await until(async () => (await listed()).some(({ service }) => service === "streaming"));
    expect((await listed()).map(({ service }) => service).sort()).toEqual(["main", "streaming"]);
    await presence.close();
    await until(async () => (await listed()).length === 1);
  });

  test("is for signed-in users only", async () => {
    expect((await fetch(`${listener.url}/api/services`)).status).toBe(401);
    expect((await fetch(`${listener.url}/api/services?x=1`, as("ada"))).status).toBe(400);
  });
});

describe("event streams", () => {
  test("are for signed-in users only", async () => {
    expect((await fetch(`${listener.url}/api/events`)).status).toBe(401);
  });

  test("bring progress as it happens, named by its kind, with JSON data", async () => {
    const events = await Events.open("ada");
    expect(events.response.headers.get("Content-Type")).toStartWith("text/event-stream");
    await progress({ kind: "job", id: "7", state: "failed", error: { code: "not-a-video", detail: "no" } });
    await until(() => events.data.length === 1);
    expect(events.text).toContain("event: job\ndata: {");
    expect(events.data[0]).toMatchObject({ id: "7", state: "failed", error: { code: "not-a-video" } });
    events.leave();
  });

  test("a label with a line break stays one event", async () => {
    const events = await Events.open("ada");
    await progress({ label: "a\n\ndata: b\r\nevent: x" });
    await until(() => events.data.length === 1);
    expect(events.data[0]?.label).toBe("a\n\ndata: b\r\nevent: x");
    expect(events.text.match(/^event: /gm)).toHaveLength(1);
    events.leave();
  });

  test("tell each user of their own work and of everybody's, and admins of all", async () => {
    const [ada, bob, root] = [await Events.open("ada"), await Events.open("bob"), await Events.open("root")];
    await progress({ id: "hers", userId: adaId });
    await progress({ id: "all" });
    const ids = (events: Events) => events.data.map(({ id }) => id);
    await until(() => ids(ada).length === 2 && ids(bob).length === 1 && ids(root).length === 2);
    expect(ids(bob)).toEqual(["all"]);
    for (const events of [ada, bob, root]) events.leave();
  });

  test("are at most 20 for one user; who leaves makes room", async () => {
    const open = await Promise.all(Array.from({ length: STREAMS_MAX }, () => Events.open("ada")));
    const refused = await fetch(`${listener.url}/api/events`, as("ada"));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: "rate-limited" });
    open.push(await Events.open("bob"));
    open[0]?.leave();
    await until(async () => {
      const abort = new AbortController();
      const { status } = await fetch(`${listener.url}/api/events`, { ...as("ada"), signal: abort.signal });
      abort.abort();
      return status === 200;
    });
    for (const events of open) events.leave();
  });

  test("get comments while nothing happens", async () => {
    const events = await Events.open("ada");
    await until(() => (events.text.match(/^: still here$/gm)?.length ?? 0) >= 2);
    events.leave();
  });

  test("end at once when the credential is revoked, and only those", async () => {
    const [ada, bob] = [await Events.open("ada"), await Events.open("bob")];
    const begin = performance.now();
    authenticator.revoke("ada");
    await until(() => ada.ended);
    expect(performance.now() - begin).toBeLessThan(1_000);
    await progress({ id: "later" });
    await until(() => bob.data.length === 1);
    expect(ada.data).toEqual([]);
    bob.leave();
  });

  test("end when the credential has run out without being revoked", async () => {
    const events = await Events.open("ada");
    authenticator.people.delete("ada");
    await until(() => events.ended);
  });

  test("end when Kinora stops", async () => {
    const events = await Events.open("ada");
    const begin = performance.now();
    await listener.close(5_000);
    await until(() => events.ended);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  test("leave nothing behind when the reader goes, nor when HEAD is asked", async () => {
    await fetch(`${listener.url}/api/events`, { method: "HEAD", ...as("ada") });
    expect(authenticator.watching).toBe(0);
    const open = await Promise.all(Array.from({ length: 20 }, () => Events.open("ada")));
    expect(authenticator.watching).toBe(20);
    for (const events of open) events.leave();
    await until(() => authenticator.watching === 0);
  });
});
