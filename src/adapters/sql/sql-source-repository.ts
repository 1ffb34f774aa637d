import type { Selectable, Transaction } from "kysely";
import type { Source } from "../../streaming/source.ts";
import type { SourceRepository } from "../../streaming/source-repository.ts";
import type { SourceRow } from "./streaming-tables.ts";
import type { Database, Tables } from "./tables.ts";
import { transact } from "./transact.ts";

/** Sources in the database, for SQLite and MySQL alike. */
export class SqlSourceRepository implements SourceRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(id: string): Promise<Source | null> {
    return sourceOf(await this.#select().where("id", "=", id).executeTakeFirst());
  }

  async findPlayable(id: string, mediaId: string | null): Promise<Source | null> {
    const own = await this.#select().where("id", "=", id).where("availability", "=", "ready").executeTakeFirst();
    if (own || mediaId === null) return sourceOf(own);
    const same = this.#select().where("media_id", "=", mediaId).where("availability", "=", "ready");
    return sourceOf(await same.orderBy("id").limit(1).executeTakeFirst());
  }

  async findByPath(folder: string, path: string): Promise<Source | null> {
    return sourceOf(await this.#select().where("folder", "=", folder).where("path", "=", path).executeTakeFirst());
  }

  async save(source: Source): Promise<void> {
    const write = async (transaction: Transaction<Tables>) => {
      await transaction.deleteFrom("sources").where("id", "=", source.id).execute();
      await transaction.insertInto("sources").values(rowOf(source)).execute();
    };
    await transact(this.#database, write, "read committed");
  }

  async list(afterId: string | null, limit: number): Promise<Source[]> {
    const rows = await this.#page(afterId, limit).execute();
    return rows.map(toSource);
  }

  async listFolders(): Promise<string[]> {
    const rows = await this.#database.selectFrom("sources").select("folder").distinct().execute();
    return rows.flatMap(({ folder }) => (folder === null ? [] : [folder]));
  }

  async listFolder(folder: string, afterId: string | null, limit: number): Promise<Source[]> {
    const rows = await this.#page(afterId, limit).where("folder", "=", folder).execute();
    return rows.map(toSource);
  }

  async countUploadsOf(mediaId: string): Promise<number> {
    const { count } = await this.#database
      .selectFrom("sources")
      .select((expression) => expression.fn.countAll<number>().as("count"))
      .where("media_id", "=", mediaId)
      .where("origin", "=", "upload")
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async remove(id: string): Promise<void> {
    await this.#database.deleteFrom("sources").where("id", "=", id).execute();
  }

  #select() {
    return this.#database.selectFrom("sources").selectAll();
  }

  #page(afterId: string | null, limit: number) {
    return this.#select()
      .where("id", ">", afterId ?? "")
      .orderBy("id")
      .limit(limit);
  }
}

function rowOf(source: Source): SourceRow {
  return {
    id: source.id,
    origin: source.origin,
    owner_id: source.ownerId,
    name: source.name,
    media_id: source.mediaId,
    folder: source.folder,
    path: source.path,
    size_bytes: source.sizeBytes,
    mtime_ms: source.mtimeMs,
    visibility: source.visibility,
    availability: source.availability,
    info: JSON.stringify(source.info),
    created_at: source.createdAt,
  };
}

const sourceOf = (row: Selectable<SourceRow> | undefined): Source | null => (row ? toSource(row) : null);

function toSource(row: Selectable<SourceRow>): Source {
  return {
    id: row.id,
    origin: row.origin,
    ownerId: row.owner_id,
    name: row.name,
    mediaId: row.media_id,
    folder: row.folder,
    path: row.path,
    sizeBytes: Number(row.size_bytes),
    mtimeMs: Number(row.mtime_ms),
    visibility: row.visibility,
    availability: row.availability,
    info: JSON.parse(row.info) as Source["info"],
    createdAt: row.created_at,
  };
}
