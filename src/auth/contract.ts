import { z } from "zod";
import { defineService, defineTopic } from "../bus/contract.ts";
import { id, none, timestamp } from "../bus/schemas.ts";

export const roles = ["admin", "editor", "viewer"] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

/** A user as the HTTP interface shows it. */
export const user = z.object({ id, username: z.string(), role });
export type User = z.infer<typeof user>;

/** How a request proved who asks. `id` is what a revocation names. */
export const credential = z.object({ kind: z.enum(["session", "token", "api-key"]), id: z.string() });

/** Who asks. */
export const principal = z.object({ userId: id, username: z.string(), role, credential });
export type Principal = z.infer<typeof principal>;

/**
 * Something that no longer counts. `session`, `token`, `api-key`: the credential with this id. `user`: every
 * credential of the user issued before `at` (password or role changed, disabled, deleted).
 */
export const revocation = z.object({
  kind: z.enum(["session", "token", "api-key", "user"]),
  id: z.string(),
  at: timestamp,
  /** After this time nothing it could name is valid any more, and it may be forgotten. */
  until: timestamp,
});
export type Revocation = z.infer<typeof revocation>;

/** Revoked credentials, changed signing keys, deleted users. */
export const AuthenticationStatus = defineTopic(
  "AuthenticationStatus",
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("revoked"), revocations: z.array(revocation) }),
    z.object({ type: z.literal("keys-changed") }),
    z.object({ type: z.literal("user-deleted"), userId: id }),
  ]),
);

/** The session cookie. Its value is a signed random token, the same for all instances that share the secret. */
export const SESSION_COOKIE = "kinora.session_token";

/** Claims of a token, beside `exp` and `iat`: `sub` user id, `jti` token id, `name` username, `role`. */
export const TOKEN_ISSUER = "kinora";
export const TOKEN_AUDIENCE = "kinora:token";
/** The `typ` header and the one algorithm (Ed25519, RFC 8037) of a token. Anything else is refused. */
export const TOKEN_TYPE = "kinora-token+jwt";
export const TOKEN_ALGORITHM = "EdDSA";
/** How far the clocks of two instances may be apart: a token counts this much longer than it says. */
export const TOKEN_CLOCK_SKEW_SECONDS = 2;

export const issuedToken = z.object({ token: z.string(), id: z.string(), expiresAt: timestamp });

export const authContract = defineService({
  name: "auth",
  operations: {
    /** The session behind a session cookie's value; null when it is unknown, expired or its user disabled. */
    resolveSession: {
      input: z.object({ cookie: z.string() }),
      output: z.object({ principal, expiresAt: timestamp }).nullable(),
      repeatable: true,
    },
    /** The user behind an API key; null when it is unknown, expired or its user disabled. */
    resolveApiKey: { input: z.object({ key: z.string() }), output: principal.nullable(), repeatable: true },
    /** Public keys that tokens and grants are verified with, as a JWK set (RFC 7517). */
    getVerificationKeys: {
      input: none,
      output: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
      repeatable: true,
    },
    /** Revocations still in force, for a service that starts late. */
    listRevocations: { input: none, output: z.object({ revocations: z.array(revocation) }), repeatable: true },
    /** Whether a token counts right now. */
    isAuthorized: { input: z.object({ token: z.string() }), output: z.boolean(), repeatable: true },
    /** A fresh token for name and password; `unauthorized` otherwise. */
    issueToken: { input: z.object({ username: z.string(), password: z.string() }), output: issuedToken },
    /** A fresh token for one that still counts; `unauthorized` otherwise. */
    refreshAuthorization: { input: z.object({ token: z.string() }), output: issuedToken },
    /** The users that exist among these ids. */
    getUsers: { input: z.object({ ids: z.array(id) }), output: z.array(user), repeatable: true },
  },
  publishes: ["AuthenticationStatus", "ServiceAvailability"],
  subscribes: ["AuthenticationStatus"],
  calls: ["auth"],
  routes: [
    { path: "/api/session" },
    { path: "/api/auth" },
    { path: "/api/tokens" },
    { path: "/api/users" },
    { path: "/api/invites" },
  ],
});
