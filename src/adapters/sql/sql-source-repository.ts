import { type Selectable, sql, type Transaction } from "kysely";
import type { HashedContent, Source } from "../../streaming/source.ts";
import type {
  ConfirmedFile,
  SourcePlaces,
  SourceRepository,
  SourceState,
  StoredCount,
} from "../../streaming/source-repository.ts";
import type { SourceRow } from "./streaming-tables.ts";
import type { Database, Tables } from "./tables.ts";
import { transact } from "./transact.ts";

/** Rows in one statement: databases bound its parameters. */
const ROWS_AT_ONCE = 100;

/** What a scan compares. */
const STATE = ["id", "path", "size_bytes", "mtime_ms", "ctime_ms", "file_key", "availability", "visibility"] as const;

/** A column whose index SQLite passes over (by the plus): it would read a whole place where one source is asked for, or a page. */
const unindexed = (column: "place") => sql<string>`+${sql.ref(column)}`;

/** Sources in the database, for SQLite and MySQL alike: those in the places that an instance reaches, and no others. */
export class SqlSourceRepository implements SourceRepository {
  readonly #database: Database;
  readonly #places: SourcePlaces;

  constructor(database: Database, places: SourcePlaces) {
    this.#database = database;
    this.#places = places;
  }

  async claimUnplaced(): Promise<void> {
    for (const origin of ["upload", "library"] as const) {
      await this.#database
        .updateTable("sources")
        .set({ place: this.#places[origin] })
        .where("place", "=", "")
        .where("origin", "=", origin)
        .execute();
    }
    await this.#database
      .updateTable("library_folders")
      .set({ place: this.#places.library })
      .where("place", "=", "")
      .execute();
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
    const { upload, library } = this.#places;
    const row = await this.#database
      .selectFrom("sources")
      .selectAll()
      .where("place", "in", [upload, library])
      .where("folder", "=", folder)
      .where("path", "=", path)
      .executeTakeFirst();
    return sourceOf(row);
  }

  async save(source: Source): Promise<void> {
    const write = async (transaction: Transaction<Tables>) => {
      await transaction.deleteFrom("sources").where("id", "=", source.id).execute();
      await transaction.insertInto("sources").values(rowOf(source, this.#places[source.origin])).execute();
    };
    await transact(this.#database, write, "read committed");
  }

  async findStates(folder: string, paths: readonly string[]): Promise<SourceState[]> {
    if (paths.length === 0) return [];
    const rows = await this.#states().where("folder", "=", folder).where("path", "in", paths).execute();
    return rows.map(toState);
  }

  async findByFileKeys(keys: readonly string[]): Promise<Source[]> {
    if (keys.length === 0) return [];
    const rows = await this.#select().where("file_key", "in", keys).execute();
    return rows.map(toSource);
  }

  async saveAll(sources: readonly Source[]): Promise<void> {
    if (sources.length === 0) return;
    const write = async (transaction: Transaction<Tables>) => {
      const ids = sources.map(({ id }) => id);
      await transaction.deleteFrom("sources").where("id", "in", ids).execute();
      for (let from = 0; from < sources.length; from += ROWS_AT_ONCE) {
        const rows = sources
          .slice(from, from + ROWS_AT_ONCE)
          .map((source) => rowOf(source, this.#places[source.origin]));
        await transaction.insertInto("sources").values(rows).execute();
      }
    };
    await transact(this.#database, write, "read committed");
  }

  async identify({ id, sizeBytes, mtimeMs }: Source, { mediaId, sample }: HashedContent): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable("sources")
      .set({ media_id: mediaId, sample })
      .where("id", "=", id)
      .where("size_bytes", "=", sizeBytes)
      .where("mtime_ms", "=", mtimeMs)
      .executeTakeFirst();
    return Number(numUpdatedRows) > 0;
  }

  async confirmAll(files: readonly ConfirmedFile[]): Promise<void> {
    if (files.length === 0) return;
    const write = async (transaction: Transaction<Tables>) => {
      for (const { id, sizeBytes, mtimeMs, ctimeMs, sample } of files) {
        await transaction
          .updateTable("sources")
          .set({ ctime_ms: ctimeMs, sample })
          .where("id", "=", id)
          .where("size_bytes", "=", sizeBytes)
          .where("mtime_ms", "=", mtimeMs)
          .execute();
      }
    };
    await transact(this.#database, write, "read committed");
  }

  async listUnhashed(afterId: string | null, limit: number): Promise<Source[]> {
    const rows = await this.#page(afterId, limit)
      .where("origin", "=", "library")
      .where("availability", "=", "ready")
      .where("media_id", "is", null)
      .execute();
    return rows.map(toSource);
  }

  async countReady(folder: string): Promise<number> {
    const row = await this.#database
      .selectFrom("sources")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("place", "=", this.#places.library)
      .where("folder", "=", folder)
      .where("availability", "=", "ready")
      .executeTakeFirst();
    return Number(row?.count ?? 0);
  }

  async countUnhashedBytes(): Promise<number> {
    const row = await this.#database
      .selectFrom("sources")
      .select(({ fn }) => fn.sum("size_bytes").as("bytes"))
      .where("origin", "=", "library")
      .where("place", "=", this.#places.library)
      .where("availability", "=", "ready")
      .where("media_id", "is", null)
      .executeTakeFirst();
    return Number(row?.bytes ?? 0);
  }

  async countStored(): Promise<Record<Source["origin"], StoredCount>> {
    const count = async (origin: Source["origin"]) => {
      const stored = this.#database
        .selectFrom("sources")
        .select(({ fn }) => fn.max("size_bytes").as("bytes"))
        .where("origin", "=", origin)
        .where("place", "=", this.#places[origin])
        .where("availability", "=", "ready")
        // A library has equal files as often as they are there.
        .groupBy(sql`case when origin = 'upload' then coalesce(media_id, id) else id end`);
      const row = await this.#database
        .selectFrom(stored.as("stored"))
        .select(({ fn }) => [fn.countAll().as("files"), fn.sum("bytes").as("bytes")])
        .executeTakeFirst();
      return { files: Number(row?.files ?? 0), bytes: Number(row?.bytes ?? 0) };
    };
    return { upload: await count("upload"), library: await count("library") };
  }

  async countByOwner(limit: number): Promise<(StoredCount & { readonly ownerId: string })[]> {
    const rows = await this.#database
      .selectFrom("sources")
      .select(({ fn }) => ["owner_id", fn.countAll().as("files"), fn.sum("size_bytes").as("bytes")])
      .where("origin", "=", "upload")
      .where("place", "=", this.#places.upload)
      .where("owner_id", "is not", null)
      .groupBy("owner_id")
      .orderBy("bytes", "desc")
      .limit(limit)
      .execute();
    return rows.map((row) => ({ ownerId: row.owner_id ?? "", files: Number(row.files), bytes: Number(row.bytes) }));
  }

  async giveAll(ownerId: string, heirId: string): Promise<void> {
    await this.#database
      .updateTable("sources")
      .set({ owner_id: heirId })
      .where("owner_id", "=", ownerId)
      .where("origin", "=", "upload")
      .execute();
  }

  async listReady(folder: string, below: string, afterId: string | null, limit: number): Promise<SourceState[]> {
    let query = this.#database
      .selectFrom("sources")
      .select(STATE)
      .where(below === "" ? unindexed("place") : "place", "=", this.#places.library)
      .where("folder", "=", folder)
      .where("availability", "=", "ready");
    if (below !== "") {
      // "0" is what comes after "/".
      query = query.where((when) =>
        when.or([when("path", "=", below), when.and([when("path", ">", `${below}/`), when("path", "<", `${below}0`)])]),
      );
    }
    const rows = await query
      .where("id", ">", afterId ?? "")
      .orderBy("id")
      .limit(limit)
      .execute();
    return rows.map(toState);
  }

  async list(afterId: string | null, limit: number): Promise<Source[]> {
    const rows = await this.#page(afterId, limit).execute();
    return rows.map(toSource);
  }

  async listFolders(): Promise<string[]> {
    const rows = await this.#database
      .selectFrom("sources")
      .select("folder")
      .where("place", "=", this.#places.library)
      .distinct()
      .execute();
    return rows.flatMap(({ folder }) => (folder === null ? [] : [folder]));
  }

  async countByFolder(): Promise<{ readonly folder: string; readonly files: number }[]> {
    const rows = await this.#database
      .selectFrom("sources")
      .select(({ fn }) => ["folder", fn.countAll().as("files")])
      .where("place", "=", this.#places.library)
      .groupBy("folder")
      .orderBy("folder")
      .execute();
    return rows.flatMap(({ folder, files }) => (folder === null ? [] : [{ folder, files: Number(files) }]));
  }

  async listIn(folder: string, limit: number): Promise<string[]> {
    const inFolder = this.#states().where("folder", "=", folder).limit(limit);
    return (await inFolder.execute()).map(({ id }) => id);
  }

  async removeFrom(folder: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#database
      .deleteFrom("sources")
      .where("id", "in", ids)
      .where(unindexed("place"), "=", this.#places.library)
      .where("folder", "=", folder)
      .execute();
  }

  async countUploadsOf(mediaId: string): Promise<number> {
    const { count } = await this.#database
      .selectFrom("sources")
      .select((expression) => expression.fn.countAll<number>().as("count"))
      .where("media_id", "=", mediaId)
      .where(unindexed("place"), "=", this.#places.upload)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async remove(id: string): Promise<void> {
    await this.#database.deleteFrom("sources").where("id", "=", id).execute();
  }

  #states() {
    return this.#database.selectFrom("sources").select(STATE).where("place", "=", this.#places.library);
  }

  #select() {
    const { upload, library } = this.#places;
    return this.#database.selectFrom("sources").selectAll().where(unindexed("place"), "in", [upload, library]);
  }

  #page(afterId: string | null, limit: number) {
    return this.#select()
      .where("id", ">", afterId ?? "")
      .orderBy("id")
      .limit(limit);
  }
}

function rowOf(source: Source, place: string): SourceRow {
  return {
    id: source.id,
    origin: source.origin,
    owner_id: source.ownerId,
    name: source.name,
    file_name: source.fileName,
    media_id: source.mediaId,
    folder: source.folder,
    path: source.path,
    size_bytes: source.sizeBytes,
    mtime_ms: source.mtimeMs,
    ctime_ms: source.ctimeMs,
    sample: source.sample,
    visibility: source.visibility,
    availability: source.availability,
    info: JSON.stringify(source.info),
    created_at: source.createdAt,
    file_key: source.fileKey,
    metadata: source.metadata && JSON.stringify(source.metadata),
    place,
  };
}

function toState(row: Pick<SourceRow, (typeof STATE)[number]>): SourceState {
  const { id, path, availability, visibility } = row;
  const [sizeBytes, mtimeMs] = [Number(row.size_bytes), Number(row.mtime_ms)];
  return {
    id,
    path,
    sizeBytes,
    mtimeMs,
    ctimeMs: numberOf(row.ctime_ms),
    fileKey: row.file_key,
    availability,
    visibility,
  };
}

const numberOf = (value: number | null) => (value === null ? null : Number(value));

const sourceOf = (row: Selectable<SourceRow> | undefined): Source | null => (row ? toSource(row) : null);

function toSource(row: Selectable<SourceRow>): Source {
  return {
    id: row.id,
    origin: row.origin,
    ownerId: row.owner_id,
    name: row.name,
    fileName: row.file_name,
    mediaId: row.media_id,
    folder: row.folder,
    path: row.path,
    sizeBytes: Number(row.size_bytes),
    mtimeMs: Number(row.mtime_ms),
    ctimeMs: numberOf(row.ctime_ms),
    sample: row.sample,
    visibility: row.visibility,
    availability: row.availability,
    info: JSON.parse(row.info) as Source["info"],
    createdAt: row.created_at,
    fileKey: row.file_key,
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Source["metadata"]),
  };
}
