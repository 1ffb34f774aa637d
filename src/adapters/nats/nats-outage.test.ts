import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { z } from "zod";
import { ensureDebianPackages, has } from "../../../test/support/debian.ts";
import { freePort, startTestNats, type TestNats } from "../../../test/support/nats.ts";
import { until } from "../../../test/support/until.ts";
import type { Bus, BusConnection } from "../../bus/bus.ts";
import { defineService, defineTopic, type ServiceName } from "../../bus/contract.ts";
import { permissionsOf } from "../../bus/permissions.ts";
import { proxyOf, serveContract } from "../../bus/proxy.ts";
import { publish, subscribe, subscribeDurably } from "../../bus/topics.ts";
import { encodeReply } from "./call-messages.ts";
import { NatsBus } from "./nats-bus.ts";
import { subjects } from "./nats-subjects.ts";

await ensureDebianPackages({ "nats-server": "nats-server" });

const Kept = defineTopic("Kept", z.object({ n: z.number() }));
const News = defineTopic("News", z.object({ n: z.number() }));
const shop = defineService({
  name: "auth",
  operations: {
    whoAmI: { input: z.object({}), output: z.object({ instance: z.string() }), repeatable: true },
    once: { input: z.object({}), output: z.object({ instance: z.string() }) },
  },
  publishes: ["Kept", "News"],
  subscribes: [],
  calls: [],
  routes: [],
});
const reader = defineService({
  name: "catalog",
  operations: {},
  publishes: [],
  subscribes: ["Kept", "News"],
  durable: ["Kept"],
  calls: ["auth"],
  routes: [],
});
const permissions = permissionsOf([shop, reader]);

describe.skipIf(!has("nats-server"))("when something goes away", () => {
  let nats: TestNats;
  const buses: Bus[] = [];
  beforeEach(async () => {
    nats = await startTestNats(permissions);
  });
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await nats.close();
  });

  const unexpected = (error: unknown) => {
    throw error;
  };
  function openBus(server = nats.server): Bus {
    const access = { servers: [server], tls: false, ca: null, loginOf: nats.loginOf };
    const bus = new NatsBus({ access, permissions, balance: "round-robin", onHandlerFailure: () => undefined });
    buses.push(bus);
    return bus;
  }
  const member = (service: ServiceName, instance = "1") => openBus().connect({ service, instance });
  const serveShop = (connection: BusConnection) =>
    serveContract(connection, shop, {
      whoAmI: async () => ({ instance: connection.identity.instance }),
      once: async () => ({ instance: connection.identity.instance }),
    });

  /** An instance that takes calls and never answers: `gone` is as kill -9, without a goodbye. */
  async function mute(instance: string) {
    const { user, password } = nats.loginOf("auth");
    const connection = await connect({ servers: nats.server, user, pass: password });
    const taken: string[] = [];
    connection.subscribe(subjects.call("auth", "*", instance), {
      callback: (_error, message) => {
        if (message.string() === "P") message.respond(encodeReply({ kind: "here", instance }));
        else taken.push(message.string());
      },
    });
    const here = encodeReply({ kind: "here", instance });
    connection.subscribe(subjects.any("auth", "*"), { callback: (_error, message) => void message.respond(here) });
    connection.publish(subjects.live("auth"), `+${instance}`);
    await connection.flush();
    return {
      taken,
      gone: async () => {
        await connection.close();
        // The broker may take a moment to see it.
        await Bun.sleep(100);
      },
    };
  }

  test("the broker restarts: calls and subscriptions go on, and whoever may have missed something is told", async () => {
    const [asShop, asReader] = [await member("auth"), await member("catalog")];
    await serveShop(asShop);
    const seen: number[] = [];
    let interruptions = 0;
    await subscribe(asReader, News, ({ n }) => void seen.push(n));
    asReader.onInterruption(() => void interruptions++);
    await publish(asShop, News, { n: 1 });
    await nats.kill();
    const during = proxyOf(asReader, shop).whoAmI({}, { timeoutMs: 20_000 });
    const published = publish(asShop, News, { n: 2 });
    await Bun.sleep(100);
    await nats.start();
    expect(await during).toEqual({ instance: "1" });
    await published;
    await until(() => interruptions === 1);
    await publish(asShop, News, { n: 3 });
    await until(() => seen.includes(3));
    expect(seen[0]).toBe(1);
  });

  test("kept events survive the broker, those from the time without it come afterwards, also when its disk is lost", async () => {
    const [asShop, asReader] = [await member("auth"), await member("catalog")];
    const seen: number[] = [];
    await subscribeDurably(asReader, Kept, ({ n }) => void seen.push(n), unexpected);
    await asReader.close();
    await publish(asShop, Kept, { n: 1 });
    await nats.kill();
    const late = publish(asShop, Kept, { n: 2 });
    await nats.start();
    await late;
    await subscribeDurably(await member("catalog", "2"), Kept, ({ n }) => void seen.push(n), unexpected);
    await until(() => seen.length === 2, 20_000);
    expect(seen).toEqual([1, 2]);

    await nats.kill();
    await nats.start({ forgetting: true });
    await publish(asShop, Kept, { n: 3 });
    await until(() => seen.includes(3), 20_000);
    expect(seen).toEqual([1, 2, 3]);
  }, 60_000);

  test("an instance that is killed: its calls fail within 2 s, or go to another when they may be repeated", async () => {
    const [asReader, other] = [await member("catalog"), await member("auth", "other")];
    const killed = await mute("killed");
    const calls = ["whoAmI", "once"] as const;
    const answers = calls.map((name) => proxyOf(asReader, shop)[name]({}, { timeoutMs: 60_000 }));
    const outcomes = Promise.allSettled(answers);
    await until(() => killed.taken.length === 2);
    await serveShop(other);
    const begin = performance.now();
    await killed.gone();
    const [repeatable, once] = await outcomes;
    expect(performance.now() - begin).toBeLessThan(2_000);
    expect(repeatable).toMatchObject({ status: "fulfilled", value: { instance: "other" } });
    expect(once).toMatchObject({ status: "rejected", reason: { code: "temporary-unavailable" } });
  });

  test("a call to an instance that is gone goes to another at once: nobody has seen it", async () => {
    const [asReader, other] = [await member("catalog"), await member("auth", "other")];
    const killed = await mute("killed");
    await serveShop(other);
    await killed.gone();
    for (let n = 0; n < 4; n++) expect(await proxyOf(asReader, shop).once({})).toEqual({ instance: "other" });
  });

  test("an instance that hangs gets no more calls after three missed heartbeats, and those it has go to another", async () => {
    const [asReader, other] = [await member("catalog"), await member("auth", "other")];
    const hung = await mute("hung");
    const call = proxyOf(asReader, shop).whoAmI({}, { timeoutMs: 60_000 });
    await until(() => hung.taken.length === 1);
    await serveShop(other);
    const begin = performance.now();
    expect(await call).toEqual({ instance: "other" });
    expect(performance.now() - begin).toBeLessThan(7_500);
    for (let n = 0; n < 4; n++) expect(await proxyOf(asReader, shop).once({})).toEqual({ instance: "other" });
    await hung.gone();
  }, 20_000);

  test("who may have missed something knows: all is heard, nothing while there is no broker, unknown while it is silent", async () => {
    const asReader = await member("catalog");
    await until(() => asReader.hears() === "all");
    nats.pause();
    await until(() => asReader.hears() === "unknown");
    nats.resume();
    await until(() => asReader.hears() === "all");
    await nats.kill();
    await until(() => asReader.hears() === "nothing");
    await nats.start();
    await until(() => asReader.hears() === "all");
  }, 30_000);

  test("once the broker has been away for a moment, calls are told so at once, and wait again when it restarts later", async () => {
    const [asShop, asReader] = [await member("auth"), await member("catalog")];
    await serveShop(asShop);
    const whoAmI = () => proxyOf(asReader, shop).whoAmI({}, { timeoutMs: 20_000 });
    expect(await whoAmI()).toEqual({ instance: "1" });
    await nats.kill();
    // Whoever waits is let go of after 3 s.
    expect(whoAmI()).rejects.toMatchObject({ code: "temporary-unavailable", status: 503 });
    await until(async () => {
      const begin = performance.now();
      await expect(whoAmI()).rejects.toMatchObject({ status: 503 });
      return performance.now() - begin < 100;
    }, 20_000);
    await nats.start();
    await until(() => whoAmI().catch(() => null), 20_000);
  }, 60_000);

  test("services may come before their broker", async () => {
    const server = nats.server;
    await nats.kill();
    const connecting = member("auth");
    await Bun.sleep(150);
    await nats.start();
    await serveShop(await connecting);
    expect(await proxyOf(await member("catalog"), shop).whoAmI({})).toEqual({ instance: "1" });
    expect(nats.server).toBe(server);
  });

  test("a bus that is closed while it waits for its broker waits no more", async () => {
    const bus = openBus(`127.0.0.1:${await freePort()}`);
    const connecting = bus.connect({ service: "auth", instance: "1" }).then(
      () => "connected",
      () => "given up",
    );
    await Bun.sleep(50);
    await bus.close();
    expect(await connecting).toBe("given up");
  });

  test("a broker that cannot keep events is refused, with the way to start one that can", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kinora-plain-nats-"));
    const port = await freePort();
    const plain = Bun.spawn(["nats-server", "-a", "127.0.0.1", "-p", String(port)], { cwd: folder, stderr: "ignore" });
    try {
      const connecting = openBus(`127.0.0.1:${port}`).connect({ service: "auth", instance: "1" });
      expect(connecting).rejects.toMatchObject({ name: "StartError", hint: expect.stringContaining("kinora broker") });
      await connecting.catch(() => undefined);
    } finally {
      plain.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    }
  }, 30_000);

  test("over TLS: the broker's certificate is checked against the one that is named, and refused without it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kinora-nats-tls-"));
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const command = ["openssl", "req", "-x509", ...curve, ...names, "-keyout", key, "-out", cert];
    await Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }).exited;
    const encrypted = await startTestNats(permissions, { tls: { cert, key } });
    const open = (ca: string | null) => {
      const access = {
        servers: [encrypted.server],
        tls: true,
        ca,
        loginOf: encrypted.loginOf,
      };
      const bus = new NatsBus({ access, permissions, balance: "round-robin", onHandlerFailure: unexpected });
      buses.push(bus);
      return bus.connect({ service: "auth", instance: "1" });
    };
    try {
      const news = Promise.withResolvers<number>();
      const connection = await open(cert);
      const catalog = buses.at(-1)?.connect({ service: "catalog", instance: "1" });
      if (catalog) await subscribe(await catalog, News, ({ n }) => news.resolve(n));
      await publish(connection, News, { n: 7 });
      expect(await news.promise).toBe(7);
      const trusted = await Promise.race([
        open(null).then(
          () => true,
          () => false,
        ),
        Bun.sleep(1_000).then(() => false),
      ]);
      expect(trusted).toBe(false);
    } finally {
      await Promise.all(buses.splice(0).map((bus) => bus.close()));
      await encrypted.close();
      rmSync(folder, { recursive: true });
    }
  }, 30_000);
});
