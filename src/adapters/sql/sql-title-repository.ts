import { sql, type Transaction } from "kysely";
import type {
  Audience,
  Derived,
  EditedTitle,
  Folder,
  FolderPage,
  FolderSearch,
  FoundTitles,
  TitleIndex,
  TitleIndexOf,
  TitleRecord,
  TitleRepository,
  TitleSearch,
  TitleSource,
  TitleWithSources,
  Tombstone,
} from "../../catalog/title-repository.ts";
import { findFolders, getFolder, hasTitlesIn, inFolder, putFolders, writeTitleFolders } from "./sql-folders.ts";
import type { Database, Tables } from "./tables.ts";
import { findTitleRows, visibleTo } from "./title-find.ts";
import { bury, isTaken, nextSeq } from "./title-places.ts";
import { type TitleRow, toRecord, toRow } from "./title-rows.ts";
import type { TitleSearchIndex } from "./title-search-index.ts";
import { locked, transact } from "./transact.ts";

export interface SqlTitleRepositoryOptions {
  readonly database: Database;
  /** The text index of this kind of database. */
  readonly search: TitleSearchIndex;
  readonly indexOf: TitleIndexOf;
}

/** Titles in any SQL database that Kysely speaks to. */
export class SqlTitleRepository implements TitleRepository {
  readonly #database: Database;
  readonly #search: TitleSearchIndex;
  readonly #indexOf: TitleIndexOf;

  constructor({ database, search, indexOf }: SqlTitleRepositoryOptions) {
    this.#database = database;
    this.#search = search;
    this.#indexOf = indexOf;
  }

  insert(title: TitleWithSources): Promise<boolean> {
    return this.#transact(async (transaction) => {
      if (await isTaken(transaction, title.id)) return false;
      const index = this.#indexOf(title);
      const seq = await nextSeq(transaction, Date.parse(title.createdAt));
      await transaction
        .insertInto("titles")
        .values({ seq, ...toRow(title, index) })
        .execute();
      await this.#writeParts(transaction, seq, title, index);
      return true;
    });
  }

  async get(id: string): Promise<TitleRecord | null> {
    return this.#one(await this.#database.selectFrom("titles").selectAll().where("id", "=", id).executeTakeFirst());
  }

  async getBySource(sourceId: string): Promise<TitleRecord | null> {
    const row = await this.#database
      .selectFrom("title_sources as s")
      .innerJoin("titles as t", "t.seq", "s.title_seq")
      .selectAll("t")
      .where("s.source_id", "=", sourceId)
      .executeTakeFirst();
    return this.#one(row);
  }

  async listProviders(id: string): Promise<string[]> {
    const rows = await this.#database
      .selectFrom("title_sources as s")
      .innerJoin("titles as t", "t.seq", "s.title_seq")
      .select("s.provider")
      .distinct()
      .where("t.id", "=", id)
      .where("s.availability", "=", "ready")
      .execute();
    return rows.map(({ provider }) => provider);
  }

  async getByMedia(mediaId: string, audience: Audience): Promise<TitleRecord | null> {
    const own = "userId" in audience ? sql`case when t.owner_id = ${audience.userId} then 0 else 1 end, ` : sql``;
    const { rows } = await sql<TitleRow>`select t.* from titles as t
      where t.media_id = ${mediaId} and t.deleted_at is null and ${visibleTo(audience)}
      order by ${own}t.seq limit 1`.execute(this.#database);
    return this.#one(rows[0]);
  }

  async getLibraryTitle(mediaId: string): Promise<TitleRecord | null> {
    const row = await this.#database
      .selectFrom("titles")
      .selectAll()
      .where("media_id", "=", mediaId)
      .where("origin", "=", "library")
      .where("deleted_at", "is", null)
      .orderBy("seq")
      .limit(1)
      .executeTakeFirst();
    return this.#one(row);
  }

  edit(id: string, change: (title: TitleWithSources) => TitleWithSources | null): Promise<EditedTitle | null> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      if (!found) return null;
      const next = change(found.title);
      if (!next) return { title: found.title, changed: false };
      const index = this.#indexOf(next);
      await transaction.updateTable("titles").set(toRow(next, index)).where("seq", "=", found.seq).execute();
      await this.#dropParts(transaction, found.seq);
      await this.#writeParts(transaction, found.seq, next, index);
      return { title: next, changed: true };
    });
  }

  async find(search: TitleSearch, audience: Audience): Promise<FoundTitles> {
    const folder = inFolder(search);
    const matches = this.#search.match(search, audience) ?? (folder && [folder]);
    const rows = await findTitleRows(this.#database, search, audience, matches);
    const shown = rows.slice(0, search.limit);
    const last = shown.at(-1);
    const more = rows.length > search.limit && last !== undefined;
    const nameKey = search.sort === "name" && last ? { nameKey: last.name_key } : {};
    return {
      titles: await this.#records(this.#database, shown),
      next: more ? { place: last.seq, ...nameKey } : null,
    };
  }

  async takeUnchanged(
    sources: readonly Pick<TitleSource, "sourceId" | "fingerprint" | "provider">[],
  ): Promise<Set<string>> {
    if (sources.length === 0) return new Set();
    const rows = await this.#database
      .selectFrom("title_sources")
      .select(["source_id", "fingerprint", "provider"])
      .where(
        "source_id",
        "in",
        sources.map(({ sourceId }) => sourceId),
      )
      .execute();
    const known = new Map(rows.map((row) => [row.source_id, row]));
    const same = sources.filter(({ sourceId, fingerprint }) => known.get(sourceId)?.fingerprint === fingerprint);
    const moved = same.filter(({ sourceId, provider }) => known.get(sourceId)?.provider !== provider);
    for (const [provider, group] of Map.groupBy(moved, (source) => source.provider)) {
      const ids = group.map(({ sourceId }) => sourceId);
      await this.#database.updateTable("title_sources").set({ provider }).where("source_id", "in", ids).execute();
    }
    return new Set(same.map(({ sourceId }) => sourceId));
  }

  absorb(id: string, into: string, when: (title: TitleWithSources) => boolean): Promise<boolean> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      const wanted = transaction.selectFrom("titles").select("seq").where("id", "=", into);
      const target = await locked(transaction, wanted).executeTakeFirst();
      if (!found || !target || !when(found.title)) return false;
      const users = await transaction
        .selectFrom("title_progress")
        .select("user_id")
        .where("title_seq", "=", target.seq)
        .execute();
      let moved = transaction
        .updateTable("title_progress")
        .set({ title_seq: target.seq })
        .where("title_seq", "=", found.seq);
      for (const { user_id } of users) moved = moved.where("user_id", "!=", user_id);
      await moved.execute();
      await this.#delete(transaction, found.seq);
      return true;
    });
  }

  putFolders(folders: Parameters<TitleRepository["putFolders"]>[0]): Promise<void> {
    return putFolders(this.#database, folders);
  }

  getFolder(id: string): Promise<Folder | null> {
    return getFolder(this.#database, id);
  }

  hasTitlesIn(id: string, audience: Audience): Promise<boolean> {
    return hasTitlesIn(this.#database, id, audience);
  }

  findFolders(search: FolderSearch, audience: Audience): Promise<FolderPage> {
    return findFolders(this.#database, search, audience);
  }

  remove(id: string, when: (title: TitleRecord) => boolean): Promise<boolean> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      if (!found || !when(found.title)) return false;
      await this.#delete(transaction, found.seq);
      return true;
    });
  }

  purge(id: string, when: (title: TitleRecord) => boolean): Promise<TitleWithSources | null> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      if (!found || !when(found.title)) return null;
      await bury(transaction, found.title);
      await this.#delete(transaction, found.seq);
      return found.title;
    });
  }

  async listDeleted(until: number): Promise<string[]> {
    const rows = await this.#database.selectFrom("titles").select("id").where("deleted_at", "<=", until).execute();
    return rows.map(({ id }) => id);
  }

  async firstDeletion(): Promise<number | null> {
    const row = await this.#database
      .selectFrom("titles")
      .select(({ fn }) => fn.min("deleted_at").as("first"))
      .where("deleted_at", "is not", null)
      .executeTakeFirst();
    return row?.first == null ? null : Number(row.first);
  }

  async listOwned(ownerId: string): Promise<string[]> {
    const rows = await this.#database.selectFrom("titles").select("id").where("owner_id", "=", ownerId).execute();
    return rows.map(({ id }) => id);
  }

  async getTombstone(sourceId: string, mediaId: string | null): Promise<Tombstone | null> {
    const row = await this.#database
      .selectFrom("title_tombstones")
      .selectAll()
      .where("source_id", "=", sourceId)
      .executeTakeFirst();
    if (!row) return null;
    if (mediaId !== null && mediaId !== row.media_id) {
      await this.#database
        .updateTable("title_tombstones")
        .set({ media_id: mediaId })
        .where("source_id", "=", sourceId)
        .execute();
    }
    return { sourceId, origin: row.origin, mediaId: mediaId ?? row.media_id };
  }

  async listReleasable(mediaId: string): Promise<string[]> {
    const used = await this.#database
      .selectFrom("titles")
      .select("id")
      .where("media_id", "=", mediaId)
      .limit(1)
      .executeTakeFirst();
    if (used) return [];
    const rows = await this.#database
      .selectFrom("title_tombstones")
      .select("source_id")
      .where("media_id", "=", mediaId)
      .where("origin", "=", "upload")
      .execute();
    return rows.map((row) => row.source_id);
  }

  async getProgress(userId: string, titleId: string): Promise<number | null> {
    const row = await this.#database
      .selectFrom("title_progress as p")
      .innerJoin("titles as t", "t.seq", "p.title_seq")
      .select("p.position_seconds")
      .where("p.user_id", "=", userId)
      .where("t.id", "=", titleId)
      .executeTakeFirst();
    return row?.position_seconds ?? null;
  }

  putProgress(userId: string, titleId: string, positionSeconds: number): Promise<void> {
    return this.#transact(async (transaction) => {
      const title = await transaction.selectFrom("titles").select("seq").where("id", "=", titleId).executeTakeFirst();
      if (!title) return;
      await transaction
        .deleteFrom("title_progress")
        .where("user_id", "=", userId)
        .where("title_seq", "=", title.seq)
        .execute();
      await transaction
        .insertInto("title_progress")
        .values({
          user_id: userId,
          title_seq: title.seq,
          position_seconds: positionSeconds,
          updated_at: new Date().toISOString(),
        })
        .execute();
    });
  }

  async forgetProgressOf(userId: string): Promise<void> {
    await this.#database.deleteFrom("title_progress").where("user_id", "=", userId).execute();
  }

  /** What may not happen at the same time stands on the title's row, which is locked, or on a unique key. */
  #transact<Result>(work: (transaction: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return transact(this.#database, work, "read committed");
  }

  async #one(row: TitleRow | undefined): Promise<TitleRecord | null> {
    const [record] = row ? await this.#records(this.#database, [row]) : [];
    return record ?? null;
  }

  async #records(database: Database | Transaction<Tables>, rows: readonly TitleRow[]): Promise<TitleRecord[]> {
    if (rows.length === 0) return [];
    const tags = await database
      .selectFrom("title_tags")
      .select(["title_seq", "tag"])
      .where(
        "title_seq",
        "in",
        rows.map(({ seq }) => seq),
      )
      .orderBy("position")
      .execute();
    const bySeq = Map.groupBy(tags, ({ title_seq }) => title_seq);
    return rows.map((row) =>
      toRecord(
        row,
        (bySeq.get(row.seq) ?? []).map(({ tag }) => tag),
      ),
    );
  }

  async #whole(transaction: Transaction<Tables>, id: string) {
    const query = transaction.selectFrom("titles").selectAll().where("id", "=", id);
    const row = await locked(transaction, query).executeTakeFirst();
    const [record] = row ? await this.#records(transaction, [row]) : [];
    if (!row || !record) return null;
    const sources = await transaction
      .selectFrom("title_sources")
      .select(["source_id as sourceId", "provider", "origin", "availability", "media_id as mediaId"])
      .select(["derived", "fingerprint"])
      .where("title_seq", "=", row.seq)
      .orderBy("source_id")
      .execute();
    const parsed = sources.map(({ derived, ...source }) => ({
      ...source,
      derived: derived === null ? null : (JSON.parse(derived) as Derived),
    }));
    return { seq: row.seq, title: { ...record, sources: parsed } satisfies TitleWithSources };
  }

  /** Writes tags, sources and, unless the title is deleted, the text index. */
  async #writeParts(
    transaction: Transaction<Tables>,
    seq: number,
    title: TitleWithSources,
    index: TitleIndex,
  ): Promise<void> {
    const tags = title.tags.map((tag, position) => ({
      title_seq: seq,
      position,
      tag,
      tag_key: index.tagKeys[position] ?? tag,
    }));
    if (tags.length > 0) await transaction.insertInto("title_tags").values(tags).execute();
    const sources = title.sources.map(({ sourceId, provider, origin, availability, mediaId, ...source }) => ({
      source_id: sourceId,
      title_seq: seq,
      provider,
      origin,
      availability,
      media_id: mediaId,
      derived: source.derived && JSON.stringify(source.derived),
      fingerprint: source.fingerprint,
    }));
    if (sources.length > 0) await transaction.insertInto("title_sources").values(sources).execute();
    if (title.deletedAt !== null) return;
    await writeTitleFolders(transaction, seq, title);
    const { visibility, owner } = title;
    await this.#search.put(transaction, { seq, visibility, ownerId: owner?.id ?? null, index });
  }

  async #dropParts(transaction: Transaction<Tables>, seq: number): Promise<void> {
    await transaction.deleteFrom("title_tags").where("title_seq", "=", seq).execute();
    await transaction.deleteFrom("title_sources").where("title_seq", "=", seq).execute();
    await transaction.deleteFrom("title_folders").where("title_seq", "=", seq).execute();
    await this.#search.remove(transaction, seq);
  }

  async #delete(transaction: Transaction<Tables>, seq: number): Promise<void> {
    await this.#dropParts(transaction, seq);
    await transaction.deleteFrom("titles").where("seq", "=", seq).execute();
  }
}
