import { afterAll, describe } from "bun:test";
import { ensureDebianPackages, has } from "../../../test/support/debian.ts";
import { startTestNats, type TestNats } from "../../../test/support/nats.ts";
import { busSuite } from "../../bus/bus.suite.ts";
import type { PermissionTable } from "../../bus/permissions.ts";
import { NatsBus } from "./nats-bus.ts";

await ensureDebianPackages({ "nats-server": "nats-server" });

/** A server for each permission table, with an empty store for each test. */
const servers = new Map<string, Promise<TestNats>>();
afterAll(async () => {
  for (const server of servers.values()) await (await server).close();
});

async function serverOf(table: PermissionTable): Promise<TestNats> {
  const key = Bun.inspect(table, { depth: 10 });
  const known = servers.get(key);
  const server = await (known ?? startTestNats(table));
  servers.set(key, Promise.resolve(server));
  if (known) {
    await server.kill();
    await server.start({ forgetting: true });
  }
  return server;
}

describe.skipIf(!has("nats-server"))("over NATS", () => {
  busSuite("NATS bus", async (permissions) => {
    const failures: unknown[] = [];
    const nats = await serverOf(permissions);
    const bus = new NatsBus({
      access: { servers: [nats.server], tls: false, ca: null, loginOf: nats.loginOf },
      permissions,
      balance: "round-robin",
      onHandlerFailure: (_where, error) => failures.push(error),
    });
    return { bus, failures };
  });
});
