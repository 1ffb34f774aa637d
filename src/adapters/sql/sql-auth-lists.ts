import { type Selectable, sql } from "kysely";
import type { AccountRecord, InviteRecord, SessionRecord, UserRecord } from "../../auth/auth-store.ts";
import type { Role } from "../../auth/contract.ts";
import type { Database, Tables } from "./tables.ts";

// What account and admin pages list.

export const userColumns = ["id", "username", "role", "banned", "twoFactorEnabled", "createdAt"] as const;
type UserRow = Pick<Selectable<Tables["auth_users"]>, (typeof userColumns)[number]>;

export function toUser({ id, username, role, banned, twoFactorEnabled, createdAt }: UserRow): UserRecord {
  const [disabled, twoFactor] = [banned === 1, twoFactorEnabled === 1];
  return { id, username, role: role as Role, disabled, twoFactor, createdAt: new Date(createdAt) };
}

export async function listAccounts(
  database: Database,
  limit: number,
  after: string | null,
  part: string,
): Promise<AccountRecord[]> {
  let query = database.selectFrom("auth_users").select(userColumns).orderBy("id").limit(limit);
  if (after !== null) query = query.where("id", ">", after);

  if (part !== "") query = query.where(sql<boolean>`instr(username, ${part.toLowerCase()}) > 0`);
  const users = await query.execute();
  const seen = await lastSeen(
    database,
    users.map(({ id }) => id),
  );
  return users.map((row) => ({ ...toUser(row), lastSeenAt: seen.get(row.id) ?? null }));
}

async function lastSeen(database: Database, userIds: readonly string[]): Promise<Map<string, Date>> {
  if (userIds.length === 0) return new Map();
  const rows = await database
    .selectFrom("auth_sessions")
    .select(["userId", "lastSeenAt", "createdAt"])
    .where("userId", "in", userIds)
    .execute();
  const seen = new Map<string, Date>();
  for (const { userId, lastSeenAt, createdAt } of rows) {
    const at = new Date(lastSeenAt === null ? createdAt : Number(lastSeenAt));
    if (at > (seen.get(userId) ?? new Date(0))) seen.set(userId, at);
  }
  return seen;
}

export async function listSessions(database: Database, userId: string): Promise<SessionRecord[]> {
  const rows = await database
    .selectFrom("auth_sessions")
    .select(["id", "userAgent", "ipAddress", "createdAt", "lastSeenAt", "expiresAt"])
    .where("userId", "=", userId)
    .where("expiresAt", ">", new Date())
    .execute();
  return rows
    .map(({ createdAt, lastSeenAt, expiresAt, ...row }) => ({
      ...row,
      createdAt: new Date(createdAt),
      lastSeenAt: new Date(lastSeenAt ?? createdAt),
      expiresAt: new Date(expiresAt),
    }))
    .toSorted((a, b) => b.lastSeenAt.getTime() - a.lastSeenAt.getTime());
}

export async function sessionToken(database: Database, id: string, userId: string): Promise<string | null> {
  const row = await database
    .selectFrom("auth_sessions")
    .select("token")
    .where("id", "=", id)
    .where("userId", "=", userId)
    .executeTakeFirst();
  return row?.token ?? null;
}

export async function listInvites(database: Database): Promise<InviteRecord[]> {
  const rows = await database
    .selectFrom("auth_invites")
    .leftJoin("auth_users as maker", "maker.id", "auth_invites.createdBy")
    .leftJoin("auth_users as guest", "guest.id", "auth_invites.usedBy")
    .select(["auth_invites.id", "auth_invites.role", "auth_invites.createdAt", "auth_invites.expiresAt"])
    .select(["auth_invites.usedBy as usedById", "maker.username as createdBy", "guest.username as usedBy"])
    .where("auth_invites.expiresAt", ">", Date.now())
    .orderBy("auth_invites.id", "desc")
    .limit(MAX_INVITES)
    .execute();
  return rows.map(({ usedById, role, createdAt, expiresAt, ...row }) => ({
    ...row,
    role: role as Role,
    isUsed: usedById !== null,
    createdAt: new Date(createdAt),
    expiresAt: new Date(expiresAt),
  }));
}

/** More invitations than these are never shown. */
const MAX_INVITES = 500;
