import { type Kysely, sql } from "kysely";
import { columnTypesOf, isSqlite } from "./column-types.ts";

// The catalog's migration to a text index that is the same in every database.

/** Indexes that searches no longer read from. */
const LEFT = [
  "titles_by_visibility",
  "titles_by_visibility_and_name",
  "titles_by_name",
  "titles_visibility_duration",
  "titles_owner_name",
  "titles_owner_duration",
  "titles_all_duration",
];

export async function createPostings(db: Kysely<unknown>): Promise<void> {
  const { sequence } = columnTypesOf(db);
  await db.schema
    .createTable("title_keys")
    .addColumn("num", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("seq", sequence, (column) => column.notNull().unique().references("titles.seq").onDelete("cascade"))
    .addColumn("name_key", "varchar(64)", (column) => column.notNull())
    .addColumn("duration_ms", "bigint", (column) => column.notNull())
    .addColumn("height", "integer", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("title_keys_by_name").on("title_keys").columns(["name_key", "seq"]).execute();
  await db.schema.createIndex("title_keys_by_duration").on("title_keys").columns(["duration_ms", "seq"]).execute();
  await db.schema
    .createTable("title_postings")
    .addColumn("id", sequence, (column) => column.primaryKey())
    .addColumn("bits", isSqlite(db) ? "blob" : sql`varbinary(1024)`, (column) => column.notNull())
    .execute();
  for (const name of LEFT) {
    const drop = db.schema.dropIndex(name);
    await (isSqlite(db) ? drop : drop.on("titles")).execute();
  }
  for (const name of ["title_search", "title_grams", "title_words", "title_terms", "title_texts"])
    await db.schema.dropTable(name).ifExists().execute();
  await sql`delete from catalog_stale`.execute(db);
  await sql`insert into catalog_stale (what) values ('titles')`.execute(db);
}

export async function createTitleColumns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("title_columns")
    .addColumn("id", columnTypesOf(db).sequence, (column) => column.primaryKey())
    .addColumn("bytes", isSqlite(db) ? "blob" : sql`varbinary(8192)`, (column) => column.notNull())
    .execute();
  await sql`delete from catalog_stale`.execute(db);
  await sql`insert into catalog_stale (what) values ('titles')`.execute(db);
}

export async function createTitleVersions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("title_versions")
    .addColumn("chunk", "integer", (column) => column.primaryKey())
    .addColumn("version", "bigint", (column) => column.notNull())
    .execute();
  await sql`delete from catalog_stale where what = 'columns'`.execute(db);
  await sql`insert into catalog_stale (what) values ('columns')`.execute(db);
}
