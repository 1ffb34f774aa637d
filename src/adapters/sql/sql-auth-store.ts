import type {
  AccountRecord,
  AuthStore,
  Deletion,
  GrantQuery,
  InviteRecord,
  Login,
  NewGrant,
  NewInvite,
  NewUser,
  SessionRecord,
  StoredSigningKey,
  TokenRecord,
  UserChange,
  UserRecord,
} from "../../auth/auth-store.ts";
import type { GrantKind, GrantRecord, Revocation, Role } from "../../auth/contract.ts";
import { listAccounts, listInvites, listSessions, sessionToken, toUser, userColumns } from "./sql-auth-lists.ts";
import {
  endCredentials,
  exists,
  findHeir,
  insertRevocations,
  insertUser,
  isEmpty,
  isLastAdmin,
  useInvite,
} from "./sql-auth-steps.ts";
import { endGrants, findGrants, listGrants, saveGrant } from "./sql-grants.ts";
import type { Database } from "./tables.ts";
import { locked, transact } from "./transact.ts";

/** As long as a service may be away and still hear of a deletion again. */
const DELETIONS_KEPT_MS = 24 * 3_600_000;

/** What auth keeps, in SQL. All of better-auth's columns are written as better-auth itself writes them. */
export class SqlAuthStore implements AuthStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async hasUsers(): Promise<boolean> {
    return (await this.#database.selectFrom("auth_users").select("id").limit(1).executeTakeFirst()) !== undefined;
  }

  async getUser(id: string): Promise<UserRecord | null> {
    const row = await this.#database
      .selectFrom("auth_users")
      .select(userColumns)
      .where("id", "=", id)
      .executeTakeFirst();
    return row ? toUser(row) : null;
  }

  async getSessionUser(sessionId: string): Promise<UserRecord | null> {
    const row = await this.#database
      .selectFrom("auth_sessions")
      .innerJoin("auth_users", "auth_users.id", "auth_sessions.userId")
      .select(["auth_users.id", "username", "role", "banned", "twoFactorEnabled", "auth_users.createdAt"])
      .where("auth_sessions.id", "=", sessionId)
      .where("auth_sessions.expiresAt", ">", new Date())
      .executeTakeFirst();
    return row ? toUser(row) : null;
  }

  async hasApiKey(hash: string): Promise<boolean> {
    const found = this.#database.selectFrom("auth_api_keys").select("id").where("key", "=", hash).limit(1);
    return (await found.executeTakeFirst()) !== undefined;
  }

  async getUsers(ids: readonly string[]): Promise<UserRecord[]> {
    if (ids.length === 0) return [];
    const rows = await this.#database.selectFrom("auth_users").select(userColumns).where("id", "in", ids).execute();
    return rows.map(toUser);
  }

  listUsers(limit: number, after: string | null, part = ""): Promise<AccountRecord[]> {
    return listAccounts(this.#database, limit, after, part);
  }

  async findLogin(username: string): Promise<Login | null> {
    const row = await this.#database
      .selectFrom("auth_users")
      .innerJoin("auth_accounts", "auth_accounts.userId", "auth_users.id")
      .select([
        "auth_users.id",
        "auth_users.username",
        "auth_users.role",
        "auth_users.banned",
        "auth_users.twoFactorEnabled",
        "auth_users.createdAt",
        "auth_accounts.password",
      ])
      .where("auth_users.username", "=", username)
      .where("auth_accounts.providerId", "=", "credential")
      .executeTakeFirst();
    return row?.password ? { ...toUser(row), passwordHash: row.password } : null;
  }

  async isCurrent({ username, id, passwordHash, twoFactor }: Login): Promise<boolean> {
    const now = await this.findLogin(username);
    const isSame = now !== null && now.id === id && now.passwordHash === passwordHash;
    // One that was switched off meanwhile was asked for all the same.
    return isSame && !now.disabled && (twoFactor || !now.twoFactor);
  }

  createUser(user: NewUser): ReturnType<AuthStore["createUser"]> {
    return transact(this.#database, async (transaction) => {
      const first = await isEmpty(transaction);
      if (first && !user.mayBeFirst) return "first";
      if (!first && user.role === null) return "not-first";
      const taken = await transaction
        .selectFrom("auth_users")
        .select("id")
        .where("username", "=", user.username)
        .executeTakeFirst();
      if (taken) return "username-taken";
      const invited = user.inviteHash === undefined ? null : await useInvite(transaction, user.inviteHash, user.id);
      if (user.inviteHash !== undefined && invited === null) return "invalid-invite";
      return insertUser(transaction, user, first ? "admin" : (invited ?? user.role ?? "viewer"));
    });
  }

  updateUser(
    id: string,
    change: UserChange,
    options: { readonly revoke: () => Revocation; readonly keepSession?: string | undefined },
  ): ReturnType<AuthStore["updateUser"]> {
    return transact(this.#database, async (transaction) => {
      const row = await transaction
        .selectFrom("auth_users")
        .select(userColumns)
        .where("id", "=", id)
        .executeTakeFirst();
      if (!row) return "unknown";
      const next = { role: change.role ?? (row.role as Role), disabled: change.disabled ?? row.banned === 1 };
      const staysAdmin = next.role === "admin" && !next.disabled;
      if (!staysAdmin && (await isLastAdmin(transaction, id))) return "last-admin";
      await transaction
        .updateTable("auth_users")
        .set({ role: next.role, banned: next.disabled ? 1 : 0, updatedAt: new Date() })
        .where("id", "=", id)
        .execute();
      await endCredentials(transaction, id, change, options.keepSession);
      await insertRevocations(transaction, [options.revoke()]);
      return { ...toUser(row), ...next, ...(change.twoFactor === undefined ? {} : { twoFactor: false }) };
    });
  }

  deleteUser(id: string, revoke: () => Revocation, heirId?: string): ReturnType<AuthStore["deleteUser"]> {
    return transact(this.#database, async (transaction) => {
      if (await isLastAdmin(transaction, id)) return "last-admin";
      const heir = heirId === undefined || heirId === id ? null : await findHeir(transaction, heirId);
      if (heirId !== undefined && heir === null) return "no-heir";
      // Sessions, accounts, API keys and tokens go with it by their foreign keys.
      const { numDeletedRows } = await transaction.deleteFrom("auth_users").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) return "unknown";
      await insertRevocations(transaction, [revoke()]);
      const deletion = { userId: id, heirId: heir?.id ?? null, heirName: heir?.username ?? null };
      await transaction
        .insertInto("auth_deletions")
        .values({ ...deletion, deletedAt: Date.now() })
        .execute();
      return "deleted";
    });
  }

  async listDeletions(): Promise<Deletion[]> {
    const rows = await this.#database.selectFrom("auth_deletions").selectAll().orderBy("deletedAt").execute();
    return rows.map(({ userId, heirId, heirName }) => ({
      userId,
      heir: heirId === null || heirName === null ? null : { id: heirId, username: heirName },
    }));
  }

  listSessions(userId: string): Promise<SessionRecord[]> {
    return listSessions(this.#database, userId);
  }

  sessionToken(id: string, userId: string): Promise<string | null> {
    return sessionToken(this.#database, id, userId);
  }

  async touchSession(id: string, at: Date): Promise<void> {
    await this.#database.updateTable("auth_sessions").set({ lastSeenAt: at.getTime() }).where("id", "=", id).execute();
  }

  listInvites(): Promise<InviteRecord[]> {
    return listInvites(this.#database);
  }

  async deleteInvite(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.deleteFrom("auth_invites").where("id", "=", id).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  async createInvite(invite: NewInvite): Promise<void> {
    await this.#database
      .insertInto("auth_invites")
      .values({ ...invite, createdAt: Date.now(), expiresAt: invite.expiresAt.getTime(), usedBy: null })
      .execute();
  }

  async hasInvite(codeHash: string): Promise<boolean> {
    const row = await this.#database
      .selectFrom("auth_invites")
      .select("id")
      .where("codeHash", "=", codeHash)
      .where("usedBy", "is", null)
      .where("expiresAt", ">", Date.now())
      .executeTakeFirst();
    return row !== undefined;
  }

  saveToken({ id, userId, parent, expiresAt }: TokenRecord): Promise<boolean> {
    return transact(this.#database, async (transaction) => {
      if (!(await exists(transaction, userId, parent))) return false;
      const times = { createdAt: Date.now(), expiresAt: expiresAt.getTime() };
      await transaction
        .insertInto("auth_tokens")
        .values({ id, userId, parentKind: parent?.kind ?? null, parentId: parent?.id ?? null, ...times })
        .execute();
      return true;
    });
  }

  async getToken(id: string): Promise<TokenRecord | null> {
    const row = await this.#database.selectFrom("auth_tokens").selectAll().where("id", "=", id).executeTakeFirst();
    if (!row) return null;
    const { userId, parentKind, parentId, expiresAt } = row;
    const parent =
      parentId === null ? null : ({ kind: parentKind === "session" ? "session" : "api-key", id: parentId } as const);
    return { id, userId, parent, expiresAt: new Date(expiresAt) };
  }

  async isTokenLive(id: string): Promise<boolean> {
    const record = await this.getToken(id);
    return record !== null && (await exists(this.#database, record.userId, record.parent));
  }

  async extendToken(id: string, expiresAt: Date): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable("auth_tokens")
      .set({ expiresAt: expiresAt.getTime() })
      .where("id", "=", id)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  endTokensOf(parentId: string): Promise<string[]> {
    return transact(this.#database, async (transaction) => {
      const tokens = transaction.selectFrom("auth_tokens").select("id").where("parentId", "=", parentId);
      const rows = await locked(transaction, tokens).execute();
      if (rows.length > 0) await transaction.deleteFrom("auth_tokens").where("parentId", "=", parentId).execute();
      return rows.map(({ id }) => id);
    });
  }

  async endToken(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.deleteFrom("auth_tokens").where("id", "=", id).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  saveGrant(grant: NewGrant, max: number): ReturnType<AuthStore["saveGrant"]> {
    return saveGrant(this.#database, grant, max);
  }

  listGrants(query: GrantQuery): Promise<GrantRecord[]> {
    return listGrants(this.#database, query);
  }

  findGrants(ids: readonly string[], userId: string | null, kind: GrantKind): Promise<GrantRecord[]> {
    return findGrants(this.#database, ids, userId, kind);
  }

  endGrants(revocations: readonly Revocation[]): Promise<void> {
    return endGrants(this.#database, revocations);
  }

  async listSigningKeys(): Promise<StoredSigningKey[]> {
    const rows = await this.#database
      .selectFrom("auth_signing_keys")
      .select(["id", "publicJwk", "privateJwe", "createdAt"])
      .orderBy("createdAt")
      .orderBy("id")
      .execute();
    return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
  }

  async addSigningKey(key: StoredSigningKey): Promise<void> {
    await this.#database
      .insertInto("auth_signing_keys")
      .values({ ...key, createdAt: key.createdAt.getTime() })
      .execute();
  }

  async deleteSigningKeys(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#database.deleteFrom("auth_signing_keys").where("id", "in", ids).execute();
  }

  async addRevocations(revocations: readonly Revocation[]): Promise<void> {
    await insertRevocations(this.#database, revocations);
  }

  async listRevocations(): Promise<Revocation[]> {
    const rows = await this.#database
      .selectFrom("auth_revocations")
      .select(["kind", "subject", "at", "until"])
      .where("until", ">", Date.now())
      .orderBy("position")
      .execute();
    return rows.map(({ kind, subject, at, until }) => ({
      kind: kind as Revocation["kind"],
      id: subject,
      at: new Date(at).toISOString(),
      until: new Date(until).toISOString(),
    }));
  }

  async purgeExpired(tokensKeptMs: number): Promise<void> {
    const now = Date.now();
    await this.#database.deleteFrom("auth_revocations").where("until", "<", now).execute();
    await this.#database
      .deleteFrom("auth_tokens")
      .where("expiresAt", "<", now - tokensKeptMs)
      .execute();
    await this.#database.deleteFrom("auth_grants").where("expiresAt", "<", now).execute();
    await this.#database.deleteFrom("auth_invites").where("expiresAt", "<", now).execute();
    await this.#database
      .deleteFrom("auth_deletions")
      .where("deletedAt", "<", now - DELETIONS_KEPT_MS)
      .execute();
    for (const table of ["auth_sessions", "auth_verifications"] as const)
      await this.#database.deleteFrom(table).where("expiresAt", "<", new Date(now)).execute();
  }
}
