import { createHash } from "node:crypto";
import type { JSONWebKeySet } from "jose";
import {
  AuthenticationStatus,
  authContract,
  type GrantHolder,
  type Principal,
  type Revocation,
  SESSION_COOKIE,
} from "../auth/contract.ts";
import { type BusConnection, STANDING_MS, type Unsubscribe } from "../bus/bus.ts";
import { proxyOf, type ServiceProxy } from "../bus/proxy.ts";
import { subscribe } from "../bus/topics.ts";
import { TemporaryUnavailableError, UnauthorizedError } from "../errors.ts";
import type { Authenticator } from "./authenticator.ts";
import { ExpiringCache } from "./expiring-cache.ts";
import type { RevocationReader } from "./revocation-reader.ts";
import { type RevocableCredential, RevocationSet } from "./revocation-set.ts";
import {
  createGrantVerifier,
  createTokenVerifier,
  type GrantVerifier,
  type TokenVerifier,
  type VerifiedGrant,
  type Verifier,
} from "./token-verifier.ts";

/** How long a session or API key counts without asking auth again; revocations are heard of at once. */
const CACHE_MS = 30_000;
const CACHED_CREDENTIALS = 10_000;
/** Grants whose signature has been checked: a player shows the same one with every segment. */
const CACHED_GRANTS = 10_000;
/** Revocations are read again this often, in case events were missed while the bus was away. */
const RELOAD_MS = 30_000;
const RETRY_MS = 250;
/** How often the board is looked at while there is no broker. */
const BOARD_MS = 1_000;
/** What was put up so long before the broker was last heard has come by it, however slow. */
const BOARD_MARGIN_MS = 60_000;
/** How long requests wait until it is known that no revocation was missed. */
const HEARING_MS = 3_000;
const HEARING_STEP_MS = 20;
/** Unknown key ids make us ask for newer keys at most this often. */
const KEYS_REFRESH_MS = 5_000;
/** A revocation that arrives while auth is being asked makes us ask again, this often at most. */
const RESOLVE_ATTEMPTS = 3;
/** No session cookie, token or API key of ours is longer. */
const MAX_CREDENTIAL_LENGTH = 4_096;

interface Resolved {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

interface Kept extends Resolved {
  /** From then on it counts only while there is no broker. */
  readonly freshUntilMs: number;
}

/** Whom a revocation may name: a user, and the one credential or grant in question. */
interface Revocable {
  readonly userId: string;
  readonly credential: RevocableCredential;
}

interface Watch extends Revocable {
  readonly cut: () => void;
}

interface Verifiers {
  readonly token: TokenVerifier;
  readonly grant: GrantVerifier;
  readonly fetchedAtMs: number;
}

/**
 * Finds out who asks with the help of auth on the bus: sessions and API keys are resolved there and cached for 30 s,
 * tokens and grants are verified here. Hears of revocation on `AuthenticationStatus`. Services start in any order: until auth
 * is there, credentials get `TemporaryUnavailableError`.
 */
export class BusAuthenticator implements Authenticator {
  readonly #connection: BusConnection;
  readonly #auth: ServiceProxy<typeof authContract>;
  readonly #revoked = new RevocationSet();
  readonly #cache = new ExpiringCache<Kept>(CACHED_CREDENTIALS);
  readonly #grants = new ExpiringCache<VerifiedGrant>(CACHED_GRANTS);
  readonly #pending = new Map<string, Promise<Resolved | null>>();
  readonly #watches = new Set<Watch>();
  /** The set's counter when somebody was found out, so that a watch on an outdated one is cut at once. */
  readonly #foundAt = new WeakMap<Principal | GrantHolder, number>();
  #verifiers: Verifiers | null = null;
  /** How often the keys have been said to have changed. */
  #keyChanges = 0;
  #loading: Promise<void> | null = null;
  #loaded = false;
  /** Since when it has not been known whether revocations are heard, and when that was last found so. */
  #deafSinceMs = 0;
  #deafAtMs = Number.NEGATIVE_INFINITY;
  #interruptions = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  #unsubscribe: Unsubscribe = async () => undefined;
  #stopHearing: () => void = () => undefined;
  readonly #board: RevocationReader | null;
  #boardTimer: ReturnType<typeof setInterval> | null = null;
  #isLooking = false;
  /** When the broker was last there, and where to read on when it is not. */
  #heardAtMs = performance.now();
  #nextOnBoard: string | null = null;

  private constructor(connection: BusConnection, board: RevocationReader | null) {
    this.#connection = connection;
    this.#board = board;
    this.#auth = proxyOf(connection, authContract);
  }

  /**
   * Subscribes first and reads the store's revocations after, so that none falls in between. With a board, what is revoked
   * while there is no broker counts within two seconds.
   */
  static async start(connection: BusConnection, board: RevocationReader | null = null): Promise<BusAuthenticator> {
    const authenticator = new BusAuthenticator(connection, board);
    authenticator.#unsubscribe = await subscribe(connection, AuthenticationStatus, (event) => {
      if (event.type === "revoked") authenticator.apply(event.revocations);
      if (event.type === "keys-changed") authenticator.#forgetKeys();
      if (event.type === "user-deleted") authenticator.#forgetUser(event.userId);
    });
    authenticator.#stopHearing = connection.onInterruption(() => authenticator.#interrupted());
    authenticator.#reloadIn(0);
    if (board) authenticator.#watchBoard();
    return authenticator;
  }

  async authenticate(request: Request): Promise<Principal | null> {
    const bearer = bearerOf(request.headers.get("Authorization"));
    if (bearer === null) return this.#fromCookie(request);
    if (bearer === "" || bearer.length > MAX_CREDENTIAL_LENGTH) throw invalidBearer();
    // A token has three parts (RFC 7515 section 3.1), an API key never has a dot.
    if (bearer.includes(".")) return this.#fromToken(bearer);
    const resolved = await this.#resolve("api-key", bearer);
    if (!resolved) throw invalidBearer();
    return resolved.principal;
  }

  async resolveGrant(grant: string): Promise<GrantHolder | null> {
    if (grant === "" || grant.length > MAX_CREDENTIAL_LENGTH) return null;
    await this.#load();
    const verified = this.#grants.get(grant) ?? (await this.#verify(grant, ({ grant }) => grant));
    if (!verified) return null;
    const { holder, issuedAtMs, untilMs } = verified;
    if (this.#isRevoked(revocable(holder), issuedAtMs)) return null;
    this.#grants.set(grant, verified, untilMs);
    // A holder of its own for each caller: what is known of it depends on when it was asked for.
    const found: GrantHolder = { ...holder };
    this.#foundAt.set(found, this.#revoked.order);
    return found;
  }

  onRevoked(who: Principal | GrantHolder, cut: () => void): () => void {
    const watch: Watch = { ...revocable(who), cut };
    const foundAt = this.#foundAt.get(who) ?? this.#revoked.order;
    if (this.#revoked.hasCredential(watch.credential) || this.#revoked.hasUserSince(watch.userId, foundAt)) {
      queueMicrotask(() => {
        if (this.#watches.delete(watch)) cut();
      });
    }
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  /** Puts revocations in force here. The caller's own process need not wait for its event to come around. */
  apply(revocations: readonly Revocation[]): void {
    for (const revocation of revocations) {
      // Heard of twice: applied here before its event came around, or read again from the store.
      if (this.#knows(revocation)) continue;
      this.#revoked.add(revocation);
      const { kind, id } = revocation;
      const isNamed = ({ userId, credential }: Revocable) =>
        kind === "user" ? userId === id : credential.kind === kind && credential.id === id;
      this.#cache.deleteWhere(({ principal }) => isNamed(principal));
      this.#cut(isNamed);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#boardTimer) clearInterval(this.#boardTimer);
    this.#stopHearing();
    await this.#unsubscribe();
  }

  async #fromCookie(request: Request): Promise<Principal | null> {
    const cookie = cookieOf(request.headers.get("Cookie"), SESSION_COOKIE);
    if (!cookie || cookie.length > MAX_CREDENTIAL_LENGTH) return null;
    return (await this.#resolve("session", cookie))?.principal ?? null;
  }

  async #fromToken(token: string): Promise<Principal> {
    await this.#load();
    const verified = await this.#verify(token, ({ token }) => token);
    if (!verified || this.#isRevoked(verified.principal, verified.issuedAtMs)) throw invalidBearer();
    this.#foundAt.set(verified.principal, this.#revoked.order);
    return verified.principal;
  }

  #isRevoked({ userId, credential }: Revocable, issuedAtMs: number): boolean {
    return this.#revoked.hasCredential(credential) || this.#revoked.hasUserIssuedAt(userId, issuedAtMs);
  }

  async #verify<Verified>(text: string, kind: (verifiers: Verifiers) => Verifier<Verified>): Promise<Verified | null> {
    const verifiers = this.#verifiers ?? (await this.#fetchKeys());
    const first = await kind(verifiers)(text);
    if (first !== "unknown-key") return first;
    if (Date.now() - verifiers.fetchedAtMs < KEYS_REFRESH_MS) return null;
    const second = await kind(await this.#fetchKeys())(text);
    return second === "unknown-key" ? null : second;
  }

  async #fetchKeys(): Promise<Verifiers> {
    for (;;) {
      const changes = this.#keyChanges;
      const keys = (await reaching(this.#auth.getVerificationKeys({}))) as JSONWebKeySet;
      // What was on its way while they changed may be the ones from before.
      if (changes !== this.#keyChanges) continue;
      this.#verifiers = {
        token: createTokenVerifier(keys),
        grant: createGrantVerifier(keys),
        fetchedAtMs: Date.now(),
      };
      return this.#verifiers;
    }
  }

  #forgetKeys(): void {
    this.#keyChanges++;
    this.#verifiers = null;
    this.#grants.deleteWhere(() => true);
  }

  async #resolve(kind: "session" | "api-key", secret: string): Promise<Resolved | null> {
    const key = createHash("sha256").update(`${kind}:${secret}`).digest("base64url");
    const cached = this.#cache.get(key);
    if (cached && this.#stands(cached)) {
      if (this.#loaded && this.#connection.hears() !== "unknown") return cached;
      // What is revoked drops out of the cache.
      await this.#load();
      if (this.#cache.get(key) === cached) return cached;
    }
    const pending = this.#pending.get(key) ?? this.#ask(kind, secret, key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return pending;
  }

  /** Without a broker nobody can have revoked it: the last answer stands. */
  #stands({ expiresAtMs, freshUntilMs }: Kept): boolean {
    const now = Date.now();
    return expiresAtMs > now && (freshUntilMs > now || this.#connection.hears() === "nothing");
  }

  async #ask(kind: "session" | "api-key", secret: string, key: string): Promise<Resolved | null> {
    for (let attempt = 0; attempt < RESOLVE_ATTEMPTS; attempt++) {
      const order = this.#revoked.order;
      const resolved = await reaching(this.#askAuth(kind, secret));
      if (!resolved || this.#revoked.hasCredential(resolved.principal.credential)) return null;
      if (this.#revoked.hasUserSince(resolved.principal.userId, order)) continue;
      const now = Date.now();
      this.#cache.set(key, { ...resolved, freshUntilMs: now + CACHE_MS }, now + STANDING_MS);
      this.#foundAt.set(resolved.principal, this.#revoked.order);
      return resolved;
    }
    throw new TemporaryUnavailableError("This account is being changed. Try again.");
  }

  async #askAuth(kind: "session" | "api-key", secret: string): Promise<Resolved | null> {
    if (kind === "api-key") {
      const principal = await this.#auth.resolveApiKey({ key: secret });
      return principal && { principal, expiresAtMs: Number.POSITIVE_INFINITY };
    }
    const session = await this.#auth.resolveSession({ cookie: secret });
    return session && { principal: session.principal, expiresAtMs: Date.parse(session.expiresAt) };
  }

  /** Revocations may have been missed: nothing that was known before counts until they have been read anew. */
  #interrupted(): void {
    this.#interruptions++;
    this.#loaded = false;
    this.#loading = null;
    this.#reloadIn(0);
  }

  /** Who may have missed a revocation lets nobody in on what it knew; once that has lasted for a while nobody waits for it to end. */
  async #requireHearing(): Promise<void> {
    while (this.#connection.hears() === "unknown") {
      const now = performance.now();
      if (now - this.#deafAtMs > HEARING_MS) this.#deafSinceMs = now;
      this.#deafAtMs = now;
      if (now - this.#deafSinceMs > HEARING_MS)
        throw new TemporaryUnavailableError("It cannot be checked right now who you are. Try again in a moment.");
      await Bun.sleep(HEARING_STEP_MS);
    }
    this.#deafAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Reads the revocations where that is due; what counts cannot be told from what was revoked before. */
  async #load(): Promise<void> {
    if (this.#connection.hears() === "unknown") await this.#requireHearing();
    while (!this.#loaded) await reaching(this.#reload());
  }

  #reload(): Promise<void> {
    if (this.#loading) return this.#loading;
    const loading = this.#read().finally(() => {
      if (this.#loading === loading) this.#loading = null;
    });
    this.#loading = loading;
    return loading;
  }

  async #read(): Promise<void> {
    const interruptions = this.#interruptions;
    const { revocations } = await this.#auth.listRevocations({});
    this.apply(revocations);
    this.#revoked.purge();
    if (interruptions === this.#interruptions) this.#loaded = true;
  }

  #knows({ kind, id, at }: Revocation): boolean {
    if (kind === "user") return this.#revoked.hasUserIssuedAt(id, Date.parse(at));
    return this.#revoked.hasCredential({ kind, id });
  }

  #reloadIn(ms: number): void {
    if (this.#closed) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const again = () => this.#reloadIn(this.#loaded ? RELOAD_MS : RETRY_MS);
      void this.#reload().then(again, again);
    }, ms);
    this.#timer.unref?.();
  }

  #watchBoard(): void {
    this.#boardTimer = setInterval(() => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      // A board that is away too leaves it at what was known.
      const done = () => {
        this.#isLooking = false;
      };
      void this.#look().then(done, done);
    }, BOARD_MS);
    this.#boardTimer.unref?.();
  }

  async #look(): Promise<void> {
    if (this.#board === null) return;
    if (this.#connection.hears() === "all") {
      this.#heardAtMs = performance.now();
      this.#nextOnBoard = null;
      return;
    }
    const unheardMs = performance.now() - this.#heardAtMs + BOARD_MARGIN_MS;
    const { revocations, next } = await (this.#nextOnBoard === null
      ? this.#board.ofLast(unheardMs)
      : this.#board.since(this.#nextOnBoard));
    this.apply(revocations);
    this.#nextOnBoard = next;
  }

  #forgetUser(userId: string): void {
    this.#cache.deleteWhere(({ principal }) => principal.userId === userId);
    this.#cut((subject) => subject.userId === userId);
  }

  #cut(isNamed: (subject: Revocable) => boolean): void {
    for (const watch of this.#watches) {
      if (!isNamed(watch)) continue;
      this.#watches.delete(watch);
      try {
        watch.cut();
      } catch {
        // One watcher's failure must not keep the others open; what it holds ends with its own request.
      }
    }
  }
}

const revocable = (who: Principal | GrantHolder): Revocable =>
  "grantId" in who
    ? { userId: who.issuer.userId, credential: { kind: "grant", id: who.grantId } }
    : { userId: who.userId, credential: who.credential };

const invalidBearer = () => new UnauthorizedError("This token or API key does not count (any more). Sign in again.");

/** The credential after `Bearer`; null when there is none of this kind, empty when it is missing or malformed. */
function bearerOf(header: string | null): string | null {
  if (header === null) return null;
  const [scheme = "", ...rest] = header.trim().split(/\s+/);
  // A proxy's own Basic credentials are not ours.
  if (scheme !== "" && scheme.toLowerCase() !== "bearer") return null;
  return rest.length === 1 ? (rest[0] ?? "") : "";
}

function cookieOf(header: string | null, name: string): string | null {
  for (const pair of (header ?? "").split(";")) {
    const [key = "", ...value] = pair.split("=");
    if (key.trim() === name) return value.join("=").trim();
  }
  return null;
}

/** Whatever keeps auth from answering: nobody is let in on doubt, and nobody is told that they are unknown. */
async function reaching<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw new TemporaryUnavailableError("It cannot be checked right now who you are. Try again in a moment.", {
      cause,
    });
  }
}
