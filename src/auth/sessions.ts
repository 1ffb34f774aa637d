import { LRUCache } from "lru-cache";
import { ForbiddenError, NotFoundError, RateLimitedError, TemporaryUnavailableError } from "../errors.ts";
import { type AttemptLimits, SECOND_FACTOR } from "./attempt-limits.ts";
import type { AuthStore, Login, SessionRecord } from "./auth-store.ts";
import type { KinoraBetterAuth } from "./better-auth.ts";
import { CLIENT_ADDRESS_HEADER } from "./better-auth-names.ts";
import type { Principal } from "./contract.ts";
import { ApiKeyNotAllowedError, TwoFactorError, WrongCredentialsError } from "./errors.ts";
import type { Revocations } from "./revocations.ts";

/** How exactly it is kept when a session was used last. */
const SEEN_EVERY_MS = 60_000;
const SEEN_REMEMBERED = 10_000;
/** better-auth locks for as long as our own limit counts. */
const LOCKED_SECONDS = SECOND_FACTOR.windowMs / 1000;
/** A user agent says the most important thing first. */
const MAX_USER_AGENT = 256;

export interface SessionsDependencies {
  readonly store: AuthStore;
  readonly betterAuth: () => Promise<KinoraBetterAuth>;
  readonly limits: AttemptLimits;
  readonly revocations: Revocations;
}

/** Where a sign-in comes from, and what was given beside name and password. */
export interface SignInOrigin {
  readonly clientAddress: string;
  readonly userAgent: string;
  /** A code of the authenticator app, or a backup code. */
  readonly code?: string | undefined;
}

/** A session that has just been opened: what names it, and the cookie that carries it. */
export interface OpenedSession {
  readonly token: string;
  readonly headers: Headers;
}

/** Sessions of browsers and command-line clients; opening one takes the second factor where there is one. */
export class Sessions {
  readonly #dependencies: SessionsDependencies;
  readonly #seen = new LRUCache<string, true>({ max: SEEN_REMEMBERED, ttl: SEEN_EVERY_MS });

  constructor(dependencies: SessionsDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Opens a session for somebody whose name and password were right. `TwoFactorError` where a second factor is missing
   * or wrong, `RateLimitedError` after too many wrong ones.
   */
  async open(login: Login, origin: SignInOrigin): Promise<OpenedSession> {
    const opened = login.twoFactor ? await this.#openWithCode(login, origin) : await this.#openAtOnce(login, origin);
    // Password or second factor may have been changed while they were being checked.
    if (await this.#dependencies.store.isCurrent(login)) return opened;
    await this.close(opened.token);
    throw new WrongCredentialsError();
  }

  /** Checks the second factor of a sign-in that needs no session: for tokens. */
  async prove(login: Login, origin: SignInOrigin): Promise<void> {
    if (login.twoFactor) await this.close((await this.#openWithCode(login, origin)).token);
  }

  /** Ends a session and gives the headers that remove its cookie; with an empty token only those. */
  async close(token: string): Promise<Headers> {
    const { api } = await this.#dependencies.betterAuth();
    const { headers } = await api.closeSession({ body: { token }, headers: new Headers(), returnHeaders: true });
    return headers;
  }

  async list(userId: string): Promise<SessionRecord[]> {
    return this.#dependencies.store.listSessions(userId);
  }

  /** Ends one of a user's sessions; `NotFoundError` when they have none with this id. */
  async end(id: string, userId: string): Promise<void> {
    const { store, revocations } = this.#dependencies;
    const token = await store.sessionToken(id, userId);
    if (token === null) throw new NotFoundError("You have no session with this id.");
    await revocations.enforce("session", id, () => this.close(token));
  }

  /** Ends all of a user's sessions but one; tells how many there were. */
  async endOthers({ userId, credential }: Principal): Promise<number> {
    const others = (await this.#dependencies.store.listSessions(userId)).filter(({ id }) => id !== credential.id);
    for (const { id } of others) {
      await this.end(id, userId).catch((error: unknown) => {
        // It has ended by itself meanwhile.
        if (!(error instanceof NotFoundError)) throw error;
      });
    }
    return others.length;
  }

  /** Notes that a session is being used; never fails. */
  seen(id: string): void {
    if (this.#seen.has(id)) return;
    this.#seen.set(id, true);
    this.#dependencies.store.touchSession(id, new Date()).catch(() => undefined);
  }

  async #openAtOnce({ id: userId }: Login, { clientAddress, userAgent }: SignInOrigin): Promise<OpenedSession> {
    const { api } = await this.#dependencies.betterAuth();
    const { response, headers } = await api.openSession({
      body: { userId, ipAddress: clientAddress, userAgent: userAgent.slice(0, MAX_USER_AGENT) },
      headers: new Headers(),
      returnHeaders: true,
    });
    return { token: response.token, headers };
  }

  async #openWithCode(login: Login, origin: SignInOrigin): Promise<OpenedSession> {
    if (origin.code === undefined) throw new TwoFactorError(false);
    const { betterAuth, limits } = this.#dependencies;
    const code = readCode(origin.code);
    await limits.attemptSecondFactor(login.id);
    // A code that somebody has seen being typed must not count a second time (RFC 6238 section 5.2).
    if (!(await limits.isFirstUse(login.id, code.text))) throw new TwoFactorError(true);
    const { api } = await betterAuth();
    const challenge = await api.openChallenge({
      body: { userId: login.id },
      headers: new Headers(),
      returnHeaders: true,
    });
    const headers = new Headers({
      Cookie: challenge.headers
        .getSetCookie()
        .map((cookie) => cookie.split(";")[0])
        .join("; "),
      "User-Agent": origin.userAgent.slice(0, MAX_USER_AGENT),
      [CLIENT_ADDRESS_HEADER]: origin.clientAddress,
    });
    const request = { body: { code: code.text }, headers, returnHeaders: true as const };
    const checked = code.isBackup ? api.verifyBackupCode(request) : api.verifyTOTP(request);
    const opened = await checked.catch((error: unknown) => Promise.reject(refusalOf(error)));
    await limits.secondFactorSucceeded(login.id);
    return { token: tokenOf(opened.response), headers: onlySession(opened.headers) };
  }
}

/** Only the session cookie itself may see to sessions, API keys and the second factor. */
export function requireSession(who: Principal): string {
  if (who.credential.kind === "api-key") throw new ApiKeyNotAllowedError();
  if (who.credential.kind !== "session")
    throw new ForbiddenError("This takes the session cookie, not a token or API key.");
  return who.credential.id;
}

/** Six digits are a code of the app; anything else is a backup code, with or without its hyphen. */
export function readCode(given: string): { readonly text: string; readonly isBackup: boolean } {
  const text = given.replace(/\s/g, "");
  if (/^\d{6}$/.test(text)) return { text, isBackup: false };
  return { text: /^[A-Za-z0-9]{10}$/.test(text) ? `${text.slice(0, 5)}-${text.slice(5)}` : text, isBackup: true };
}

function refusalOf(error: unknown): unknown {
  // By its form: naming better-auth's class would load all of it at the start.
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status === 429) return new RateLimitedError("Too many wrong codes. Try again later.", LOCKED_SECONDS);
  // We have just made the challenge: it could not be read.
  if (codeOf(error) === "INVALID_TWO_FACTOR_COOKIE")
    return new TemporaryUnavailableError("The second factor cannot be checked right now.", { cause: error });
  return status < 500 ? new TwoFactorError(true) : error;
}

function codeOf(error: unknown): unknown {
  const body: unknown = error instanceof Error && "body" in error ? error.body : null;
  return typeof body === "object" && body !== null && "code" in body ? body.code : null;
}

function tokenOf(answered: unknown): string {
  if (typeof answered === "object" && answered !== null && "token" in answered && typeof answered.token === "string")
    return answered.token;
  throw new Error("better-auth opened no session.");
}

/** Without the cookie of the challenge, which the client never had. */
function onlySession(headers: Headers): Headers {
  const kept = new Headers();
  for (const cookie of headers.getSetCookie()) if (!cookie.includes("two_factor")) kept.append("Set-Cookie", cookie);
  return kept;
}
