import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NatsServerOptions, natsServerConfig } from "../../src/adapters/nats/server-config.ts";
import { type ServiceName, serviceNames } from "../../src/bus/contract.ts";
import type { PermissionTable } from "../../src/bus/permissions.ts";
import { until } from "./until.ts";

/** A real nats-server with our configuration, on a free loopback port and a temporary folder. */
export interface TestNats {
  readonly port: number;
  readonly server: string;
  readonly loginOf: (service: ServiceName) => { readonly user: string; readonly password: string };
  /** kill -9. */
  kill(): Promise<void>;
  /** It hangs, with its connections open, until it is resumed. */
  pause(): void;
  resume(): void;
  /** Starts it again where it was, with what it had stored unless `forgetting`. */
  start(options?: { forgetting?: boolean }): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** A port that nobody has right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

export async function startTestNats(
  table: PermissionTable,
  options: Partial<NatsServerOptions> = {},
  host = "127.0.0.1",
): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), "kinora-nats-"));
  const loginOf = (service: ServiceName) =>
    options.logins?.get(service) ?? { user: service, password: `password-of-${service}` };
  const port = await freePort();
  const store = join(folder, "store");
  const logins = new Map(serviceNames.map((service) => [service, loginOf(service)]));
  const config = { listen: `${host}:${port}`, storeFolder: store, tls: null, logins, ...options };
  writeFileSync(join(folder, "nats.conf"), natsServerConfig(table, config));
  let child: Bun.Subprocess | null = null;
  const kill = async () => {
    child?.kill("SIGKILL");
    await child?.exited;
    child = null;
  };
  const start = async ({ forgetting = false } = {}) => {
    if (forgetting) rmSync(store, { recursive: true, force: true });
    const log = join(folder, "log");
    child = Bun.spawn(["nats-server", "-c", join(folder, "nats.conf"), "-l", log], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    await until(async () => (await Bun.file(log).exists()) && /Server is ready/.test(await Bun.file(log).text()));
    rmSync(log);
  };
  await start();
  return {
    port,
    server: `${host}:${port}`,
    loginOf,
    kill,
    pause: () => child?.kill("SIGSTOP"),
    resume: () => child?.kill("SIGCONT"),
    start,
    async close() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
