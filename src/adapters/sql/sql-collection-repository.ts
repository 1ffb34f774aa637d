import { type Selectable, sql, type Transaction } from "kysely";
import type {
  CollectionKeysOf,
  CollectionQuery,
  CollectionRecord,
  CollectionRepository,
  CollectionSummary,
  FoundCollections,
} from "../../catalog/collection-repository.ts";
import type { Audience } from "../../catalog/title-repository.ts";
import type { CollectionTable } from "./catalog-tables.ts";
import type { Database, Tables } from "./tables.ts";
import { visibleTo } from "./title-ranges.ts";
import { transact } from "./transact.ts";

type Row = Selectable<CollectionTable>;

export interface SqlCollectionRepositoryOptions {
  readonly database: Database;
  readonly keysOf: CollectionKeysOf;
}

/** Collections in any SQL database that Kysely speaks to. */
export class SqlCollectionRepository implements CollectionRepository {
  readonly #database: Database;
  readonly #keysOf: CollectionKeysOf;

  constructor({ database, keysOf }: SqlCollectionRepositoryOptions) {
    this.#database = database;
    this.#keysOf = keysOf;
  }

  insert(collection: CollectionRecord, max: number): Promise<"saved" | "too-many"> {
    return transact(this.#database, async (transaction) => {
      const { count } = await transaction
        .selectFrom("collections")
        .select(({ fn }) => fn.countAll<number | bigint | string>().as("count"))
        .where("owner_id", "=", collection.owner.id)
        .executeTakeFirstOrThrow();
      if (Number(count) >= max) return "too-many";
      await transaction.insertInto("collections").values(this.#toRow(collection)).execute();
      return "saved";
    });
  }

  async get(id: string): Promise<CollectionRecord | null> {
    const row = await this.#database.selectFrom("collections").selectAll().where("id", "=", id).executeTakeFirst();
    return row ? toRecord(row) : null;
  }

  edit(id: string, change: (collection: CollectionRecord) => CollectionRecord): Promise<CollectionRecord | null> {
    return transact(this.#database, async (transaction) => {
      const row = await transaction.selectFrom("collections").selectAll().where("id", "=", id).executeTakeFirst();
      if (!row) return null;
      const next = change(toRecord(row));
      await transaction.updateTable("collections").set(this.#toRow(next)).where("id", "=", id).execute();
      return next;
    });
  }

  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#database
      .deleteFrom("collections")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  async list({ text, ownerId, limit, after }: CollectionQuery, audience: Audience): Promise<FoundCollections> {
    const conditions = [
      collectionsVisibleTo(audience),
      ...(ownerId === null ? [] : [sql`t.owner_id = ${ownerId}`]),
      ...(text === "" ? [] : [sql`instr(t.name_folded, ${text}) > 0`]),
      ...(after ? [sql`t.name_key >= ${after.nameKey} and (t.name_key > ${after.nameKey} or t.id > ${after.id})`] : []),
    ];
    const { rows } = await sql<Row>`select t.* from collections as t where ${sql.join(conditions, sql` and `)}
      order by t.name_key, t.id limit ${limit + 1}`.execute(this.#database);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = rows.length > limit && last ? { nameKey: last.name_key, id: last.id } : null;
    return { items: shown.map(toRecord), next };
  }

  async summaries(ids: readonly string[], audience: Audience): Promise<ReadonlyMap<string, CollectionSummary>> {
    if (ids.length === 0) return new Map();
    const { rows } = await sql<{ collection_id: string; titles: number | string; ms: number | string; first: number }>`
      select c.collection_id, count(*) as titles, sum(case when t.duration_ms > 0 then t.duration_ms else 0 end) as ms,
        min(c.position) as first
      from collection_titles as c inner join titles as t on t.seq = c.title_seq
      where c.collection_id in (${sql.join(ids)}) and t.deleted_at is null and ${visibleTo(audience)}
      group by c.collection_id`.execute(this.#database);
    const summaries = new Map<string, CollectionSummary>();
    for (const { collection_id: id, titles, ms, first } of rows) {
      const cover = await this.#database
        .selectFrom("collection_titles as c")
        .innerJoin("titles as t", "t.seq", "c.title_seq")
        .select("t.id")
        .where("c.collection_id", "=", id)
        .where("c.position", "=", first)
        .executeTakeFirst();
      const durationSeconds = Number(ms) / 1000;
      summaries.set(id, { titles: Number(titles), durationSeconds, coverTitleId: cover?.id ?? null });
    }
    return summaries;
  }

  async titleIds(id: string): Promise<string[]> {
    const rows = await this.#database
      .selectFrom("collection_titles as c")
      .innerJoin("titles as t", "t.seq", "c.title_seq")
      .select("t.id")
      .where("c.collection_id", "=", id)
      .orderBy("c.position")
      .execute();
    return rows.map((row) => row.id);
  }

  place(
    id: string,
    titleIds: readonly string[],
    { before, max, updatedAt }: Parameters<CollectionRepository["place"]>[2],
  ): ReturnType<CollectionRepository["place"]> {
    return transact(this.#database, async (transaction) => {
      const seqs = await seqsOf(transaction, titleIds);
      const order = await orderOf(transaction, id);
      const placed =
        before === "added"
          ? [...new Set([...order, ...seqs])]
          : insertedBefore(order, seqs, before === null ? "end" : ((await seqsOf(transaction, [before]))[0] ?? -1));
      if (!placed) return "no-place";
      if (placed.length > max) return "too-many";
      await writeOrder(transaction, id, order, placed, updatedAt);
      return "placed";
    });
  }

  take(id: string, titleIds: readonly string[], updatedAt: string): Promise<number> {
    return transact(this.#database, async (transaction) => {
      const taken = new Set(await seqsOf(transaction, titleIds));
      const order = await orderOf(transaction, id);
      const gone = order.filter((seq) => taken.has(seq));
      if (gone.length === 0) return 0;
      await transaction
        .deleteFrom("collection_titles")
        .where("collection_id", "=", id)
        .where("title_seq", "in", gone)
        .execute();
      await touch(transaction, id, updatedAt);
      return gone.length;
    });
  }

  async listWith(titleId: string, audience: Audience): Promise<CollectionRecord[]> {
    const { rows } = await sql<Row>`select t.* from titles as x
      inner join collection_titles as c on c.title_seq = x.seq
      inner join collections as t on t.id = c.collection_id
      where x.id = ${titleId} and ${collectionsVisibleTo(audience)}
      order by t.name_key, t.id`.execute(this.#database);
    return rows.map(toRecord);
  }

  removeOwned(ownerId: string): Promise<string[]> {
    return transact(this.#database, async (transaction) => {
      const owned = await transaction.selectFrom("collections").select("id").where("owner_id", "=", ownerId).execute();
      await transaction.deleteFrom("collections").where("owner_id", "=", ownerId).execute();
      return owned.map(({ id }) => id);
    });
  }

  giveOwned(ownerId: string, heir: CollectionRecord["owner"]): Promise<string[]> {
    return transact(this.#database, async (transaction) => {
      const owned = await transaction.selectFrom("collections").select("id").where("owner_id", "=", ownerId).execute();
      await transaction
        .updateTable("collections")
        .set({ owner_id: heir.id, owner_name: heir.username })
        .where("owner_id", "=", ownerId)
        .execute();
      return owned.map(({ id }) => id);
    });
  }

  #toRow({ owner, name, ...collection }: CollectionRecord): Row {
    const { folded, key } = this.#keysOf(name);
    return {
      id: collection.id,
      name,
      name_folded: folded,
      name_key: key,
      description: collection.description,
      owner_id: owner.id,
      owner_name: owner.username,
      visibility: collection.visibility,
      created_at: collection.createdAt,
      updated_at: collection.updatedAt,
    };
  }
}

/** Collections `t` are seen like titles: the columns have the same names. */
const collectionsVisibleTo = visibleTo;

function toRecord(row: Row): CollectionRecord {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    owner: { id: row.owner_id, username: row.owner_name },
    visibility: row.visibility,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Places in time of titles that are there, in the order of their ids given. */
async function seqsOf(transaction: Transaction<Tables>, ids: readonly string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const rows = await transaction.selectFrom("titles").select(["id", "seq"]).where("id", "in", ids).execute();
  const byId = new Map(rows.map(({ id, seq }) => [id, seq]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

async function orderOf(transaction: Transaction<Tables>, id: string): Promise<number[]> {
  const rows = await transaction
    .selectFrom("collection_titles")
    .select("title_seq")
    .where("collection_id", "=", id)
    .orderBy("position")
    .execute();
  return rows.map(({ title_seq: seq }) => seq);
}

/** The order with some moved or added before another, or at the end; null when that other is not there. */
function insertedBefore(order: readonly number[], seqs: readonly number[], anchor: number | "end"): number[] | null {
  const moved = new Set(seqs);
  const rest = order.filter((seq) => !moved.has(seq));
  const at = anchor === "end" ? rest.length : rest.indexOf(anchor);
  return at < 0 ? null : [...rest.slice(0, at), ...seqs, ...rest.slice(at)];
}

/** Writes what has changed of an order: a title at the end costs one row. */
async function writeOrder(
  transaction: Transaction<Tables>,
  id: string,
  before: readonly number[],
  after: readonly number[],
  updatedAt: string,
): Promise<void> {
  const rows = await transaction
    .selectFrom("collection_titles")
    .select(["title_seq", "position"])
    .where("collection_id", "=", id)
    .execute();
  const positions = new Map(rows.map(({ title_seq: seq, position }) => [seq, position]));
  let isChanged = before.length !== after.length;
  let last = -1;
  const added: { collection_id: string; title_seq: number; position: number }[] = [];
  for (const seq of after) {
    const known = positions.get(seq);
    // A place that still comes after the one before it stays, gaps and all.
    const position = known !== undefined && known > last ? known : last + 1;
    last = position;
    if (known === undefined) added.push({ collection_id: id, title_seq: seq, position });
    else if (known !== position) {
      isChanged = true;
      await transaction
        .updateTable("collection_titles")
        .set({ position })
        .where("collection_id", "=", id)
        .where("title_seq", "=", seq)
        .execute();
    }
  }
  if (added.length > 0) await transaction.insertInto("collection_titles").values(added).execute();
  if (isChanged) await touch(transaction, id, updatedAt);
}

async function touch(transaction: Transaction<Tables>, id: string, updatedAt: string): Promise<void> {
  await transaction.updateTable("collections").set({ updated_at: updatedAt }).where("id", "=", id).execute();
}
