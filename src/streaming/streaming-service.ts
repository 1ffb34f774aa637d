import type { Logger } from "pino";
import { authContract } from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { proxyOf, serveContract } from "../bus/proxy.ts";
import { publish, subscribe } from "../bus/topics.ts";
import { catalogContract, MediaReleased, TitleChanges } from "../catalog/contract.ts";
import { Progress } from "../main/contract.ts";
import type { RtspTitles } from "../rtsp/titles.ts";
import type { Service } from "../service.ts";
import { MediaAnnouncements, streamingContract } from "./contract.ts";
import { type StreamSettings, startStreams } from "./controllers/start-streams.ts";
import { FaststartPlans } from "./faststart-plans.ts";
import { Library, type LibraryFolder } from "./library.ts";
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
import { Subtitles } from "./subtitles.ts";
import { TitleGate } from "./title-gate.ts";
import { UploadIntake } from "./upload-intake.ts";

const REANNOUNCE_PAGE = 500;
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
  readonly folders: readonly LibraryFolder[];
  /** Kinora's own folders, which are never part of a library. */
  readonly excluded: readonly string[];
  /** Where the RTSP server listens, with the real port. */
  readonly rtsp: () => RtspAddress | null;
  readonly streams: StreamSettings;
  readonly log: Logger;
}

/** The streaming service, and what the RTSP server plays. */
export interface StreamingService extends Service {
  readonly titles: RtspTitles;
}

/** Starts the streaming service: media bytes, packaging, library folders. The first scan runs behind the start. */
export async function startStreaming(dependencies: StreamingDependencies): Promise<StreamingService> {
  const { connection, sources, store, log } = dependencies;
  const gate = new TitleGate(proxyOf(connection, catalogContract));
  const playback = new Playback(gate, sources, store, () => library.startRescanSoon());
  const movies = new MovieCache(dependencies.indexFolder);
  const { instance } = connection.identity;
  const announce = async (source: Source) => {
    playback.drop(null);
    await publish(connection, MediaAnnouncements, announcementOf(source, instance));
  };
  const intake = new UploadIntake({ sources, store, movies, announce });
  const progress = scanProgress(connection);
  const library = new Library({
    folders: dependencies.folders,
    excluded: dependencies.excluded,
    sources,
    movies,
    log,
    announce,
    progress,
  });
  const originals = new RtpOriginals(playback, movies);
  const urls = new PlayUrls(dependencies.rtsp);
  const { authenticator, live } = dependencies.streams;
  const titles = new PlayableTitles({ originals, gate, authenticator, live });
  const streams = await startStreams({ ...dependencies.streams, connection, gate, originals, urls, log });

  await subscribe(connection, MediaReleased, async ({ sourceIds }) => {
    await intake.release(sourceIds);
    playback.drop(null);
  });
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
    reannounce: async () => ({ sources: await announceAll(sources, announce) }),
    isAvailable: async ({ mediaId }) => (await sources.findPlayable("", mediaId)) !== null,
    ...streams.operations,
  });
  const presence = await announcePresence(connection, dependencies.addresses);
  library.startRescan();
  const routes = createStreamingRoutes({
    playback,
    movies,
    subtitles: new Subtitles(movies, new Sidecars()),
    faststart: new FaststartPlans(),
    library,
    links: new Links({ gate, auth: proxyOf(connection, authContract), urls }),
  });
  routes.route("/", streams.routes);
  return {
    ...{ routes, titles },
    ready: async () => undefined,
    async close() {
      await streams.close();
      await library.close();
      await presence.close();
      await connection.close();
    },
  };
}

async function announceAll(sources: SourceRepository, announce: (source: Source) => Promise<void>): Promise<number> {
  let count = 0;
  for (let after: string | null = null; ; ) {
    const page: Source[] = await sources.list(after, REANNOUNCE_PAGE);
    for (const source of page) await announce(source);
    count += page.length;
    const last = page.at(-1);
    if (!last) return count;
    after = last.id;
  }
}

function scanProgress(connection: BusConnection) {
  let toldAt = 0;
  return async (folder: string, done: number, state: "running" | "done" | "failed") => {
    if (state === "running" && performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    const label = folder.slice(folder.lastIndexOf("/") + 1);
    await publish(connection, Progress, {
      kind: "scan",
      id: label,
      userId: null,
      state,
      label,
      done,
      total: null,
    });
  };
}
