import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { UploadFolder } from "../../src/adapters/file/upload-folder.ts";
import { MemoryBus } from "../../src/adapters/memory/memory-bus.ts";
import { migrate } from "../../src/adapters/sql/migrate.ts";
import { SqlUploadRecords } from "../../src/adapters/sql/upload-tables.ts";
import { openSqlite } from "../../src/adapters/sqlite/sqlite-database.ts";
import type { GrantHolder, Principal } from "../../src/auth/contract.ts";
import type { BusConnection } from "../../src/bus/bus.ts";
import { permissionsOf } from "../../src/bus/permissions.ts";
import { type Handlers, serveContract } from "../../src/bus/proxy.ts";
import { publish, subscribe } from "../../src/bus/topics.ts";
import { catalogContract, type Title, TitleChanges } from "../../src/catalog/contract.ts";
import { contracts } from "../../src/contracts.ts";
import { ProblemError, TemporaryUnavailableError } from "../../src/errors.ts";
import { listen } from "../../src/http/listener.ts";
import { createMetrics } from "../../src/http/metrics.ts";
import { Progress, type ProgressEvent } from "../../src/main/contract.ts";
import type { Service } from "../../src/service.ts";
import { type Announcement, streamingContract } from "../../src/streaming/contract.ts";
import type { UploadFiles } from "../../src/upload/upload-files.ts";
import type { UploadLocks } from "../../src/upload/upload-locks.ts";
import { startUpload } from "../../src/upload/upload-service.ts";
import { refusing } from "./refusing.ts";

const log = pino({ level: "silent" });

export const ada: Principal = {
  userId: "01900000-0000-7000-8000-00000000000a",
  username: "ada",
  role: "editor",
  credential: { kind: "session", id: "s-ada" },
};
export const bob: Principal = { ...ada, userId: "01900000-0000-7000-8000-00000000000b", username: "bob" };
export const root: Principal = {
  ...ada,
  userId: "01900000-0000-7000-8000-00000000000c",
  username: "root",
  role: "admin",
};
export const vic: Principal = {
  ...ada,
  userId: "01900000-0000-7000-8000-00000000000d",
  username: "vic",
  role: "viewer",
};
const people = new Map([ada, bob, root, vic].map((who) => [who.username, who]));

/** Bytes that begin like an MP4 and go on differently everywhere, with many line ends among them. */
export function videoBytes(sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24 < 24 ? 13 : state >>> 24;
  }
  bytes.set(new TextEncoder().encode("\0\0\0\x20ftypisom").subarray(0, sizeBytes));
  return bytes;
}

export const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** A catalog that keeps titles in memory. */
class FakeCatalog {
  readonly titles = new Map<string, Title>();
  discarded: string[] = [];
  down = false;

  handlers(): Handlers<typeof catalogContract> {
    const requireUp = () => {
      if (this.down) throw new TemporaryUnavailableError("The catalog is away.");
    };
    return {
      ...refusing(catalogContract),
      createTitle: async (input) => {
        requireUp();
        const { id, name, tags, sizeBytes } = input;
        const existing = this.titles.get(id);
        if (existing) return existing;
        const title: Title = {
          id,
          name,
          tags,
          sizeBytes,
          mediaId: null,
          description: "",
          owner: { id: input.owner.userId, username: input.owner.username },
          visibility: "private",
          availability: "receiving",
          needsRendition: null,
          durationSeconds: null,
          container: null,
          video: null,
          audio: [],
          createdAt: new Date().toISOString(),
          mine: null,
        };
        this.titles.set(id, title);
        return title;
      },
      completeTitle: async ({ id, mediaId, info }) => {
        requireUp();
        const title = this.titles.get(id);
        if (!title) throw new ProblemError("wrong-media-id", "There is no video with this id.", { status: 404 });
        const ready: Title = { ...title, ...info, mediaId, availability: "ready" };
        this.titles.set(id, ready);
        return ready;
      },
      discardTitle: async ({ id }) => {
        requireUp();
        this.discarded.push(id);
        if (this.titles.get(id)?.availability === "receiving") this.titles.delete(id);
        return {};
      },
    };
  }
}

/** A streaming service that files what begins like a video. */
class FakeStreaming {
  /** Whether an inspection never comes to an end. */
  hangs = false;
  /** Inspections begun. */
  inspections = 0;
  readonly adopted = new Map<string, Announcement>();
  readonly identified = new Map<string, string>();
  down = false;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  handlers(): Handlers<typeof streamingContract> {
    return {
      ...refusing(streamingContract),
      adopt: async ({ fileName: _, ...input }) => {
        if (this.down) throw new TemporaryUnavailableError("Streaming is away.");
        this.inspections++;
        if (this.hangs) await new Promise(() => undefined);
        const known = this.adopted.get(input.sourceId);
        if (known) return { ...known, mediaId: this.identified.get(input.sourceId) ?? known.mediaId };
        const path = join(this.#folder, input.sourceId);
        const file = Bun.file(path);
        if (file.size !== input.sizeBytes) throw new Error(`expected ${input.sizeBytes} bytes, found ${file.size}`);
        const head = await file.slice(4, 8).text();
        if (head !== "ftyp") throw new ProblemError("not-a-video", "No container that is known.", { status: 422 });
        const announcement = announcementOf(input);
        this.adopted.set(input.sourceId, announcement);
        if (input.mediaId) await rename(path, join(this.#folder, "..", input.mediaId));
        return announcement;
      },
      identify: async ({ sourceId, mediaId }) => {
        this.identified.set(sourceId, mediaId);
        await rename(join(this.#folder, sourceId), join(this.#folder, "..", mediaId));
        return {};
      },
    };
  }
}

function announcementOf(input: {
  sourceId: string;
  ownerId: string;
  name: string;
  sizeBytes: number;
  mediaId: string | null;
}): Announcement {
  return {
    ...input,
    provider: "test",
    origin: "upload",
    visibility: "private",
    availability: "ready",
    info: {
      durationSeconds: 1,
      sizeBytes: input.sizeBytes,
      container: "mp4",
      video: null,
      audio: [],
      needsRendition: null,
    },
    createdAt: new Date().toISOString(),
    description: "",
    tags: [],
    folders: [],
  };
}

/** The functions of some files, for who replaces one of them. */
export const forwarded = (files: UploadFiles): UploadFiles => ({
  create: (id) => files.create(id),
  open: (name) => files.open(name),
  branch: (name, offset) => files.branch(name, offset),
  drop: (name) => files.drop(name),
  shared: (id, offset) => files.shared(id, offset),
  discard: (id) => files.discard(id),
  complete: (name, sizeBytes) => files.complete(name, sizeBytes),
  remove: (name) => files.remove(name),
  sweep: (find) => files.sweep(find),
  freeBytes: () => files.freeBytes(),
});

export interface HarnessOptions {
  readonly maxSizeBytes?: number;
  /** The folder of its database, of another harness that shares it. */
  readonly data?: string;
  /** The folder uploads arrive in, when it is not to be a temporary one. */
  readonly folder?: string;
  /** Seconds a connection may be silent. */
  readonly idleTimeoutSeconds?: number;
  /** Milliseconds an inspection may take. */
  readonly adoptTimeoutMs?: number;
  /** The name of the instance. */
  readonly writer?: string;
  readonly locks?: UploadLocks;
  readonly wrapFiles?: (files: UploadFiles) => UploadFiles;
}

/** The upload service behind a real listener, with real files and database, and fakes of the services it calls. */
export class UploadHarness {
  readonly data: string;
  readonly folder: string;
  readonly catalog = new FakeCatalog();
  readonly streaming: FakeStreaming;
  readonly progress: ProgressEvent[] = [];
  url = "";
  /** Names the store that uploads arrive in, from the next start on. */
  place = "file:harness";
  /** Milliseconds that the service's clock is ahead. */
  aheadMs = 0;
  readonly #options: HarnessOptions;
  readonly #cuts = new Map<string, Set<() => void>>();
  #catalogConnection: BusConnection | null = null;
  #stop: (() => Promise<void>) | null = null;

  private constructor(options: HarnessOptions) {
    this.#options = options;
    this.data = options.data ?? mkdtempSync(join(tmpdir(), "kinora-upload-"));
    this.folder = options.folder ?? join(this.data, "uploads");
    this.streaming = new FakeStreaming(this.folder);
  }

  static async start(options: HarnessOptions = {}): Promise<UploadHarness> {
    const harness = new UploadHarness(options);
    await harness.start();
    return harness;
  }

  async start(): Promise<void> {
    const { database } = openSqlite(join(this.data, "kinora.db"));
    await migrate(database);
    const bus = new MemoryBus(permissionsOf(contracts), () => undefined);
    const connect = (service: "main" | "catalog" | "streaming" | "upload") =>
      bus.connect({ service, instance: "test" });
    this.#catalogConnection = await connect("catalog");
    await serveContract(this.#catalogConnection, catalogContract, this.catalog.handlers());
    await serveContract(await connect("streaming"), streamingContract, this.streaming.handlers());
    await subscribe(await connect("main"), Progress, (event) => void this.progress.push(event));
    const authenticator = {
      authenticate: async (request: Request) => people.get(request.headers.get("X-Test-User") ?? "") ?? null,
      resolveGrant: async () => null,
      onRevoked: (who: Principal | GrantHolder, cut: () => void) =>
        "grantId" in who ? () => undefined : this.#watch(who, cut),
    };
    const files = new UploadFolder(this.folder);
    const listener = listen({
      host: "127.0.0.1",
      port: 0,
      trustedProxies: [],
      idleTimeoutSeconds: this.#options.idleTimeoutSeconds ?? 60,
      publicOrigin: null,
      allowedHosts: [],
      loopbackOnly: true,
      log,
      metrics: createMetrics(),
    });
    const service: Service = await startUpload({
      connection: await connect("upload"),
      addresses: () => [...listener.addresses],
      authenticator,
      records: new SqlUploadRecords(database),
      files: this.#options.wrapFiles?.(files) ?? files,
      place: this.place,
      writer: this.#options.writer ?? "harness",
      locks: this.#options.locks,
      maxSizeBytes: this.#options.maxSizeBytes ?? 1 << 30,
      log,
      ...(this.#options.adoptTimeoutMs ? { adoptTimeoutMs: () => this.#options.adoptTimeoutMs ?? 0 } : {}),
      now: () => new Date(Date.now() + this.aheadMs),
    });
    listener.mount([{ name: "upload", service }], authenticator);
    this.url = listener.url;
    this.#stop = async () => {
      await listener.close(1_000);
      await service.close();
      await bus.close();
      await database.destroy();
    };
  }

  /** Stops the service and starts it again on the same data. */
  async restart(): Promise<void> {
    await this.#stop?.();
    await this.start();
  }

  async close(): Promise<void> {
    await this.#stop?.();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Revokes a user's credential. */
  revoke(who: Principal): void {
    for (const cut of this.#cuts.get(who.userId) ?? []) cut();
  }

  async deleteTitle(titleId: string): Promise<void> {
    this.catalog.titles.delete(titleId);
    if (this.#catalogConnection) await publish(this.#catalogConnection, TitleChanges, { titleId, type: "deleted" });
  }

  /** Names of files that are still arriving or were left behind. */
  leftBehind(): string[] {
    try {
      return readdirSync(this.folder);
    } catch {
      return [];
    }
  }

  fetch(path: string, init: RequestInit = {}, who: Principal | null = ada): Promise<Response> {
    const headers = new Headers(init.headers);
    if (who) headers.set("X-Test-User", who.username);
    return fetch(new URL(path, this.url), { ...init, headers });
  }

  tus(method: string, path: string, headers: Record<string, string> = {}, body?: RequestInit["body"], who = ada) {
    return this.fetch(path, { method, headers: { "Tus-Resumable": "1.0.0", ...headers }, body: body ?? null }, who);
  }

  /** Begins a resumable upload and returns its path. */
  async create(sizeBytes: number, metadata: Record<string, string> = { filename: "clip.mp4" }, who = ada) {
    const pairs = Object.entries(metadata).map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`);
    const headers = { "Upload-Length": String(sizeBytes), "Upload-Metadata": pairs.join(",") };
    const response = await this.tus("POST", "/api/uploads", headers, undefined, who);
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    return response.headers.get("Location") ?? "";
  }

  append(path: string, offset: number, body: RequestInit["body"], who = ada): Promise<Response> {
    const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    return this.tus("PATCH", path, headers, body, who);
  }

  async offset(path: string): Promise<number> {
    const response = await this.tus("HEAD", path);
    return Number(response.headers.get("Upload-Offset") ?? Number.NaN);
  }

  #watch(who: Principal, cut: () => void): () => void {
    const cuts = this.#cuts.get(who.userId) ?? new Set();
    this.#cuts.set(who.userId, cuts.add(cut));
    return () => cuts.delete(cut);
  }
}

/** Waits until `check` gives something that is no null, false or undefined. */
export async function until<Value>(
  check: () => Promise<Value> | Value,
  timeoutMs = 5_000,
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error("What was waited for did not come.");
    await Bun.sleep(10);
  }
}
