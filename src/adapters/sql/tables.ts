import type { Kysely, Migration } from "kysely";
import { type AuthTables, authMigrations } from "./auth-tables.ts";
import { type CatalogTables, catalogMigrations } from "./catalog-tables.ts";
import { type StreamingTables, streamingMigrations } from "./streaming-tables.ts";
import { type UploadTables, uploadMigrations } from "./upload-tables.ts";

/** All tables by name. Each service owns some; no query of one touches those of another. */
export interface Tables extends AuthTables, CatalogTables, StreamingTables, UploadTables {}

export type Database = Kysely<Tables>;

/** All migrations by name; names begin with the date, so that their order is the order they were written in. */
export const migrations: Readonly<Record<string, Migration>> = {
  ...authMigrations,
  ...catalogMigrations,
  ...streamingMigrations,
  ...uploadMigrations,
};
