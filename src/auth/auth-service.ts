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
import { AuthenticationStatus, authContract, type Revocation } from "./contract.ts";
import { authOperations } from "./operations.ts";
import { Passwords } from "./passwords.ts";
import { Revocations } from "./revocations.ts";
import { authRoutes } from "./routes.ts";
import { SigningKeys } from "./signing-keys.ts";
import { Tokens } from "./tokens.ts";
import { Users } from "./users.ts";

/** How often what has expired is removed from the database. */
const PURGE_MS = 10 * 60_000;

export interface AuthDependencies {
  readonly connection: BusConnection;
  /** Base URLs of the listener its routes are on. */
  readonly addresses: () => string[];
  readonly store: AuthStore;
  /** The same database, as better-auth takes it. */
  readonly database: BetterAuthDependencies["database"];
  readonly attempts: AttemptStore;
  /** Signs session cookies and encrypts the signing keys; the same on all instances. */
  readonly authSecret: string;
  readonly registration: RegistrationRules;
  readonly tokenLifetimeMs: number;
  readonly sessionLifetimeMs: number;
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
  const keys = new SigningKeys(store, dependencies.authSecret);
  const { key: signingKey, created } = await keys.open();
  const parts = build(
    dependencies,
    (revocations) =>
      new Tokens({
        store,
        keys,
        signingKey,
        revocations,
        lifetimeMs: dependencies.tokenLifetimeMs,
      }),
  );
  await serveContract(connection, authContract, authOperations(parts, keys));
  if (created) await publish(connection, AuthenticationStatus, { type: "keys-changed" });
  await store.purgeExpired();
  // A purge that fails is made good by the next one.
  const purge = setInterval(() => void store.purgeExpired().catch(() => undefined), PURGE_MS);
  purge.unref?.();
  const presence = await announcePresence(connection, dependencies.addresses);
  return {
    routes: authRoutes(parts),
    firstAdminCode: await parts.accounts.firstAdminCode(),
    ready: async () => void (await store.hasUsers()),
    async close() {
      clearInterval(purge);
      parts.revocations.close();
      await presence.close();
      await connection.close();
    },
  };
}

function build(dependencies: AuthDependencies, makeTokens: (revocations: Revocations) => Tokens): AuthParts {
  const { authSecret: secret, connection, registration: rules, store, tokenLifetimeMs } = dependencies;
  const revocations = new Revocations({
    store,
    connection,
    tokenLifetimeMs,
    applyHere: dependencies.applyRevocations,
  });
  const passwords = new Passwords();
  const limits = new AttemptLimits(dependencies.attempts);
  const accounts = new Accounts({ store, passwords, limits, rules, secret });
  const users = new Users({ store, passwords, revocations, accounts, defaultRole: rules.defaultRole });
  const betterAuth = lazy(async () => {
    const { createBetterAuth } = await import("./better-auth.ts");
    return createBetterAuth({
      database: dependencies.database,
      secret,
      passwords,
      sessionLifetimeMs: dependencies.sessionLifetimeMs,
      onSessionEnded: (id) => revocations.end("session", id),
    });
  });
  return { store, betterAuth, accounts, users, revocations, tokens: makeTokens(revocations) };
}
