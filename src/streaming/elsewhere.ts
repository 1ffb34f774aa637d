import type { Peers } from "../bus/peers.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import type { catalogContract, TitleAccess } from "../catalog/contract.ts";
import type { streamingContract } from "./contract.ts";

/** How long an instance may take to say whether it has a title, in milliseconds. */
const ASK_MS = 1_000;

export interface ElsewhereDependencies {
  readonly catalog: Pick<ServiceProxy<typeof catalogContract>, "getPlaces">;
  readonly peers: Pick<Peers, "others">;
  readonly streaming: Pick<ServiceProxy<typeof streamingContract>, "isAvailable">;
}

/** Finds another live instance for a title that this one does not have. */
export class Elsewhere {
  readonly #dependencies: ElsewhereDependencies;

  constructor(dependencies: ElsewhereDependencies) {
    this.#dependencies = dependencies;
  }

  /** `host:port` of the RTSP server of an instance that says that it has the title; null when none does. Never throws. */
  async rtspOf({ id, mediaId }: Pick<TitleAccess, "id" | "mediaId">): Promise<string | null> {
    const { catalog, peers, streaming } = this.#dependencies;
    try {
      const [{ providers }, others] = await Promise.all([
        catalog.getPlaces({ id }, { timeoutMs: ASK_MS }).catch(() => ({ providers: [] as string[] })),
        peers.others(),
      ]);
      const likely = others.filter(({ instance }) => providers.includes(instance));
      for (const { instance, rtsp } of [...likely, ...others.filter((other) => !likely.includes(other))]) {
        if (rtsp === undefined) continue;
        const has = streaming.isAvailable({ mediaId, titleId: id }, { instance, timeoutMs: ASK_MS });
        if (await has.catch(() => false)) return rtsp;
      }
    } catch {
      // Nobody to ask: then it is nowhere, for now.
    }
    return null;
  }
}
