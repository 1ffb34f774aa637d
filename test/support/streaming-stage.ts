import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { FileMediaStore } from "../../src/adapters/file/file-media-store.ts";
import { FileStorageMeter } from "../../src/adapters/file/storage-meter.ts";
import { MemoryBus } from "../../src/adapters/memory/memory-bus.ts";
import { migrate } from "../../src/adapters/sql/migrate.ts";
import { SqlLibraryStore } from "../../src/adapters/sql/sql-library-store.ts";
import { SqlSourceRepository } from "../../src/adapters/sql/sql-source-repository.ts";
import { openSqlite } from "../../src/adapters/sqlite/sqlite-database.ts";
import type { Principal } from "../../src/auth/contract.ts";
import type { BusConnection } from "../../src/bus/bus.ts";
import { permissionsOf } from "../../src/bus/permissions.ts";
import { proxyOf, type ServiceProxy } from "../../src/bus/proxy.ts";
import { subscribe } from "../../src/bus/topics.ts";
import type { TitleAccess } from "../../src/catalog/contract.ts";
import { contracts } from "../../src/contracts.ts";
import { TemporaryUnavailableError } from "../../src/errors.ts";
import { createApp } from "../../src/http/app.ts";
import { Progress, type ProgressEvent } from "../../src/main/contract.ts";
import type { Service } from "../../src/service.ts";
import { type Announcement, MediaAnnouncements, streamingContract } from "../../src/streaming/contract.ts";
import { FileBytes, locateFirst } from "../../src/streaming/file-bytes.ts";
import type { LibrarySettings } from "../../src/streaming/library.ts";
import { LiveStreams } from "../../src/streaming/live-streams.ts";
import type { SourceRepository } from "../../src/streaming/source-repository.ts";
import { startStreaming } from "../../src/streaming/streaming-service.ts";
import { fixture } from "./fixtures.ts";
import { temporaryFolder } from "./folder.ts";
import { until } from "./until.ts";

/** The user that a stage's uploads belong to. */
export const owner = Bun.randomUUIDv7();
const principal = (userId: string): Principal => ({
  userId,
  username: "somebody",
  role: "editor",
  credential: { kind: "session", id: "s" },
});

/** A streaming service on a bus, and a catalog that says what the test tells it to. */
export class Stage {
  readonly folder = temporaryFolder();
  readonly media = join(this.folder.path, "media");
  readonly library = join(this.folder.path, "library");
  readonly titles = new Map<string, TitleAccess>();
  readonly announced: Announcement[] = [];
  readonly progress: ProgressEvent[] = [];
  /** Sources whose titles the catalog was told to forget. */
  readonly forgotten: string[] = [];
  catalogIsDown = false;
  /** How often it was waited until the catalog has taken what was announced. */
  settled = 0;
  /** Lines of the log. */
  readonly logged: string[] = [];
  readonly #wrapSources: (sources: SourceRepository) => SourceRepository;
  readonly #sqlite = openSqlite(":memory:");
  readonly #bus = new MemoryBus(permissionsOf(contracts), () => undefined);
  #service: Service | null = null;
  catalog!: BusConnection;
  streaming!: ServiceProxy<typeof streamingContract>;

  /** `wrapSources`: for a database with faults. */
  constructor(wrapSources: (sources: SourceRepository) => SourceRepository = (sources) => sources) {
    this.#wrapSources = wrapSources;
  }

  async start(): Promise<this> {
    mkdirSync(join(this.media, "uploads"), { recursive: true });
    mkdirSync(this.library, { recursive: true });
    await migrate(this.#sqlite.database);
    this.catalog = await this.#bus.connect({ service: "catalog", instance: "c" });
    await this.catalog.serve(async (operation, body) => {
      if (operation === "settleAnnouncements") {
        this.settled++;
        return JSON.stringify({ value: {} });
      }
      if (operation === "forgetSources") {
        if (this.catalogIsDown) throw new TemporaryUnavailableError("The catalog is away.");
        this.forgotten.push(...(JSON.parse(body) as { sourceIds: string[] }).sourceIds);
        return JSON.stringify({ value: {} });
      }
      const { id } = JSON.parse(body) as { id: string };
      return JSON.stringify({ value: this.titles.get(id) ?? null });
    });
    await subscribe(this.catalog, MediaAnnouncements, (announcement) => void this.announced.push(announcement));
    const main = await this.#bus.connect({ service: "main", instance: "m" });
    await subscribe(main, Progress, (event) => void this.progress.push(event));
    this.streaming = proxyOf(this.catalog, streamingContract);
    await this.startService();
    return this;
  }

  async startService(
    folders = [{ path: this.library, visibility: "members" as const }],
    settings: Partial<LibrarySettings> = {},
  ): Promise<void> {
    const store = await FileMediaStore.open(this.media, { locateFirst, openFirst: FileBytes.open });
    this.#service = await startStreaming({
      connection: await this.#bus.connect({ service: "streaming", instance: "s" }),
      addresses: () => [],
      sources: this.#wrapSources(
        new SqlSourceRepository(this.#sqlite.database, { upload: store.place, library: "library:stage" }),
      ),
      library: { rescanIntervalMs: 3_600_000, settleMs: 0, isAlone: true, mayAdd: true, ...settings },
      libraryStore: new SqlLibraryStore(this.#sqlite.database, { version: "test", place: "library:stage" }),
      store,
      indexFolder: join(this.folder.path, "index"),
      folders,
      excluded: store.folders,
      meter: new FileStorageMeter({ data: this.folder.path, storage: this.media, database: null }),
      rtspAdvertised: () => null,
      rtsp: () => ({ host: "127.0.0.1", port: 8554 }),
      streams: {
        authenticator: {
          authenticate: async () => null,
          resolveGrant: async () => null,
          onRevoked: () => () => undefined,
        },
        applyRevocations: () => undefined,
        live: new LiveStreams(),
        pushes: { open: () => Promise.reject(new Error("no RTP on this stage")) },
        gauge: () => undefined,
        ...{ graceMs: 10_000, perUser: 8, max: 100, tokenLifetimeMs: 30_000, grantLifetimeMs: 3_600_000 },
      },
      log: pino({ level: "warn" }, { write: (line: string) => void this.logged.push(line) }),
    });
  }

  async stopService(): Promise<void> {
    await this.#service?.close();
  }

  async close(): Promise<void> {
    await this.stopService();
    await this.#bus.close();
    await this.#sqlite.database.destroy();
    this.folder[Symbol.dispose]();
  }

  /** Asks as `userId`, or as nobody. */
  async ask(path: string, options: { as?: string | null; method?: string; headers?: Record<string, string> } = {}) {
    const app = createApp();
    const who = options.as === undefined ? owner : options.as;
    app.use(async (c, next) => {
      c.set("principal", who === null ? null : principal(who));
      await next();
    });
    if (this.#service) app.route("/", this.#service.routes);
    const bindings = { clientAddress: "127.0.0.1", setIdleTimeout: () => undefined };
    const init = { method: options.method ?? "GET", headers: options.headers ?? {} };
    return app.request(path, init, bindings);
  }

  /** A finished upload and its title. */
  async upload(
    name: Parameters<typeof fixture>[0] | Uint8Array,
    hashed = true,
    visibility: TitleAccess["visibility"] = "private",
  ) {
    const id = Bun.randomUUIDv7();
    const path = join(this.media, "uploads", id);
    if (typeof name === "string") copyFileSync(await fixture(name), path);
    else writeFileSync(path, name);
    const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
    const sha = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    const mediaId = hashed ? sha : null;
    this.titles.set(id, { id, ownerId: owner, visibility, mediaId, name: 'Ünï "cödé"' });
    const adopt = () =>
      this.streaming.adopt({ sourceId: id, ownerId: owner, name: "Film", sizeBytes: bytes.length, mediaId });
    return { id, bytes, sha, adopt };
  }

  originals(): string[] {
    const root = join(this.media, "originals");
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  }

  /** Asks as an admin. */
  async askAdmin(method: string, path: string, body?: unknown): Promise<Response> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.#adminApp().request(path, { method, headers: { "Content-Type": "application/json" }, ...json });
  }

  #adminApp() {
    const app = createApp();
    app.use(async (c, next) => {
      c.set("principal", { ...principal(owner), role: "admin" });
      c.set("log", pino({ level: "silent" }));
      await next();
    });
    if (this.#service) app.route("/", this.#service.routes);
    return app;
  }

  async report() {
    const app = this.#adminApp();
    const rescan = async () => {
      await app.request("/api/library/rescan", { method: "POST" });
      return settled();
    };
    const settled = () =>
      until(async () => {
        const response = await app.request("/api/library");
        const { items } = (await response.json()) as {
          items: {
            state: string;
            files: number;
            refused: { path: string; code: string; detail: string }[];
            scannedAt: string | null;
          }[];
        };
        return items.every(({ state }) => state !== "scanning") ? items : null;
      });
    return { rescan, settled };
  }
}
