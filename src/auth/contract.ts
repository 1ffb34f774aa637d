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

/** What a grant is for: a link that somebody passes on, or a stream that a controller steers. */
export const grantKind = z.enum(["link", "stream"]);
export type GrantKind = z.infer<typeof grantKind>;

/**
 * Who holds a grant: nobody in particular, with the right to play one title, or those that are in one collection, for as
 * long as its issuer may see them.
 */
const grantHolder = z.object({
  /** What a revocation names. */
  grantId: id,
  /** One of the two; the other one is null. */
  titleId: id.nullable(),
  collectionId: id.nullable(),
  kind: grantKind,
  /**
   * In whose name it plays, as they were when it was made: every change of their account ends the grant. Of the role it
   * is known only whether they may see all there is (`admin`).
   */
  issuer: principal.pick({ userId: true, role: true }),
  expiresAt: timestamp,
});
export type GrantHolder = z.infer<typeof grantHolder>;

/**
 * Something that no longer counts. `session`, `token`, `api-key`, `grant`: the credential with this id. `user`: every
 * credential of the user issued before `at` (password or role changed, disabled, deleted).
 */
export const revocation = z.object({
  kind: z.enum(["session", "token", "api-key", "grant", "user"]),
  id: z.string(),
  at: timestamp,
  /** After this time nothing it could name is valid any more, and it may be forgotten. */
  until: timestamp,
});
export type Revocation = z.infer<typeof revocation>;

const userDeleted = z.object({
  type: z.literal("user-deleted"),
  userId: id,
  heir: user.pick({ id: true, username: true }).optional(),
});

/** Revoked credentials and grants, changed signing keys, deleted users. */
export const AuthenticationStatus = defineTopic(
  "AuthenticationStatus",
  z.discriminatedUnion("type", [
    z.object({ type: z.literal("revoked"), revocations: z.array(revocation) }),
    z.object({ type: z.literal("keys-changed") }),
    /** What they had goes to their heir, and is forgotten where there is none. It may come more than once. */
    userDeleted,
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
/** How far the clocks of two instances may be apart: a token or grant counts this much longer than it says. */
export const TOKEN_CLOCK_SKEW_SECONDS = 2;

/**
 * A grant is signed with the same keys. Claims, beside `exp` and `iat`: `sub` its issuer's id, `jti` its own, `title` or
 * `collection`, `use` (its kind), and `all` when its issuer may see everything. Whoever has it can read them: no names.
 * Older ones have `name` and `role` of the issuer. Audience and `typ` differ from a token's, so that neither is ever
 * taken for the other.
 */
export const GRANT_AUDIENCE = "kinora:grant";
export const GRANT_TYPE = "kinora-grant+jwt";
/** The query parameter that a grant stands in. */
export const GRANT_PARAMETER = "grant";
/** No grant lives longer, whatever the configuration says: 31 days, in milliseconds. */
export const GRANT_LIFETIME_LIMIT_MS = 31 * 86_400_000;
/** How many grants of one kind one user may have at a time. */
export const GRANTS_PER_USER = 1_000;

export const issuedToken = z.object({ token: z.string(), id: z.string(), expiresAt: timestamp });

const issuedGrant = z.object({ grant: z.string(), id, expiresAt: timestamp });
export type IssuedGrant = z.infer<typeof issuedGrant>;

/** What is kept of a grant; never the grant itself. */
const grantRecord = z.object({
  id,
  /** One of the two; the other one is null. */
  titleId: id.nullable(),
  collectionId: id.nullable(),
  kind: grantKind,
  userId: id,
  username: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp,
});
export type GrantRecord = z.infer<typeof grantRecord>;

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
    /** A fresh token for name and password; `unauthorized` otherwise, `two-factor-required` where a code is missing. */
    issueToken: {
      input: z.object({ username: z.string(), password: z.string(), twoFactorCode: z.string().optional() }),
      output: issuedToken,
    },
    /** A fresh token for one that still counts; `unauthorized` otherwise. */
    refreshAuthorization: { input: z.object({ token: z.string() }), output: issuedToken },
    /**
     * A grant for one title or one collection in the name of a user, whose right to see it the caller has checked. Without
     * `lifetimeMs` it lives as long as the configuration allows; longer is `invalid-request`. `unauthorized` when the
     * user is gone or disabled, `quota-exceeded` when they have too many.
     */
    issueGrant: {
      input: z.object({
        userId: id,
        titleId: id.optional(),
        collectionId: id.optional(),
        kind: grantKind,
        lifetimeMs: z.number().int().positive().optional(),
      }),
      output: issuedGrant,
    },
    /** Grants that have neither expired nor been revoked, the newest first; of one user, or with null of all. */
    listGrants: {
      input: z.object({
        userId: id.nullable(),
        kind: grantKind,
        limit: z.number().int().min(1).max(200).default(50),
        /** Only those made before the grant with this id. */
        before: id.optional(),
      }),
      output: z.object({ items: z.array(grantRecord), more: z.boolean() }),
      repeatable: true,
    },
    /**
     * Revokes those of these grants that are of this kind and this user's (null: anybody's), everywhere at once. Gives
     * their ids; the others are left alone.
     */
    revokeGrants: {
      input: z.object({ ids: z.array(id).max(1_000), userId: id.nullable(), kind: grantKind }),
      output: z.object({ ids: z.array(id) }),
    },
    /** The users that exist among these ids. */
    getUsers: { input: z.object({ ids: z.array(id) }), output: z.array(user), repeatable: true },
  },
  publishes: ["AuthenticationStatus", "ServiceAvailability"],
  subscribes: ["AuthenticationStatus"],
  calls: ["main", "auth"],
  routes: [
    { path: "/api/session" },
    { path: "/api/sessions" },
    { path: "/api/auth" },
    { path: "/api/tokens" },
    { path: "/api/users" },
    { path: "/api/invites" },
  ],
});
