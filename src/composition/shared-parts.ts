import type { Logger } from "pino";
import { FileMediaStore } from "../adapters/file/file-media-store.ts";
import { instanceName } from "../adapters/file/instance-name.ts";
import { RedisAttempts } from "../adapters/redis/redis-attempts.ts";
import { type RedisAccess, RedisConnection } from "../adapters/redis/redis-connection.ts";
import { RedisRevocations } from "../adapters/redis/redis-revocations.ts";
import { RedisSessions } from "../adapters/redis/redis-sessions.ts";
import { RedisTitleCache } from "../adapters/redis/redis-title-cache.ts";
import { RedisUploadLocks } from "../adapters/redis/redis-upload-locks.ts";
import type { S3Bucket } from "../adapters/s3/s3-bucket.ts";
import { type OpenDatabase, openDatabase } from "../adapters/sql/open-database.ts";
import { SqlStoredContents } from "../adapters/sql/sql-stored-contents.ts";
import type { Config } from "../config/schema.ts";
import { deriveSecret, loadSecrets } from "../config/secrets.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import { lazy } from "../lazy.ts";
import { FileBytes, locateFirst } from "../streaming/file-bytes.ts";
import type { MediaStore } from "../streaming/media-store.ts";
import type { Composition, Opened } from "./composition.ts";
import type { Outages } from "./outages.ts";

/** What services share in a process, made when the first of them asks. */
export function sharedParts({
  config,
  log,
  outages,
  opened,
}: Pick<Composition, "config" | "log" | "outages" | "opened">) {
  const database = lazy(async () => {
    const open = await openDatabase(config.database, outages.of("the database"));
    opened.add(() => open.database.destroy());
    return open;
  });
  const bucket = lazy(() => openBucket(config, log, outages));
  return {
    database,
    bucket,
    writer: () => instanceName(config.data),
    store: lazy(() => openStore(config, { database, bucket })),
    authSecret: () =>
      config.secret === null
        ? loadSecrets(config.data, (message) => log.warn(message)).authSecret
        : deriveSecret(config.secret, "sessions and signing keys"),
    redis: config.redis && openRedis(config.redis, outages, opened),
  };
}

export type RedisParts = ReturnType<typeof openRedis>;

/** What instances share in Redis. Services start while it is away, and say so in `/readyz`, but not where it refuses them. */
function openRedis(access: RedisAccess, outages: Outages, opened: Opened) {
  const redis = new RedisConnection(access, outages.of("Redis"));
  opened.add(() => redis.close());
  return {
    attempts: new RedisAttempts(redis),
    sessions: new RedisSessions(redis),
    titles: new RedisTitleCache(redis),
    locks: new RedisUploadLocks(redis),
    revocations: new RedisRevocations(redis),
    check: () => redis.check(),
    tryOut: () => redis.tryOut(),
  };
}

/** The bucket of the configuration, tried out: the start fails where it refuses, and goes on where it is away. */
async function openBucket({ storage, s3Credentials }: Config, log: Logger, outages: Outages): Promise<S3Bucket> {
  if (storage.kind !== "s3" || s3Credentials === null) throw new Error("the storage is not in S3");
  const { S3Bucket } = await import("../adapters/s3/s3-bucket.ts");
  const bucket = new S3Bucket({ ...storage, ...s3Credentials }, outages.of("the video storage"));
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
  const { S3MediaStore } = await import("../adapters/s3/s3-media-store.ts");
  return new S3MediaStore({
    bucket: await bucket(),
    // Without the endpoint: a server may get another name.
    place: `s3:${storage.bucket}/${storage.prefix}`,
    contents: new SqlStoredContents((await database()).database),
    cacheBytes: s3.cache,
  });
}

export type SharedParts = ReturnType<typeof sharedParts>;
