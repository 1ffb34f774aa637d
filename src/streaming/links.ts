import type { authContract, GrantRecord, Principal } from "../auth/contract.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import { mayPassOn } from "../catalog/contract.ts";
import { NotFoundError } from "../errors.ts";
import { PrivateToOwnerError } from "./errors.ts";
import type { PlayUrls } from "./play-urls.ts";
import type { TitleGate } from "./title-gate.ts";

export interface LinksDependencies {
  readonly gate: TitleGate;
  readonly auth: Pick<ServiceProxy<typeof authContract>, "issueGrant" | "listGrants" | "revokeGrants">;
  readonly urls: PlayUrls;
  /** The longest that a link counts (`auth.grantLifetime`). */
  readonly longestMs: number;
}

/** A link as the one who made it gets it, once: the grant is kept nowhere. */
export interface NewLink {
  readonly id: string;
  readonly url: string;
  /** A page that shows it to whoever has the link. */
  readonly pageUrl: string;
  /** Null for a collection. */
  readonly hlsUrl: string | null;
  readonly dashUrl: string | null;
  /** Null where no RTSP server runs, and for a collection. */
  readonly rtspUrl: string | null;
  readonly expiresAt: string;
}

/** A link with the name of its title or collection; null when that is gone or not for the caller to see any more. */
export type ListedLink = GrantRecord & { readonly titleName: string | null; readonly collectionName: string | null };

/** What a link is asked for. `origin` is where its user reaches Kinora. */
export interface LinkRequest {
  /** Of the title or collection. */
  readonly id: string;
  readonly lifetimeMs: number | undefined;
  readonly origin: string;
}

/** Playback links: grants that people make for titles and collections they may see, to play them wherever they like. */
export class Links {
  readonly #dependencies: LinksDependencies;

  constructor(dependencies: LinksDependencies) {
    this.#dependencies = dependencies;
  }

  get longestMs(): number {
    return this.#dependencies.longestMs;
  }

  /** A new link to a title; `wrong-media-id` for one they may not see, `private-to-owner` for one they may not pass on. */
  async make(who: Principal, { id: titleId, lifetimeMs, origin }: LinkRequest): Promise<NewLink> {
    const { auth, gate, urls } = this.#dependencies;
    if (!mayPassOn(who, await gate.admit(titleId, who))) throw new PrivateToOwnerError();
    const { id, grant, expiresAt } = await auth.issueGrant({ userId: who.userId, titleId, kind: "link", lifetimeMs });
    const { file, hls, dash, rtsp, page } = urls.of(titleId, grant, origin);
    return { id, url: file, pageUrl: page, hlsUrl: hls, dashUrl: dash, rtspUrl: rtsp, expiresAt };
  }

  /** A new link to a collection, and to the titles in it that its maker may see; `not-found` for one they may not see. */
  async makeForCollection(who: Principal, { id: collectionId, lifetimeMs, origin }: LinkRequest): Promise<NewLink> {
    const { auth, gate, urls } = this.#dependencies;
    const collection = await gate.findCollection(collectionId, who);
    if (!collection) throw new NotFoundError("There is no collection with this id.");
    if (!mayPassOn(who, collection)) throw new PrivateToOwnerError();
    const asked = { userId: who.userId, collectionId, kind: "link" as const, lifetimeMs };
    const { id, grant, expiresAt } = await auth.issueGrant(asked);
    const page = urls.collectionPage(collectionId, grant, origin);
    return { id, url: page, pageUrl: page, hlsUrl: null, dashUrl: null, rtspUrl: null, expiresAt };
  }

  /** Links that count, the newest first: one's own, or everybody's for whoever may see those. */
  async list(
    who: Principal,
    { userId, limit, before }: { userId: string | null; limit: number; before?: string | undefined },
  ): Promise<{ items: ListedLink[]; more: boolean }> {
    const { auth, gate } = this.#dependencies;
    const { items, more } = await auth.listGrants({ userId, kind: "link", limit, before });
    const named = items.map(async (link) => ({
      ...link,
      titleName: link.titleId === null ? null : ((await gate.find(link.titleId, who))?.name ?? null),
      collectionName:
        link.collectionId === null ? null : ((await gate.findCollection(link.collectionId, who))?.name ?? null),
    }));
    return { items: await Promise.all(named), more };
  }

  /** Revokes a link, at once and everywhere. `not-found` unless it is one's own; admins revoke anybody's. */
  async revoke(who: Principal, id: string): Promise<void> {
    const { auth } = this.#dependencies;
    const userId = who.role === "admin" ? null : who.userId;
    const { ids } = await auth.revokeGrants({ ids: [id], userId, kind: "link" });
    if (ids.length === 0) throw new NotFoundError("You have no link with this id.");
  }
}
