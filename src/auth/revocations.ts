import type { BusConnection } from "../bus/bus.ts";
import { publish } from "../bus/topics.ts";
import type { AuthStore } from "./auth-store.ts";
import { AuthenticationStatus, type Revocation, TOKEN_CLOCK_SKEW_SECONDS } from "./contract.ts";

/** How long open streams and grants may outlive the sign-in they came from: revocations are remembered longer. */
const LONGEST_GRANT_MS = 13 * 3_600_000;

export interface RevocationsDependencies {
  readonly store: AuthStore;
  readonly connection: BusConnection;
  readonly tokenLifetimeMs: number;
  /** Makes it count in this process before the answer is sent; the bus tells the others. */
  readonly applyHere: (revocations: readonly Revocation[]) => void;
}

/** Ends credentials: kept for those who start later, in force here at once, and announced to all. */
export class Revocations {
  readonly #dependencies: RevocationsDependencies;
  #lastAtMs = 0;

  constructor(dependencies: RevocationsDependencies) {
    this.#dependencies = dependencies;
  }

  /** A revocation as of now. No two have the same time, so that hearing of one twice can be told from two. */
  of(kind: Revocation["kind"], id: string): Revocation {
    const now = Math.max(Date.now(), this.#lastAtMs + 1);
    this.#lastAtMs = now;
    const tokens = 2 * this.#dependencies.tokenLifetimeMs + 1000 * TOKEN_CLOCK_SKEW_SECONDS;
    const until = now + Math.max(LONGEST_GRANT_MS, tokens);
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
    this.#dependencies.applyHere(revocations);
    await publish(this.#dependencies.connection, AuthenticationStatus, {
      type: "revoked",
      revocations: [...revocations],
    });
  }

  async announceDeleted(userId: string): Promise<void> {
    await publish(this.#dependencies.connection, AuthenticationStatus, { type: "user-deleted", userId });
  }
}
