import { once } from "node:events";
import type { z } from "zod";
import { AuthenticationStatus, authContract } from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { announcePresence, hearPresence } from "../bus/presence.ts";
import { proxyOf, serveContract } from "../bus/proxy.ts";
import { publish, subscribe, subscribeDurably } from "../bus/topics.ts";
import type { Service } from "../service.ts";
import { type Announcement, MediaAnnouncements, streamingContract } from "../streaming/contract.ts";
import { AnnouncementQueue } from "./announcement-queue.ts";
import { Announcements } from "./announcements.ts";
import { Buried } from "./buried.ts";
import type { CollectionRepository } from "./collection-repository.ts";
import { Collections } from "./collections.ts";
import { CollectionChanges, catalogContract, MediaReleased, TitleChanges } from "./contract.ts";
import { Folders } from "./folders.ts";
import { Purge } from "./purge.ts";
import { Refill } from "./refill.ts";
import { catalogRoutes } from "./routes.ts";
import { Shared } from "./shared.ts";
import { CachedTitles, noTitleCache, type TitleCache } from "./title-cache.ts";
import type { IndexingProgress, TitleRepository } from "./title-repository.ts";
import { Titles } from "./titles.ts";
import { Viewing } from "./viewing.ts";

/** How long a deleted title can be restored (design section 8). */
const RESTORE_WINDOW_MS = 60_000;
/** After indexing anew failed it is tried again. */
const INDEX_AGAIN_MS = 5_000;

export interface CatalogDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  readonly repository: TitleRepository;
  readonly collections: CollectionRepository;
  /** Titles that instances share beside the database; none when absent. */
  readonly cache?: TitleCache | undefined;
  /** Called with what work in the background threw; it is tried again. */
  readonly onFailure: (error: unknown) => void;
  /** Told how far indexing anew has come, where an upgrade made that necessary. */
  readonly onIndexing?: ((progress: IndexingProgress) => void) | undefined;
  /** Milliseconds since 1970; the system's clock when absent. */
  readonly now?: () => number;
  /** Default 60 s. */
  readonly restoreWindowMs?: number;
}

/** Starts the catalog service. */
export async function startCatalog(dependencies: CatalogDependencies): Promise<Service> {
  const { connection, addresses, repository, onFailure } = dependencies;
  const now = dependencies.now ?? Date.now;
  const restoreWindowMs = dependencies.restoreWindowMs ?? RESTORE_WINDOW_MS;
  const cached = new CachedTitles(repository, dependencies.cache ?? noTitleCache);
  const publishChange = async (titleId: string, type: "changed" | "deleted") => {
    await cached.titleChanged(titleId);
    await publish(connection, TitleChanges, { titleId, type });
  };
  // What another instance could not tell the cache itself, as when it was cut off from it.
  await subscribe(connection, TitleChanges, ({ titleId }) => cached.titleChanged(titleId));
  const announcements = new Announcements({
    repository,
    publishChange,
    publishReleased: (sourceIds, mediaId) => publish(connection, MediaReleased, { sourceIds, mediaId }),
    getUsers: (ids) => proxyOf(connection, authContract).getUsers({ ids }),
  });
  const purge = new Purge({
    repository,
    release: (sourceIds, mediaId) => announcements.release(sourceIds, mediaId),
    now,
    restoreWindowMs,
    onFailure,
  });
  const titles = new Titles({ repository, cached, publishChange, now, restoreWindowMs, onDeleted: () => purge.plan() });
  const collections = new Collections({
    repository: dependencies.collections,
    titles: repository,
    publishChange: (collectionId, type) => publish(connection, CollectionChanges, { collectionId, type }),
    now,
  });

  await repository.readyIndex();
  const indexing = indexInBackground(repository, dependencies);
  const folders = new Folders(repository);
  const { refill, queue, reannounce } = await follow({ connection, announcements, folders, onFailure });
  await forgetDeletedUsers({ connection, repository, titles, collections, purge, onFailure });
  await serve(connection, { titles, collections, announcements, queue });
  const presence = await announcePresence(connection, addresses);
  refill.start();
  purge.plan();
  let closing: Promise<void> | null = null;
  const close = async () => {
    await indexing.close();
    await queue.settled();
    await purge.close();
    await presence.close();
    await connection.close();
  };
  return {
    routes: catalogRoutes({
      ...{
        titles,
        collections,
        folders,
        buried: new Buried({ repository, reannounce }),
        viewing: new Viewing({ repository, cached, now }),
      },
      shared: new Shared({ titles: repository, collections }),
    }),
    ready: async () => void (await repository.firstDeletion()),
    leave: () => presence.close(),
    close: () => (closing ??= close()),
  };
}

/** Indexes what an older version has left, while the service runs: what has not been indexed yet is found by its id only. */
function indexInBackground(
  repository: TitleRepository,
  { onFailure, onIndexing }: Pick<CatalogDependencies, "onFailure" | "onIndexing">,
) {
  const stop = new AbortController();
  const work = async () => {
    while (!stop.signal.aborted) {
      try {
        return await repository.indexAnew((progress) => onIndexing?.(progress), stop.signal);
      } catch (error) {
        onFailure(error);
        await Promise.race([Bun.sleep(INDEX_AGAIN_MS), once(stop.signal, "abort")]);
      }
    }
  };
  const done = work();
  return {
    close: () => {
      stop.abort();
      return done;
    },
  };
}

interface Following {
  readonly connection: BusConnection;
  readonly announcements: Announcements;
  readonly folders: Folders;
  readonly onFailure: (error: unknown) => void;
}

/** Follows what streaming instances announce, and has each announce everything once. */
async function follow({ connection, announcements, folders, onFailure }: Following) {
  const streaming = proxyOf(connection, streamingContract);
  const refill = new Refill({
    now: Date.now,
    reannounce: (instance) => streaming.reannounce({}, instance === undefined ? {} : { instance }),
  });
  const attempt = async (announced: readonly Announcement[], work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      for (const { provider } of announced) refill.onIncomplete(provider);
      onFailure(error);
    }
  };
  const queue = new AnnouncementQueue({
    take: (batch) =>
      attempt(batch, async () => {
        // Of several about one source the last one counts.
        const last = [...new Map(batch.map((announced) => [announced.sourceId, announced])).values()];
        const fresh = await announcements.select(last);
        await folders.keep(fresh);
        await announcements.handleAll(fresh, (announced, error) => {
          refill.onIncomplete(announced.provider);
          onFailure(error);
        });
      }),
  });
  await subscribe(connection, MediaAnnouncements, (announced) => queue.push(announced));
  await hearPresence(connection, (event) => {
    if (event.service !== "streaming") return;
    if (event.type === "available") refill.onAvailable(event.instance);
    else refill.onGoodbye(event.instance);
  });
  connection.onInterruption(() => refill.onInterruption());
  /** Whoever does not answer announces all it has once it is heard of again. */
  const reannounce = async (sourceIds: readonly string[]) => {
    const ask = (instance: string) =>
      streaming.reannounce({ sourceIds: [...sourceIds] }, { instance }).catch(() => refill.onIncomplete(instance));
    await Promise.all(refill.instances.map(ask));
  };
  return { refill, queue, reannounce };
}

interface Served {
  readonly titles: Titles;
  readonly collections: Collections;
  readonly announcements: Announcements;
  readonly queue: AnnouncementQueue;
}

function serve(connection: BusConnection, { titles, collections, announcements, queue }: Served) {
  return serveContract(connection, catalogContract, {
    createTitle: (upload) => titles.createUpload(upload),
    completeTitle: (upload) => titles.completeUpload(upload),
    discardTitle: async ({ id }) => {
      await titles.discardUpload(id);
      return {};
    },
    getAccess: ({ id }) => titles.access(id),
    getPlaces: async ({ id }) => ({ providers: await titles.places(id) }),
    getCollectionAccess: ({ id }) => collections.access(id),
    getTitle: ({ id, who }) => titles.get(id, who),
    forgetSources: async ({ sourceIds }) => {
      // What was announced of them before must not come after.
      await queue.settled();
      await announcements.forget(sourceIds);
      return {};
    },
    settleAnnouncements: async () => {
      await queue.settled();
      return {};
    },
    findTitles: ({ query, who }) => titles.find(query, who),
  });
}

interface Forgetting {
  readonly connection: BusConnection;
  readonly repository: TitleRepository;
  readonly titles: Titles;
  readonly collections: Collections;
  readonly purge: Purge;
  readonly onFailure: (error: unknown) => void;
}

/** Gives what a deleted user had to their heir, and purges the rest: nobody is left who could restore it. */
function forgetDeletedUsers({ connection, repository, titles, collections, purge, onFailure }: Forgetting) {
  const handle = async (status: z.infer<(typeof AuthenticationStatus)["payload"]>) => {
    if (status.type !== "user-deleted") return;
    const { userId, heir } = status;
    await repository.forgetStatesOf(userId);
    if (heir) await collections.giveOf(userId, heir);
    else await collections.forgetOf(userId);
    for (const titleId of await repository.listOwned(userId)) {
      if (heir && (await titles.give(titleId, userId, heir))) continue;
      if (await purge.purge(titleId)) await publish(connection, TitleChanges, { titleId, type: "deleted" });
    }
  };
  return subscribeDurably(connection, AuthenticationStatus, handle, onFailure);
}
