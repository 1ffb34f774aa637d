import { SignJWT } from "jose";
import { InvalidRequestError, UnauthorizedError } from "../errors.ts";
import type { AuthStore, GrantQuery, NewGrant, UserRecord } from "./auth-store.ts";
import {
  GRANT_AUDIENCE,
  GRANT_TYPE,
  GRANTS_PER_USER,
  type GrantKind,
  type GrantRecord,
  type IssuedGrant,
  TOKEN_ALGORITHM,
  TOKEN_ISSUER,
} from "./contract.ts";
import { TooManyGrantsError } from "./errors.ts";
import type { Revocations } from "./revocations.ts";
import type { SigningKeys } from "./signing-keys.ts";

export interface GrantsDependencies {
  readonly store: AuthStore;
  readonly keys: SigningKeys;
  readonly revocations: Revocations;
  /** How long a grant counts at most, and does when nothing else is asked for. */
  readonly lifetimeMs: number;
}

export interface GrantRequest {
  readonly userId: string;
  /** One of the two. */
  readonly titleId?: string | undefined;
  readonly collectionId?: string | undefined;
  readonly kind: GrantKind;
  readonly lifetimeMs?: number | undefined;
}

/** Signed rights to play one title or a collection's. The store knows which have not been revoked, so that they can be listed. */
export class Grants {
  readonly #dependencies: GrantsDependencies;

  constructor(dependencies: GrantsDependencies) {
    this.#dependencies = dependencies;
  }

  /** A new grant. Whether its user may see the title is for the caller to check. */
  async issue({ userId, kind, lifetimeMs: asked, ...what }: GrantRequest): Promise<IssuedGrant> {
    const titleId = what.titleId ?? null;
    const collectionId = what.collectionId ?? null;
    if ((titleId === null) === (collectionId === null))
      throw new InvalidRequestError("A link is for one title or one collection.");
    const { store, lifetimeMs: longest } = this.#dependencies;
    const lifetimeMs = asked ?? longest;
    if (lifetimeMs > longest) throw new InvalidRequestError(`A link counts for ${spanInWords(longest)} at most.`);
    // Before the user is read: a change of the account that comes after covers the grant.
    const createdAt = new Date();
    const user = await store.getUser(userId);
    if (!user) throw new UnauthorizedError();
    const id = Bun.randomUUIDv7();
    const expiresAt = new Date(createdAt.getTime() + lifetimeMs);
    const grant: NewGrant = { id, userId, titleId, collectionId, kind, createdAt, expiresAt };
    const saved = await store.saveGrant(grant, GRANTS_PER_USER);
    if (saved === "no-user") throw new UnauthorizedError();
    if (saved === "too-many") throw new TooManyGrantsError(GRANTS_PER_USER);
    return { grant: await this.#sign(user, grant), id, expiresAt: expiresAt.toISOString() };
  }

  async list(query: GrantQuery): Promise<{ items: GrantRecord[]; more: boolean }> {
    const found = await this.#dependencies.store.listGrants({ ...query, limit: query.limit + 1 });
    return { items: found.slice(0, query.limit), more: found.length > query.limit };
  }

  /** Revokes grants of this kind, those of `userId` only unless it is null; gives the ids of those there were. */
  async revoke(ids: readonly string[], userId: string | null, kind: GrantKind): Promise<string[]> {
    const { revocations, store } = this.#dependencies;
    const found = await store.findGrants(ids, userId, kind);
    if (found.length === 0) return [];
    const made = found.map(({ id, expiresAt }) => revocations.of("grant", id, Date.parse(expiresAt)));
    await revocations.enforceAll(made, async () => {
      await store.endGrants(made);
      await revocations.announce(made);
    });
    return found.map(({ id }) => id);
  }

  async #sign(
    { id: userId, role }: UserRecord,
    { id, titleId, collectionId, kind, createdAt, expiresAt }: NewGrant,
  ): Promise<string> {
    const { kid, privateKey } = this.#dependencies.keys.current;
    const what = titleId === null ? { collection: collectionId } : { title: titleId };
    return new SignJWT({ ...what, use: kind, ...(role === "admin" ? { all: true } : {}) })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: GRANT_TYPE, kid })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(GRANT_AUDIENCE)
      .setSubject(userId)
      .setJti(id)
      .setIssuedAt(createdAt.getTime() / 1000)
      .setExpirationTime(expiresAt.getTime() / 1000)
      .sign(privateKey);
  }
}

/** In the largest unit that it is a whole number of. */
function spanInWords(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ] as const;
  const [unitMs, name] = units.find(([unit]) => ms % unit === 0) ?? [1_000, "second"];
  const count = ms / unitMs;
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
