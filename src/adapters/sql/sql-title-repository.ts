import { sql, type Transaction } from "kysely";
import type {
  Audience,
  BuriedTitle,
  Counted,
  EditedTitle,
  Folder,
  FolderPage,
  FolderSearch,
  FoundTitles,
  IndexingProgress,
  TitleCounts,
  TitleIndexOf,
  TitleRecord,
  TitleRepository,
  TitleSearch,
  TitleSource,
  TitleState,
  TitleWithSources,
  Tombstone,
} from "../../catalog/title-repository.ts";
import { findFolders, getFolder, hasTitlesIn, putFolders } from "./sql-folders.ts";
import type { Database, Tables } from "./tables.ts";
import {
  getTombstone,
  listBySource,
  listProviders,
  listReleasable,
  listUnknown,
  takeUnchanged,
} from "./title-announced.ts";
import { changeCounts, countAll, countsOf, countThese, listTags } from "./title-counts.ts";
import { firstDeletion, listDeleted, listRestorable } from "./title-deletions.ts";
import { findPlaces } from "./title-find.ts";
import { TitleMemory } from "./title-memory.ts";
import { positionOf } from "./title-orders.ts";
import { readPage } from "./title-page.ts";
import { dropParts, forgetNumber, inParts, numberTitles, renumbered, termsOfTitle, writeParts } from "./title-parts.ts";
import { bury, forgetTombstones, freePlaces, listBuried, takenIds, unbury } from "./title-places.ts";
import { findsAll } from "./title-plan.ts";
import { changeIndex } from "./title-postings.ts";
import { visibleTo } from "./title-ranges.ts";
import { type TitleRow, toRow } from "./title-rows.ts";
import {
  changeStateTerms,
  editState,
  getStates,
  moveInCollections,
  moveStates,
  statesOf,
  takeStates,
} from "./title-states.ts";
import type { Term } from "./title-terms.ts";
import { indexAnew, readyIndex } from "./title-upgrade.ts";
import { recordsOf, type Whole, wholesOf } from "./title-wholes.ts";
import { locked, transact } from "./transact.ts";

/** Titles that are counted one by one, when what a search finds is counted. */
const COUNTED_AT_ONCE = 1_000;
/** Titles of which a user's states are forgotten in one transaction. */
const FORGOTTEN_AT_ONCE = 200;
/** Titles that one statement inserts: databases bound its parameters. */
const TITLES_IN_STATEMENT = 50;

export interface SqlTitleRepositoryOptions {
  readonly database: Database;
  readonly indexOf: TitleIndexOf;
  /** Bytes of the text index to keep in memory at most (`TitleMemory`). */
  readonly memoryBytes?: number;
}

/** Titles in any SQL database that Kysely speaks to. */
export class SqlTitleRepository implements TitleRepository {
  readonly #database: Database;
  readonly #memory: TitleMemory;
  readonly #indexOf: TitleIndexOf;

  constructor({ database, indexOf, memoryBytes }: SqlTitleRepositoryOptions) {
    this.#database = database;
    this.#memory = new TitleMemory(database, memoryBytes);
    this.#indexOf = indexOf;
  }

  async insert(title: TitleWithSources): Promise<boolean> {
    return (await this.insertAll([title])).length > 0;
  }

  insertAll(titles: readonly TitleWithSources[]): Promise<string[]> {
    return this.#transact(async (transaction) => {
      const taken = await takenIds(
        transaction,
        titles.map(({ id }) => id),
      );
      const fresh = new Map(titles.filter(({ id }) => !taken.has(id)).map((title) => [title.id, title]));
      await this.#insertFresh(transaction, [...fresh.values()]);
      return [...fresh.keys()];
    });
  }

  /** Inserts titles whose ids are free. */
  async #insertFresh(transaction: Transaction<Tables>, titles: readonly TitleWithSources[]): Promise<void> {
    const seqs = await freePlaces(
      transaction,
      titles.map(({ createdAt }) => Date.parse(createdAt)),
    );
    const entries = titles.map((title, i) => {
      const index = this.#indexOf(title);
      return { title, index, seq: seqs[i] ?? 0, row: toRow(title, index) };
    });
    await inParts(entries, TITLES_IN_STATEMENT, (some) =>
      transaction
        .insertInto("titles")
        .values(some.map(({ seq, row }) => ({ seq, ...row })))
        .execute(),
    );
    await writeParts(transaction, entries);
    const nums = await numberTitles(transaction, entries);
    await changeCounts(
      transaction,
      [],
      entries.flatMap(({ title, row, index }) => countsOf(title, row, index)),
    );
    await changeIndex(
      transaction,
      entries.map(({ title, seq, row, index }) => ({
        num: nums.get(seq)?.num ?? 0,
        before: NONE,
        after: termsOfTitle(title, row, index),
      })),
      [...nums.values()].flatMap(({ columns }) => columns),
    );
  }

  listUnknown(sources: readonly Pick<TitleSource, "sourceId" | "mediaId">[]): Promise<Set<string>> {
    return listUnknown(this.#database, sources);
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

  listProviders(id: string): Promise<string[]> {
    return listProviders(this.#database, id);
  }

  async getByMedia(mediaId: string, audience: Audience): Promise<TitleRecord | null> {
    const own = "userId" in audience ? sql`case when t.owner_id = ${audience.userId} then 0 else 1 end, ` : sql``;
    const { rows } = await sql<TitleRow>`select t.* from titles as t
      where t.media_id = ${mediaId} and t.deleted_at is null and ${visibleTo(audience)}
      order by ${own}t.seq limit 1`.execute(this.#database);
    return this.#one(rows[0]);
  }

  async listLibraryTitles(mediaId: string, limit: number): Promise<TitleWithSources[]> {
    const rows = await this.#database
      .selectFrom("titles")
      .selectAll()
      .where("media_id", "=", mediaId)
      .where("origin", "=", "library")
      .where("deleted_at", "is", null)
      .orderBy("seq")
      .limit(limit)
      .execute();
    return (await wholesOf(this.#database, rows)).map(({ title }) => title);
  }

  async edit(id: string, change: (title: TitleWithSources) => TitleWithSources | null): Promise<EditedTitle | null> {
    return (await this.editAll([id], change)).get(id) ?? null;
  }

  editAll(
    ids: readonly string[],
    change: (title: TitleWithSources) => TitleWithSources | null,
  ): Promise<Map<string, EditedTitle>> {
    return this.#transact(async (transaction) => {
      const edited = new Map<string, EditedTitle>();
      const indexed: Reindexed[] = [];
      // Always in the same order: two that edit at once never wait for each other.
      for (const id of [...new Set(ids)].sort()) {
        const found = await this.#whole(transaction, id);
        if (!found) continue;
        const next = change(found.title);
        if (next) indexed.push(await this.#replace(transaction, found, next));
        edited.set(id, { title: next ?? found.title, changed: next !== null });
      }
      if (indexed.length > 0) await this.#reindex(transaction, indexed);
      return edited;
    });
  }

  /** Writes a title and what belongs to it; what is left to write of it afterwards. */
  async #replace(transaction: Transaction<Tables>, found: Whole, next: TitleWithSources): Promise<Reindexed> {
    const index = this.#indexOf(next);
    const row = toRow(next, index);
    const before = this.#indexed(found);
    await transaction.updateTable("titles").set(row).where("seq", "=", found.seq).execute();
    await dropParts(transaction, found.seq);
    await writeParts(transaction, [{ seq: found.seq, title: next, index }]);
    const { num, columns, isNew } = await renumbered(transaction, found.seq, before.row, row);
    return {
      seq: found.seq,
      columns,
      isNew,
      counts: { before: isNew ? [] : before.counts, after: countsOf(next, row, index) },
      terms: { num, before: isNew ? NONE : before.terms, after: termsOfTitle(next, row, index) },
    };
  }

  async #reindex(transaction: Transaction<Tables>, titles: readonly Reindexed[]): Promise<void> {
    await changeCounts(
      transaction,
      titles.flatMap(({ counts }) => counts.before),
      titles.flatMap(({ counts }) => counts.after),
    );
    await changeIndex(
      transaction,
      titles.map(({ terms }) => terms),
      titles.flatMap(({ columns }) => columns),
    );
    const fresh = titles.filter(({ isNew }) => isNew).map(({ seq }) => seq);
    if (fresh.length > 0) await changeStateTerms(transaction, await statesOf(transaction, fresh));
  }

  listBySource(sourceIds: readonly string[]): Promise<ReadonlyMap<string, Pick<TitleRecord, "id" | "mediaId">>> {
    return listBySource(this.#database, sourceIds);
  }

  async find(search: TitleSearch, audience: Audience): Promise<FoundTitles> {
    const { places } = await findPlaces(this.#memory, search, audience, this.#indexOf);
    const shown = places.slice(0, search.limit);
    const last = shown.at(-1);
    const more = places.length > search.limit && last !== undefined;
    const page = await readPage(this.#database, shown, audience, search.viewerId);
    return { ...page, next: more ? positionOf(last) : null };
  }

  async count(search: TitleSearch, audience: Audience, limit: number): Promise<TitleCounts> {
    if (findsAll(search)) return countAll(this.#database, audience, limit);
    const asked = { ...search, sort: "newest" as const, after: null, limit: COUNTED_AT_ONCE };
    const { view, places } = await findPlaces(this.#memory, asked, audience, this.#indexOf);
    return countThese(view, places.slice(0, COUNTED_AT_ONCE), places.length <= COUNTED_AT_ONCE, limit);
  }

  listTags(audience: Audience, prefix: string, limit: number): Promise<Counted[]> {
    return listTags(this.#database, audience, prefix, limit);
  }

  takeUnchanged(sources: readonly Pick<TitleSource, "sourceId" | "fingerprint" | "provider">[]): Promise<Set<string>> {
    return takeUnchanged(this.#database, sources);
  }

  absorb(id: string, into: string, when: (title: TitleWithSources) => boolean): Promise<boolean> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      const wanted = transaction.selectFrom("titles").select("seq").where("id", "=", into);
      const target = await locked(transaction, wanted).executeTakeFirst();
      if (!found || !target || !when(found.title)) return false;
      await moveStates(transaction, found.seq, target.seq);
      await moveInCollections(transaction, found.seq, target.seq);
      await this.#delete(transaction, found);
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

  remove(id: string, when: (title: TitleWithSources) => boolean): Promise<boolean> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      if (!found || !when(found.title)) return false;
      await this.#delete(transaction, found);
      return true;
    });
  }

  purge(id: string, when: (title: TitleRecord) => boolean): Promise<TitleWithSources | null> {
    return this.#transact(async (transaction) => {
      const found = await this.#whole(transaction, id);
      if (!found || !when(found.title)) return null;
      await bury(transaction, found.title);
      await this.#delete(transaction, found);
      return found.title;
    });
  }

  listBuried(limit: number): Promise<BuriedTitle[]> {
    return listBuried(this.#database, limit);
  }

  unbury(id: string): Promise<string[]> {
    return this.#transact((transaction) => unbury(transaction, id));
  }

  forgetTombstones(sourceIds: readonly string[]): Promise<void> {
    return forgetTombstones(this.#database, sourceIds);
  }

  listDeleted(until: number): Promise<string[]> {
    return listDeleted(this.#database, until);
  }

  listRestorable(which: Parameters<TitleRepository["listRestorable"]>[0]): Promise<TitleRecord[]> {
    return listRestorable(this.#database, which);
  }

  firstDeletion(): Promise<number | null> {
    return firstDeletion(this.#database);
  }

  async listOwned(ownerId: string): Promise<string[]> {
    const rows = await this.#database.selectFrom("titles").select("id").where("owner_id", "=", ownerId).execute();
    return rows.map(({ id }) => id);
  }

  getTombstone(sourceId: string, mediaId: string | null): Promise<Tombstone | null> {
    return getTombstone(this.#database, sourceId, mediaId);
  }

  listReleasable(mediaId: string): Promise<string[]> {
    return listReleasable(this.#database, mediaId);
  }

  getStates(userId: string, titleIds: readonly string[]): Promise<ReadonlyMap<string, TitleState>> {
    return getStates(this.#database, userId, titleIds);
  }

  editState(userId: string, titleId: string, change: (state: TitleState | null) => TitleState): Promise<void> {
    return this.#transact(async (transaction) => {
      // Locked, so that it is not indexed anew meanwhile with what was before.
      const query = transaction.selectFrom("titles").select("seq").where("id", "=", titleId);
      const title = await locked(transaction, query).executeTakeFirst();
      if (!title) return;
      const { before, after } = await editState(transaction, userId, title.seq, change);
      await changeStateTerms(transaction, [{ userId, seq: title.seq, before, after }]);
    });
  }

  async forgetStatesOf(userId: string): Promise<void> {
    for (;;) {
      const left = await this.#transact(async (transaction) => {
        const states = await takeStates(transaction, userId, FORGOTTEN_AT_ONCE);
        await changeStateTerms(transaction, states);
        return states.length;
      });
      if (left < FORGOTTEN_AT_ONCE) return;
    }
  }

  readyIndex(): Promise<void> {
    return readyIndex(this.#database);
  }

  indexAnew(tell: (progress: IndexingProgress) => void, stop: AbortSignal): Promise<void> {
    return indexAnew(this.#database, this.#indexOf, tell, stop);
  }

  /** What may not happen at the same time stands on the title's row, which is locked, or on a unique key. */
  #transact<Result>(work: (transaction: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return transact(this.#database, work, "read committed");
  }

  async #one(row: TitleRow | undefined): Promise<TitleRecord | null> {
    const [record] = row ? await recordsOf(this.#database, [row]) : [];
    return record ?? null;
  }

  async #whole(transaction: Transaction<Tables>, id: string) {
    const query = transaction.selectFrom("titles").selectAll().where("id", "=", id);
    const row = await locked(transaction, query).executeTakeFirst();
    const [whole] = row ? await wholesOf(transaction, [row]) : [];
    return whole ?? null;
  }

  async #delete(transaction: Transaction<Tables>, whole: Whole): Promise<void> {
    const { seq } = whole;
    const { counts, terms } = this.#indexed(whole);
    await dropParts(transaction, seq);
    const num = await forgetNumber(transaction, seq);
    await transaction.deleteFrom("titles").where("seq", "=", seq).execute();
    // Without a number it has not been counted yet.
    if (num === null) return;
    await changeCounts(transaction, counts, []);
    // Nobody gets its number again: what people have done with it may stay among the terms.
    await changeIndex(transaction, [{ num, before: terms, after: NONE }]);
  }

  /** What a title counts for, and is found by as it is kept. */
  #indexed({ title, fileNames }: Whole) {
    const index = this.#indexOf({ ...title, fileNames });
    const row = toRow(title, index);
    return { row, counts: countsOf(title, row, index), terms: termsOfTitle(title, row, index) };
  }
}

const NONE: ReadonlySet<Term> = new Set();

/** What changes in counts and text index with a title. */
interface Reindexed {
  readonly seq: number;
  readonly counts: { readonly before: ReturnType<typeof countsOf>; readonly after: ReturnType<typeof countsOf> };
  readonly terms: Parameters<typeof changeIndex>[1][number];
  readonly columns: Awaited<ReturnType<typeof renumbered>>["columns"];
  /** It has just got its number. */
  readonly isNew: boolean;
}
