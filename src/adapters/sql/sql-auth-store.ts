import type { Transaction } from "kysely";
import type {
  AuthStore,
  Login,
  NewInvite,
  NewUser,
  StoredSigningKey,
  TokenRecord,
  UserChange,
  UserRecord,
} from "../../auth/auth-store.ts";
import type { Revocation, Role } from "../../auth/contract.ts";
import type { Database, Tables } from "./tables.ts";

const userColumns = ["id", "username", "role", "banned", "createdAt"] as const;
type UserRow = Pick<Tables["auth_users"], (typeof userColumns)[number]>;

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

  async getUsers(ids: readonly string[]): Promise<UserRecord[]> {
    if (ids.length === 0) return [];
    const rows = await this.#database.selectFrom("auth_users").select(userColumns).where("id", "in", ids).execute();
    return rows.map(toUser);
  }

  async listUsers(limit: number, after: string | null): Promise<UserRecord[]> {
    const query = this.#database.selectFrom("auth_users").select(userColumns).orderBy("id").limit(limit);
    const rows = await (after === null ? query : query.where("id", ">", after)).execute();
    return rows.map(toUser);
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
        "auth_users.createdAt",
        "auth_accounts.password",
      ])
      .where("auth_users.username", "=", username)
      .where("auth_accounts.providerId", "=", "credential")
      .executeTakeFirst();
    return row?.password ? { ...toUser(row), passwordHash: row.password } : null;
  }

  async isCurrent({ username, id, passwordHash }: Login): Promise<boolean> {
    const now = await this.findLogin(username);
    return now !== null && now.id === id && !now.disabled && now.passwordHash === passwordHash;
  }

  createUser(user: NewUser): ReturnType<AuthStore["createUser"]> {
    return this.#database.transaction().execute(async (transaction) => {
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
    return this.#database.transaction().execute(async (transaction) => {
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
        .set({ role: next.role, banned: next.disabled ? 1 : 0, updatedAt: new Date().toISOString() })
        .where("id", "=", id)
        .execute();
      await endCredentials(transaction, id, change, options.keepSession);
      await insertRevocations(transaction, [options.revoke()]);
      return { ...toUser(row), ...next };
    });
  }

  deleteUser(id: string, revoke: () => Revocation): ReturnType<AuthStore["deleteUser"]> {
    return this.#database.transaction().execute(async (transaction) => {
      if (await isLastAdmin(transaction, id)) return "last-admin";
      // Sessions, accounts, API keys and tokens go with it by their foreign keys.
      const { numDeletedRows } = await transaction.deleteFrom("auth_users").where("id", "=", id).executeTakeFirst();
      if (numDeletedRows === 0n) return "unknown";
      await insertRevocations(transaction, [revoke()]);
      return "deleted";
    });
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
    return this.#database.transaction().execute(async (transaction) => {
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

  async endTokensOf(parentId: string): Promise<string[]> {
    const rows = await this.#database
      .deleteFrom("auth_tokens")
      .where("parentId", "=", parentId)
      .returning("id")
      .execute();
    return rows.map(({ id }) => id);
  }

  async endToken(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database.deleteFrom("auth_tokens").where("id", "=", id).executeTakeFirst();
    return numDeletedRows > 0n;
  }

  listSigningKeys(): Promise<StoredSigningKey[]> {
    return this.#database
      .selectFrom("auth_signing_keys")
      .select(["id", "publicJwk", "privateJwe"])
      .orderBy("createdAt")
      .orderBy("id")
      .execute();
  }

  async addSigningKey(key: StoredSigningKey): Promise<void> {
    await this.#database
      .insertInto("auth_signing_keys")
      .values({ ...key, createdAt: Date.now() })
      .execute();
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

  async purgeExpired(): Promise<void> {
    const now = Date.now();
    await this.#database.deleteFrom("auth_revocations").where("until", "<", now).execute();
    await this.#database.deleteFrom("auth_tokens").where("expiresAt", "<", now).execute();
    await this.#database.deleteFrom("auth_invites").where("expiresAt", "<", now).execute();
    await this.#database.deleteFrom("auth_sessions").where("expiresAt", "<", new Date(now).toISOString()).execute();
  }
}

function toUser({ id, username, role, banned, createdAt }: UserRow): UserRecord {
  return { id, username, role: role as Role, disabled: banned === 1, createdAt: new Date(createdAt) };
}

/** Whether a token's user and parent are there, and the parent has not expired. */
async function exists(database: Database, userId: string, parent: TokenRecord["parent"]): Promise<boolean> {
  const user = await database.selectFrom("auth_users").select("id").where("id", "=", userId).executeTakeFirst();
  if (!user || parent === null) return user !== undefined;
  const now = new Date().toISOString();
  const sessions = database.selectFrom("auth_sessions").where("id", "=", parent.id).where("expiresAt", ">", now);
  if (parent.kind === "session") return (await sessions.select("id").executeTakeFirst()) !== undefined;
  const keys = database
    .selectFrom("auth_api_keys")
    .where("id", "=", parent.id)
    .where("enabled", "=", 1)
    .where((where) => where.or([where("expiresAt", "is", null), where("expiresAt", ">", now)]));
  return (await keys.select("id").executeTakeFirst()) !== undefined;
}

async function isEmpty(transaction: Transaction<Tables>): Promise<boolean> {
  return (await transaction.selectFrom("auth_users").select("id").limit(1).executeTakeFirst()) === undefined;
}

async function isLastAdmin(transaction: Transaction<Tables>, id: string): Promise<boolean> {
  const admins = await transaction
    .selectFrom("auth_users")
    .select("id")
    .where("role", "=", "admin")
    .where((where) => where.or([where("banned", "is", null), where("banned", "=", 0)]))
    .limit(2)
    .execute();
  return admins.length === 1 && admins[0]?.id === id;
}

/** Uses an invitation up and gives its role; null when it does not count. */
async function useInvite(transaction: Transaction<Tables>, codeHash: string, userId: string): Promise<Role | null> {
  const { numUpdatedRows } = await transaction
    .updateTable("auth_invites")
    .set({ usedBy: userId })
    .where("codeHash", "=", codeHash)
    .where("usedBy", "is", null)
    .where("expiresAt", ">", Date.now())
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return null;
  const { role } = await transaction
    .selectFrom("auth_invites")
    .select("role")
    .where("codeHash", "=", codeHash)
    .executeTakeFirstOrThrow();
  return role as Role;
}

async function insertUser(transaction: Transaction<Tables>, user: NewUser, role: Role): Promise<UserRecord> {
  const { id, username, passwordHash } = user;
  const createdAt = new Date();
  const dates = { createdAt: createdAt.toISOString(), updatedAt: createdAt.toISOString() };
  await transaction
    .insertInto("auth_users")
    .values({
      id,
      name: username,
      username,
      email: `${id}@users.invalid`,
      emailVerified: 0,
      image: null,
      role,
      banned: 0,
      banReason: null,
      banExpires: null,
      ...dates,
    })
    .execute();
  const nothing = {
    accessToken: null,
    refreshToken: null,
    idToken: null,
    accessTokenExpiresAt: null,
    refreshTokenExpiresAt: null,
    scope: null,
  };
  await transaction
    .insertInto("auth_accounts")
    .values({
      id: Bun.randomUUIDv7(),
      accountId: id,
      providerId: "credential",
      userId: id,
      password: passwordHash,
      ...nothing,
      ...dates,
    })
    .execute();
  return { id, username, role, disabled: false, createdAt };
}

async function endCredentials(
  transaction: Transaction<Tables>,
  userId: string,
  change: UserChange,
  keepSession: string | undefined,
): Promise<void> {
  await transaction.deleteFrom("auth_tokens").where("userId", "=", userId).execute();
  if (change.passwordHash !== undefined) {
    await transaction
      .updateTable("auth_accounts")
      .set({ password: change.passwordHash, updatedAt: new Date().toISOString() })
      .where("userId", "=", userId)
      .where("providerId", "=", "credential")
      .execute();
    await transaction.deleteFrom("auth_api_keys").where("referenceId", "=", userId).execute();
  }
  if (change.passwordHash !== undefined || change.disabled) {
    const sessions = transaction.deleteFrom("auth_sessions").where("userId", "=", userId);
    await (keepSession === undefined ? sessions : sessions.where("id", "!=", keepSession)).execute();
  }
}

async function insertRevocations(
  database: Database | Transaction<Tables>,
  revocations: readonly Revocation[],
): Promise<void> {
  if (revocations.length === 0) return;
  const rows = revocations.map(({ kind, id, at, until }) => ({
    kind,
    subject: id,
    at: Date.parse(at),
    until: Date.parse(until),
  }));
  await database.insertInto("auth_revocations").values(rows).execute();
}
