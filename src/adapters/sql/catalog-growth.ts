import { type Kysely, sql } from "kysely";
import { type ColumnTypes, columnTypesOf, isSqlite } from "./column-types.ts";

// The catalog's second migration: what titles are sorted and filtered by, what people do with them, collections.

type Sequence = ColumnTypes["sequence"];

/** Ranges that a page is read from: titles of one visibility, of one owner and visibility, all; each in every order. */
const ranges: Readonly<Record<string, readonly string[]>> = {
  visibility: ["visibility"],
  owner: ["owner_id", "visibility"],
  all: [],
};
const orders: Readonly<Record<string, readonly string[]>> = {
  time: ["seq"],
  name: ["name_key", "seq"],
  duration: ["duration_ms", "seq"],
};
/** There already, with these very columns. */
const kept = new Set(["titles_visibility_time", "titles_visibility_name", "titles_all_time", "titles_all_name"]);

export async function growCatalog(db: Kysely<unknown>): Promise<void> {
  const { sequence } = columnTypesOf(db);
  await db.schema
    .alterTable("titles")
    .addColumn("duration_ms", "bigint", (column) => column.notNull().defaultTo(-1))
    .execute();
  await db.schema
    .alterTable("titles")
    .addColumn("height", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .alterTable("titles")
    .addColumn("codec", "varchar(32)", (column) => column.notNull().defaultTo(""))
    .execute();
  for (const name of ["titles_by_owner", "titles_by_owner_and_name"]) {
    const drop = db.schema.dropIndex(name);
    await (isSqlite(db) ? drop : drop.on("titles")).execute();
  }
  for (const [range, first] of Object.entries(ranges)) {
    for (const [order, last] of Object.entries(orders)) {
      const name = `titles_${range}_${order}`;
      if (kept.has(name)) continue;
      await db.schema
        .createIndex(name)
        .on("titles")
        .columns([...first, ...last])
        .execute();
    }
  }
  await createStates(db, sequence);
  await createCounts(db);
  await createCollections(db, sequence);
}

async function createStates(db: Kysely<unknown>, sequence: Sequence): Promise<void> {
  await db.schema
    .createTable("title_states")
    .addColumn("user_id", "varchar(36)", (column) => column.notNull())
    .addColumn("title_seq", sequence, (column) => column.notNull().references("titles.seq").onDelete("cascade"))
    .addColumn("position_seconds", "double precision")
    .addColumn("in_progress", "integer", (column) => column.notNull())
    .addColumn("watched", "integer", (column) => column.notNull())
    .addColumn("favourite", "integer", (column) => column.notNull())
    .addColumn("watched_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("title_states_key", ["user_id", "title_seq"])
    .execute();
  await db.schema.createIndex("title_states_by_title").on("title_states").column("title_seq").execute();
  for (const what of ["in_progress", "watched", "favourite", "watched_at"]) {
    await db.schema
      .createIndex(`title_states_by_${what}`)
      .on("title_states")
      .columns(["user_id", what, "title_seq"])
      .execute();
  }
  // When it was last played is not known exactly of what was kept before: in the order of the titles' times.
  await sql`insert into title_states (user_id, title_seq, position_seconds, in_progress, watched, favourite, watched_at)
    select user_id, title_seq, position_seconds, case when position_seconds > 0 then 1 else 0 end, 0, 0, 1
    from title_progress as p
    where not exists (select 1 from title_states as s where s.user_id = p.user_id and s.title_seq = p.title_seq)`.execute(
    db,
  );
}

/** Apart from what copies it: where a schema change is not undone with its transaction, that may run twice. */
export async function dropProgress(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable("title_progress").ifExists().execute();
}

async function createCounts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("title_counts")
    .addColumn("scope", "varchar(36)", (column) => column.notNull())
    .addColumn("kind", "varchar(8)", (column) => column.notNull())
    .addColumn("value", "varchar(255)", (column) => column.notNull())
    .addColumn("label", "varchar(255)", (column) => column.notNull())
    .addColumn("titles", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("title_counts_key", ["scope", "kind", "value"])
    .execute();
  await db.schema
    .createIndex("title_counts_by_titles")
    .on("title_counts")
    .columns(["scope", "kind", "titles", "value"])
    .execute();
  await db.schema.createIndex("title_tags_by_tag").on("title_tags").columns(["tag_key", "title_seq"]).execute();
  await db.schema
    .createTable("catalog_stale")
    .addColumn("what", "varchar(32)", (column) => column.primaryKey())
    .execute();
  await sql`delete from catalog_stale`.execute(db);
  await sql`insert into catalog_stale (what) values ('titles')`.execute(db);
}

async function createCollections(db: Kysely<unknown>, sequence: Sequence): Promise<void> {
  await db.schema
    .createTable("collections")
    .addColumn("id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("name_folded", "text", (column) => column.notNull())
    .addColumn("name_key", "varchar(64)", (column) => column.notNull())
    .addColumn("description", "text", (column) => column.notNull())
    .addColumn("owner_id", "varchar(36)", (column) => column.notNull())
    .addColumn("owner_name", "varchar(64)", (column) => column.notNull())
    .addColumn("visibility", "varchar(16)", (column) => column.notNull())
    .addColumn("created_at", "varchar(30)", (column) => column.notNull())
    .addColumn("updated_at", "varchar(30)", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("collections_by_owner")
    .on("collections")
    .columns(["owner_id", "name_key", "id"])
    .execute();
  await db.schema.createIndex("collections_by_name").on("collections").columns(["name_key", "id"]).execute();
  await db.schema
    .createTable("collection_titles")
    .addColumn("collection_id", "varchar(36)", (column) =>
      column.notNull().references("collections.id").onDelete("cascade"),
    )
    .addColumn("title_seq", sequence, (column) => column.notNull().references("titles.seq").onDelete("cascade"))
    .addColumn("position", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("collection_titles_key", ["collection_id", "title_seq"])
    .execute();
  await db.schema
    .createIndex("collection_titles_in_order")
    .on("collection_titles")
    .columns(["collection_id", "position"])
    .execute();
  await db.schema.createIndex("collection_titles_by_title").on("collection_titles").column("title_seq").execute();
}
