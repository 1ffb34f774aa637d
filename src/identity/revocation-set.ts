import type { Revocation } from "../auth/contract.ts";

/** A credential or grant, as a revocation names it. */
export type RevocableCredential = Pick<Revocation, "kind" | "id">;

interface UserRevocation {
  readonly atMs: number;
  readonly untilMs: number;
  /** Value of the set's counter when it was added. */
  readonly order: number;
}

/** The revocations in force, for look-ups without a call. Expired ones are forgotten. */
export class RevocationSet {
  /** `kind:id` of a credential, and when it may be forgotten. */
  readonly #credentials = new Map<string, number>();
  readonly #users = new Map<string, UserRevocation>();
  #order = 0;

  /** Grows with every revocation: what was found out before a change of it may be outdated. */
  get order(): number {
    return this.#order;
  }

  add({ kind, id, at, until }: Revocation): void {
    const untilMs = Date.parse(until);
    if (untilMs <= Date.now()) return;
    this.#order++;
    if (kind !== "user") {
      this.#credentials.set(`${kind}:${id}`, untilMs);
      return;
    }
    const atMs = Math.max(Date.parse(at), this.#users.get(id)?.atMs ?? 0);
    this.#users.set(id, { atMs, untilMs, order: this.#order });
  }

  /** Whether this very credential has been revoked. */
  hasCredential({ kind, id }: RevocableCredential): boolean {
    return this.#credentials.has(`${kind}:${id}`);
  }

  /** Whether the user's credentials issued at this time (epoch ms) have been revoked. */
  hasUserIssuedAt(userId: string, issuedAtMs: number): boolean {
    return issuedAtMs <= (this.#users.get(userId)?.atMs ?? -1);
  }

  /** Whether the user's credentials have been revoked since the counter had this value. */
  hasUserSince(userId: string, order: number): boolean {
    return (this.#users.get(userId)?.order ?? -1) > order;
  }

  /** Forgets what can name nothing valid any more. */
  purge(): void {
    const now = Date.now();
    for (const [key, untilMs] of this.#credentials) if (untilMs <= now) this.#credentials.delete(key);
    for (const [key, { untilMs }] of this.#users) if (untilMs <= now) this.#users.delete(key);
  }
}
