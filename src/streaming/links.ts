import type { authContract, GrantRecord, Principal } from "../auth/contract.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import { NotFoundError } from "../errors.ts";
import type { PlayUrls } from "./play-urls.ts";
import type { TitleGate } from "./title-gate.ts";

export interface LinksDependencies {
  readonly gate: TitleGate;
  readonly auth: Pick<ServiceProxy<typeof authContract>, "issueGrant" | "listGrants" | "revokeGrants">;
  readonly urls: PlayUrls;
}

/** A link as the one who made it gets it, once: the grant is kept nowhere. */
export interface NewLink {
  readonly id: string;
  readonly url: string;
  readonly hlsUrl: string;
  readonly dashUrl: string;
  /** Null where no RTSP server runs. */
  readonly rtspUrl: string | null;
  readonly expiresAt: string;
}

/** A link with the name of its title; null when that is gone or not for the caller to see any more. */
export type ListedLink = GrantRecord & { readonly titleName: string | null };

/** Playback links: grants that people make for titles they may see, to play them wherever they like. */
export class Links {
  readonly #dependencies: LinksDependencies;

  constructor(dependencies: LinksDependencies) {
    this.#dependencies = dependencies;
  }

  /** A new link; `origin` is where its user reaches Kinora. `wrong-media-id` for a title they may not see. */
  async make(
    who: Principal,
    { titleId, lifetimeMs, origin }: { titleId: string; lifetimeMs: number | undefined; origin: string },
  ): Promise<NewLink> {
    const { auth, gate, urls } = this.#dependencies;
    await gate.admit(titleId, who);
    const { id, grant, expiresAt } = await auth.issueGrant({ userId: who.userId, titleId, kind: "link", lifetimeMs });
    const { file, hls, dash, rtsp } = urls.of(titleId, grant, origin);
    return { id, url: file, hlsUrl: hls, dashUrl: dash, rtspUrl: rtsp, expiresAt };
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
      titleName: (await gate.find(link.titleId, who))?.name ?? null,
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
