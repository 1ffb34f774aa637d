import { apiKey } from "@better-auth/api-key";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { deleteSessionCookie, setSessionCookie } from "better-auth/cookies";
// Each from its own file: the index of all plugins costs 60 ms of the start.
import { admin } from "better-auth/plugins/admin";
import { twoFactor } from "better-auth/plugins/two-factor";
import { username } from "better-auth/plugins/username";
import { z } from "zod";
import { SECOND_FACTOR } from "./attempt-limits.ts";
import { AUTH_BASE_PATH, CLIENT_ADDRESS_HEADER } from "./better-auth-names.ts";
import { SESSION_COOKIE } from "./contract.ts";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, type Passwords } from "./passwords.ts";
import type { SessionCache } from "./session-cache.ts";

/** Longest that a key may be asked to live, in days. Without `expiresIn` it lives until it is deleted. */
const API_KEY_MAX_DAYS = 3_650;

export interface BetterAuthDependencies {
  /** Kysely and its dialect's name, as better-auth takes them. */
  readonly database: BetterAuthOptions["database"];
  readonly secret: string;
  readonly passwords: Passwords;
  readonly sessionLifetimeMs: number;
  /** Sessions that instances share beside the database. */
  readonly sessionCache?: SessionCache | undefined;
  /** Told of every session that better-auth ends. */
  readonly onSessionEnded: (sessionId: string) => Promise<void>;
}

/** How long a challenge may take that a sign-in answers in the same request. */
const CHALLENGE_SECONDS = 60;

/** Endpoints without a path: they cannot be reached over HTTP, only through `auth.api`. */
const sessionEndpoints = {
  id: "kinora-session",
  endpoints: {
    openSession: createAuthEndpoint(
      { method: "POST", body: z.object({ userId: z.string(), ipAddress: z.string(), userAgent: z.string() }) },
      async (ctx) => {
        const { userId, ...origin } = ctx.body;
        const user = await ctx.context.internalAdapter.findUserById(userId);
        if (!user) throw new Error("The user has been deleted while signing in.");
        const session = await ctx.context.internalAdapter.createSession(userId, false, origin);
        await setSessionCookie(ctx, { session, user });
        return ctx.json({ token: session.token });
      },
    ),
    /** What better-auth's own sign-in does for a user with a second factor; `verifyTOTP` and `verifyBackupCode` answer it. */
    openChallenge: createAuthEndpoint({ method: "POST", body: z.object({ userId: z.string() }) }, async (ctx) => {
      const { createAuthCookie, internalAdapter, secret } = ctx.context;
      const identifier = `2fa-${crypto.randomUUID()}`;
      const expiresAt = new Date(Date.now() + CHALLENGE_SECONDS * 1000);
      await internalAdapter.createVerificationValue({ identifier, value: ctx.body.userId, expiresAt });
      await internalAdapter.createVerificationValue({
        identifier: `2fa-attempts-${identifier}`,
        value: "0",
        expiresAt,
      });
      const cookie = createAuthCookie("two_factor", { maxAge: CHALLENGE_SECONDS });
      await ctx.setSignedCookie(cookie.name, identifier, secret, cookie.attributes);
      return ctx.json({});
    }),
    closeSession: createAuthEndpoint({ method: "POST", body: z.object({ token: z.string() }) }, async (ctx) => {
      if (ctx.body.token) await ctx.context.internalAdapter.deleteSession(ctx.body.token);
      deleteSessionCookie(ctx);
      return ctx.json({});
    }),
  },
};

/** better-auth as Kinora uses it: names and passwords, sessions, API keys. Registration is ours (`accounts.ts`). */
export function createBetterAuth(dependencies: BetterAuthDependencies) {
  const { passwords, sessionCache } = dependencies;
  return betterAuth({
    appName: "Kinora",
    // Never used in a link: what people see comes from the request.
    baseURL: "http://localhost",
    basePath: AUTH_BASE_PATH,
    secret: dependencies.secret,
    database: dependencies.database,
    ...(sessionCache ? { secondaryStorage: sessionCache } : {}),
    user: { modelName: "auth_users" },
    session: {
      modelName: "auth_sessions",
      expiresIn: dependencies.sessionLifetimeMs / 1000,
      freshAge: 0,
      storeSessionInDatabase: true,
    },
    account: { modelName: "auth_accounts" },
    verification: { modelName: "auth_verifications", storeInDatabase: true },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: MIN_PASSWORD_LENGTH,
      maxPasswordLength: MAX_PASSWORD_LENGTH,
      password: {
        hash: (password) => passwords.hash(password),
        verify: ({ hash, password }) => passwords.verify(password, hash),
      },
    },
    advanced: {
      database: { generateId: () => Bun.randomUUIDv7() },
      cookies: { session_token: { name: SESSION_COOKIE } },
      // `Secure` is added for each request, see `session-cookie.ts`: one server answers over TLS and without.
      useSecureCookies: false,
      // The listener's rule (`same-origin.ts`) covers all routes, with `publicUrl` in mind.
      disableCSRFCheck: true,
      disableOriginCheck: true,
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
    },
    databaseHooks: { session: { delete: { after: ({ id }) => dependencies.onSessionEnded(id) } } },
    // Sign-in has limits of its own (`attempt-limits.ts`); better-auth's know neither accounts nor our proxies.
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      username({ displayUsername: false, minUsernameLength: 2, maxUsernameLength: 64 }),
      admin({ defaultRole: "viewer", adminRoles: ["admin"] }),
      apiKey({
        defaultPrefix: "kinora_",
        // The prefix and four more: enough to tell keys apart in a list.
        startingCharactersConfig: { charactersLength: 11 },
        rateLimit: { enabled: false },
        keyExpiration: { maxExpiresIn: API_KEY_MAX_DAYS },
        schema: { apikey: { modelName: "auth_api_keys" } },
      }),
      twoFactor({
        issuer: "Kinora",
        twoFactorTable: "auth_two_factors",
        accountLockout: { maxFailedAttempts: SECOND_FACTOR.max, durationSeconds: SECOND_FACTOR.windowMs / 1000 },
      }),
      sessionEndpoints,
    ],
  });
}

export type KinoraBetterAuth = ReturnType<typeof createBetterAuth>;
