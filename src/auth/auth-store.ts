import type { GrantKind, GrantRecord, Revocation, Role } from "./contract.ts";

export interface UserRecord {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
  readonly disabled: boolean;
  /** Whether signing in takes a second factor. */
  readonly twoFactor: boolean;
  readonly createdAt: Date;
}

/** A user with the hash that the password was checked against. */
export type Login = UserRecord & { readonly passwordHash: string };

export interface NewUser {
  readonly id: string;
  readonly username: string;
  readonly passwordHash: string;
  /** Whether this account may be the first one of all, and admin by that. */
  readonly mayBeFirst: boolean;
  /** Role when other accounts exist; null when this account is only allowed as the first. An invitation's role wins. */
  readonly role: Role | null;
  /** Hash of the invitation that is used up. */
  readonly inviteHash?: string;
}

export interface UserChange {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  readonly passwordHash?: string | undefined;
  /** False: the second factor is forgotten. */
  readonly twoFactor?: false | undefined;
}

/** A user who was deleted, and who has what they had. */
export interface Deletion {
  readonly userId: string;
  readonly heir: Pick<UserRecord, "id" | "username"> | null;
}

/** A user as administrators see them. */
export type AccountRecord = UserRecord & { readonly lastSeenAt: Date | null };

export interface SessionRecord {
  readonly id: string;
  readonly userAgent: string | null;
  readonly ipAddress: string | null;
  readonly createdAt: Date;
  /** When it was last used, to a minute. */
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** An invitation as administrators see it: never its code. */
export interface InviteRecord {
  readonly id: string;
  readonly role: Role;
  /** User names; null for a user who is gone. */
  readonly createdBy: string | null;
  readonly usedBy: string | null;
  readonly isUsed: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface NewInvite {
  readonly id: string;
  readonly codeHash: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly expiresAt: Date;
}

export interface TokenRecord {
  readonly id: string;
  readonly userId: string;
  /** The session or API key it was made with; null when made with name and password. */
  readonly parent: { readonly kind: "session" | "api-key"; readonly id: string } | null;
  readonly expiresAt: Date;
}

export interface StoredSigningKey {
  readonly id: string;
  readonly publicJwk: string;
  /** Encrypted. */
  readonly privateJwe: string;
  readonly createdAt: Date;
}

export interface NewGrant {
  readonly id: string;
  readonly userId: string;
  /** One of the two; the other one is null. */
  readonly titleId: string | null;
  readonly collectionId: string | null;
  readonly kind: GrantKind;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface GrantQuery {
  /** Null for everybody's. */
  readonly userId: string | null;
  readonly kind: GrantKind;
  readonly limit: number;
  /** Only those with smaller ids, which are older. */
  readonly before?: string | undefined;
}

/** What auth keeps. Sessions and API keys are better-auth's; here they are only ended. `src/adapters/sql` implements it. */
export interface AuthStore {
  hasUsers(): Promise<boolean>;
  getUser(id: string): Promise<UserRecord | null>;
  getUsers(ids: readonly string[]): Promise<UserRecord[]>;
  /** The user of a session that is there and not over. */
  getSessionUser(sessionId: string): Promise<UserRecord | null>;
  /** Whether there is an API key with this hash, of those that are stored. */
  hasApiKey(hash: string): Promise<boolean>;
  /** In the order of their ids, which is that of their creation, after the id given; with `part` in their names. */
  listUsers(limit: number, after: string | null, part?: string): Promise<AccountRecord[]>;
  /** By name (folded). */
  findLogin(username: string): Promise<Login | null>;
  /** Whether the account still has this password, no second factor that it did not have, and is not disabled. */
  isCurrent(login: Login): Promise<boolean>;
  /**
   * Creates an account; whether it is the first, and so admin, is decided in the same transaction. Otherwise says why
   * not: the name is taken, the invitation does not count, it would be the first (`first`), it would not be the
   * first (`not-first`) and was only allowed as such.
   */
  createUser(user: NewUser): Promise<UserRecord | "username-taken" | "invalid-invite" | "first" | "not-first">;
  /**
   * Changes a user, ends their tokens and grants, and ends what else the change makes invalid: disabling ends all sessions, a
   * new password all sessions but `keepSession` and all API keys. The revocation is made and kept in the same
   * transaction, so that whoever read the account before it did so before the revocation's time.
   * Changes nothing when that would leave no active admin.
   */
  updateUser(
    id: string,
    change: UserChange,
    options: { readonly revoke: () => Revocation; readonly keepSession?: string | undefined },
  ): Promise<UserRecord | "unknown" | "last-admin">;
  /**
   * Deletes a user with everything that belongs to them here, unless that would leave no active admin (`last-admin`) or the
   * heir is nobody who could have videos (`no-heir`: unknown, disabled, a viewer, or the user). Keeps in the same transaction that it was done.
   */
  deleteUser(
    id: string,
    revoke: () => Revocation,
    heirId?: string,
  ): Promise<"deleted" | "unknown" | "last-admin" | "no-heir">;
  /** Deletions of the last day, the oldest first: what other services keep of them may not have followed yet. */
  listDeletions(): Promise<Deletion[]>;

  /** A user's sessions that are not over, the one used last first. */
  listSessions(userId: string): Promise<SessionRecord[]>;
  /** The cookie's random part of one of a user's sessions; null when there is none. */
  sessionToken(id: string, userId: string): Promise<string | null>;
  /** Notes that a session is being used. */
  touchSession(id: string, at: Date): Promise<void>;

  createInvite(invite: NewInvite): Promise<void>;
  /** Those still in time, used or not, the newest first. */
  listInvites(): Promise<InviteRecord[]>;
  /** False when there is none. */
  deleteInvite(id: string): Promise<boolean>;
  /** Whether an unused invitation with this hash is still in time. */
  hasInvite(codeHash: string): Promise<boolean>;

  /** False when its user, session or API key is gone: then it must not be handed out. */
  saveToken(token: TokenRecord): Promise<boolean>;
  getToken(id: string): Promise<TokenRecord | null>;
  /** Whether a token may be renewed: it has not been ended, nor has the session or API key it was made with. */
  isTokenLive(id: string): Promise<boolean>;
  /** Extends a token; false when it has been ended meanwhile. */
  extendToken(id: string, expiresAt: Date): Promise<boolean>;
  /** Ends tokens made with a session or API key and gives their ids. */
  endTokensOf(parentId: string): Promise<string[]>;
  endToken(id: string): Promise<boolean>;

  /** Unless `saved` it must not be handed out: its user is gone or disabled, or has `max` of this kind already. */
  saveGrant(grant: NewGrant, max: number): Promise<"saved" | "no-user" | "too-many">;
  /** Those not expired, in the reverse order of their ids. */
  listGrants(query: GrantQuery): Promise<GrantRecord[]>;
  /** Those of these ids that are of this kind and, unless it is null, of this user. */
  findGrants(ids: readonly string[], userId: string | null, kind: GrantKind): Promise<GrantRecord[]>;
  /** Forgets grants and keeps their revocations, in one transaction. */
  endGrants(revocations: readonly Revocation[]): Promise<void>;

  /** The oldest first. */
  listSigningKeys(): Promise<StoredSigningKey[]>;
  addSigningKey(key: StoredSigningKey): Promise<void>;
  deleteSigningKeys(ids: readonly string[]): Promise<void>;

  addRevocations(revocations: readonly Revocation[]): Promise<void>;
  /** Those still in force. */
  listRevocations(): Promise<Revocation[]>;
  /** Forgets sessions, challenges, grants, invitations and revocations whose time is over, and tokens so much later. */
  purgeExpired(tokensKeptMs: number): Promise<void>;
}
