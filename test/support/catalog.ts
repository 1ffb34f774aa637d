import { MemoryBus } from "../../src/adapters/memory/memory-bus.ts";
import { migrate } from "../../src/adapters/sql/migrate.ts";
import { SqlCollectionRepository } from "../../src/adapters/sql/sql-collection-repository.ts";
import { SqlTitleRepository } from "../../src/adapters/sql/sql-title-repository.ts";
import { openSqlite } from "../../src/adapters/sqlite/sqlite-database.ts";
import { authContract, type Principal, type Role } from "../../src/auth/contract.ts";
import type { BusConnection } from "../../src/bus/bus.ts";
import { type AnyContract, type ServiceName, serviceNames } from "../../src/bus/contract.ts";
import { permissionsOf } from "../../src/bus/permissions.ts";
import { announcePresence } from "../../src/bus/presence.ts";
import { type Handlers, proxyOf, serveContract } from "../../src/bus/proxy.ts";
import { publish, subscribe } from "../../src/bus/topics.ts";
import { type CatalogDependencies, startCatalog } from "../../src/catalog/catalog-service.ts";
import { catalogContract, MediaReleased, TitleChanges } from "../../src/catalog/contract.ts";
import { collectionKeysOf, titleIndexOf } from "../../src/catalog/title-index.ts";
import type { TitleRepository } from "../../src/catalog/title-repository.ts";
import { contracts } from "../../src/contracts.ts";
import { createApp } from "../../src/http/app.ts";
import type { Service } from "../../src/service.ts";
import {
  type Announcement,
  MediaAnnouncements,
  type MediaInfo,
  streamingContract,
} from "../../src/streaming/contract.ts";
import { refusing } from "./refusing.ts";

/** A UUIDv7 that tells which one it is. */
export const testId = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, "0")}`;
/** A media id that tells which one it is. */
export const testMediaId = (n: number) => String(n).padStart(64, "0");

export function person(n: number, role: Role = "editor"): Principal {
  const username = `person-${n}`;
  return { userId: testId(900 + n), username, role, credential: { kind: "session", id: `session-${n}` } };
}

export const someInfo: MediaInfo = {
  durationSeconds: 10,
  sizeBytes: 1_000,
  container: "mp4",
  video: { codec: "h264", width: 640, height: 360, frameRate: 25, rotation: 0 },
  audio: [{ codec: "aac", channels: 2, sampleRate: 48_000, language: null }],
  needsRendition: null,
};

/** What a streaming instance announces of library file `n`. */
export function libraryFile(n: number, changes: Partial<Announcement> = {}): Announcement {
  return {
    sourceId: testId(n),
    mediaId: testMediaId(n),
    name: `File ${n}`,
    provider: "streaming-1",
    origin: "library",
    ownerId: null,
    visibility: "members",
    availability: "ready",
    info: someInfo,
    createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString(),
    description: "",
    tags: [],
    folders: [],
    ...changes,
  };
}

/** Titles in a SQLite database in memory. */
export async function sqliteTitles() {
  const { database } = openSqlite(":memory:");
  await migrate(database);
  const repository: TitleRepository = new SqlTitleRepository({ database, indexOf: titleIndexOf });
  const collections = new SqlCollectionRepository({ database, keysOf: collectionKeysOf });
  return { database, repository, collections };
}

/** A streaming service that knows only how to announce: written by hand for the catalog's tests. */
export async function fakeStreaming(bus: MemoryBus, instance: string, files: () => readonly Announcement[]) {
  const connection = await bus.connect({ service: "streaming", instance });
  const announce = async (...announced: readonly Announcement[]) => {
    for (const file of announced) await publish(connection, MediaAnnouncements, { ...file, provider: instance });
  };
  let asked = 0;
  const handlers: Handlers<typeof streamingContract> = {
    ...refusing(streamingContract),
    reannounce: async () => {
      asked++;
      await announce(...files());
      return { sources: files().length };
    },
  };
  await serveContract(connection, streamingContract, handlers);
  const presence = await announcePresence(connection, () => []);
  const close = async () => {
    await presence.close();
    await connection.close();
  };
  return { connection, announce, asked: () => asked, close };
}

export interface Released {
  readonly sourceIds: string[];
  readonly mediaId: string | null;
}

/** A running catalog on a bus with everything around it that it talks to, and people at its HTTP interface. */
export async function startTestCatalog(options: Partial<CatalogDependencies> = {}) {
  const failures: unknown[] = [];
  const bus = new MemoryBus(permissionsOf(contracts as readonly AnyContract[]), (_, error) => failures.push(error));
  const connect = (service: ServiceName) => bus.connect({ service, instance: `${service}-test` });
  const connections = Object.fromEntries(
    await Promise.all(serviceNames.map(async (name) => [name, await connect(name)] as const)),
  ) as Record<ServiceName, BusConnection>;
  const titles = await sqliteTitles();
  const users = [0, 1, 2, 3].map((n) => person(n));
  const getUsers = async ({ ids }: { ids: string[] }) => usersOf(users, ids);
  const serveAuth = () => serveContract(connections.auth, authContract, { ...refusing(authContract), getUsers });
  let stopAuth = await serveAuth();
  const released: Released[] = [];
  const changes: { titleId: string; type: "changed" | "deleted" }[] = [];
  await subscribe(connections.streaming, MediaReleased, (event) => void released.push(event));
  await subscribe(connections.upload, TitleChanges, (event) => void changes.push(event));
  const start = async (more: Partial<CatalogDependencies> = {}) =>
    startCatalog({
      connection: await connect("catalog"),
      addresses: () => [],
      repository: titles.repository,
      collections: titles.collections,
      onFailure: (error) => failures.push(error),
      ...options,
      ...more,
    });
  let service: Service = await start();
  return {
    ...titles,
    bus,
    connections,
    failures,
    released,
    changes,
    stopAuth: () => stopAuth(),
    async startAuth() {
      stopAuth = await serveAuth();
    },
    /** The catalog as the upload service calls it. */
    catalog: proxyOf(connections.upload, catalogContract),
    announce: (announced: Announcement) => publish(connections.streaming, MediaAnnouncements, announced),
    as: (who: Principal | null) => client(() => service, who),
    async restart(more: Partial<CatalogDependencies> = {}) {
      await service.close();
      service = await start(more);
    },
    async close() {
      await service.close();
      await bus.close();
      await titles.database.destroy();
    },
  };
}

const usersOf = (users: readonly Principal[], ids: readonly string[]) =>
  users
    .filter(({ userId }) => ids.includes(userId))
    .map(({ userId, username, role }) => ({ id: userId, username, role }));

/** Requests to the catalog's routes in somebody's name; the listener would have put it there. */
function client(service: () => Service, who: Principal | null) {
  const sendText = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const app = createApp();
    app.use(async (c, next) => {
      c.set("principal", who);
      await next();
    });
    app.route("/", service().routes);
    const type: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
    const init = { method, headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) };
    const response = await app.request(path, init);
    const text = await response.text();
    const etag = response.headers.get("ETag") ?? "";
    // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever comes
    return { status: response.status, etag, body: (text === "" ? null : JSON.parse(text)) as any };
  };
  const send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    sendText(method, path, body === undefined ? undefined : JSON.stringify(body), headers);
  return { get: (path: string) => send("GET", path), send, sendText };
}

/** Polls until `probe` answers something, and returns it. */
export async function eventually<T>(probe: () => T | Promise<T>, deadlineMs = 5_000): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value) return value as NonNullable<T>;
    if (Date.now() > end) throw new Error("What was waited for did not happen in time.");
    await Bun.sleep(5);
  }
}
