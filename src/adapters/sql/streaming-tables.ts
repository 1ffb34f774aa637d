import type { Kysely, Migration } from "kysely";

export interface SourceRow {
  id: string;
  origin: "upload" | "library";
  owner_id: string | null;
  name: string;
  media_id: string | null;
  folder: string | null;
  path: string | null;
  size_bytes: number;
  mtime_ms: number;
  visibility: "private" | "members" | "public";
  availability: "ready" | "unavailable";
  /** JSON of the contract's `mediaInfo`. */
  info: string;
  created_at: string;
}

/** Tables that the streaming service owns. */
export interface StreamingTables {
  sources: SourceRow;
}

export const streamingMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-streaming-sources": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("sources")
        .addColumn("id", "varchar(36)", (column) => column.primaryKey())
        .addColumn("origin", "varchar(16)", (column) => column.notNull())
        .addColumn("owner_id", "varchar(36)")
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("media_id", "varchar(64)")
        .addColumn("folder", "text")
        .addColumn("path", "text")
        .addColumn("size_bytes", "bigint", (column) => column.notNull())
        .addColumn("mtime_ms", "bigint", (column) => column.notNull())
        .addColumn("visibility", "varchar(16)", (column) => column.notNull())
        .addColumn("availability", "varchar(16)", (column) => column.notNull())
        .addColumn("info", "text", (column) => column.notNull())
        .addColumn("created_at", "varchar(24)", (column) => column.notNull())
        .execute();
      await database.schema.createIndex("sources_media").on("sources").column("media_id").execute();
      await database.schema.createIndex("sources_path").on("sources").columns(["folder", "path"]).unique().execute();
    },
  },
};
