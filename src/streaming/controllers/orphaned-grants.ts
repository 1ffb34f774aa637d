import type { Logger } from "pino";
import type { authContract } from "../../auth/contract.ts";
import type { ServiceProxy } from "../../bus/proxy.ts";

/** The first time waits until the other instances have been heard of. */
const FIRST_MS = 5_000;
const EVERY_MS = 30_000;
/** A younger grant's controller may be on its way. */
const YOUNGEST_MS = 10_000;
const PAGE = 200;

export interface OrphanedGrantsOptions {
  readonly auth: Pick<ServiceProxy<typeof authContract>, "listGrants" | "revokeGrants">;
  /** Ids of the streams that any instance holds; rejects when one of them does not answer. */
  readonly held: () => Promise<ReadonlySet<string>>;
  readonly log: Logger;
  readonly firstMs?: number;
  readonly everyMs?: number;
  readonly youngestMs?: number;
}

/**
 * Revokes the stream grants that no controller holds (any more): their instance crashed, or auth was away when the
 * stream ended. A controller's grant is signed for hours so that its URL never changes; this ends its right all the
 * same within half a minute after its controller.
 */
export class OrphanedGrants {
  readonly #options: OrphanedGrantsOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(options: OrphanedGrantsOptions) {
    this.#options = options;
    this.#in(options.firstMs ?? FIRST_MS);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #in(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#run(), ms);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    try {
      await this.#revoke();
    } catch (error) {
      // Auth, main or another instance is away: nothing is revoked on doubt, and next time is soon.
      this.#options.log.debug({ err: error }, "orphaned grants could not be looked for");
    }
    this.#in(this.#options.everyMs ?? EVERY_MS);
  }

  async #revoke(): Promise<void> {
    const { auth, held, log, youngestMs = YOUNGEST_MS } = this.#options;
    // First the grants, then who holds them: what begins in between is not taken for an orphan.
    const old = await this.#olderThan(Date.now() - youngestMs);
    if (old.length === 0) return;
    const known = await held();
    const orphans = old.filter((id) => !known.has(id));
    for (let at = 0; at < orphans.length; at += PAGE) {
      await auth.revokeGrants({ ids: orphans.slice(at, at + PAGE), userId: null, kind: "stream" });
    }
    if (orphans.length > 0) log.info({ grants: orphans.length }, "grants without a controller were revoked");
  }

  async #olderThan(timeMs: number): Promise<string[]> {
    const ids: string[] = [];
    for (let before: string | undefined; ; ) {
      const which = { userId: null, kind: "stream", limit: PAGE, ...(before ? { before } : {}) } as const;
      const { items, more } = await this.#options.auth.listGrants(which);
      ids.push(...items.filter(({ createdAt }) => Date.parse(createdAt) <= timeMs).map(({ id }) => id));
      before = items.at(-1)?.id;
      if (!more || !before) return ids;
    }
  }
}
