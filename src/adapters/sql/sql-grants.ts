import type { AuthStore, GrantQuery, NewGrant } from "../../auth/auth-store.ts";
import type { GrantKind, GrantRecord, Revocation } from "../../auth/contract.ts";
import { insertRevocations } from "./sql-auth-steps.ts";
import type { Database, Tables } from "./tables.ts";
import { transact } from "./transact.ts";

// The auth store's part about grants.

export function saveGrant(database: Database, grant: NewGrant, max: number): ReturnType<AuthStore["saveGrant"]> {
  const { id, userId, titleId, collectionId, kind } = grant;
  const times = { createdAt: grant.createdAt.getTime(), expiresAt: grant.expiresAt.getTime() };
  return transact(database, async (transaction) => {
    const user = await transaction
      .selectFrom("auth_users")
      .select("banned")
      .where("id", "=", userId)
      .executeTakeFirst();
    if (!user || user.banned === 1) return "no-user";
    const { count } = await transaction
      .selectFrom("auth_grants")
      .select(({ fn }) => fn.countAll<number | bigint | string>().as("count"))
      .where("userId", "=", userId)
      .where("kind", "=", kind)
      .where("expiresAt", ">", Date.now())
      .executeTakeFirstOrThrow();
    if (Number(count) >= max) return "too-many";
    await transaction
      .insertInto("auth_grants")
      .values({ id, userId, titleId: titleId ?? "", collectionId, kind, ...times })
      .execute();
    return "saved";
  });
}

export async function listGrants(
  database: Database,
  { userId, kind, limit, before }: GrantQuery,
): Promise<GrantRecord[]> {
  let query = grants(database).where("auth_grants.kind", "=", kind).where("auth_grants.expiresAt", ">", Date.now());
  if (userId !== null) query = query.where("auth_grants.userId", "=", userId);
  if (before !== undefined) query = query.where("auth_grants.id", "<", before);
  return (await query.orderBy("auth_grants.id", "desc").limit(limit).execute()).map(toRecord);
}

export async function findGrants(
  database: Database,
  ids: readonly string[],
  userId: string | null,
  kind: GrantKind,
): Promise<GrantRecord[]> {
  if (ids.length === 0) return [];
  const query = grants(database).where("auth_grants.id", "in", ids).where("auth_grants.kind", "=", kind);
  return (await (userId === null ? query : query.where("auth_grants.userId", "=", userId)).execute()).map(toRecord);
}

export function endGrants(database: Database, revocations: readonly Revocation[]): Promise<void> {
  const ids = revocations.map(({ id }) => id);
  return transact(database, async (transaction) => {
    if (ids.length > 0) await transaction.deleteFrom("auth_grants").where("id", "in", ids).execute();
    await insertRevocations(transaction, revocations);
  });
}

const grants = (database: Database) =>
  database
    .selectFrom("auth_grants")
    .innerJoin("auth_users", "auth_users.id", "auth_grants.userId")
    .select([
      "auth_grants.id",
      "auth_grants.userId",
      "auth_grants.titleId",
      "auth_grants.collectionId",
      "auth_grants.kind",
      "auth_grants.createdAt",
      "auth_grants.expiresAt",
      "auth_users.username",
    ]);

function toRecord(row: Tables["auth_grants"] & { readonly username: string }): GrantRecord {
  return {
    ...row,
    titleId: row.collectionId === null ? row.titleId : null,
    kind: row.kind === "stream" ? "stream" : "link",
    createdAt: new Date(row.createdAt).toISOString(),
    expiresAt: new Date(row.expiresAt).toISOString(),
  };
}
