import { mkdirSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { FileMediaStore } from "./adapters/file/file-media-store.ts";
import { MemoryBus } from "./adapters/memory/memory-bus.ts";
import { migrate } from "./adapters/sql/migrate.ts";
import { SqlSourceRepository } from "./adapters/sql/sql-source-repository.ts";
import { openSqlite } from "./adapters/sqlite/sqlite-database.ts";
import { startAuth } from "./auth/auth-service.ts";
import type { ServiceName } from "./bus/contract.ts";
import { permissionsOf } from "./bus/permissions.ts";
import { startCatalog } from "./catalog/catalog-service.ts";
import type { Config } from "./config/schema.ts";
import { loadSecrets } from "./config/secrets.ts";
import { contracts } from "./contracts.ts";
import { type Listener, listen } from "./http/listener.ts";
import type { Authenticator } from "./identity/authenticator.ts";
import { startMain } from "./main/main-service.ts";
import type { Service } from "./service.ts";
import { startStreaming } from "./streaming/streaming-service.ts";
import { startUpload } from "./upload/upload-service.ts";

/** How long running answers may take when Kinora stops. */
const GRACE_MS = 8_000;

export interface Kinora {
  /** Base URL of the HTTP interface. */
  readonly url: string;
  /** Stops within 10 s: no new requests, running answers end, services close in reverse order. */
  close(): Promise<void>;
}

/** The composition root: builds the adapters, starts the services and puts them behind one listener. */
export async function startKinora(config: Config): Promise<Kinora> {
  const log = pino({ level: config.log.level });
  mkdirSync(config.data, { recursive: true, mode: 0o700 });
  loadSecrets(config.data, (message) => log.warn(message));
  const { database } = openSqlite(config.database.path);
  await migrate(database);
  const bus = new MemoryBus(permissionsOf(contracts), (topic, error) =>
    log.error({ err: error, topic }, "event handler failed"),
  );
  const instance = `${process.pid}-${Bun.randomUUIDv7().slice(-8)}`;
  const connect = (service: ServiceName) => bus.connect({ service, instance });
  let listener: Listener | null = null;
  const addresses = () => (listener ? [listener.url] : []);

  const services: Service[] = [
    await startMain({ connection: await connect("main"), addresses }),
    await startAuth({ connection: await connect("auth"), addresses }),
    await startCatalog({ connection: await connect("catalog"), addresses }),
    await startUpload({ connection: await connect("upload"), addresses }),
    await startStreaming({
      connection: await connect("streaming"),
      addresses,
      sources: new SqlSourceRepository(database),
      store: new FileMediaStore(config.storage.path),
      indexFolder: join(config.data, "index"),
      folders: config.library.folders,
      log: log.child({ service: "streaming" }),
    }),
  ];
  const nobody: Authenticator = { authenticate: async () => null, onRevoked: () => () => undefined };
  listener = listen(
    services.map((service) => service.routes),
    {
      hostname: config.listen.host,
      port: config.listen.port,
      authenticator: nobody,
      trustedProxies: config.trustedProxies,
      publicOrigin: config.publicUrl?.origin ?? null,
      log,
    },
  );
  return {
    url: listener.url,
    async close() {
      await listener?.close(GRACE_MS);
      for (const service of services.reverse()) await service.close();
      await bus.close();
      await database.destroy();
    },
  };
}
