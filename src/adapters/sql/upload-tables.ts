import type { Kysely, Migration, Selectable } from "kysely";
import type { UploadChange, UploadRecord, UploadRecords, UploadState } from "../../upload/upload-records.ts";

/** Times are milliseconds since 1970; `tags`, `metadata` and `error` are JSON. */
export interface UploadTables {
  upload: {
    id: string;
    kind: "tus" | "form";
    owner_id: string;
    owner_name: string;
    name: string;
    tags: string;
    metadata: string;
    size_bytes: number;
    offset_bytes: number;
    state: UploadState;
    media_id: string | null;
    error: string | null;
    created_at: number;
    expires_at: number;
  };
}

export const uploadMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-upload-1": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("upload")
        .addColumn("id", "varchar(36)", (column) => column.primaryKey())
        .addColumn("kind", "varchar(8)", (column) => column.notNull())
        .addColumn("owner_id", "varchar(36)", (column) => column.notNull())
        .addColumn("owner_name", "varchar(64)", (column) => column.notNull())
        .addColumn("name", "varchar(300)", (column) => column.notNull())
        .addColumn("tags", "text", (column) => column.notNull())
        .addColumn("metadata", "text", (column) => column.notNull())
        .addColumn("size_bytes", "bigint", (column) => column.notNull())
        .addColumn("offset_bytes", "bigint", (column) => column.notNull())
        .addColumn("state", "varchar(16)", (column) => column.notNull())
        .addColumn("media_id", "varchar(64)")
        .addColumn("error", "text")
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("upload_expires").on("upload").column("expires_at").execute();
      await db.schema.createIndex("upload_state").on("upload").columns(["state", "created_at"]).execute();
      await db.schema.createIndex("upload_owner").on("upload").column("owner_id").execute();
    },
  },
};

/** The table of uploads in any database that Kysely speaks. */
export class SqlUploadRecords implements UploadRecords {
  readonly #database: Kysely<UploadTables>;

  constructor(database: Kysely<UploadTables>) {
    this.#database = database;
  }

  async insert(record: UploadRecord): Promise<void> {
    const row = {
      id: record.id,
      kind: record.kind,
      owner_id: record.ownerId,
      owner_name: record.ownerName,
      metadata: JSON.stringify(record.metadata),
      created_at: record.createdAt.getTime(),
      ...toColumns(record),
    };
    await this.#database.insertInto("upload").values(row).execute();
  }

  async get(id: string): Promise<UploadRecord | null> {
    const row = await this.#database.selectFrom("upload").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toRecord(row) : null;
  }

  async update(id: string, change: UploadChange): Promise<void> {
    await this.#database.updateTable("upload").set(toColumns(change)).where("id", "=", id).execute();
  }

  async remove(id: string): Promise<void> {
    await this.#database.deleteFrom("upload").where("id", "=", id).execute();
  }

  async inState(state: UploadState): Promise<UploadRecord[]> {
    const query = this.#database.selectFrom("upload").selectAll().where("state", "=", state).orderBy("created_at");
    return (await query.execute()).map(toRecord);
  }

  async expired(now: Date): Promise<UploadRecord[]> {
    const query = this.#database.selectFrom("upload").selectAll().where("expires_at", "<=", now.getTime());
    return (await query.execute()).map(toRecord);
  }

  async ofOwner(ownerId: string): Promise<UploadRecord[]> {
    const query = this.#database.selectFrom("upload").selectAll().where("owner_id", "=", ownerId);
    return (await query.execute()).map(toRecord);
  }
}

/** The columns of the members that are there. */
function toColumns<Change extends UploadChange>(change: Change) {
  return {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.tags === undefined ? {} : { tags: JSON.stringify(change.tags) }),
    ...(change.sizeBytes === undefined ? {} : { size_bytes: change.sizeBytes }),
    ...(change.offset === undefined ? {} : { offset_bytes: change.offset }),
    ...(change.state === undefined ? {} : { state: change.state }),
    ...(change.mediaId === undefined ? {} : { media_id: change.mediaId }),
    ...(change.error === undefined ? {} : { error: change.error && JSON.stringify(change.error) }),
    ...(change.expiresAt === undefined ? {} : { expires_at: change.expiresAt.getTime() }),
  } as UploadTables["upload"];
}

function toRecord(row: Selectable<UploadTables["upload"]>): UploadRecord {
  return {
    id: row.id,
    kind: row.kind,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    name: row.name,
    tags: JSON.parse(row.tags) as string[],
    metadata: JSON.parse(row.metadata) as UploadRecord["metadata"],
    sizeBytes: Number(row.size_bytes),
    offset: Number(row.offset_bytes),
    state: row.state,
    mediaId: row.media_id,
    error: row.error === null ? null : (JSON.parse(row.error) as UploadRecord["error"]),
    createdAt: new Date(Number(row.created_at)),
    expiresAt: new Date(Number(row.expires_at)),
  };
}
