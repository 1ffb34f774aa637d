import type { BusConnection } from "../bus/bus.ts";
import { publish } from "../bus/topics.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import type { AuthStore, Deletion } from "./auth-store.ts";
import {
  AuthenticationStatus,
  GRANT_LIFETIME_LIMIT_MS,
  type Revocation,
  TOKEN_CLOCK_SKEW_SECONDS,
} from "./contract.ts";
import type { RevocationBoard } from "./revocation-board.ts";

/**
 * How long whoever ends something waits for the broker to have it: a restart is over by then. What is kept already is still
 * announced when the broker is back soon after, and read by all when it is back later.
 */
const ANNOUNCED_WITHIN_MS = 3_000;

/** What could not be written is tried again after this. */
const RETRY_MS = 2_000;

/** How long open streams may outlive the sign-in they came from: revocations are remembered longer. */
const LONGEST_STREAM_MS = 13 * 3_600_000;
/** Tokens and grants count this much longer than they say. */
const SKEW_MS = 1000 * TOKEN_CLOCK_SKEW_SECONDS;

export interface RevocationsDependencies {
  readonly store: AuthStore;
  readonly connection: BusConnection;
  readonly tokenLifetimeMs: number;
  /** Where others read of it while there is no broker; null where instances share nothing. */
  readonly board: RevocationBoard | null;
  /** Makes it count in this process before the answer is sent; the bus tells the others. */
  readonly applyHere: (revocations: readonly Revocation[]) => void;
}

async function soon(work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const error = () => new TemporaryUnavailableError("It is done here; the other services cannot be told right now.");
  const timer = setTimeout(() => late.reject(error()), ANNOUNCED_WITHIN_MS);
  work.catch(() => undefined);
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** Ends credentials: kept for those who start later, in force here at once, and announced to all. */
export class Revocations {
  readonly #dependencies: RevocationsDependencies;
  #lastAtMs = 0;
  /** What ends a credential where it is kept and could not be done yet, by `kind:id`. */
  readonly #undone = new Map<string, () => Promise<unknown>>();
  #retry: Timer | null = null;

  constructor(dependencies: RevocationsDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * A revocation as of now. No two have the same time, so that hearing of one twice can be told from two.
   * `expiresAtMs`: when what it names expires by itself, where that is known.
   */
  of(kind: Revocation["kind"], id: string, expiresAtMs?: number): Revocation {
    const now = Math.max(Date.now(), this.#lastAtMs + 1);
    this.#lastAtMs = now;
    const tokens = 2 * this.#dependencies.tokenLifetimeMs + SKEW_MS;
    // What a user's grants were allowed when they were made may be more than the configuration allows now.
    const longest = kind === "user" || kind === "grant" ? GRANT_LIFETIME_LIMIT_MS + SKEW_MS : LONGEST_STREAM_MS;
    const until = expiresAtMs === undefined ? now + Math.max(longest, tokens) : expiresAtMs + SKEW_MS;
    return { kind, id, at: new Date(now).toISOString(), until: new Date(until).toISOString() };
  }

  /** For a store that makes and keeps the revocation in a transaction: `made` gives it afterwards. */
  inTransaction(kind: Revocation["kind"], id: string) {
    const made: Revocation[] = [];
    const revoke = () => {
      const revocation = this.of(kind, id);
      made.push(revocation);
      return revocation;
    };
    return { revoke, made: (): readonly Revocation[] => made };
  }

  /**
   * Ends a credential in this process at once, and by `write` where it is kept. When that fails, as on a full disk,
   * the caller is told, the credential is over all the same, and `write` is tried again until it works.
   */
  enforce<Result>(kind: Revocation["kind"], id: string, write: () => Promise<Result>): Promise<Result> {
    return this.enforceAll([this.of(kind, id)], write);
  }

  /** The same for several at once. */
  async enforceAll<Result>(revocations: readonly Revocation[], write: () => Promise<Result>): Promise<Result> {
    this.#dependencies.applyHere(revocations);
    try {
      return await write();
    } catch (error) {
      this.#undone.set(revocations.map(({ kind, id }) => `${kind}:${id}`).join(), write);
      this.#retrySoon();
      await this.announce(revocations).catch(() => undefined);
      throw error;
    }
  }

  /** Tries no more. */
  close(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#undone.clear();
  }

  #retrySoon(): void {
    if (this.#retry || this.#undone.size === 0) return;
    this.#retry = setTimeout(() => void this.#tryAgain(), RETRY_MS);
    this.#retry.unref();
  }

  async #tryAgain(): Promise<void> {
    for (const [key, write] of this.#undone) {
      const done = await write().then(
        () => true,
        () => false,
      );
      if (done) this.#undone.delete(key);
    }
    this.#retry = null;
    this.#retrySoon();
  }

  /** Ends a session or API key, which is gone already, and the tokens made with it. */
  async end(kind: "session" | "api-key", id: string): Promise<void> {
    const tokens = await this.#dependencies.store.endTokensOf(id);
    await this.keep([this.of(kind, id), ...tokens.map((token) => this.of("token", token))]);
  }

  /** Keeps revocations and announces them. */
  async keep(revocations: readonly Revocation[]): Promise<void> {
    await this.#dependencies.store.addRevocations(revocations);
    await this.announce(revocations);
  }

  /** Announces revocations that are kept already. Resolves when they are in force here and the bus has them. */
  async announce(revocations: readonly Revocation[]): Promise<void> {
    const { applyHere, board, connection } = this.#dependencies;
    applyHere(revocations);
    // Together: either may be away. The bus has the word on whether all were told.
    const put = board?.put(revocations).catch(() => undefined);
    try {
      await soon(publish(connection, AuthenticationStatus, { type: "revoked", revocations: [...revocations] }));
    } finally {
      await put;
    }
  }

  async announceDeleted({ userId, heir }: Deletion): Promise<void> {
    await publish(this.#dependencies.connection, AuthenticationStatus, {
      type: "user-deleted",
      userId,
      ...(heir ? { heir: { id: heir.id, username: heir.username } } : {}),
    });
  }

  /**
   * Announces the deletions of the last day once more. The process may have ended between deleting and telling, or, where
   * all runs in one, before the others had done their part; those who have do nothing.
   */
  async announceDeletions(): Promise<void> {
    for (const deletion of await this.#dependencies.store.listDeletions()) await this.announceDeleted(deletion);
  }
}
