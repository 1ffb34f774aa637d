import type { Logger } from "pino";
import { AuthenticationStatus } from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { proxyOf, serveContract } from "../bus/proxy.ts";
import { publish, subscribe, subscribeDurably } from "../bus/topics.ts";
import { catalogContract, TitleChanges } from "../catalog/contract.ts";
import { logFailure } from "../http/failure-log.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import { mainContract, Progress } from "../main/contract.ts";
import type { Service } from "../service.ts";
import { streamingContract } from "../streaming/contract.ts";
import { uploadContract } from "./contract.ts";
import { Finisher } from "./finisher.ts";
import { Intake } from "./intake.ts";
import { NearStreaming } from "./near-streaming.ts";
import { Receptions } from "./receptions.ts";
import { createRoutes } from "./routes.ts";
import { TUS_PATH } from "./tus-path.ts";
import type { UploadFiles } from "./upload-files.ts";
import type { UploadLocks } from "./upload-locks.ts";
import { UploadProgress } from "./upload-progress.ts";
import type { UploadRecords } from "./upload-records.ts";
import { Uploads } from "./uploads.ts";

/** How often what was left undone is tried again, and how often what has expired is removed. */
const RESUME_MS = 5_000;
const SWEEP_MS = 3_600_000;

export interface UploadDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  readonly authenticator: Pick<Authenticator, "onRevoked">;
  readonly records: UploadRecords;
  readonly files: UploadFiles;
  /** Which instance receives an upload, where several share records and files. */
  readonly locks?: UploadLocks | undefined;
  /** Names the store that uploads arrive in, as streaming knows it. */
  readonly place: string;
  /** This instance's name, the same after a restart. */
  readonly writer: string;
  readonly maxSizeBytes: number;
  readonly log: Logger;
  /** The time; the system's by default. */
  readonly now?: () => Date;
  /** Milliseconds an inspection of so many bytes may take; 2 minutes and more for large ones by default. */
  readonly adoptTimeoutMs?: (sizeBytes: number) => number;
}

/** Starts the upload service. */
export async function startUpload(dependencies: UploadDependencies): Promise<Service> {
  const { connection, addresses, log } = dependencies;
  const { uploads, finisher } = createUploads(dependencies);
  await subscribe(connection, TitleChanges, async ({ titleId, type }) => {
    if (type === "deleted") await uploads.titleDeleted(titleId);
  });
  await subscribeDurably(
    connection,
    AuthenticationStatus,
    async (event) => {
      if (event.type === "user-deleted") await uploads.userDeleted(event.userId);
    },
    (error) => log.error({ err: error }, "an event that is none"),
  );
  const startedAt = dependencies.now?.() ?? new Date();
  let recovered = false;
  const resume = async () => {
    // Services start in any order: what needs another one is tried until it is there.
    if (!recovered) await uploads.recover(startedAt);
    recovered = true;
    await finisher.resume();
  };
  const stopResuming = repeat(RESUME_MS, resume, log);
  const stopSweeping = repeat(SWEEP_MS, () => uploads.sweep(), log);
  await serveContract(connection, uploadContract, {
    placeOf: async ({ id }) => ({ upload: await uploads.placeOf(id) }),
  });
  const { place: store, writer } = dependencies;
  const presence = await announcePresence(connection, addresses, () => ({ store, writer }));
  let closing: Promise<void> | null = null;
  const close = async () => {
    // First, as everything else waits for inspections too.
    finisher.stop();
    await Promise.all([stopResuming(), stopSweeping()]);
    await uploads.receptions.close();
    await finisher.close();
    await presence.close();
    await connection.close();
  };
  return {
    routes: createRoutes(uploads),
    largeBodies: [
      { method: "POST", path: "/api/titles" },
      { method: "POST", path: TUS_PATH },
      { method: "PATCH", path: TUS_PATH, below: true },
    ],
    ready: async () => void (await dependencies.files.freeBytes()),
    leave: () => presence.close(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function createUploads(dependencies: UploadDependencies) {
  const { connection, records, files, writer, place, maxSizeBytes, log } = dependencies;
  const now = dependencies.now ?? (() => new Date());
  const progress = new UploadProgress((event) => {
    publish(connection, Progress, event).catch((error: unknown) =>
      logFailure(log, error, "progress not published", {}, "warn"),
    );
  });
  const catalog = proxyOf(connection, catalogContract);
  const streaming = new NearStreaming({
    main: proxyOf(connection, mainContract),
    streaming: proxyOf(connection, streamingContract),
    place: dependencies.place,
  });
  const receptions = new Receptions(dependencies.authenticator, dependencies.locks);
  const intake = new Intake({ files, writer, records, progress, maxSizeBytes, now });
  const bound = dependencies.adoptTimeoutMs ? { adoptTimeoutMs: dependencies.adoptTimeoutMs } : {};
  const finisher = new Finisher({
    records,
    files,
    writer,
    place,
    intake,
    progress,
    catalog,
    streaming,
    log,
    now,
    ...bound,
  });
  const uploads = new Uploads({
    records,
    files,
    writer,
    place,
    intake,
    catalog,
    finisher,
    receptions,
    maxSizeBytes,
    log,
    now,
  });
  return { uploads, finisher };
}

/** Runs `task` now and then again and again, one run at a time. The result stops it and waits for the last run. */
function repeat(everyMs: number, task: () => Promise<void>, log: Logger): () => Promise<void> {
  let running: Promise<void> | null = null;
  const run = () => {
    running ??= task()
      .catch((error: unknown) => logFailure(log, error, "upload housekeeping failed"))
      .finally(() => {
        running = null;
      });
  };
  const timer = setInterval(run, everyMs);
  run();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
