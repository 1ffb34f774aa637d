import { join } from "node:path";
import type { Logger } from "pino";
import { FileStorageMeter } from "../adapters/file/storage-meter.ts";
import { UploadFolder } from "../adapters/file/upload-folder.ts";
import { MemoryAttempts } from "../adapters/memory/memory-attempts.ts";
import type { S3Bucket } from "../adapters/s3/s3-bucket.ts";
import type { OpenDatabase } from "../adapters/sql/open-database.ts";
import { SqlAuthStore } from "../adapters/sql/sql-auth-store.ts";
import { SqlCollectionRepository } from "../adapters/sql/sql-collection-repository.ts";
import { SqlLibraryStore } from "../adapters/sql/sql-library-store.ts";
import { SqlSourceRepository } from "../adapters/sql/sql-source-repository.ts";
import { SqlTitleRepository } from "../adapters/sql/sql-title-repository.ts";
import { SqlUploadRecords } from "../adapters/sql/upload-tables.ts";
import { startAuth } from "../auth/auth-service.ts";
import type { BusConnection } from "../bus/bus.ts";
import type { ServiceName } from "../bus/contract.ts";
import { startCatalog } from "../catalog/catalog-service.ts";
import { collectionKeysOf, titleIndexOf } from "../catalog/title-index.ts";
import type { Config } from "../config/schema.ts";
import { StartError } from "../errors.ts";
import { logFailure } from "../http/failure-log.ts";
import type { Metrics } from "../http/metrics.ts";
import type { BusAuthenticator } from "../identity/bus-authenticator.ts";
import { startMain } from "../main/main-service.ts";
import type { RtpEngine } from "../rtp/rtp-engine.ts";
import type { RtspServer } from "../rtsp/server.ts";
import type { Service } from "../service.ts";
import { EnginePushes } from "../streaming/controllers/engine-pushes.ts";
import type { StreamSettings } from "../streaming/controllers/start-streams.ts";
import type { LiveStreams } from "../streaming/live-streams.ts";
import type { MediaStore } from "../streaming/media-store.ts";
import { startStreaming } from "../streaming/streaming-service.ts";
import type { UploadFiles } from "../upload/upload-files.ts";
import { startUpload } from "../upload/upload-service.ts";
import { version } from "../version.ts";
import { tellIndexing } from "./indexing-log.ts";
import { advertisedRtsp } from "./rtsp-parts.ts";
import type { RedisParts } from "./shared-parts.ts";

/** What the services of this process are built from. */
export interface Parts {
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
export const starters: Readonly<Record<ServiceName, (parts: Parts) => Promise<Service>>> = {
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
      revocationBoard: config.nats ? redis?.revocations : undefined,
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

  catalog: async ({ connect, addresses, config, database: open, redis, log }) => {
    const { database } = await open();
    return startCatalog({
      connection: await connect("catalog"),
      addresses,
      repository: new SqlTitleRepository({ database, indexOf: titleIndexOf }),
      collections: new SqlCollectionRepository({ database, keysOf: collectionKeysOf }),
      cache: redis?.titles,
      restoreWindowMs: config.trash.keep,
      onIndexing: tellIndexing(log.child({ service: "catalog" })),
      onFailure: (error) => logFailure(log, error, "work in the background failed", { service: "catalog" }),
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
  const { S3UploadFiles } = await import("../adapters/s3/s3-upload-files.ts");
  return new S3UploadFiles({ bucket: await bucket(), spool: join(data, "spool") });
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

/** Behind a broker others reach this Kinora, whatever this process listens on. */
function registrationOf({ registration }: Config) {
  if (registration !== null) return registration;
  throw new StartError(
    "`registration` is not named, and with `nats` others reach this Kinora.",
    "Set `registration` (KINORA_REGISTRATION) to open, invite or closed where auth runs.",
  );
}
