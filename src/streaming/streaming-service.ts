import { basename } from "node:path";
import type { Logger } from "pino";
import type { z } from "zod";
import { AuthenticationStatus, authContract } from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { detached } from "../bus/call-in-hand.ts";
import { Peers } from "../bus/peers.ts";
import { announcePresence } from "../bus/presence.ts";
import { proxyOf, type ServiceProxy, serveContract } from "../bus/proxy.ts";
import { publish, subscribe, subscribeDurably } from "../bus/topics.ts";
import { CollectionChanges, catalogContract, MediaReleased, TitleChanges } from "../catalog/contract.ts";
import { logFailure } from "../http/failure-log.ts";
import { mainContract, Progress, type ProgressEvent } from "../main/contract.ts";
import type { RtspTitles } from "../rtsp/titles.ts";
import type { Service } from "../service.ts";
import { turns } from "../turns.ts";
import { AllLibraries } from "./all-libraries.ts";
import { AllWatching } from "./all-watching.ts";
import { MediaAnnouncements, streamingContract } from "./contract.ts";
import { type StreamSettings, startStreams } from "./controllers/start-streams.ts";
import { Elsewhere } from "./elsewhere.ts";
import { FaststartPlans } from "./faststart-plans.ts";
import { Library, type LibraryDependencies, type LibrarySettings } from "./library.ts";
import { type ConfiguredFolder, LibraryFolders } from "./library-folders.ts";
import type { LibraryStore } from "./library-store.ts";
import { Links } from "./links.ts";
import type { MediaStore } from "./media-store.ts";
import { MovieCache } from "./movie-cache.ts";
import { PlayUrls, type RtspAddress } from "./play-urls.ts";
import { Playback } from "./playback.ts";
import { createStreamingRoutes } from "./routes.ts";
import { RtpOriginals } from "./rtp-originals.ts";
import { PlayableTitles } from "./rtsp-titles.ts";
import { Sidecars } from "./sidecars.ts";
import { announcementOf, type Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";
import { Storage, type StorageMeter } from "./storage.ts";
import { Subtitles } from "./subtitles.ts";
import { TitleGate } from "./title-gate.ts";
import { UploadIntake } from "./upload-intake.ts";
import { warmUpSoon } from "./warm-up.ts";
import { Watching } from "./watching.ts";

const REANNOUNCE_PAGE = 200;
/** How often bytes that could not be removed are removed again. */
const SWEEP_MS = 3_600_000;
/** Progress of a scan is told this often at most, in milliseconds. */
const PROGRESS_EVERY_MS = 500;

export interface StreamingDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  readonly sources: SourceRepository;
  readonly store: MediaStore;
  /** Where indexes are kept. */
  readonly indexFolder: string;
  readonly folders: readonly ConfiguredFolder[];
  readonly library: LibrarySettings & { readonly mayAdd: boolean };
  readonly libraryStore: LibraryStore;
  /** Kinora's own folders, which are never part of a library. */
  readonly excluded: readonly string[];
  /** Where the RTSP server listens, with the real port. */
  readonly rtsp: () => RtspAddress | null;
  /** `host:port` at which players reach it from elsewhere; null where there is none. */
  readonly rtspAdvertised: () => string | null;
  /** Base URL at which players reach this instance without main; null or absent where they do not. */
  readonly direct?: string | null;
  readonly streams: StreamSettings;
  readonly meter: StorageMeter;
  readonly log: Logger;
}

/** The streaming service, and what the RTSP server plays. */
export interface StreamingService extends Service {
  readonly titles: RtspTitles;
}

/** Starts the streaming service: media bytes, packaging, library folders. The first scan runs behind the start. */
export async function startStreaming(dependencies: StreamingDependencies): Promise<StreamingService> {
  const { connection, sources, store, log } = dependencies;
  await sources.claimUnplaced();
  const gate = new TitleGate(proxyOf(connection, catalogContract), () => connection.hears());
  const playback = new Playback(gate, sources, store, (source) => library.lookAgain(source));
  const movies = new MovieCache(dependencies.indexFolder);
  const { instance } = connection.identity;
  const announce = async (source: Source) => {
    const { folder } = source;
    playback.drop(null);
    if (folder !== null && library.isForgetting(folder)) return;
    const isInLibrary = folder === null || library.has(folder);
    await publish(connection, MediaAnnouncements, announcementOf(source, instance, isInLibrary));
  };
  const intake = new UploadIntake({ sources, store, movies, announce });
  const catalog = proxyOf(connection, catalogContract);
  const { announceAll, announced } = announceInTurns(announce, catalog);
  const { excluded, libraryStore } = dependencies;
  const library = new Library({
    folders: await LibraryFolders.load({
      configured: dependencies.folders,
      store: libraryStore,
      excluded,
      mayAdd: dependencies.library.mayAdd,
    }),
    settings: dependencies.library,
    ...{ excluded, sources, movies, log, store: libraryStore },
    announce: announceAll,
    announced,
    forgetTitles: (sourceIds) => catalog.forgetSources({ sourceIds }),
    ...scanProgress(connection),
  });
  const originals = new RtpOriginals(playback, movies);
  const urls = new PlayUrls(dependencies.rtsp);
  const { authenticator, live } = dependencies.streams;
  const streaming = proxyOf(connection, streamingContract);
  const peers = new Peers({ main: proxyOf(connection, mainContract), ...connection.identity });
  const elsewhere = new Elsewhere({ catalog, peers, streaming });
  const libraries = new AllLibraries({ own: library, peers, streaming, instance });
  const titles = new PlayableTitles({ originals, gate, authenticator, live, elsewhere });
  const streams = await startStreams({ ...dependencies.streams, connection, gate, originals, urls, log });

  const watching = new Watching();
  const auth = proxyOf(connection, authContract);
  const allWatching = new AllWatching({ own: watching, peers, streaming, auth, instance });
  let reannouncing: Promise<{ sources: number }> | null = null;
  const reannounce = () => {
    // Whoever asks meanwhile waits for the same.
    reannouncing ??= detached(() => announceEverything(sources, announceAll)).finally(() => {
      reannouncing = null;
    });
    return reannouncing;
  };
  const announceThese = async (ids: readonly string[]) => {
    const found = await Promise.all(ids.map((id) => sources.find(id)));
    const own = found.filter((source) => source !== null);
    await announceAll(own);
    return { sources: own.length };
  };
  await subscribe(connection, MediaReleased, async ({ sourceIds }) => {
    await intake.release(sourceIds);
    playback.drop(null);
  });
  const onUserDeleted = async (status: z.output<(typeof AuthenticationStatus)["payload"]>) => {
    if (status.type === "user-deleted" && status.heir) await sources.giveAll(status.userId, status.heir.id);
  };
  await subscribeDurably(connection, AuthenticationStatus, onUserDeleted, (error) =>
    log.error({ err: error }, "an event that is none"),
  );
  await subscribe(connection, CollectionChanges, ({ collectionId }) => gate.dropCollection(collectionId));
  await subscribe(connection, TitleChanges, async ({ titleId }) => {
    gate.drop(titleId);
    playback.drop(titleId);
    streams.titleChanged(titleId);
    await titles.titleChanged(titleId);
  });
  connection.onInterruption(() => {
    gate.drop(null);
    playback.drop(null);
  });
  await serveContract(connection, streamingContract, {
    adopt: async (upload) => announcementOf(await intake.adopt(upload), instance),
    identify: async ({ sourceId, mediaId }) => {
      await intake.identify(sourceId, mediaId);
      return {};
    },
    reannounce: ({ sourceIds }) => (sourceIds ? announceThese(sourceIds) : reannounce()),
    isAvailable: async ({ mediaId, titleId = "" }) => (await sources.findPlayable(titleId, mediaId)) !== null,
    reportLibrary: async () => libraries.ownReport(),
    rescanLibrary: async () => {
      library.startRescan();
      return libraries.ownReport();
    },
    addFolder: async ({ path, visibility }) => {
      await library.add(path, visibility);
      return {};
    },
    removeFolder: async ({ id, titles }) => {
      await library.remove(id, titles);
      return {};
    },
    listKept: () => libraries.ownKept(),
    forgetRemoved: ({ id }) => library.forgetRemoved(id),
    listWatching: async () => ({ items: await allWatching.ownList() }),
    ...streams.operations,
  });
  const presence = await announcePresence(connection, dependencies.addresses, () => {
    const rtsp = dependencies.rtspAdvertised();
    const direct = dependencies.direct ?? null;
    return { store: store.place, ...(rtsp === null ? {} : { rtsp }), ...(direct === null ? {} : { direct }) };
  });
  await library.start();
  const stopWarming = warmUpSoon();
  const sweep = () =>
    void intake.sweep().catch((error: unknown) => logFailure(log, error, "leftovers not removed", {}, "warn"));
  const sweeping = setInterval(sweep, SWEEP_MS);
  sweep();
  const routes = createStreamingRoutes({
    playback,
    movies,
    subtitles: new Subtitles(movies, new Sidecars()),
    faststart: new FaststartPlans(),
    library: libraries,
    storage: new Storage({
      instance,
      sources,
      movies,
      meter: dependencies.meter,
      auth,
    }),
    links: new Links({ gate, auth, urls, longestMs: dependencies.streams.grantLifetimeMs }),
    ...{ watching, allWatching },
  });
  routes.route("/", streams.routes);
  return {
    ...{ routes, titles },
    ready: async () => undefined,
    leave: () => presence.close(),
    async close() {
      clearInterval(sweeping);
      stopWarming();
      await streams.close();
      await library.close();
      await movies.close();
      await presence.close();
      await connection.close();
    },
  };
}

/**
 * Announces some sources after the other, and waits now and then until the catalog has taken them: however many there
 * are, only a few wait on the bus. A catalog that is not there asks for all of them when it comes.
 */
function announceInTurns(
  announce: (source: Source) => Promise<void>,
  catalog: Pick<ServiceProxy<typeof catalogContract>, "settleAnnouncements">,
) {
  let turn: Promise<unknown> = Promise.resolve();
  const run = async (sources: readonly Source[]) => {
    const turn = turns();
    for (const source of sources) {
      await turn();
      await announce(source);
    }
    await catalog.settleAnnouncements({}).catch(() => undefined);
  };
  const announceAll = (sources: readonly Source[]): Promise<void> => {
    if (sources.length === 0) return Promise.resolve();
    const next = turn.then(() => run(sources));
    turn = next.catch(() => undefined);
    return next;
  };
  return { announceAll, announced: () => turn };
}

async function announceEverything(
  sources: SourceRepository,
  announce: (sources: readonly Source[]) => Promise<void>,
): Promise<{ sources: number }> {
  let count = 0;
  for (let after: string | null = null; ; ) {
    const page: Source[] = await sources.list(after, REANNOUNCE_PAGE);
    await announce(page);
    count += page.length;
    const last = page.at(-1);
    if (!last) return { sources: count };
    after = last.id;
  }
}

/** Tells of scans and hashing, a few times a second. */
function scanProgress(connection: BusConnection): Pick<LibraryDependencies, "progress" | "hashProgress"> {
  const toldAt = new Map<string, number>();
  const tell = async (
    event: Pick<ProgressEvent, "kind" | "id" | "label" | "state" | "done" | "total"> &
      Partial<Pick<ProgressEvent, "adminsOnly">>,
  ) => {
    const last = toldAt.get(event.id) ?? Number.NEGATIVE_INFINITY;
    if (event.state === "running" && performance.now() - last < PROGRESS_EVERY_MS) return;
    toldAt.set(event.id, performance.now());
    await publish(connection, Progress, { userId: null, ...event });
  };
  return {
    progress: ({ folder, done, total, state }) =>
      tell({
        ...{ kind: "scan", id: folder.id, label: basename(folder.path), state, done, total },
        adminsOnly: folder.visibility === "private",
      }),
    hashProgress: (done, total, state) => tell({ kind: "job", id: "hash", label: "SHA-256", state, done, total }),
  };
}
