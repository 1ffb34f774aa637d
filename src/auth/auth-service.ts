import type { BusConnection } from "../bus/bus.ts";
import { announcePresence } from "../bus/presence.ts";
import { serveContract } from "../bus/proxy.ts";
import { publish } from "../bus/topics.ts";
import { lazy } from "../lazy.ts";
import type { Service } from "../service.ts";
import { Accounts, type RegistrationRules } from "./accounts.ts";
import { AttemptLimits, type AttemptStore } from "./attempt-limits.ts";
import type { AuthParts } from "./auth-parts.ts";
import type { AuthStore } from "./auth-store.ts";
import type { BetterAuthDependencies } from "./better-auth.ts";
import { AuthenticationStatus, authContract, GRANT_LIFETIME_LIMIT_MS, type Revocation } from "./contract.ts";
import { Grants } from "./grants.ts";
import { authOperations } from "./operations.ts";
import { Passwords } from "./passwords.ts";
import type { RevocationBoard } from "./revocation-board.ts";
import { Revocations } from "./revocations.ts";
import { authRoutes } from "./routes.ts";
import type { SessionCache } from "./session-cache.ts";
import { Sessions } from "./sessions.ts";
import { SigningKeys } from "./signing-keys.ts";
import { Tokens } from "./tokens.ts";
import { Users } from "./users.ts";

/** How often what has expired is removed from the database, and the age of the signing keys is looked at. */
const UPKEEP_MS = 10 * 60_000;
/** After this the other services of this process are there as well. */
const DELETIONS_TOLD_AFTER_MS = 15_000;
/**
 * Tokens are known for so long after they expired: a stream goes on for its grace (`streams.grace`, an hour at most)
 * after its token, and ends with the session that the token was made with.
 */
const EXPIRED_TOKENS_KEPT_MS = 60 * 60_000;

export interface AuthDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  readonly store: AuthStore;
  /** The same database, as better-auth takes it. */
  readonly database: BetterAuthDependencies["database"];
  readonly attempts: AttemptStore;
  /** Sessions that instances share beside the database. */
  readonly sessionCache?: SessionCache | undefined;
  /** Where revocations are put up besides; none in one process. */
  readonly revocationBoard?: RevocationBoard | undefined;
  /** Signs session cookies and encrypts the signing keys; the same on all instances. */
  readonly authSecret: string;
  readonly registration: RegistrationRules;
  readonly tokenLifetimeMs: number;
  /** How long a grant counts at most. */
  readonly grantLifetimeMs: number;
  /** How often signing keys are replaced. */
  readonly keyLifetimeMs: number;
  readonly sessionLifetimeMs: number;
  /** When, after the start, deletions of the last day are announced again; 15 s by default. */
  readonly deletionsToldAfterMs?: number | undefined;
  /** Puts revocations in force in this process at once, for its authenticator. */
  readonly applyRevocations: (revocations: readonly Revocation[]) => void;
}

export interface AuthService extends Service {
  /** The one-time code that the first account takes, to be printed at the start; null when it takes none. */
  readonly firstAdminCode: string | null;
}

/** Starts the auth service: accounts, sessions, tokens, API keys and their revocation. */
export async function startAuth(dependencies: AuthDependencies): Promise<AuthService> {
  const { connection, store } = dependencies;
  const keys = new SigningKeys(store, dependencies.authSecret, {
    lifetimeMs: dependencies.keyLifetimeMs,
    keptMs: Math.max(GRANT_LIFETIME_LIMIT_MS, dependencies.tokenLifetimeMs),
  });
  const isNew = await keys.maintain();
  const parts = build(dependencies, keys);
  await serveContract(connection, authContract, authOperations(parts, keys));
  const tellKeys = () => publish(connection, AuthenticationStatus, { type: "keys-changed" });
  if (isNew) await tellKeys();
  await store.purgeExpired(EXPIRED_TOKENS_KEPT_MS);
  const upkeep = async () => {
    if (await keys.maintain()) await tellKeys();
    await store.purgeExpired(EXPIRED_TOKENS_KEPT_MS);
    await parts.revocations.announceDeletions();
  };
  // What fails is made good by the next one.
  const timer = setInterval(
    () => void upkeep().catch(() => undefined),
    Math.min(UPKEEP_MS, dependencies.keyLifetimeMs / 4),
  );
  timer.unref?.();
  const telling = setTimeout(
    () => void parts.revocations.announceDeletions().catch(() => undefined),
    dependencies.deletionsToldAfterMs ?? DELETIONS_TOLD_AFTER_MS,
  );
  telling.unref?.();
  const presence = await announcePresence(connection, dependencies.addresses);
  return {
    routes: authRoutes(parts),
    firstAdminCode: await parts.accounts.firstAdminCode(),
    ready: async () => void (await store.hasUsers()),
    leave: () => presence.close(),
    async close() {
      clearInterval(timer);
      clearTimeout(telling);
      parts.revocations.close();
      await presence.close();
      await connection.close();
    },
  };
}

function build(dependencies: AuthDependencies, keys: SigningKeys): AuthParts {
  const { authSecret: secret, connection, registration: rules, store, tokenLifetimeMs } = dependencies;
  const revocations = new Revocations({
    store,
    connection,
    tokenLifetimeMs,
    board: dependencies.revocationBoard ?? null,
    applyHere: dependencies.applyRevocations,
  });
  const passwords = new Passwords();
  const limits = new AttemptLimits(dependencies.attempts);
  const accounts = new Accounts({ store, passwords, limits, rules, secret });
  const users = new Users({
    ...{ store, passwords, revocations, accounts, defaultRole: rules.defaultRole },
    sessionCache: dependencies.sessionCache,
  });
  const betterAuth = lazy(async () => {
    const { createBetterAuth } = await import("./better-auth.ts");
    return createBetterAuth({
      database: dependencies.database,
      secret,
      passwords,
      sessionLifetimeMs: dependencies.sessionLifetimeMs,
      sessionCache: dependencies.sessionCache,
      onSessionEnded: (id) => revocations.end("session", id),
    });
  });
  const sessions = new Sessions({ store, betterAuth, limits, revocations });
  const tokens = new Tokens({ store, keys, revocations, lifetimeMs: tokenLifetimeMs });
  const grants = new Grants({ store, keys, revocations, lifetimeMs: dependencies.grantLifetimeMs });
  return { store, betterAuth, accounts, limits, users, revocations, sessions, tokens, grants };
}
