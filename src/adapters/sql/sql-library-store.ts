import type { Transaction } from "kysely";
import type { AddedFolder, KnownRefusal, LibraryStore } from "../../streaming/library-store.ts";
import type { Database, Tables } from "./tables.ts";
import { transact } from "./transact.ts";

/** Rows in one statement: databases bound its parameters. */
const ROWS_AT_ONCE = 100;

/** What a library keeps in the database beside its sources. `version` is the program's: what one refuses another may read. */
export class SqlLibraryStore implements LibraryStore {
  readonly #database: Database;
  readonly #version: string;
  readonly #place: string;

  /** `place`: the instance whose library it is, as of `SourcePlaces`. */
  constructor(database: Database, { version, place }: { version: string; place: string }) {
    this.#database = database;
    this.#version = version;
    this.#place = place;
  }

  async listFolders(): Promise<AddedFolder[]> {
    const folders = this.#database.selectFrom("library_folders").selectAll().where("place", "=", this.#place);
    const rows = await folders.orderBy("created_at").execute();
    return rows.map(({ id, path, visibility, created_at }) => ({ id, path, visibility, createdAt: created_at }));
  }

  async addFolder({ id, path, visibility, createdAt }: AddedFolder): Promise<void> {
    const row = { id, path, visibility, created_at: createdAt, place: this.#place };
    await this.#database.insertInto("library_folders").values(row).execute();
  }

  async removeFolder(id: string): Promise<void> {
    await this.#database.deleteFrom("library_folders").where("id", "=", id).execute();
  }

  async listForgetting(): Promise<string[]> {
    const rows = await this.#database
      .selectFrom("library_forgetting")
      .select("folder")
      .where("place", "=", this.#place)
      .execute();
    return rows.map(({ folder }) => folder);
  }

  async beginForgetting(folder: string): Promise<void> {
    const row = { id: this.#placeOf(folder, ""), place: this.#place, folder };
    await transact(
      this.#database,
      async (transaction) => {
        await transaction.deleteFrom("library_forgetting").where("id", "=", row.id).execute();
        await transaction.insertInto("library_forgetting").values(row).execute();
      },
      "read committed",
    );
  }

  async endForgetting(folder: string): Promise<void> {
    await this.#database.deleteFrom("library_forgetting").where("id", "=", this.#placeOf(folder, "")).execute();
  }

  async findRefused(folder: string, paths: readonly string[]): Promise<KnownRefusal[]> {
    if (paths.length === 0) return [];
    const places = paths.map((path) => this.#placeOf(folder, path));
    const rows = await this.#database
      .selectFrom("library_refused")
      .selectAll()
      .where("place", "in", places)
      .where("version", "=", this.#version)
      .execute();
    return rows.map(({ path, size_bytes, mtime_ms, code, detail }) => ({
      path,
      sizeBytes: Number(size_bytes),
      mtimeMs: Number(mtime_ms),
      refused: { code, detail },
    }));
  }

  async putRefused(folder: string, refused: Parameters<LibraryStore["putRefused"]>[1]): Promise<void> {
    if (refused.length === 0) return;
    const rows = refused.map(({ path, sizeBytes, mtimeMs, refused: { code, detail } }) => ({
      place: this.#placeOf(folder, path),
      folder,
      path,
      size_bytes: sizeBytes,
      mtime_ms: mtimeMs,
      code,
      detail,
      version: this.#version,
    }));
    const write = async (transaction: Transaction<Tables>) => {
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        const some = rows.slice(from, from + ROWS_AT_ONCE);
        const places = some.map(({ place }) => place);
        await transaction.deleteFrom("library_refused").where("place", "in", places).execute();
        await transaction.insertInto("library_refused").values(some).execute();
      }
    };
    await transact(this.#database, write, "read committed");
  }

  #placeOf(folder: string, path: string): string {
    return new Bun.CryptoHasher("sha256").update(`${this.#place}\0${folder}\0${path}`).digest("hex");
  }
}
