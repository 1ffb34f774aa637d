import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AckPolicy, DeliverPolicy, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { ensureDebianPackages, has } from "../../../test/support/debian.ts";
import { startTestNats, type TestNats } from "../../../test/support/nats.ts";
import { type ServiceName, serviceNames } from "../../bus/contract.ts";
import { permissionsOf } from "../../bus/permissions.ts";
import { contracts } from "../../contracts.ts";
import { NatsBus } from "./nats-bus.ts";
import { consumerOf, subjects } from "./nats-subjects.ts";

await ensureDebianPackages({ "nats-server": "nats-server" });

const table = permissionsOf(contracts);
const topics = [...new Set(contracts.flatMap(({ publishes, subscribes }) => [...publishes, ...subscribes])), "Gossip"];

describe.skipIf(!has("nats-server"))("the broker enforces the table", () => {
  let nats: TestNats;
  const connections = new Map<ServiceName, NatsConnection>();
  /** Permission violations of each service, as the broker told them. */
  const violations = new Map<ServiceName, string[]>();

  beforeAll(async () => {
    nats = await startTestNats(table);
    for (const service of serviceNames) {
      const { user, password } = nats.loginOf(service);
      const connection = await connect({
        servers: nats.server,
        user,
        pass: password,
        inboxPrefix: subjects.inbox(service),
      });
      connections.set(service, connection);
      const told: string[] = [];
      violations.set(service, told);
      void (async () => {
        for await (const status of connection.status()) if (status.type === "error") told.push(status.error.message);
      })();
    }
  });
  afterAll(async () => {
    for (const connection of connections.values()) await connection.close();
    await nats?.close();
  });

  /** Whether the broker lets a service, speaking to it directly, do something. */
  async function allows(service: ServiceName, act: (connection: NatsConnection) => unknown): Promise<boolean> {
    const connection = connections.get(service);
    const told = violations.get(service);
    if (!connection || !told) throw new Error(`${service} is not connected`);
    const before = told.length;
    act(connection);
    await connection.flush();
    await Bun.sleep(0);
    return told.length === before;
  }
  const mayPublish = (service: ServiceName, subject: string) => allows(service, (it) => it.publish(subject, "{}"));
  const maySubscribe = (service: ServiceName, subject: string) =>
    allows(service, (it) => it.subscribe(subject, { callback: () => undefined }).unsubscribe());

  test.each(serviceNames.map((service) => [service]))("for %s: each topic, each service's calls", async (service) => {
    const granted = table.get(service);
    for (const topic of topics) {
      const publish = await mayPublish(service, subjects.event(topic, service, "k"));
      expect([topic, "publish", publish]).toEqual([topic, "publish", granted?.publish.has(topic) ?? false]);
      const subscribe = await maySubscribe(service, subjects.events(topic));
      expect([topic, "subscribe", subscribe]).toEqual([topic, "subscribe", granted?.subscribe.has(topic) ?? false]);
    }
    for (const other of serviceNames) {
      const call = await mayPublish(service, subjects.call(other, service, "one"));
      expect([other, "call", call]).toEqual([other, "call", granted?.call.has(other) ?? false]);
      const serve = await maySubscribe(service, subjects.call(other, "*", "one"));
      expect([other, "serve", serve]).toEqual([other, "serve", other === service]);
      const any = await maySubscribe(service, subjects.any(other, "*"));
      expect([other, "serve", any]).toEqual([other, "serve", other === service]);
    }
  });

  test("nobody calls or publishes in another's name, says that another lives, or reads what another is answered", async () => {
    for (const service of serviceNames) {
      for (const other of serviceNames.filter((name) => name !== service)) {
        for (const callee of serviceNames)
          expect(await mayPublish(service, subjects.call(callee, other, "one"))).toBe(false);
        expect(await mayPublish(service, subjects.live(other))).toBe(false);
        for (const topic of topics)
          expect([topic, await mayPublish(service, subjects.event(topic, other, null))]).toEqual([topic, false]);
        expect(await maySubscribe(service, `${subjects.inbox(other)}.>`)).toBe(false);
        expect(await mayPublish(service, `${subjects.inbox(other)}.x.1`)).toBe(false);
      }
      for (const wide of [">", "kinora.>", "kinora.call.>", "kinora.event.>", "kinora.inbox.>", "_INBOX.>", "$SYS.>"])
        expect([wide, await maySubscribe(service, wide)]).toEqual([wide, false]);
      for (const admin of ["$JS.API.STREAM.DELETE.KINORA", "$JS.API.STREAM.PURGE.KINORA", "$JS.API.STREAM.NAMES"])
        expect([admin, await mayPublish(service, admin)]).toEqual([admin, false]);
      const changes = await mayPublish(service, "$JS.API.STREAM.UPDATE.KINORA");
      expect([service, changes]).toEqual([service, service === "auth"]);
    }
  });

  test("a service that has the store deliver to another's subjects is not taken for that other", async () => {
    const access = { servers: [nats.server], tls: false, ca: null, loginOf: nats.loginOf };
    const bus = new NatsBus({ access, permissions: table, balance: "random", onHandlerFailure: () => undefined });
    const [main, auth] = [
      await bus.connect({ service: "main", instance: "m" }),
      await bus.connect({ service: "auth", instance: "a" }),
    ];
    await auth.serve(async () => "{}");
    const intruder = connections.get("streaming");
    if (!intruder) throw new Error("streaming is not connected");
    const manager = await jetstreamManager(intruder, { checkAPI: false });
    const [topic] = table.get("streaming")?.durable ?? [];
    if (topic === undefined) throw new Error("streaming keeps no place in the store");
    connections.get("auth")?.publish(subjects.event(topic, "auth", null), "-a");
    await connections.get("auth")?.flush();
    await manager.consumers.add("KINORA", {
      name: consumerOf("streaming", topic),
      filter_subject: subjects.events(topic),
      deliver_subject: subjects.live("auth"),
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
    });
    await Bun.sleep(200);
    expect(main.knows("auth")).toBe(true);
    await bus.close();
  });

  test("without credentials, or with wrong ones, nobody gets in, and is told which setting to look at", async () => {
    for (const login of [null, { user: "catalog", password: "guess" }]) {
      const access = { servers: [nats.server], tls: false, ca: null, loginOf: () => login };
      const bus = new NatsBus({ access, permissions: table, balance: "random", onHandlerFailure: () => undefined });
      const connecting = bus.connect({ service: "catalog", instance: "1" });
      expect(connecting).rejects.toMatchObject({
        name: "StartError",
        hint: expect.stringContaining("kinora nats-config"),
      });
      await connecting.catch(() => undefined);
      await bus.close();
    }
  });
});
