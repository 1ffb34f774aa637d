import { sql, type Transaction } from "kysely";
import type {
  Audience,
  Counted,
  Derived,
  EditedTitle,
  Folder,
  FolderPage,
  FolderSearch,
  FoundTitles,
  TitleCounts,
  TitleIndex,
  TitleIndexOf,
  TitleRecord,
  TitleRepository,
  TitleSearch,
  TitleSource,
  TitleState,
  TitleWithSources,
  Tombstone,
} from "../../catalog/title-repository.ts";
import { findFolders, getFolder, hasTitlesIn, putFolders, writeTitleFolders } from "./sql-folders.ts";
import type { Database, Tables } from "./tables.ts";
import { changeCounts, countAll, countsOf, countThese, listTags } from "./title-counts.ts";
import { facetsOf } from "./title-facets.ts";
import { findTitlePlaces, findTitleRows } from "./title-find.ts";
import { bury, isTaken, nextSeq } from "./title-places.ts";
import { visibleTo } from "./title-ranges.ts";
import { type TitleRow, toRecord, toRow } from "./title-rows.ts";
import type { TitleSearchIndex } from "./title-search-index.ts";
import { editState, getStates, moveInCollections, moveStates } from "./title-states.ts";
import { locked, transact } from "./transact.ts";

/** Titles that are counted one by one, when what a search finds is counted. */
const COUNTED_AT_ONCE = 1_000;
/** Titles brought up to date in one transaction. */
const UPDATED_AT_ONCE = 200;

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

  async insert(title: TitleWithSources): Promise<boolean> {
    return (await this.insertAll([title])).length > 0;
  }

  insertAll(titles: readonly TitleWithSources[]): Promise<string[]> {
    return this.#transact(async (transaction) => {
      const inserted: string[] = [];
      for (const title of titles) if (await this.#insert(transaction, title)) inserted.push(title.id);
      return inserted;
    });
  }

  async #insert(transaction: Transaction<Tables>, title: TitleWithSources): Promise<boolean> {
    if (await isTaken(transaction, title.id)) return false;
    const index = this.#indexOf(title);
    const seq = await nextSeq(transaction, Date.parse(title.createdAt));
    const row = toRow(title, index);
    await transaction
      .insertInto("titles")
      .values({ seq, ...row })
      .execute();
    await this.#writeParts(transaction, seq, title, index);
    await changeCounts(transaction, [], countsOf(title, row, index));
    return true;
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
      const row = toRow(next, index);
      await transaction.updateTable("titles").set(row).where("seq", "=", found.seq).execute();
      await this.#dropParts(transaction, found.seq);
      await this.#writeParts(transaction, found.seq, next, index);
      await changeCounts(transaction, this.#countsOf(found.title), countsOf(next, row, index));
      return { title: next, changed: true };
    });
  }

  async find(search: TitleSearch, audience: Audience): Promise<FoundTitles> {
    const rows = await findTitleRows(this.#database, search, audience, this.#search);
    const shown = rows.slice(0, search.limit);
    const last = shown.at(-1);
    const more = rows.length > search.limit && last !== undefined;
    const key =
      last?.sort_key == null
        ? {}
        : { key: typeof last.sort_key === "string" && search.sort !== "name" ? Number(last.sort_key) : last.sort_key };
    const titles = await this.#records(this.#database, shown);
    const ids = titles.map(({ id }) => id);
    return {
      titles,
      states: search.viewerId === null ? new Map() : await getStates(this.#database, search.viewerId, ids),
      next: more ? { place: last.seq, ...key } : null,
    };
  }

  async count(search: TitleSearch, audience: Audience, limit: number): Promise<TitleCounts> {
    if (findsAll(search)) return countAll(this.#database, audience, limit);
    const asked = { ...search, limit: COUNTED_AT_ONCE };
    const seqs = await findTitlePlaces(this.#database, asked, audience, this.#search);
    const isComplete = seqs.length <= COUNTED_AT_ONCE;
    return countThese(this.#database, seqs.slice(0, COUNTED_AT_ONCE), isComplete, limit);
  }

  listTags(audience: Audience, prefix: string, limit: number): Promise<Counted[]> {
    return listTags(this.#database, audience, prefix, limit);
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
      await moveStates(transaction, found.seq, target.seq);
      await moveInCollections(transaction, found.seq, target.seq);
      await this.#delete(transaction, found.seq, found.title);
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
      await this.#delete(transaction, found.seq, found.title);
      return true;
    });
  }

  purge(id: string, when: (title: TitleRecord) => boolean): Promise<TitleWithSources | null> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      if (!found || !when(found.title)) return null;
      await bury(transaction, found.title);
      await this.#delete(transaction, found.seq, found.title);
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

  getStates(userId: string, titleIds: readonly string[]): Promise<ReadonlyMap<string, TitleState>> {
    return getStates(this.#database, userId, titleIds);
  }

  editState(userId: string, titleId: string, change: (state: TitleState | null) => TitleState): Promise<void> {
    return this.#transact(async (transaction) => {
      const title = await transaction.selectFrom("titles").select("seq").where("id", "=", titleId).executeTakeFirst();
      if (title) await editState(transaction, userId, title.seq, change);
    });
  }

  async forgetStatesOf(userId: string): Promise<void> {
    await this.#database.deleteFrom("title_states").where("user_id", "=", userId).execute();
  }

  async bringUpToDate(): Promise<void> {
    const stale = this.#database.selectFrom("catalog_stale").select("what").where("what", "=", "titles");
    if (!(await stale.executeTakeFirst())) return;
    await this.#database.deleteFrom("title_counts").execute();
    for (let after = -1; ; ) {
      const rows = await this.#database
        .selectFrom("titles")
        .select(["id", "seq"])
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(UPDATED_AT_ONCE)
        .execute();
      const last = rows.at(-1);
      if (!last) break;
      await this.#indexAnew(rows.map(({ id }) => id));
      after = last.seq;
    }
    await this.#database.deleteFrom("catalog_stale").where("what", "=", "titles").execute();
  }

  #indexAnew(ids: readonly string[]): Promise<void> {
    return this.#transact(async (transaction) => {
      for (const id of ids) {
        const found = await this.#whole(transaction, id);
        if (!found) continue;
        const index = this.#indexOf(found.title);
        const row = toRow(found.title, index);
        await transaction.updateTable("titles").set(row).where("seq", "=", found.seq).execute();
        await this.#dropParts(transaction, found.seq);
        await this.#writeParts(transaction, found.seq, found.title, index);
        await changeCounts(transaction, [], countsOf(found.title, row, index));
      }
    });
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
    const facets = facetsOf(toRow(title, index), title.sources);
    await this.#search.put(transaction, { seq, visibility, ownerId: owner?.id ?? null, index, facets });
  }

  async #dropParts(transaction: Transaction<Tables>, seq: number): Promise<void> {
    await transaction.deleteFrom("title_tags").where("title_seq", "=", seq).execute();
    await transaction.deleteFrom("title_sources").where("title_seq", "=", seq).execute();
    await transaction.deleteFrom("title_folders").where("title_seq", "=", seq).execute();
    await this.#search.remove(transaction, seq);
  }

  async #delete(transaction: Transaction<Tables>, seq: number, title: TitleRecord): Promise<void> {
    await this.#dropParts(transaction, seq);
    await transaction.deleteFrom("titles").where("seq", "=", seq).execute();
    await changeCounts(transaction, this.#countsOf(title), []);
  }

  #countsOf(title: TitleRecord) {
    const index = this.#indexOf(title);
    return countsOf(title, toRow(title, index), index);
  }
}

/** Whether a search has no condition at all. */
function findsAll(search: TitleSearch): boolean {
  const { phrases, marks, tagKeys, codecs, name, ownerId, visibility, availability, folder, collectionId } = search;
  const ranges = [search.durationMs, search.height].flatMap(({ min, max }) => [min, max]);
  const single = [
    name,
    ownerId,
    visibility,
    availability,
    folder,
    collectionId,
    ...Object.values(search.state),
    ...ranges,
  ];
  return [...phrases, ...marks, ...tagKeys, ...codecs].length === 0 && single.every((value) => value === null);
}
