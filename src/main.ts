import { dirname, join } from "node:path";
import pino, { type Logger } from "pino";
import { openDataFolder } from "./adapters/file/data-folder.ts";
import { FileMediaStore } from "./adapters/file/file-media-store.ts";
import { instanceName } from "./adapters/file/instance-name.ts";
import { FileStorageMeter } from "./adapters/file/storage-meter.ts";
import { UploadFolder } from "./adapters/file/upload-folder.ts";
import { probeWrite } from "./adapters/file/write-probe.ts";
import { MemoryAttempts } from "./adapters/memory/memory-attempts.ts";
import { type HandlerFailure, MemoryBus } from "./adapters/memory/memory-bus.ts";
import type { NatsServerOptions } from "./adapters/nats/server-config.ts";
import { RedisAttempts } from "./adapters/redis/redis-attempts.ts";
import { type RedisAccess, RedisConnection } from "./adapters/redis/redis-connection.ts";
import { RedisSessions } from "./adapters/redis/redis-sessions.ts";
import { RedisTitleCache } from "./adapters/redis/redis-title-cache.ts";
import { RedisUploadLocks } from "./adapters/redis/redis-upload-locks.ts";
import type { S3Bucket } from "./adapters/s3/s3-bucket.ts";
import { type OpenDatabase, openDatabase } from "./adapters/sql/open-database.ts";
import { SqlAuthStore } from "./adapters/sql/sql-auth-store.ts";
import { SqlCollectionRepository } from "./adapters/sql/sql-collection-repository.ts";
import { SqlLibraryStore } from "./adapters/sql/sql-library-store.ts";
import { SqlSourceRepository } from "./adapters/sql/sql-source-repository.ts";
import { SqlStoredContents } from "./adapters/sql/sql-stored-contents.ts";
import { SqlTitleRepository } from "./adapters/sql/sql-title-repository.ts";
import { SqlUploadRecords } from "./adapters/sql/upload-tables.ts";
import { startAuth } from "./auth/auth-service.ts";
import type { Bus, BusConnection } from "./bus/bus.ts";
import { type ServiceName, serviceNames } from "./bus/contract.ts";
import { type PermissionTable, permissionsOf } from "./bus/permissions.ts";
import { startCatalog } from "./catalog/catalog-service.ts";
import { collectionKeysOf, titleIndexOf } from "./catalog/title-index.ts";
import { busLogins } from "./config/bus-logins.ts";
import type { Config } from "./config/schema.ts";
import { deriveSecret, loadSecrets } from "./config/secrets.ts";
import { formatListenAddress } from "./config/values.ts";
import { contracts } from "./contracts.ts";
import { StartError, TemporaryUnavailableError } from "./errors.ts";
import { lanAddresses } from "./http/addresses.ts";
import { type MountedRoute, routesOf } from "./http/assemble-app.ts";
import { type Listener, listen } from "./http/listener.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import type { ReadinessCheck } from "./http/operations.ts";
import { BusAuthenticator } from "./identity/bus-authenticator.ts";
import { BusForwardTrust } from "./identity/bus-forward-trust.ts";
import { lazy } from "./lazy.ts";
import { startMain } from "./main/main-service.ts";
import { RtpEngine } from "./rtp/rtp-engine.ts";
import { RtspServer } from "./rtsp/server.ts";
import type { MountedService, Service } from "./service.ts";
import { EnginePushes } from "./streaming/controllers/engine-pushes.ts";
import type { StreamSettings } from "./streaming/controllers/start-streams.ts";
import { FileBytes, locateFirst } from "./streaming/file-bytes.ts";
import { LiveStreams } from "./streaming/live-streams.ts";
import type { MediaStore } from "./streaming/media-store.ts";
import { startStreaming } from "./streaming/streaming-service.ts";
import type { UploadFiles } from "./upload/upload-files.ts";
import { startUpload } from "./upload/upload-service.ts";
import { version } from "./version.ts";

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

/** Makes the bus; what its handlers throw is handed to `onFailure`. */
export type OpenBus = (permissions: PermissionTable, onFailure: HandlerFailure) => Bus | Promise<Bus>;

/** The bus of a single process, or the broker's where `nats` names one. */
const openBusOf =
  (config: Config, log: Logger): OpenBus =>
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
      onState: (message: string) => log.warn(message),
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

/** What the services of this process are built from. */
interface Parts {
  readonly config: Config;
  readonly log: Logger;
  /** Opened by the first service that needs them: a process opens only what its services use. */
  readonly authSecret: () => string;
  readonly database: () => Promise<OpenDatabase>;
  /** Null where no Redis is configured. */
  readonly redis: RedisParts | null;
  readonly store: () => Promise<MediaStore>;
  readonly bucket: () => Promise<S3Bucket>;
  /** This instance's name, the same after a restart. */
  readonly writer: () => string;
  readonly authenticator: BusAuthenticator;
  readonly metrics: Metrics;
  /** What plays in this process: RTSP sessions, by the grants they play under. */
  readonly live: LiveStreams;
  /** Sends RTP, for RTSP sessions and for pushes. */
  readonly rtp: RtpEngine;
  /** Null where RTSP is switched off, or could not have its default address. */
  readonly rtsp: RtspServer | null;
  /** Told what an operator must know at the start. */
  readonly notices: { firstAdminCode: string | null };
  connect(service: ServiceName): Promise<BusConnection>;
  /** Base URLs of the listener the services are on. */
  readonly addresses: () => string[];
}

/** One function for each service: adapters in, a running service out. Started in the order of `serviceNames`. */
const starters: Readonly<Record<ServiceName, (parts: Parts) => Promise<Service>>> = {
  main: async ({ connect, authenticator, addresses, config }) =>
    startMain({ connection: await connect("main"), authenticator, addresses, forwards: config.nats !== null }),

  auth: async ({ connect, addresses, config, authSecret, database: open, redis, authenticator, notices }) => {
    const { kind, database } = await open();
    const service = await startAuth({
      connection: await connect("auth"),
      addresses,
      store: new SqlAuthStore(database),
      database: { db: database, type: kind, transaction: true },
      attempts: redis?.attempts ?? new MemoryAttempts(),
      sessionCache: redis?.sessions,
      authSecret: authSecret(),
      registration: {
        mode: registrationOf(config),
        defaultRole: config.auth.defaultRole,
        firstNeedsCode: config.firstNeedsCode,
      },
      tokenLifetimeMs: config.auth.tokenLifetime,
      grantLifetimeMs: config.auth.grantLifetime,
      keyLifetimeMs: config.auth.keyLifetime,
      sessionLifetimeMs: config.auth.sessionLifetime,
      applyRevocations: (revocations) => authenticator.apply(revocations),
    });
    notices.firstAdminCode = service.firstAdminCode;
    return service;
  },

  catalog: async ({ connect, addresses, database: open, redis, log }) => {
    const { database } = await open();
    return startCatalog({
      connection: await connect("catalog"),
      addresses,
      repository: new SqlTitleRepository({ database, indexOf: titleIndexOf }),
      collections: new SqlCollectionRepository({ database, keysOf: collectionKeysOf }),
      cache: redis?.titles,
      onFailure: (error) => log.error({ err: error, service: "catalog" }, "work in the background failed"),
    });
  },

  upload: async ({ connect, addresses, config, database, redis, authenticator, store, bucket, writer, log }) =>
    startUpload({
      connection: await connect("upload"),
      addresses,
      authenticator,
      records: new SqlUploadRecords((await database()).database),
      locks: redis?.locks,
      files: await uploadFiles(config, bucket),
      place: (await store()).place,
      writer: writer(),
      maxSizeBytes: config.upload.maxSize,
      log: log.child({ service: "upload" }),
    }),

  streaming: async ({ connect, addresses, config, database, log, rtsp, ...parts }) => {
    const store = await parts.store();
    const library = `library:${parts.writer()}`;
    const indexFolder = join(config.data, "index");
    const service = await startStreaming({
      connection: await connect("streaming"),
      addresses,
      sources: new SqlSourceRepository((await database()).database, {
        upload: store.place,
        library,
      }),
      store,
      indexFolder,
      folders: config.library.folders,
      library: librarySettings(config),
      libraryStore: new SqlLibraryStore((await database()).database, { version, place: library }),
      excluded: [...store.folders, indexFolder],
      rtsp: () => rtsp && { host: rtsp.host, port: rtsp.port },
      rtspAdvertised: () => rtsp && advertisedRtsp(config, rtsp),
      direct: config.redirectTo?.origin ?? null,
      streams: streamSettings(config, { ...parts, log }),
      meter: new FileStorageMeter(storagePlaces(config)),
      log: log.child({ service: "streaming" }),
    });
    rtsp?.serve({ titles: service.titles, engine: parts.rtp });
    return {
      ...service,
      async close() {
        await rtsp?.close();
        await service.close();
      },
    };
  },
};

function librarySettings({ library, nats }: Config) {
  const { rescanInterval: rescanIntervalMs, settle: settleMs, mayAdd } = library;
  return { rescanIntervalMs, settleMs, mayAdd, isAlone: nats === null };
}

function storagePlaces({ data, storage, database }: Config) {
  return {
    data,
    storage: storage.kind === "file" ? storage.path : null,
    database: database.kind === "sqlite" ? database.path : null,
  };
}

/** Where uploads arrive. */
async function uploadFiles({ data, storage }: Config, bucket: () => Promise<S3Bucket>): Promise<UploadFiles> {
  if (storage.kind === "file") return new UploadFolder(join(storage.path, "uploads"));
  const { S3UploadFiles } = await import("./adapters/s3/s3-upload-files.ts");
  return new S3UploadFiles({ bucket: await bucket(), spool: join(data, "spool") });
}

/** Where players reach the RTSP server from elsewhere. */
function advertisedRtsp({ rtsp: { advertise } }: Config, { host, port }: RtspServer): string {
  if (advertise) return formatListenAddress(advertise);
  const isWildcard = host === "0.0.0.0" || host === "::";
  return formatListenAddress({ host: isWildcard ? (lanAddresses()[0] ?? host) : host, port });
}

function streamSettings(
  config: Config,
  parts: Pick<Parts, "authenticator" | "metrics" | "live" | "rtp" | "log">,
): StreamSettings {
  const { authenticator, metrics, live, rtp, log } = parts;
  const { grace: graceMs, perUser, max } = config.streams;
  return {
    ...{ authenticator, live, graceMs, perUser, max },
    applyRevocations: (revocations) => authenticator.apply(revocations),
    pushes: new EnginePushes(rtp, log.child({ service: "streaming" })),
    gauge: (source) => metrics.gauge(source),
    tokenLifetimeMs: config.auth.tokenLifetime,
    grantLifetimeMs: config.auth.grantLifetime,
  };
}

/** Sends RTP in this process, and counts what comes too late. */
function openRtp({ rtsp }: Config, metrics: Metrics): RtpEngine {
  const engine = new RtpEngine({ memoryBytes: rtsp.memory });
  metrics.gauge({
    name: "kinora_rtp_memory_bytes",
    help: "Bytes of RTP packets in memory, all of them, and those kept for further streams too.",
    label: "use",
    read() {
      const { memoryBytes, cachedBytes } = engine.statistics;
      return { all: memoryBytes, cache: cachedBytes };
    },
  });
  metrics.counter({
    name: "kinora_rtp_packets_total",
    help: "RTP packets sent, by whether that was before they were due.",
    label: "sent",
    read() {
      const { packets, latePackets } = engine.statistics;
      return { "in-time": packets - latePackets, late: latePackets };
    },
  });
  return engine;
}

/** Behind a broker others reach this Kinora, whatever this process listens on. */
function registrationOf({ registration }: Config) {
  if (registration !== null) return registration;
  throw new StartError(
    "`registration` is not named, and with `nats` others reach this Kinora.",
    "Set `registration` (KINORA_REGISTRATION) to open, invite or closed where auth runs.",
  );
}

/** What must be closed, in the reverse of the order it was opened in. */
class Opened {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes all of it, whatever fails; throws the first failure. Calling it again does nothing. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * The composition root: builds the adapters, starts the services and puts them behind one listener. Throws
 * `StartError` or `ConfigError` when an operator can do something about it; nothing stays open then.
 */
export async function startKinora(config: Config, options: StartOptions = {}): Promise<Kinora> {
  const { log = pino({ level: config.log.level }), openBus = openBusOf(config, log) } = options;
  const names = chosenServices(config, options.services);
  const opened = new Opened();
  try {
    const { listener, ...known } = await compose({ config, names, log, openBus, opened });
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

/** Whether there is room to write wherever these services keep something, by the settings that name the places. */
function roomChecks({ data, database, storage }: Config, services: readonly ServiceName[]): ReadinessCheck[] {
  if (!keepsData(services)) return [];
  const stores = services.includes("upload") || services.includes("streaming");
  const file = database.kind === "sqlite" ? { database: dirname(database.path) } : {};
  const media = stores && storage.kind === "file" ? { storage: storage.path } : {};
  const places = { data, ...file, ...media };
  return Object.entries(places)
    .filter(([name, path]) => name === "data" || !`${path}/`.startsWith(`${data}/`))
    .map(([name, path]) => ({ name, check: () => probeWrite(path) }));
}

/** Only main keeps nothing on disk. */
const keepsData = (services: readonly ServiceName[]) => services.some((name) => name !== "main");

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

/** Whether the servers that these services share with others are there. */
function sharedChecks(config: Config, services: readonly ServiceName[], shared: SharedParts): ReadinessCheck[] {
  const stores = services.includes("upload") || services.includes("streaming");
  if (!keepsData(services)) return [];
  const { database, redis, store } = shared;
  const own = config.database.kind === "sqlite";
  return [
    ...(own ? [] : [{ name: "database", check: async () => (await database()).check() }]),
    ...(redis ? [{ name: "redis", check: () => redis.check() }] : []),
    ...(stores && config.storage.kind === "s3"
      ? [{ name: "storage", check: async () => (await store()).check() }]
      : []),
  ];
}

function listenFor(
  { config, names, log }: Pick<Composition, "config" | "names" | "log">,
  shared: SharedParts,
  metrics: Metrics,
) {
  const { host, port } = config.listen;
  const { trustedProxies, loopbackOnly, tls } = config;
  const allowedHosts = [...config.allowedHosts, ...(config.redirectTo ? [config.redirectTo.hostname] : [])];
  const publicOrigin = config.publicUrl?.origin ?? null;
  return listen({
    ...{ host, port, tls, trustedProxies, publicOrigin, allowedHosts, loopbackOnly, log, metrics },
    checks: [...roomChecks(config, names), ...sharedChecks(config, names, shared)],
  });
}

/** Takes the port for RTSP where streaming runs; null where it is off, or another program has the default address. */
async function listenRtsp({ config, names, log }: Pick<Composition, "config" | "names" | "log">, metrics: Metrics) {
  const { listen: address, isRequired, udpPort, sessionTimeout, perGrant, perUser, perAddress } = config.rtsp;
  if (address === null || !names.includes("streaming")) return null;
  const limits = {
    sessionTimeoutMs: sessionTimeout,
    ...{ sessionsOfGrant: perGrant, sessionsOfUser: perUser },
    ...{ sessionsOfAddress: perAddress, connectionsOfAddress: perAddress },
  };
  try {
    const server = await RtspServer.listen({ ...address, udpPort, limits, log: log.child({ service: "rtsp" }) });
    metrics.gauge({
      name: "kinora_rtsp_sessions",
      help: "RTSP sessions right now, by how their packets travel.",
      label: "transport",
      read: () => server.sessionCounts,
    });
    metrics.gauge({
      name: "kinora_rtsp_connections",
      help: "RTSP connections right now, by whether they may play something.",
      label: "state",
      read: () => server.connectionCounts,
    });
    metrics.counter({
      name: "kinora_rtsp_sent_bytes_total",
      help: "Bytes sent by the RTSP server, by how they travel.",
      label: "transport",
      read: () => server.bytesSent,
    });
    return server;
  } catch (error) {
    if (isRequired || !(error instanceof StartError)) throw error;
    log.warn({ hint: error.hint }, `Kinora starts without RTSP. ${error.message}`);
    return null;
  }
}

/** Where other instances reach this one: at what the operator says, else over the network before from this machine. */
function announcedAddresses({ advertise, nats }: Config, { addresses }: Listener): string[] {
  if (advertise !== null) return [advertise];
  if (nats === null) return [...addresses];
  const [local, ...network] = addresses;
  return [...network, ...(local === undefined ? [] : [local])];
}

/** What services share in a process, made when the first of them asks. */
function sharedParts(config: Config, log: Logger, opened: Opened) {
  const database = lazy(async () => {
    const open = await openDatabase(config.database);
    opened.add(() => open.database.destroy());
    return open;
  });
  const bucket = lazy(() => openBucket(config, log));
  return {
    database,
    bucket,
    writer: () => instanceName(config.data),
    store: lazy(() => openStore(config, { database, bucket })),
    authSecret: () =>
      config.secret === null
        ? loadSecrets(config.data, (message) => log.warn(message)).authSecret
        : deriveSecret(config.secret, "sessions and signing keys"),
    redis: config.redis && openRedis(config.redis, opened),
  };
}

type RedisParts = ReturnType<typeof openRedis>;

/** What instances share in Redis. It connects with the first command: services start without it, and say so in `/readyz`. */
function openRedis(access: RedisAccess, opened: Opened) {
  const redis = new RedisConnection(access);
  opened.add(() => redis.close());
  return {
    attempts: new RedisAttempts(redis),
    sessions: new RedisSessions(redis),
    titles: new RedisTitleCache(redis),
    locks: new RedisUploadLocks(redis),
    check: () => redis.check(),
  };
}

/** The bucket of the configuration, tried out: the start fails where it refuses, and goes on where it is away. */
async function openBucket({ storage, s3Credentials }: Config, log: Logger): Promise<S3Bucket> {
  if (storage.kind !== "s3" || s3Credentials === null) throw new Error("the storage is not in S3");
  const { S3Bucket } = await import("./adapters/s3/s3-bucket.ts");
  const bucket = new S3Bucket({ ...storage, ...s3Credentials });
  try {
    await bucket.tryOut();
  } catch (error) {
    if (!(error instanceof TemporaryUnavailableError)) throw error;
    log.warn(`Kinora starts while the storage is away. ${error.message}`);
  }
  return bucket;
}

async function openStore(
  { storage, s3 }: Config,
  { database, bucket }: { database: () => Promise<OpenDatabase>; bucket: () => Promise<S3Bucket> },
): Promise<MediaStore> {
  if (storage.kind === "file") return FileMediaStore.open(storage.path, { locateFirst, openFirst: FileBytes.open });
  const { S3MediaStore } = await import("./adapters/s3/s3-media-store.ts");
  return new S3MediaStore({
    bucket: await bucket(),
    // Without the endpoint: a server may get another name.
    place: `s3:${storage.bucket}/${storage.prefix}`,
    contents: new SqlStoredContents((await database()).database),
    cacheBytes: s3.cache,
  });
}

type SharedParts = ReturnType<typeof sharedParts>;

interface Composition {
  readonly config: Config;
  readonly names: readonly ServiceName[];
  readonly log: Logger;
  readonly openBus: OpenBus;
  readonly opened: Opened;
}

/** Has others turn elsewhere before anything is refused. */
async function leave(listener: Listener, services: readonly MountedService[]): Promise<void> {
  listener.drain();
  await Promise.all(services.map(({ service }) => service.leave()));
  await Bun.sleep(DRAIN_MS);
}

async function compose({ config, names, log, openBus, opened }: Composition) {
  if (keepsData(names)) {
    const data = openDataFolder(config.data);
    opened.add(() => data.release());
  }
  const metrics = createMetrics();
  const shared = sharedParts(config, log, opened);
  const listener = listenFor({ config, names, log }, shared, metrics);
  opened.add(() => listener.close(0));
  const onFailure: HandlerFailure = (where, error) => log.error({ err: error, where }, "handler failed");
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
  const authenticator = await BusAuthenticator.start(connection);
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
  listener.mount(services, authenticator, config.nats === null ? undefined : new BusForwardTrust(connection));
  opened.add(() => Promise.all(connections.map((one) => one.retire(RETIRE_MS))));
  opened.add(() => listener.close(GRACE_MS));
  // Alone there is nobody else to go to.
  if (config.nats !== null) opened.add(() => leave(listener, services));
  const rtspUrl = rtsp && `rtsp://${formatListenAddress(rtsp)}`;
  return { listener, rtspUrl, services: names, firstAdminCode: notices.firstAdminCode, routes: routesOf(services) };
}
