import type { Transaction } from "kysely";
import type { NewUser, TokenRecord, UserChange, UserRecord } from "../../auth/auth-store.ts";
import type { Revocation, Role } from "../../auth/contract.ts";
import type { Database, Tables } from "./tables.ts";

// The steps of the auth store's transactions.

/** Whether a token's user and parent are there, and the parent has not expired. */
export async function exists(database: Database, userId: string, parent: TokenRecord["parent"]): Promise<boolean> {
  const user = await database.selectFrom("auth_users").select("id").where("id", "=", userId).executeTakeFirst();
  if (!user || parent === null) return user !== undefined;
  const now = new Date();
  const sessions = database.selectFrom("auth_sessions").where("id", "=", parent.id).where("expiresAt", ">", now);
  if (parent.kind === "session") return (await sessions.select("id").executeTakeFirst()) !== undefined;
  const keys = database
    .selectFrom("auth_api_keys")
    .where("id", "=", parent.id)
    .where("enabled", "=", 1)
    .where((where) => where.or([where("expiresAt", "is", null), where("expiresAt", ">", now)]));
  return (await keys.select("id").executeTakeFirst()) !== undefined;
}

export async function isEmpty(transaction: Transaction<Tables>): Promise<boolean> {
  return (await transaction.selectFrom("auth_users").select("id").limit(1).executeTakeFirst()) === undefined;
}

export async function isLastAdmin(transaction: Transaction<Tables>, id: string): Promise<boolean> {
  const admins = await transaction
    .selectFrom("auth_users")
    .select("id")
    .where("role", "=", "admin")
    .where((where) => where.or([where("banned", "is", null), where("banned", "=", 0)]))
    .limit(2)
    .execute();
  return admins.length === 1 && admins[0]?.id === id;
}

/** Somebody who may have videos of their own; null when there is nobody like that with this id. */
export async function findHeir(
  transaction: Transaction<Tables>,
  id: string,
): Promise<Pick<UserRecord, "id" | "username"> | null> {
  const row = await transaction
    .selectFrom("auth_users")
    .select(["id", "username", "role", "banned"])
    .where("id", "=", id)
    .executeTakeFirst();
  return row && row.role !== "viewer" && row.banned !== 1 ? { id: row.id, username: row.username } : null;
}

/** Uses an invitation up and gives its role; null when it does not count. */
export async function useInvite(
  transaction: Transaction<Tables>,
  codeHash: string,
  userId: string,
): Promise<Role | null> {
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

export async function insertUser(transaction: Transaction<Tables>, user: NewUser, role: Role): Promise<UserRecord> {
  const { id, username, passwordHash } = user;
  const createdAt = new Date();
  const dates = { createdAt, updatedAt: createdAt };
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
      twoFactorEnabled: 0,
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
  return { id, username, role, disabled: false, twoFactor: false, createdAt };
}

export async function endCredentials(
  transaction: Transaction<Tables>,
  userId: string,
  change: UserChange,
  keepSession: string | undefined,
): Promise<void> {
  await transaction.deleteFrom("auth_tokens").where("userId", "=", userId).execute();
  await transaction.deleteFrom("auth_grants").where("userId", "=", userId).execute();
  if (change.passwordHash !== undefined) {
    await transaction
      .updateTable("auth_accounts")
      .set({ password: change.passwordHash, updatedAt: new Date() })
      .where("userId", "=", userId)
      .where("providerId", "=", "credential")
      .execute();
    await transaction.deleteFrom("auth_api_keys").where("referenceId", "=", userId).execute();
  }
  if (change.twoFactor === false) {
    await transaction.updateTable("auth_users").set({ twoFactorEnabled: 0 }).where("id", "=", userId).execute();
    await transaction.deleteFrom("auth_two_factors").where("userId", "=", userId).execute();
  }
  if (change.passwordHash !== undefined || change.disabled) {
    const sessions = transaction.deleteFrom("auth_sessions").where("userId", "=", userId);
    await (keepSession === undefined ? sessions : sessions.where("id", "!=", keepSession)).execute();
  }
}

export async function insertRevocations(
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
