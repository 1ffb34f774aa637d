import type { z } from "zod";
import { AuthenticationStatus, authContract } from "../auth/contract.ts";
import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { proxyOf, serveContract } from "../bus/proxy.ts";
import { publish, subscribe, subscribeDurably } from "../bus/topics.ts";
import { ServiceAvailability } from "../main/contract.ts";
import type { Service } from "../service.ts";
import { MediaAnnouncements, streamingContract } from "../streaming/contract.ts";
import { Announcements } from "./announcements.ts";
import { catalogContract, MediaReleased, TitleChanges } from "./contract.ts";
import { Purge } from "./purge.ts";
import { Refill } from "./refill.ts";
import { catalogRoutes } from "./routes.ts";
import type { TitleRepository } from "./title-repository.ts";
import { Titles } from "./titles.ts";

/** How long a deleted title can be restored (design section 8). */
const RESTORE_WINDOW_MS = 60_000;

export interface CatalogDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  readonly repository: TitleRepository;
  /** Called with what work in the background threw; it is tried again. */
  readonly onFailure: (error: unknown) => void;
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
  const publishChange = (titleId: string, type: "changed" | "deleted") =>
    publish(connection, TitleChanges, { titleId, type });
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
  const titles = new Titles({ repository, publishChange, now, restoreWindowMs, onDeleted: () => purge.plan() });

  const refill = await follow(connection, announcements);
  await forgetDeletedUsers(connection, repository, purge, onFailure);
  await serve(connection, titles);
  const presence = await announcePresence(connection, addresses);
  refill.start();
  purge.plan();
  let closing: Promise<void> | null = null;
  const close = async () => {
    await purge.close();
    await presence.close();
    await connection.close();
  };
  return {
    routes: catalogRoutes(titles),
    ready: async () => void (await repository.firstDeletion()),
    close: () => (closing ??= close()),
  };
}

/** Follows what streaming instances announce, and has each announce everything once. */
async function follow(connection: BusConnection, announcements: Announcements): Promise<Refill> {
  const streaming = proxyOf(connection, streamingContract);
  const refill = new Refill({
    now: Date.now,
    reannounce: (instance) => streaming.reannounce({}, instance === undefined ? {} : { instance }),
  });
  await subscribe(connection, MediaAnnouncements, async (announced) => {
    try {
      await announcements.handle(announced);
    } catch (error) {
      refill.onIncomplete(announced.provider);
      throw error;
    }
  });
  await subscribe(connection, ServiceAvailability, (event) => {
    if (event.service !== "streaming") return;
    if (event.type === "available") refill.onAvailable(event.instance);
    else refill.onGoodbye(event.instance);
  });
  connection.onInterruption(() => refill.onInterruption());
  return refill;
}

function serve(connection: BusConnection, titles: Titles) {
  return serveContract(connection, catalogContract, {
    createTitle: (upload) => titles.createUpload(upload),
    completeTitle: (upload) => titles.completeUpload(upload),
    discardTitle: async ({ id }) => {
      await titles.discardUpload(id);
      return {};
    },
    getAccess: ({ id }) => titles.access(id),
    getPlaces: async ({ id }) => ({ providers: await titles.places(id) }),
    getTitle: ({ id, who }) => titles.get(id, who),
    findTitles: ({ query, who }) => titles.find(query, who),
  });
}

/** Purges what a deleted user had: nobody is left who could restore it. */
function forgetDeletedUsers(
  connection: BusConnection,
  repository: TitleRepository,
  purge: Purge,
  onFailure: (error: unknown) => void,
) {
  const handle = async (status: z.infer<(typeof AuthenticationStatus)["payload"]>) => {
    if (status.type !== "user-deleted") return;
    await repository.forgetProgressOf(status.userId);
    for (const titleId of await repository.listOwned(status.userId)) {
      if (await purge.purge(titleId)) await publish(connection, TitleChanges, { titleId, type: "deleted" });
    }
  };
  return subscribeDurably(connection, AuthenticationStatus, handle, onFailure);
}
