import { type Kysely, type Migration, sql } from "kysely";
import { isSqlite } from "./column-types.ts";

export interface SourceRow {
  id: string;
  origin: "upload" | "library";
  owner_id: string | null;
  name: string;
  file_name: string | null;
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
  /** `device:inode`. */
  file_key: string | null;
  /** JSON of what a library file says of itself. */
  metadata: string | null;
  /** When anything of a library file was changed last; null when that is not known. */
  ctime_ms: number | null;
  /** What tells a sample of its bytes from others (`ContentSample`). */
  sample: string | null;
  /** Where the bytes are: an instance's library or a store; empty for rows that are older than this column. */
  place: string;
}

/** A file of a library folder that was refused, so that it is not read again as long as it stays the same. */
export interface RefusedFileRow {
  /** SHA-256 of the instance, folder and path. */
  place: string;
  folder: string;
  path: string;
  size_bytes: number;
  mtime_ms: number;
  code: string;
  detail: string;
  /** The version that refused it: another one may read it. */
  version: string;
}

/** A library folder that an admin added. */
export interface LibraryFolderRow {
  id: string;
  path: string;
  visibility: "private" | "members" | "public";
  created_at: string;
  /** The instance that has the folder; empty for rows that are older than this column. */
  place: string;
}

/** A folder whose titles are being forgotten. */
export interface ForgettingRow {
  /** SHA-256 of the instance and folder. */
  id: string;
  place: string;
  folder: string;
}

/** Which source's bytes stand for a content, in stores that keep bytes by source. */
export interface StoredContentRow {
  media_id: string;
  source_id: string;
}

/** Sources whose bytes are to be removed; `noted_at` in milliseconds since 1970. */
export interface StoredRemovalRow {
  source_id: string;
  noted_at: number;
}

/** Tables that the streaming service owns. */
export interface StreamingTables {
  sources: SourceRow;
  library_refused: RefusedFileRow;
  library_folders: LibraryFolderRow;
  library_forgetting: ForgettingRow;
  stored_contents: StoredContentRow;
  stored_removals: StoredRemovalRow;
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
      await createPathIndex(database);
    },
  },
  "2026-11-23-streaming-library": { up: createLibrary },
  "2026-11-23-streaming-places": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .alterTable("sources")
        .addColumn("place", "varchar(160)", (column) => column.notNull().defaultTo(""))
        .execute();
      await indexPlaces(database);
      await database.schema
        .alterTable("library_folders")
        .addColumn("place", "varchar(160)", (column) => column.notNull().defaultTo(""))
        .execute();
      await database.schema
        .createTable("stored_contents")
        .addColumn("media_id", "varchar(64)", (column) => column.primaryKey())
        .addColumn("source_id", "varchar(36)", (column) => column.notNull())
        .execute();
      await database.schema.createIndex("stored_contents_source").on("stored_contents").column("source_id").execute();
      await database.schema
        .createTable("stored_removals")
        .addColumn("source_id", "varchar(36)", (column) => column.primaryKey())
        .addColumn("noted_at", "bigint", (column) => column.notNull())
        .execute();
    },
  },
  "2026-11-25-streaming-forgetting": {
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("library_forgetting")
        .addColumn("id", "varchar(64)", (column) => column.primaryKey())
        .addColumn("place", "varchar(160)", (column) => column.notNull())
        .addColumn("folder", "text", (column) => column.notNull())
        .execute();
    },
  },
  "2026-11-25-streaming-file-names": {
    async up(database: Kysely<unknown>) {
      await database.schema.alterTable("sources").addColumn("file_name", "text").execute();
    },
  },
  "2026-11-26-streaming-samples": {
    async up(database: Kysely<unknown>) {
      await database.schema.alterTable("sources").addColumn("ctime_ms", "bigint").execute();
      await database.schema.alterTable("sources").addColumn("sample", "varchar(32)").execute();
    },
  },
};

/** One source for each file. A path may be longer than what MySQL indexes: there its hash is what is unique. */
async function createPathIndex(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  if (isSqlite(database)) {
    await schema.createIndex("sources_path").on("sources").columns(["folder", "path"]).unique().execute();
    return;
  }
  await schema
    .alterTable("sources")
    .addColumn("path_hash", sql`varchar(64) character set ascii`, (column) =>
      column.generatedAlwaysAs(sql`sha2(concat(folder, char(10), path), 256)`).stored(),
    )
    .execute();
  await schema.createIndex("sources_path").on("sources").column("path_hash").unique().execute();
  await sql`create index sources_path_beginning on sources (path(500), folder(200))`.execute(database);
}

async function createLibrary({ schema }: Kysely<unknown>): Promise<void> {
  await schema.alterTable("sources").addColumn("file_key", "varchar(64)").execute();
  await schema.alterTable("sources").addColumn("metadata", "text").execute();
  await schema.createIndex("sources_file").on("sources").column("file_key").execute();
  await schema
    .createIndex("sources_unhashed")
    .on("sources")
    .columns(["origin", "availability", "media_id", "id"])
    .execute();
  await schema
    .createTable("library_refused")
    .addColumn("place", "varchar(64)", (column) => column.primaryKey())
    .addColumn("folder", "text", (column) => column.notNull())
    .addColumn("path", "text", (column) => column.notNull())
    .addColumn("size_bytes", "bigint", (column) => column.notNull())
    .addColumn("mtime_ms", "bigint", (column) => column.notNull())
    .addColumn("code", "varchar(64)", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("version", "varchar(64)", (column) => column.notNull())
    .execute();
  await schema
    .createTable("library_folders")
    .addColumn("id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("path", "text", (column) => column.notNull())
    .addColumn("visibility", "varchar(16)", (column) => column.notNull())
    .addColumn("created_at", "varchar(30)", (column) => column.notNull())
    .execute();
}

/** A file is known once in each place: two machines may have one folder name for different folders. */
async function indexPlaces(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  if (isSqlite(database)) {
    await schema.dropIndex("sources_path").execute();
    await schema.createIndex("sources_path").on("sources").columns(["place", "folder", "path"]).unique().execute();
    return;
  }
  // Its index goes with it.
  await schema.alterTable("sources").dropColumn("path_hash").execute();
  await schema
    .alterTable("sources")
    .addColumn("path_hash", sql`varchar(64) character set ascii`, (column) =>
      column.generatedAlwaysAs(sql`sha2(concat(place, char(10), folder, char(10), path), 256)`).stored(),
    )
    .execute();
  await schema.createIndex("sources_path").on("sources").column("path_hash").unique().execute();
}
