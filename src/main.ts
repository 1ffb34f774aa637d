import pino, { type Logger } from "pino";
import { openDataFolder } from "./adapters/file/data-folder.ts";
import { type HandlerFailure, MemoryBus } from "./adapters/memory/memory-bus.ts";
import type { NatsServerOptions } from "./adapters/nats/server-config.ts";
import type { BusConnection } from "./bus/bus.ts";
import { type ServiceName, serviceNames } from "./bus/contract.ts";
import { permissionsOf } from "./bus/permissions.ts";
import { type Composition, type OpenBus, Opened } from "./composition/composition.ts";
import { Outages } from "./composition/outages.ts";
import { busChecks, keepsData, roomChecks, sharedChecks } from "./composition/readiness.ts";
import { listenRtsp, openRtp } from "./composition/rtsp-parts.ts";
import { type Parts, starters } from "./composition/service-starters.ts";
import { sharedParts } from "./composition/shared-parts.ts";
import { busLogins } from "./config/bus-logins.ts";
import type { Config } from "./config/schema.ts";
import { formatListenAddress } from "./config/values.ts";
import { contracts } from "./contracts.ts";
import { StartError } from "./errors.ts";
import { type MountedRoute, routesOf } from "./http/assemble-app.ts";
import { logFailure } from "./http/failure-log.ts";
import { type Listener, listen } from "./http/listener.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { BusAuthenticator } from "./identity/bus-authenticator.ts";
import { BusForwardTrust } from "./identity/bus-forward-trust.ts";
import type { MountedService } from "./service.ts";
import { LiveStreams } from "./streaming/live-streams.ts";

/** How long others may take to hear that an instance stops, running answers to end, and calls to be answered. */
const DRAIN_MS = 1_000;
const GRACE_MS = 6_000;
const RETIRE_MS = 1_000;

export interface Kinora {
  /** Base URL of the HTTP interface, from this machine. */
  readonly url: string;
  /** The services this process runs. */
  readonly services: readonly ServiceName[];
  /** Every base URL it can be reached at, over all networks. */
  readonly addresses: readonly string[];
  /** Where the RTSP server is, with the real port; null where there is none. */
  readonly rtspUrl: string | null;
  /** The one-time code that the first account takes; null when it takes none. */
  readonly firstAdminCode: string | null;
  /** What each service answers, as an edge proxy would route it. */
  readonly routes: readonly MountedRoute[];
  /** Stops within 10 s: no new requests, running answers end, services close in reverse order. */
  close(): Promise<void>;
}

/** The bus of a single process, or the broker's where `nats` names one. */
const openBusOf =
  (config: Config, log: Logger, outages: Outages): OpenBus =>
  async (permissions, onFailure) => {
    const { nats, bus } = config;
    if (nats === null) return new MemoryBus(permissions, onFailure, bus.balance);
    // A start without a broker need not wait for its client.
    const { NatsBus } = await import("./adapters/nats/nats-bus.ts");
    const { servers, tls } = nats;
    const access = {
      servers,
      tls,
      ca: bus.ca,
      loginOf: busLogins(config),
      onWaiting: (message: string) => log.warn(message),
      onReachable: outages.of("the broker"),
    };
    return new NatsBus({ access, permissions, balance: bus.balance, onHandlerFailure: onFailure });
  };

export interface StartOptions {
  /** The services this process runs; all of them by default. */
  readonly services?: readonly ServiceName[];
  /** Default: JSON on standard output, at the configured level. */
  readonly log?: Logger;
  /** Default: the one that the configuration asks for. */
  readonly openBus?: OpenBus;
}

/** The configuration of a nats-server that grants each service what its contract says. */
export async function brokerConfig(options: NatsServerOptions): Promise<string> {
  const { natsServerConfig } = await import("./adapters/nats/server-config.ts");
  return natsServerConfig(permissionsOf(contracts), options);
}

/**
 * The composition root: builds the adapters, starts the services and puts them behind one listener. Throws
 * `StartError` or `ConfigError` when an operator can do something about it; nothing stays open then.
 */
export async function startKinora(config: Config, options: StartOptions = {}): Promise<Kinora> {
  const { log = pino({ level: config.log.level }) } = options;
  const outages = new Outages(log);
  const openBus = options.openBus ?? openBusOf(config, log, outages);
  const names = chosenServices(config, options.services);
  const opened = new Opened();
  try {
    const { listener, ...known } = await compose({ config, names, log, openBus, outages, opened });
    let closing: Promise<void> | null = null;
    const close = () => {
      closing ??= opened.close();
      return closing;
    };
    return { url: listener.url, addresses: listener.addresses, ...known, close };
  } catch (error) {
    await opened.close().catch(() => undefined);
    throw error;
  }
}

/** All services in the order they are started in, as far as they were chosen. */
function chosenServices(config: Config, chosen: readonly ServiceName[] = serviceNames): readonly ServiceName[] {
  const services = serviceNames.filter((name) => chosen.includes(name));
  if (config.nats === null && services.length < serviceNames.length) {
    throw new StartError(
      `${services.join(", ")} alone cannot reach the other services: there is no broker.`,
      "Name one with `nats` (KINORA_NATS), such as nats://127.0.0.1:4222; `kinora broker` starts one. Without, `kinora serve` runs all services.",
    );
  }
  return services;
}

function listenFor({ config, log }: Pick<Composition, "config" | "log">, metrics: Metrics) {
  const { host, port } = config.listen;
  const { trustedProxies, loopbackOnly, tls } = config;
  const allowedHosts = [...config.allowedHosts, ...(config.redirectTo ? [config.redirectTo.hostname] : [])];
  const publicOrigin = config.publicUrl?.origin ?? null;
  return listen({
    ...{ host, port, tls, trustedProxies, publicOrigin, allowedHosts, loopbackOnly, log, metrics },
  });
}

/** Where other instances reach this one: at what the operator says, else over the network before from this machine. */
function announcedAddresses({ advertise, nats }: Config, { addresses }: Listener): string[] {
  if (advertise !== null) return [advertise];
  if (nats === null) return [...addresses];
  const [local, ...network] = addresses;
  return [...network, ...(local === undefined ? [] : [local])];
}

/** Has others turn elsewhere before anything is refused. */
async function leave(listener: Listener, services: readonly MountedService[]): Promise<void> {
  listener.drain();
  await Promise.all(services.map(({ service }) => service.leave()));
  await Bun.sleep(DRAIN_MS);
}

async function compose({ config, names, log, openBus, outages, opened }: Composition) {
  if (keepsData(names)) {
    const data = openDataFolder(config.data);
    opened.add(() => data.release());
  }
  const metrics = createMetrics();
  outages.show(metrics);
  const shared = sharedParts({ config, log, outages, opened });
  if (keepsData(names)) await shared.redis?.tryOut();
  const listener = listenFor({ config, log }, metrics);
  opened.add(() => listener.close(0));
  const onFailure: HandlerFailure = (where, error) => logFailure(log, error, "handler failed", { where });
  const bus = await openBus(permissionsOf(contracts), onFailure);
  opened.add(() => bus.close());
  const instance = `${process.pid}-${Bun.randomUUIDv7().slice(-8)}`;
  const connections: BusConnection[] = [];
  const connect = async (service: ServiceName) => {
    const connection = await bus.connect({ service, instance });
    connections.push(connection);
    return connection;
  };
  const connection = await connect(names[0] ?? "main");
  const authenticator = await BusAuthenticator.start(
    connection,
    config.nats && shared.redis ? shared.redis.revocations : null,
  );
  opened.add(() => authenticator.close());
  const notices: Parts["notices"] = { firstAdminCode: null };
  const addresses = () => announcedAddresses(config, listener);
  const rtsp = await listenRtsp({ config, names, log }, metrics);
  opened.add(() => rtsp?.close());
  const playing = { live: new LiveStreams(), rtp: openRtp(config, metrics), rtsp };
  opened.add(() => playing.rtp.close());
  const parts: Parts = { config, log, ...shared, authenticator, metrics, ...playing, notices, connect, addresses };
  const services: MountedService[] = [];
  for (const name of names) {
    const service = await starters[name](parts);
    opened.add(() => service.close());
    services.push({ name, service });
  }
  const trust = config.nats && new BusForwardTrust(connections, { warn: (message) => log.warn(message) });
  const checks = [
    ...roomChecks(config, names),
    ...sharedChecks(config, names, shared),
    ...(config.nats ? busChecks(connections, services) : []),
  ];
  listener.mount(services, authenticator, { trust, checks });
  opened.add(() => Promise.all(connections.map((one) => one.retire(RETIRE_MS))));
  opened.add(() => listener.close(GRACE_MS));
  // Alone there is nobody else to go to.
  if (config.nats !== null) opened.add(() => leave(listener, services));
  const rtspUrl = rtsp && `rtsp://${formatListenAddress(rtsp)}`;
  return { listener, rtspUrl, services: names, firstAdminCode: notices.firstAdminCode, routes: routesOf(services) };
}
