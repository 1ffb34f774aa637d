import type { Transaction } from "kysely";
import type { StoredContents } from "../../streaming/stored-contents.ts";
import type { Database, Tables } from "./tables.ts";
import { transact } from "./transact.ts";

/** Which source's bytes stand for a content, in the database. */
export class SqlStoredContents implements StoredContents {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async holderOf(mediaId: string): Promise<string | null> {
    const row = await this.#database
      .selectFrom("stored_contents")
      .select("source_id")
      .where("media_id", "=", mediaId)
      .executeTakeFirst();
    return row?.source_id ?? null;
  }

  async isHolder(sourceId: string): Promise<boolean> {
    const row = await this.#database
      .selectFrom("stored_contents")
      .select("media_id")
      .where("source_id", "=", sourceId)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async claim(mediaId: string, sourceId: string): Promise<string> {
    const known = await this.holderOf(mediaId);
    if (known !== null) return known;
    try {
      await this.#database.insertInto("stored_contents").values({ media_id: mediaId, source_id: sourceId }).execute();
      return sourceId;
    } catch (error) {
      // Another one was faster.
      const holder = await this.holderOf(mediaId);
      if (holder === null) throw error;
      return holder;
    }
  }

  async replace(mediaId: string, holder: string, sourceId: string): Promise<void> {
    await this.#database
      .updateTable("stored_contents")
      .set({ source_id: sourceId })
      .where("media_id", "=", mediaId)
      .where("source_id", "=", holder)
      .execute();
  }

  release(mediaId: string): Promise<string | null> {
    return transact(this.#database, async (transaction) => {
      const row = await transaction
        .selectFrom("stored_contents")
        .select("source_id")
        .where("media_id", "=", mediaId)
        .executeTakeFirst();
      if (!row) return null;
      const { numDeletedRows } = await transaction
        .deleteFrom("stored_contents")
        .where("media_id", "=", mediaId)
        .where("source_id", "=", row.source_id)
        .executeTakeFirst();
      if (numDeletedRows === 0n) return null;
      await note(transaction, row.source_id);
      return row.source_id;
    });
  }

  async restore(mediaId: string, sourceId: string): Promise<boolean> {
    if ((await this.claim(mediaId, sourceId)) !== sourceId) return false;
    await this.forgetRemoval(sourceId);
    return true;
  }

  async noteRemoval(sourceId: string): Promise<void> {
    await transact(this.#database, (transaction) => note(transaction, sourceId));
  }

  async removals(before: Date): Promise<string[]> {
    const rows = await this.#database
      .selectFrom("stored_removals")
      .select("source_id")
      .where("noted_at", "<=", before.getTime())
      .execute();
    return rows.map((row) => row.source_id);
  }

  async forgetRemoval(sourceId: string): Promise<void> {
    await this.#database.deleteFrom("stored_removals").where("source_id", "=", sourceId).execute();
  }
}

async function note(transaction: Transaction<Tables>, sourceId: string): Promise<void> {
  await transaction.deleteFrom("stored_removals").where("source_id", "=", sourceId).execute();
  await transaction.insertInto("stored_removals").values({ source_id: sourceId, noted_at: Date.now() }).execute();
}
