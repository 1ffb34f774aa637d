import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { type ServiceName, serviceNames } from "../bus/contract.ts";
import { type BusLogin, busLogins } from "../config/bus-logins.ts";
import type { Config } from "../config/schema.ts";
import { brokerConfig } from "../main.ts";
import { natsServerCommand, requireFree } from "./broker-process.ts";
import { explain } from "./explain.ts";
import { EXIT_CONFIGURATION, loadOrExit, type SettingOptions } from "./settings.ts";

const DEFAULT_LISTEN = "127.0.0.1:4222";

export interface NatsConfigOptions extends SettingOptions {
  /** Where the configuration is written; standard output when absent. */
  readonly out?: string;
  /** Where generated passwords are written when there is no shared secret. */
  readonly credentials?: string;
  readonly natsListen?: string;
  readonly store?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `kinora nats-config`: the configuration of a nats-server with a user for each service. */
export async function printNatsConfig(options: NatsConfigOptions): Promise<void> {
  const { config } = await loadOrExit(options);
  const logins = loginsOrExit(config, options.credentials);
  const text = await brokerConfig({
    listen: options.natsListen ?? "0.0.0.0:4222",
    storeFolder: options.store ?? null,
    tls: tlsOf(options),
    logins: hashed(logins),
  });
  if (options.out === undefined) process.stdout.write(text);
  else writePrivately(options.out, text);
}

export interface BrokerOptions extends SettingOptions {
  readonly natsListen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `kinora broker`: starts nats-server with our configuration, and stops with it, as it does with this process. */
export async function broker(options: BrokerOptions): Promise<void> {
  const program = Bun.which("nats-server");
  if (program === null) {
    console.error("There is no nats-server on this machine.\nOn Debian: apt-get install nats-server");
    process.exit(EXIT_CONFIGURATION);
  }
  const { config } = await loadOrExit(options);
  const tls = tlsOf(options);
  if (tls) requirePair(tls);
  const folder = join(config.data, "nats");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const listen = options.natsListen ?? config.nats?.servers[0] ?? DEFAULT_LISTEN;
  await requireFree(listen, folder).catch(explain);
  const text = await brokerConfig({
    listen,
    storeFolder: join(folder, "store"),
    tls,
    logins: hashed(loginsOrExit(config, undefined)),
  });
  const path = join(folder, "nats.conf");
  writePrivately(path, text);
  console.log(`The broker listens on ${listen}; what it keeps is in ${folder}.`);
  const child = Bun.spawn(natsServerCommand(program, folder), { stdio: ["ignore", "inherit", "inherit"] });
  let stopping = false;
  const stop = () => {
    stopping = true;
    child.kill("SIGTERM");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  // nats-server calls it a failure when it is told to stop.
  const code = await child.exited;
  process.exit(stopping ? 0 : code);
}

function loginsOrExit(config: Config, credentials: string | undefined): Map<ServiceName, BusLogin> {
  try {
    return loginsFor(config, credentials);
  } catch (error) {
    return explain(error);
  }
}

/** Each service's user and password, from the settings; else generated ones, which go to a file of their own. */
function loginsFor(config: Config, credentials: string | undefined): Map<ServiceName, BusLogin> {
  if (credentials !== undefined && !existsSync(credentials)) {
    const made = Object.fromEntries(serviceNames.map((service) => [service, randomBytes(32).toString("base64url")]));
    writePrivately(credentials, `${JSON.stringify(made, null, 2)}\n`);
  }
  const from = credentials === undefined ? {} : { bus: { ...config.bus, credentials: resolve(credentials) } };
  // What `nats` names is one user of somebody else's making.
  const loginOf = busLogins({ ...config, ...from, nats: null });
  const known = serviceNames.flatMap((service) => {
    const login = loginOf(service);
    return login ? [[service, login] as const] : [];
  });
  if (known.length < serviceNames.length) {
    console.error(
      "The services need passwords: set `secret` (KINORA_SECRET), the same for all, or `bus.credentials`; `kinora nats-config --credentials FILE` makes such a file.",
    );
    process.exit(EXIT_CONFIGURATION);
  }
  return new Map(known);
}

/** As bcrypt hashes, so that whoever reads the file has no password. They are random: the cheapest is enough. */
function hashed(logins: ReadonlyMap<ServiceName, BusLogin>): Map<ServiceName, BusLogin> {
  // nats-server knows bcrypt by its older prefix; for passwords like these the two are the same.
  const hash = (password: string) =>
    Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 }).replace(/^\$2b\$/, "$2a$");
  return new Map([...logins].map(([service, { user, password }]) => [service, { user, password: hash(password) }]));
}

function tlsOf({ tlsCert, tlsKey }: Pick<BrokerOptions, "tlsCert" | "tlsKey">) {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: resolve(tlsCert), key: resolve(tlsKey) };
  console.error("TLS takes both --tls-cert and --tls-key.");
  process.exit(EXIT_CONFIGURATION);
}

/** nats-server would say it later, and as a failure. */
function requirePair({ cert, key }: { readonly cert: string; readonly key: string }): void {
  try {
    createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    console.error(`--tls-cert and --tls-key cannot be used: ${detail}`);
    process.exit(EXIT_CONFIGURATION);
  }
}

function writePrivately(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}
