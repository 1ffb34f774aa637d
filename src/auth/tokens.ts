import { type JSONWebKeySet, SignJWT } from "jose";
import type { z } from "zod";
import { UnauthorizedError } from "../errors.ts";
import { createTokenVerifier, type TokenVerifier, type VerifiedToken } from "../identity/token-verifier.ts";
import type { AuthStore, Login, TokenRecord, UserRecord } from "./auth-store.ts";
import {
  type issuedToken,
  type Principal,
  TOKEN_ALGORITHM,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
} from "./contract.ts";
import { ApiKeyNotAllowedError, WrongCredentialsError } from "./errors.ts";
import type { Revocations } from "./revocations.ts";
import type { SigningKeys } from "./signing-keys.ts";

type IssuedToken = z.infer<typeof issuedToken>;

export interface TokensDependencies {
  readonly store: AuthStore;
  readonly keys: SigningKeys;
  readonly revocations: Revocations;
  readonly lifetimeMs: number;
}

/**
 * Short-lived signed tokens (RFC 7519). Renewing one keeps its id, so that revoking the id ends all that came of it.
 * The store knows which ids may still be renewed.
 */
export class Tokens {
  readonly #dependencies: TokensDependencies;
  #verifier: TokenVerifier | null = null;

  constructor(dependencies: TokensDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * A new token for somebody who has just proved who they are. `provedAtMs` is the time before the proof was looked
   * at: what has been revoked meanwhile covers the token. `UnauthorizedError` when user or parent are gone by now.
   */
  async issue(userId: string, parent: TokenRecord["parent"], provedAtMs: number): Promise<IssuedToken> {
    const { store } = this.#dependencies;
    const user = await store.getUser(userId);
    if (!user || user.disabled) throw new UnauthorizedError();
    const id = Bun.randomUUIDv7();
    const token = await this.#sign(user, id, provedAtMs);
    const saved = await store.saveToken({ id, userId, parent, expiresAt: new Date(token.expiresAt) });
    if (!saved) throw new UnauthorizedError();
    return token;
  }

  /** A new token for name and password. */
  async issueForLogin(login: Login, provedAtMs: number): Promise<IssuedToken> {
    const token = await this.issue(login.id, null, provedAtMs);
    // The password may have been changed while it was being checked.
    if (await this.#dependencies.store.isCurrent(login)) return token;
    await this.revoke(token.id);
    throw new WrongCredentialsError();
  }

  /** `ApiKeyNotAllowedError` when an API key asks, or a token that was made with one. */
  async refuseApiKey({ credential: { kind, id } }: Principal): Promise<void> {
    if (kind === "session") return;
    const token = kind === "token" ? await this.#dependencies.store.getToken(id) : null;
    if (kind === "token" && !token) throw new UnauthorizedError("This token does not count (any more). Sign in again.");
    if (kind === "api-key" || token?.parent?.kind === "api-key") throw new ApiKeyNotAllowedError();
  }

  /** Ends a token and all that comes of it. `ownerId`: only when it is this user's. False when there is none. */
  async revoke(id: string, ownerId?: string): Promise<boolean> {
    const { revocations, store } = this.#dependencies;
    const record = await store.getToken(id);
    if (!record || (ownerId !== undefined && record.userId !== ownerId)) return false;
    await revocations.enforce("token", id, async () => {
      await store.endToken(id);
      await revocations.keep([revocations.of("token", id)]);
    });
    return true;
  }

  /** A fresh token with the same id for one that still counts; `UnauthorizedError` otherwise. */
  async refresh(token: string): Promise<IssuedToken> {
    const provedAtMs = Date.now();
    const user = await this.#holder(token);
    if (!user) throw new UnauthorizedError("This token does not count (any more). Sign in again.");
    const fresh = await this.#sign(user, user.tokenId, provedAtMs);
    if (!(await this.#dependencies.store.extendToken(user.tokenId, new Date(fresh.expiresAt))))
      throw new UnauthorizedError("This token has been revoked. Sign in again.");
    return fresh;
  }

  /** Whether a token counts right now, by what the store knows. */
  async isAuthorized(token: string): Promise<boolean> {
    return (await this.#holder(token)) !== null;
  }

  async #holder(token: string): Promise<(UserRecord & { readonly tokenId: string }) | null> {
    const { store } = this.#dependencies;
    const verified = await this.#verify(token);
    if (!verified) return null;
    const { userId, credential } = verified.principal;
    const [isLive, user] = await Promise.all([store.isTokenLive(credential.id), store.getUser(userId)]);
    return isLive && user && !user.disabled ? { ...user, tokenId: credential.id } : null;
  }

  async #verify(token: string): Promise<VerifiedToken | null> {
    const { keys } = this.#dependencies;
    this.#verifier ??= createTokenVerifier((await keys.publicKeys()) as JSONWebKeySet);
    const first = await this.#verifier(token);
    if (first !== "unknown-key") return first;
    // Another instance may have made a key since.
    this.#verifier = createTokenVerifier((await keys.publicKeys()) as JSONWebKeySet);
    const second = await this.#verifier(token);
    return second === "unknown-key" ? null : second;
  }

  async #sign({ id: userId, username, role }: UserRecord, id: string, issuedAtMs: number): Promise<IssuedToken> {
    const { lifetimeMs, keys } = this.#dependencies;
    const { kid, privateKey } = keys.current;
    const expiresAtMs = Date.now() + lifetimeMs;
    // Fractions of a second (RFC 7519 section 2) tell a token issued right after a revocation from one right before.
    const token = await new SignJWT({ name: username, role })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: TOKEN_TYPE, kid })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setSubject(userId)
      .setJti(id)
      .setIssuedAt(issuedAtMs / 1000)
      .setExpirationTime(expiresAtMs / 1000)
      .sign(privateKey);
    return { token, id, expiresAt: new Date(expiresAtMs).toISOString() };
  }
}
