import { type Kysely, sql, type Transaction } from "kysely";
import type { IndexingProgress, TitleIndexOf, TitleWithSources } from "../../catalog/title-repository.ts";
import { isSqlite } from "./column-types.ts";
import { listOf } from "./number-list.ts";
import { CHUNK } from "./posting-bits.ts";
import { folderRows } from "./sql-folders.ts";
import type { Database, Tables } from "./tables.ts";
import { putColumns, type SortedBy } from "./title-columns.ts";
import { changeCounts, countsOf } from "./title-counts.ts";
import { dropParts, inParts, numberTitles, termsOfTitle, writeParts } from "./title-parts.ts";
import { changeIndex, emptyTable, forgetPostings } from "./title-postings.ts";
import { type TitleRow, toRow } from "./title-rows.ts";
import { statesOf, stateTermsOf } from "./title-states.ts";
import type { Term } from "./title-terms.ts";
import { touch } from "./title-versions.ts";
import { wholesOf } from "./title-wholes.ts";
import { locked, transact } from "./transact.ts";

/**
 * Indexing titles anew, after an upgrade. `catalog_stale` says what must be done: `titles`, everything; `numbers`, the titles that have no number yet;
 * `columns`, what they are sorted by; `file-names`, what the names of their files add. A title counts and is found once it has a number, so others may write titles meanwhile.
 */

/** Titles indexed in one transaction. */
const AT_ONCE = 2_048;
/** Titles between which everything else has a turn. */
const TURN = 32;
const ROWS_AT_ONCE = 500;
/** What keeps several processes from doing the same at the same time. */
const READYING = "titles-readying";
const INDEXING = "titles-indexing";
const LOOK_AGAIN_MS = 2_000;

type Stale = "titles" | "numbers" | "columns" | "file-names";

async function staleOf(database: Database): Promise<Set<string>> {
  const rows = await database.selectFrom("catalog_stale").select("what").execute();
  return new Set(rows.map(({ what }) => what));
}

const done = (database: Database, what: Stale) =>
  database.deleteFrom("catalog_stale").where("what", "=", what).execute();

/** Does what others must not see half done: takes a moment, where columns are to be made some seconds for a million titles. */
export function readyIndex(database: Database): Promise<void> {
  return alone(database, READYING, async (connection) => {
    const stale = await staleOf(connection);
    if (stale.has("titles")) {
      await connection.deleteFrom("title_counts").execute();
      await forgetPostings(connection);
      await done(connection, "numbers");
      await connection.insertInto("catalog_stale").values({ what: "numbers" }).execute();
      await done(connection, "file-names");
      await done(connection, "titles");
    } else if (stale.has("columns")) await makeColumns(connection);
    await done(connection, "columns");
  });
}

/** Indexes titles that have not been; nothing otherwise. Ends early, to go on at the next start, when `stop` says so. */
export async function indexAnew(
  database: Database,
  indexOf: TitleIndexOf,
  tell: (progress: IndexingProgress) => void,
  stop: AbortSignal,
): Promise<void> {
  for (const [what, work] of [["numbers", indexSome] as const, ["file-names", nameSome] as const]) {
    if (!(await staleOf(database)).has(what)) continue;
    await alone(database, INDEXING, async (connection) => {
      if (!(await staleOf(connection)).has(what)) return;
      const inOne = (after: number) => transact(connection, (some) => work(some, indexOf, after), "read committed");
      if (await throughAll(connection, inOne, tell, stop)) await done(connection, what);
    });
  }
}

/** What was done of the titles after some place in time: how many they were, and the last one's place. */
interface Part {
  readonly count: number;
  readonly last: number | null;
}

/** Does something to all titles, some at a time; whether it came to the end. */
async function throughAll(
  connection: Kysely<Tables>,
  work: (after: number) => Promise<Part>,
  tell: (progress: IndexingProgress) => void,
  stop: AbortSignal,
): Promise<boolean> {
  const row = await connection
    .selectFrom("titles")
    .select(({ fn }) => fn.countAll<number>().as("titles"))
    .executeTakeFirst();
  const titles = Number(row?.titles ?? 0);
  let after = -1;
  for (let indexed = 0; !stop.aborted; ) {
    if (titles > 0) tell({ indexed: Math.min(indexed, titles - 1), titles });
    const { count, last } = await work(after);
    if (last === null) {
      if (titles > 0) tell({ indexed: titles, titles });
      return true;
    }
    indexed += count;
    after = last;
  }
  return false;
}

const rowsAfter = (transaction: Transaction<Tables>, after: number) =>
  locked(
    transaction,
    transaction.selectFrom("titles").selectAll().where("seq", ">", after).orderBy("seq").limit(AT_ONCE),
  ).execute();

/** The next titles in time are found by the names of their files as well. What has no number yet is indexed with them. */
async function nameSome(transaction: Transaction<Tables>, indexOf: TitleIndexOf, after: number): Promise<Part> {
  const rows = await rowsAfter(transaction, after);
  const last = rows.at(-1);
  if (!last) return { count: 0, last: null };
  const changes = [];
  for (const [i, { seq, title, fileNames }] of (await wholesOf(transaction, rows)).entries()) {
    if (i % TURN === 0) await turn();
    if (title.sources.length === 0) continue;
    const index = indexOf(title);
    if (Bun.deepEquals(index.fileNames, fileNames)) continue;
    const row = toRow(title, index);
    await transaction.updateTable("titles").set({ file_names: row.file_names }).where("seq", "=", seq).execute();
    const before = termsOfTitle(title, row, indexOf({ ...title, fileNames }));
    changes.push({ seq, before, after: termsOfTitle(title, row, index) });
  }
  const nums = await numbersOf(
    transaction,
    changes.map(({ seq }) => seq),
  );
  const known = changes.flatMap(({ seq, ...terms }) => {
    const num = nums.get(seq);
    return num === undefined ? [] : [{ num, ...terms }];
  });
  if (known.length > 0) await changeIndex(transaction, known);
  return { count: rows.length, last: Number(last.seq) };
}

/** The numbers of titles by their places; those that have none are left out. */
async function numbersOf(transaction: Transaction<Tables>, seqs: readonly number[]): Promise<Map<number, number>> {
  if (seqs.length === 0) return new Map();
  const { rows } = await sql<{ num: number; seq: number }>`select num, seq from title_keys
    where seq in (${listOf(seqs)})`.execute(transaction);
  return new Map(rows.map(({ num, seq }) => [Number(seq), Number(num)]));
}

/** Indexes the next titles in time that have no number; which was the last one that was looked at. */
async function indexSome(transaction: Transaction<Tables>, indexOf: TitleIndexOf, after: number): Promise<Part> {
  const rows = await rowsAfter(transaction, after);
  const last = rows.at(-1);
  if (!last) return { count: 0, last: null };
  const seqs = rows.map(({ seq }) => Number(seq));
  const isKnown = await numbersOf(transaction, seqs);
  await indexThese(
    transaction,
    indexOf,
    rows.filter(({ seq }) => !isKnown.has(Number(seq))),
  );
  return { count: rows.length, last: Number(last.seq) };
}

async function indexThese(
  transaction: Transaction<Tables>,
  indexOf: TitleIndexOf,
  rows: readonly TitleRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const seqs = rows.map(({ seq }) => Number(seq));
  const { rows: tags } = await sql<{ title_seq: number; tag_key: string }>`select title_seq, tag_key from title_tags
    where title_seq in (${listOf(seqs)}) order by position`.execute(transaction);
  const keysOf = Map.groupBy(tags, ({ title_seq }) => Number(title_seq));
  const entries = [];
  for (const [i, { seq, title }] of (await wholesOf(transaction, rows)).entries()) {
    if (i % TURN === 0) await turn();
    const index = indexOf(title);
    const row = toRow(title, index);
    entries.push({ seq, title, index, row, terms: termsOfTitle(title, row, index) });
    const before = rows[i];
    if (before && INDEXED.some((column) => !Object.is(row[column], before[column])))
      await transaction.updateTable("titles").set(row).where("seq", "=", seq).execute();
    const keys = (keysOf.get(seq) ?? []).map(({ tag_key }) => tag_key);
    if (Bun.deepEquals(keys, index.tagKeys)) continue;
    await dropParts(transaction, seq);
    await writeParts(transaction, [{ seq, title, index }]);
  }
  await putInFolders(transaction, entries);
  const numbers = await numberTitles(transaction, entries);
  await changeCounts(
    transaction,
    [],
    entries.flatMap(({ title, row, index }) => countsOf(title, row, index)),
  );
  const states = Map.groupBy(await statesOf(transaction, seqs), ({ seq }) => seq);
  await turn();
  await changeIndex(
    transaction,
    entries.map(({ seq, terms }) => ({
      num: numbers.get(seq)?.num ?? 0,
      before: NONE,
      after: (states.get(seq) ?? []).reduce((all, state) => all.union(stateTermsOf(state)), terms),
    })),
    [...numbers.values()].flatMap(({ columns }) => columns),
  );
}

const NONE: ReadonlySet<Term> = new Set();
/** What is computed of a title and kept in its row. */
const INDEXED = ["name_folded", "file_names", "name_key", "duration_ms", "height", "codec"] as const;
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function putInFolders(
  transaction: Transaction<Tables>,
  entries: readonly { readonly seq: number; readonly title: TitleWithSources }[],
): Promise<void> {
  await sql`delete from title_folders where title_seq in (${listOf(entries.map(({ seq }) => seq))})`.execute(
    transaction,
  );
  const folders = entries.flatMap(({ seq, title }) => (title.deletedAt === null ? folderRows(seq, title) : []));
  await inParts(folders, ROWS_AT_ONCE, (rows) => transaction.insertInto("title_folders").values(rows).execute());
}

/** Makes the columns of all titles that have a number. */
async function makeColumns(database: Database): Promise<void> {
  await emptyTable(database, "title_columns");
  const row = await database
    .selectFrom("title_keys")
    .select(({ fn }) => fn.max("num").as("last"))
    .executeTakeFirst();
  const last = Number(row?.last ?? -1);
  for (let from = 0; from <= last; from += CHUNK) {
    await transact(database, async (transaction) => {
      await touch(transaction, new Set([from / CHUNK]));
      const { rows } = await sql<SortedBy & { num: number; seq: number }>`
        select k.num, k.seq, k.name_key, k.duration_ms, k.height, t.codec
        from title_keys as k join titles as t on t.seq = k.seq
        where k.num >= ${from} and k.num < ${from + CHUNK}`.execute(transaction);
      await putColumns(
        transaction,
        rows.map(({ num, seq, ...by }) => ({ num, seq: Number(seq), row: by })),
      );
    });
  }
}

/** Has only one process do something at a time; the next one's turn comes when the first is done. */
async function alone(
  database: Database,
  lock: string,
  work: (connection: Kysely<Tables>) => Promise<void>,
): Promise<void> {
  if (isSqlite(database)) return work(database);
  // Names are the server's, not the database's, and have 64 characters at most.
  const name = sql`concat('kinora.', sha2(concat(database(), ${lock}), 224))`;
  await database.connection().execute(async (connection) => {
    for (;;) {
      const { rows } = await sql<{ taken: number }>`select get_lock(${name}, 0) as taken`.execute(connection);
      if (Number(rows[0]?.taken) === 1) break;
      await Bun.sleep(LOOK_AGAIN_MS);
    }
    try {
      await work(connection);
    } finally {
      await sql`do release_lock(${name})`.execute(connection);
    }
  });
}
