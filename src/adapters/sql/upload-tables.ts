import type { Kysely, Migration, Selectable } from "kysely";
import type { Receiving, UploadChange, UploadRecord, UploadRecords, UploadState } from "../../upload/upload-records.ts";

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
    attempts: number;
    media_id: string | null;
    error: string | null;
    writer: string | null;
    lease_until: number;
    place: string | null;
    copy_id: string | null;
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
  "2026-11-22-upload-2-attempts": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable("upload")
        .addColumn("attempts", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  "2026-11-23-upload-3-writer": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("upload").addColumn("writer", "varchar(64)").execute();
      await db.schema
        .alterTable("upload")
        .addColumn("lease_until", "bigint", (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  "2026-11-23-upload-4-place": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("upload").addColumn("place", "varchar(300)").execute();
    },
  },
  "2026-11-23-upload-5-copy": {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable("upload").addColumn("copy_id", "varchar(36)").execute();
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
    const row: UploadTables["upload"] = {
      id: record.id,
      kind: record.kind,
      owner_id: record.ownerId,
      owner_name: record.ownerName,
      name: record.name,
      tags: JSON.stringify(record.tags),
      metadata: JSON.stringify(record.metadata),
      size_bytes: record.sizeBytes,
      offset_bytes: record.offset,
      state: record.state,
      attempts: record.attempts,
      media_id: record.mediaId,
      error: record.error && JSON.stringify(record.error),
      writer: record.writer,
      place: record.place,
      copy_id: record.copy,
      lease_until: record.leaseUntil?.getTime() ?? 0,
      created_at: record.createdAt.getTime(),
      expires_at: record.expiresAt.getTime(),
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

  async updateAs(writer: string, id: string, change: UploadChange): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable("upload")
      .set(toColumns(change))
      .where("id", "=", id)
      .where("writer", "=", writer)
      .executeTakeFirst();
    return numUpdatedRows > 0n || (await this.get(id))?.writer === writer;
  }

  async takeOver(before: Receiving, { writer, copy, offset, leaseUntil }: Receiving & { readonly leaseUntil: Date }) {
    const { id } = before;
    const { numUpdatedRows } = await this.#database
      .updateTable("upload")
      .set({ writer, copy_id: copy, offset_bytes: offset, lease_until: leaseUntil.getTime() })
      .where("id", "=", id)
      .where("state", "=", "receiving")
      .where("offset_bytes", "=", before.offset)
      .where("writer", before.writer === null ? "is" : "=", before.writer)
      .where("copy_id", before.copy === null ? "is" : "=", before.copy)
      .executeTakeFirst();
    if (numUpdatedRows > 0n) return true;
    // MySQL does not count a row that was like this already.
    const now = await this.get(id);
    return now?.state === "receiving" && now.writer === writer && now.copy === copy && now.offset === offset;
  }

  async remove(id: string): Promise<void> {
    await this.#database.deleteFrom("upload").where("id", "=", id).execute();
  }

  async inState(state: UploadState): Promise<UploadRecord[]> {
    const query = this.#database.selectFrom("upload").selectAll().where("state", "=", state).orderBy("created_at");
    return (await query.execute()).map(toRecord);
  }

  async unidentified(): Promise<UploadRecord[]> {
    const query = this.#database.selectFrom("upload").selectAll().where("state", "=", "ready");
    return (await query.where("media_id", "is", null).execute()).map(toRecord);
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

/** The columns of the members that are there; the others are left out of the statement. */
function toColumns({
  name,
  tags,
  sizeBytes,
  offset,
  state,
  attempts,
  mediaId,
  error,
  copy,
  leaseUntil,
  expiresAt,
}: UploadChange) {
  return {
    name,
    tags: tags && JSON.stringify(tags),
    size_bytes: sizeBytes,
    offset_bytes: offset,
    state,
    attempts,
    media_id: mediaId,
    error: error && JSON.stringify(error),
    copy_id: copy,
    lease_until: leaseUntil === null ? 0 : leaseUntil?.getTime(),
    expires_at: expiresAt?.getTime(),
  };
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
    attempts: Number(row.attempts),
    mediaId: row.media_id,
    error: row.error === null ? null : (JSON.parse(row.error) as UploadRecord["error"]),
    writer: row.writer,
    place: row.place,
    copy: row.copy_id,
    leaseUntil: Number(row.lease_until) === 0 ? null : new Date(Number(row.lease_until)),
    createdAt: new Date(Number(row.created_at)),
    expiresAt: new Date(Number(row.expires_at)),
  };
}
