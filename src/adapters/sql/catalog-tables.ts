import { type Generated, type Kysely, type Migration, sql } from "kysely";
import { dropProgress, growCatalog } from "./catalog-growth.ts";
import { createPostings, createTitleColumns, createTitleVersions } from "./catalog-postings.ts";
import { columnTypesOf, isSqlite } from "./column-types.ts";

/**
 * A title. `seq` is its place in time: milliseconds of its creation times 2,048, plus a counter. So the order of the
 * primary key, and of every index beside it, is the order in which titles are listed.
 */
export interface TitleTable {
  seq: number;
  id: string;
  name: string;
  name_folded: string;
  name_key: string;
  description: string;
  /** What its files are called that it is found by, one in a line; null when that is nothing more. */
  file_names: string | null;
  owner_id: string | null;
  owner_name: string | null;
  origin: "upload" | "library";
  visibility: "private" | "members" | "public";
  availability: "receiving" | "ready" | "unavailable" | "failed";
  media_id: string | null;
  size_bytes: number;
  /** `MediaInfo` as JSON; null while nothing is known of the bytes. */
  info: string | null;
  created_at: string;
  /** Milliseconds since 1970; null while it is there. */
  deleted_at: number | null;
  /** What is sorted and filtered by: -1, 0 and an empty string where it is not known or there is none. */
  duration_ms: number;
  height: number;
  codec: string;
  /** `TagWords` as JSON; null when nobody has said anything of its tags. */
  tag_words: string | null;
}

export interface TitleTagTable {
  title_seq: number;
  /** Its place among the title's tags. */
  position: number;
  tag: string;
  tag_key: string;
}

export interface TitleSourceTable {
  source_id: string;
  title_seq: number;
  provider: string;
  origin: "upload" | "library";
  availability: "ready" | "unavailable";
  media_id: string | null;
  /** `Derived` as JSON. */
  derived: string | null;
  fingerprint: string | null;
}

export interface FolderTable {
  id: string;
  /** Empty for a library folder. */
  parent_id: string;
  name: string;
  name_key: string;
}

/**
 * What titles are sorted by, in a row as short as can be. `num` counts titles as they come and is never given again: the
 * text index (`title_postings`) knows titles by it.
 */
export interface TitleKeyTable {
  num: Generated<number>;
  seq: number;
  name_key: string;
  duration_ms: number;
  height: number;
}

/** Which of 8,192 titles have a term (`title-postings.ts`). */
export interface TitlePostingTable {
  id: number;
  bits: Uint8Array;
}

/** What 512 titles are sorted by, as numbers (`title-columns.ts`). */
export interface TitleColumnTable {
  id: number;
  bytes: Uint8Array;
}

/** Another number whenever something changes in the text index of 8,192 titles (`title-versions.ts`). */
export interface TitleVersionTable {
  chunk: number;
  version: number;
}

/** A title that is there lies in this folder, or below it. */
export interface TitleFolderTable {
  folder_id: string;
  title_seq: number;
  /** 1 when it lies in the folder itself. */
  direct: number;
  visibility: "private" | "members" | "public";
}

export interface TitleTombstoneTable {
  source_id: string;
  origin: "upload" | "library";
  media_id: string | null;
  purged_at: string;
  /** Of the title that it was; both null for what was purged by an older version. */
  title_id: string | null;
  name: string | null;
}

/** What somebody has done with a title; flags are 0 or 1. */
export interface TitleStateTable {
  user_id: string;
  title_seq: number;
  position_seconds: number | null;
  in_progress: number;
  watched: number;
  favourite: number;
  /** Milliseconds since 1970; 0 for never. */
  watched_at: number;
}

/**
 * How many titles that are there have a value, apart for each kind of caller: `public`, `members`, an owner's id
 * (private titles of theirs), `*` for all titles.
 */
export interface TitleCountTable {
  scope: string;
  kind: "tag" | "codec" | "height" | "title";
  /** The tag's key. */
  value: string;
  /** As it is shown. */
  label: string;
  titles: number;
}

/** What must be indexed anew: see `title-upgrade.ts`. */
export interface CatalogStaleTable {
  what: string;
}

export interface CollectionTable {
  id: string;
  name: string;
  name_folded: string;
  name_key: string;
  description: string;
  owner_id: string;
  owner_name: string;
  visibility: "private" | "members" | "public";
  created_at: string;
  updated_at: string;
}

export interface CollectionTitleTable {
  collection_id: string;
  title_seq: number;
  position: number;
}

/** The catalog's tables. */
export interface CatalogTables {
  titles: TitleTable;
  title_keys: TitleKeyTable;
  title_postings: TitlePostingTable;
  title_columns: TitleColumnTable;
  title_versions: TitleVersionTable;
  title_tags: TitleTagTable;
  title_sources: TitleSourceTable;
  title_tombstones: TitleTombstoneTable;
  folders: FolderTable;
  title_folders: TitleFolderTable;
  title_states: TitleStateTable;
  title_counts: TitleCountTable;
  catalog_stale: CatalogStaleTable;
  collections: CollectionTable;
  collection_titles: CollectionTitleTable;
}

/** They made the text indexes that each database had of its own. */
const formerIndexes = [
  "2026-11-22-catalog-search",
  "2026-11-22-catalog-words",
  "2026-11-22-catalog-word-beginnings",
  "2026-11-22-catalog-terms",
];

/** The catalog's migrations that every database shares. */
export const catalogMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-catalog": { up: createCatalog },
  "2026-11-23-catalog-folders": { up: createFolders },
  "2026-11-22-catalog-at-scale": { up: growCatalog },
  "2026-11-22-catalog-progress": { up: dropProgress },
  ...Object.fromEntries(formerIndexes.map((name) => [name, { up: async () => undefined }])),
  "2026-11-23-catalog-postings": { up: createPostings },
  "2026-11-23-catalog-title-columns": { up: createTitleColumns },
  "2026-11-23-catalog-deleted": { up: indexDeleted },
  "2026-11-24-catalog-title-versions": { up: createTitleVersions },
  "2026-11-24-catalog-tombstone-names": { up: nameTombstones },
  "2026-11-25-catalog-file-names": { up: createFileNames },
  "2026-11-26-catalog-tag-words": { up: createTagWords },
};

async function createCatalog(db: Kysely<unknown>): Promise<void> {
  const { sequence: seqType } = columnTypesOf(db);
  await createTitles(db, seqType);
  await db.schema
    .createTable("title_tags")
    .addColumn("title_seq", seqType, (column) => column.notNull().references("titles.seq").onDelete("cascade"))
    .addColumn("position", "integer", (column) => column.notNull())
    .addColumn("tag", "varchar(64)", (column) => column.notNull())
    .addColumn("tag_key", "varchar(255)", (column) => column.notNull())
    .addPrimaryKeyConstraint("title_tags_key", ["title_seq", "tag_key"])
    .execute();
  await db.schema
    .createTable("title_sources")
    .addColumn("source_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("title_seq", seqType, (column) => column.notNull().references("titles.seq").onDelete("cascade"))
    .addColumn("provider", "varchar(255)", (column) => column.notNull())
    .addColumn("origin", "varchar(16)", (column) => column.notNull())
    .addColumn("availability", "varchar(16)", (column) => column.notNull())
    .addColumn("media_id", "varchar(64)")
    .execute();
  await db.schema.createIndex("title_sources_title").on("title_sources").column("title_seq").execute();
  await createMemories(db, seqType);
}

async function createTitles(db: Kysely<unknown>, seqType: "integer" | "bigint"): Promise<void> {
  await db.schema
    .createTable("titles")
    .addColumn("seq", seqType, (column) => column.primaryKey())
    .addColumn("id", "varchar(36)", (column) => column.notNull().unique())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("name_folded", "text", (column) => column.notNull())
    .addColumn("name_key", "varchar(64)", (column) => column.notNull())
    .addColumn("description", "text", (column) => column.notNull())
    .addColumn("owner_id", "varchar(36)")
    .addColumn("owner_name", "varchar(64)")
    .addColumn("origin", "varchar(16)", (column) => column.notNull())
    .addColumn("visibility", "varchar(16)", (column) => column.notNull())
    .addColumn("availability", "varchar(16)", (column) => column.notNull())
    .addColumn("media_id", "varchar(64)")
    .addColumn("size_bytes", "bigint", (column) => column.notNull())
    .addColumn("info", "text")
    .addColumn("created_at", "varchar(30)", (column) => column.notNull())
    .addColumn("deleted_at", "bigint")
    .execute();
  const indexes = {
    titles_by_visibility: ["visibility", "seq"],
    titles_by_visibility_and_name: ["visibility", "name_key", "seq"],
    titles_by_owner: ["owner_id", "seq"],
    titles_by_owner_and_name: ["owner_id", "name_key", "seq"],
    titles_by_name: ["name_key", "seq"],
    titles_by_media: ["media_id", "seq"],
    titles_by_deletion: ["deleted_at"],
  };
  for (const [name, columns] of Object.entries(indexes)) {
    await db.schema.createIndex(name).on("titles").columns(columns).execute();
  }
}

/**
 * Nearly no title is deleted. SQLite keeps no figures of that, and took the index of all titles' deletions for one that
 * leads to few: the others are not in it any more.
 */
async function indexDeleted(db: Kysely<unknown>): Promise<void> {
  if (!isSqlite(db)) return;
  await db.schema.dropIndex("titles_by_deletion").execute();
  await sql`create index titles_deleted on titles (deleted_at) where deleted_at is not null`.execute(db);
}

async function createMemories(db: Kysely<unknown>, seqType: "integer" | "bigint"): Promise<void> {
  await db.schema
    .createTable("title_tombstones")
    .addColumn("source_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("origin", "varchar(16)", (column) => column.notNull())
    .addColumn("media_id", "varchar(64)")
    .addColumn("purged_at", "varchar(30)", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("title_tombstones_by_media").on("title_tombstones").column("media_id").execute();
  await db.schema
    .createTable("title_progress")
    .addColumn("user_id", "varchar(36)", (column) => column.notNull())
    .addColumn("title_seq", seqType, (column) => column.notNull().references("titles.seq").onDelete("cascade"))
    .addColumn("position_seconds", "double precision", (column) => column.notNull())
    .addColumn("updated_at", "varchar(30)", (column) => column.notNull())
    .addPrimaryKeyConstraint("title_progress_key", ["user_id", "title_seq"])
    .execute();
  await db.schema.createIndex("title_progress_by_title").on("title_progress").column("title_seq").execute();
}

async function nameTombstones(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("title_tombstones").addColumn("title_id", "varchar(36)").execute();
  await db.schema.alterTable("title_tombstones").addColumn("name", "text").execute();
}

async function createFileNames(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("titles").addColumn("file_names", "text").execute();
  await sql`delete from catalog_stale where what = 'file-names'`.execute(db);
  await sql`insert into catalog_stale (what) values ('file-names')`.execute(db);
}

async function createTagWords(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("titles").addColumn("tag_words", "text").execute();
}

async function createFolders(db: Kysely<unknown>): Promise<void> {
  const { sequence: seqType } = columnTypesOf(db);
  await db.schema.alterTable("title_sources").addColumn("derived", "text").execute();
  await db.schema.alterTable("title_sources").addColumn("fingerprint", "varchar(32)").execute();
  await db.schema
    .createTable("folders")
    .addColumn("id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("parent_id", "varchar(36)", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("name_key", "varchar(64)", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("folders_by_parent").on("folders").columns(["parent_id", "name_key", "id"]).execute();
  await db.schema
    .createTable("title_folders")
    .addColumn("folder_id", "varchar(36)", (column) => column.notNull())
    .addColumn("title_seq", seqType, (column) => column.notNull().references("titles.seq").onDelete("cascade"))
    .addColumn("direct", "integer", (column) => column.notNull())
    .addColumn("visibility", "varchar(16)", (column) => column.notNull())
    .addPrimaryKeyConstraint("title_folders_key", ["folder_id", "title_seq"])
    .execute();
  await db.schema.createIndex("title_folders_title").on("title_folders").column("title_seq").execute();
  const counted = db.schema.createIndex("title_folders_visibility").on("title_folders");
  await counted.columns(["folder_id", "visibility"]).execute();
}
