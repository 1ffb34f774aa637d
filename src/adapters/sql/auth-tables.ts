import type { ColumnType, Generated, Kysely, Migration } from "kysely";
import { columnTypesOf } from "./column-types.ts";

/** A moment in better-auth's tables: written as a `Date`, read as what the database makes of it. */
export type Moment = ColumnType<string | Date, Date, Date>;
type NullableMoment = ColumnType<string | Date | null, Date | null, Date | null>;

/**
 * Tables of the auth service. Those of better-auth have the columns it asks for (a test compares them); dates are
 * ISO 8601 text (SQLite) or `datetime(3)` in UTC (MySQL) and booleans 0 or 1, as better-auth writes them. In Kinora's own, times are epoch milliseconds.
 */
export interface AuthTables {
  auth_users: {
    id: string;
    name: string;
    /** Synthetic, `{id}@users.invalid`: better-auth wants one. Never shown. */
    email: string;
    emailVerified: number;
    image: string | null;
    createdAt: Moment;
    updatedAt: Moment;
    username: string;
    role: string;
    /** 1 for a disabled account. */
    banned: number | null;
    banReason: string | null;
    banExpires: NullableMoment;
    /** 1 when signing in takes a second factor. */
    twoFactorEnabled: number | null;
  };
  auth_sessions: {
    id: string;
    expiresAt: Moment;
    token: string;
    createdAt: Moment;
    updatedAt: Moment;
    ipAddress: string | null;
    userAgent: string | null;
    userId: string;
    impersonatedBy: string | null;
    /** Ours: when it was last used, to a minute; null until then. */
    lastSeenAt: number | null;
  };
  auth_accounts: {
    id: string;
    accountId: string;
    providerId: string;
    userId: string;
    accessToken: string | null;
    refreshToken: string | null;
    idToken: string | null;
    accessTokenExpiresAt: NullableMoment;
    refreshTokenExpiresAt: NullableMoment;
    scope: string | null;
    /** argon2id in PHC form, for `providerId` `credential`. */
    password: string | null;
    createdAt: Moment;
    updatedAt: Moment;
  };
  auth_verifications: {
    id: string;
    identifier: string;
    value: string;
    expiresAt: Moment;
    createdAt: Moment;
    updatedAt: Moment;
  };
  auth_api_keys: {
    id: string;
    configId: string;
    name: string | null;
    start: string | null;
    /** The user it belongs to. */
    referenceId: string;
    prefix: string | null;
    /** SHA-256 of the key. */
    key: string;
    refillInterval: number | null;
    refillAmount: number | null;
    lastRefillAt: NullableMoment;
    enabled: number | null;
    rateLimitEnabled: number | null;
    rateLimitTimeWindow: number | null;
    rateLimitMax: number | null;
    requestCount: number | null;
    remaining: number | null;
    lastRequest: NullableMoment;
    expiresAt: NullableMoment;
    createdAt: Moment;
    updatedAt: Moment;
    permissions: string | null;
    metadata: string | null;
  };
  auth_two_factors: {
    id: string;
    userId: string;
    /** Encrypted with the auth secret, as the backup codes are. */
    secret: string;
    backupCodes: string;
    /** 0 until the first code has been right. */
    verified: number | null;
    failedVerificationCount: number | null;
    lockedUntil: NullableMoment;
  };
  /** Tokens that may still be renewed. The token itself is not stored. */
  auth_tokens: {
    id: string;
    userId: string;
    /** The session or API key it was made with; both null when made with name and password. */
    parentKind: string | null;
    parentId: string | null;
    createdAt: number;
    expiresAt: number;
  };
  auth_signing_keys: {
    id: string;
    publicJwk: string;
    /** JWE (A256GCM) with a key derived from the auth secret. */
    privateJwe: string;
    createdAt: number;
  };
  /** Grants that have not been revoked. The grant itself is not stored. */
  auth_grants: {
    id: string;
    userId: string;
    /** Empty for the grant of a collection. */
    titleId: string;
    collectionId: string | null;
    kind: string;
    createdAt: number;
    expiresAt: number;
  };
  auth_revocations: {
    position: Generated<number>;
    kind: string;
    subject: string;
    at: number;
    until: number;
  };
  /** Users who were deleted in the last day. */
  auth_deletions: {
    userId: string;
    /** Who has their videos; both null when these were deleted as well. */
    heirId: string | null;
    heirName: string | null;
    deletedAt: number;
  };
  auth_invites: {
    id: string;
    codeHash: string;
    role: string;
    createdBy: string;
    createdAt: number;
    expiresAt: number;
    usedBy: string | null;
  };
}

async function createBetterAuthTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  const { date } = columnTypesOf(database);
  await schema
    .createTable("auth_users")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("name", "varchar(255)", (column) => column.notNull())
    .addColumn("email", "varchar(255)", (column) => column.notNull().unique())
    .addColumn("emailVerified", "integer", (column) => column.notNull())
    .addColumn("image", "text")
    .addColumn("createdAt", date, (column) => column.notNull())
    .addColumn("updatedAt", date, (column) => column.notNull())
    .addColumn("username", "varchar(64)", (column) => column.notNull().unique())
    .addColumn("role", "varchar(32)", (column) => column.notNull())
    .addColumn("banned", "integer")
    .addColumn("banReason", "text")
    .addColumn("banExpires", date)
    .execute();
  await schema
    .createTable("auth_sessions")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("expiresAt", date, (column) => column.notNull())
    .addColumn("token", "varchar(255)", (column) => column.notNull().unique())
    .addColumn("createdAt", date, (column) => column.notNull())
    .addColumn("updatedAt", date, (column) => column.notNull())
    .addColumn("ipAddress", "varchar(64)")
    .addColumn("userAgent", "text")
    .addColumn("userId", "varchar(36)", (column) => column.notNull().references("auth_users.id").onDelete("cascade"))
    .addColumn("impersonatedBy", "varchar(36)")
    .execute();
  await schema
    .createTable("auth_accounts")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("accountId", "varchar(255)", (column) => column.notNull())
    .addColumn("providerId", "varchar(64)", (column) => column.notNull())
    .addColumn("userId", "varchar(36)", (column) => column.notNull().references("auth_users.id").onDelete("cascade"))
    .addColumn("accessToken", "text")
    .addColumn("refreshToken", "text")
    .addColumn("idToken", "text")
    .addColumn("accessTokenExpiresAt", date)
    .addColumn("refreshTokenExpiresAt", date)
    .addColumn("scope", "text")
    .addColumn("password", "text")
    .addColumn("createdAt", date, (column) => column.notNull())
    .addColumn("updatedAt", date, (column) => column.notNull())
    .execute();
  await schema
    .createTable("auth_verifications")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("identifier", "varchar(255)", (column) => column.notNull())
    .addColumn("value", "text", (column) => column.notNull())
    .addColumn("expiresAt", date, (column) => column.notNull())
    .addColumn("createdAt", date, (column) => column.notNull())
    .addColumn("updatedAt", date, (column) => column.notNull())
    .execute();
}

async function createApiKeyTable(database: Kysely<unknown>): Promise<void> {
  const { date } = columnTypesOf(database);
  await database.schema
    .createTable("auth_api_keys")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("configId", "varchar(64)", (column) => column.notNull())
    .addColumn("name", "varchar(255)")
    .addColumn("start", "varchar(32)")
    .addColumn("referenceId", "varchar(36)", (column) =>
      column.notNull().references("auth_users.id").onDelete("cascade"),
    )
    .addColumn("prefix", "varchar(64)")
    .addColumn("key", "varchar(255)", (column) => column.notNull())
    .addColumn("refillInterval", "integer")
    .addColumn("refillAmount", "integer")
    .addColumn("lastRefillAt", date)
    .addColumn("enabled", "integer")
    .addColumn("rateLimitEnabled", "integer")
    .addColumn("rateLimitTimeWindow", "integer")
    .addColumn("rateLimitMax", "integer")
    .addColumn("requestCount", "integer")
    .addColumn("remaining", "integer")
    .addColumn("lastRequest", date)
    .addColumn("expiresAt", date)
    .addColumn("createdAt", date, (column) => column.notNull())
    .addColumn("updatedAt", date, (column) => column.notNull())
    .addColumn("permissions", "text")
    .addColumn("metadata", "text")
    .execute();
}

async function createTwoFactorTable(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("auth_two_factors")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("userId", "varchar(36)", (column) => column.notNull().references("auth_users.id").onDelete("cascade"))
    .addColumn("secret", "varchar(255)", (column) => column.notNull())
    .addColumn("backupCodes", "text", (column) => column.notNull())
    .addColumn("verified", "integer")
    .addColumn("failedVerificationCount", "integer")
    .addColumn("lockedUntil", columnTypesOf(database).date)
    .execute();
  await database.schema.createIndex("auth_two_factors_userId_idx").on("auth_two_factors").column("userId").execute();
}

async function createOwnTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema
    .createTable("auth_tokens")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("userId", "varchar(36)", (column) => column.notNull().references("auth_users.id").onDelete("cascade"))
    .addColumn("parentKind", "varchar(16)")
    .addColumn("parentId", "varchar(36)")
    .addColumn("createdAt", "bigint", (column) => column.notNull())
    .addColumn("expiresAt", "bigint", (column) => column.notNull())
    .execute();
  await schema
    .createTable("auth_signing_keys")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("publicJwk", "text", (column) => column.notNull())
    .addColumn("privateJwe", "text", (column) => column.notNull())
    .addColumn("createdAt", "bigint", (column) => column.notNull())
    .execute();
  await schema
    .createTable("auth_revocations")
    .addColumn("position", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("kind", "varchar(16)", (column) => column.notNull())
    .addColumn("subject", "varchar(64)", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("until", "bigint", (column) => column.notNull())
    .execute();
  await schema
    .createTable("auth_invites")
    .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
    .addColumn("codeHash", "varchar(64)", (column) => column.notNull().unique())
    .addColumn("role", "varchar(32)", (column) => column.notNull())
    .addColumn("createdBy", "varchar(36)", (column) => column.notNull())
    .addColumn("createdAt", "bigint", (column) => column.notNull())
    .addColumn("expiresAt", "bigint", (column) => column.notNull())
    .addColumn("usedBy", "varchar(36)")
    .execute();
}

const indexes: readonly (readonly [table: string, column: string])[] = [
  ["auth_sessions", "userId"],
  ["auth_accounts", "userId"],
  ["auth_verifications", "identifier"],
  ["auth_api_keys", "configId"],
  ["auth_api_keys", "referenceId"],
  ["auth_api_keys", "key"],
  ["auth_tokens", "userId"],
  ["auth_tokens", "parentId"],
  ["auth_revocations", "until"],
];

export const authMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-auth-1": {
    async up(database) {
      await createBetterAuthTables(database);
      await createApiKeyTable(database);
      await createOwnTables(database);
      for (const [table, column] of indexes) {
        await database.schema.createIndex(`${table}_${column}_idx`).on(table).column(column).execute();
      }
    },
  },
  "2026-11-22-auth-2-grants": {
    async up(database) {
      await database.schema
        .createTable("auth_grants")
        .addColumn("id", "varchar(36)", (column) => column.notNull().primaryKey())
        .addColumn("userId", "varchar(36)", (column) =>
          column.notNull().references("auth_users.id").onDelete("cascade"),
        )
        .addColumn("titleId", "varchar(36)", (column) => column.notNull())
        .addColumn("kind", "varchar(16)", (column) => column.notNull())
        .addColumn("createdAt", "bigint", (column) => column.notNull())
        .addColumn("expiresAt", "bigint", (column) => column.notNull())
        .execute();
      for (const column of ["userId", "expiresAt"]) {
        await database.schema.createIndex(`auth_grants_${column}_idx`).on("auth_grants").column(column).execute();
      }
    },
  },
  "2026-11-22-auth-3-collection-grants": {
    async up(database) {
      await database.schema.alterTable("auth_grants").addColumn("collectionId", "varchar(36)").execute();
    },
  },
  "2026-11-22-auth-4-two-factor": {
    async up(database) {
      await database.schema.alterTable("auth_users").addColumn("twoFactorEnabled", "integer").execute();
      await database.schema.alterTable("auth_sessions").addColumn("lastSeenAt", "bigint").execute();
      await createTwoFactorTable(database);
    },
  },
  "2026-11-22-auth-5-deletions": {
    async up(database) {
      await database.schema
        .createTable("auth_deletions")
        .addColumn("userId", "varchar(36)", (column) => column.notNull().primaryKey())
        .addColumn("heirId", "varchar(36)")
        .addColumn("heirName", "varchar(64)")
        .addColumn("deletedAt", "bigint", (column) => column.notNull())
        .execute();
    },
  },
};
