import { sql, type Transaction } from "kysely";
import type { TitleIndex, TitleRecord, TitleSource, TitleWithSources } from "../../catalog/title-repository.ts";
import { listOf } from "./number-list.ts";
import { folderRows } from "./sql-folders.ts";
import type { Tables } from "./tables.ts";
import type { ColumnChange, SortedBy } from "./title-columns.ts";
import { facetsOf } from "./title-facets.ts";
import type { TitleRow } from "./title-rows.ts";
import { type Term, termsOf } from "./title-terms.ts";

// What belongs to a title beside its row.

/** Rows in one statement: databases bound its parameters. */
const ROWS_AT_ONCE = 200;

/** Writes tags, sources and, unless the title is deleted, its folders. */
export async function writeParts(
  transaction: Transaction<Tables>,
  titles: readonly { readonly seq: number; readonly title: TitleWithSources; readonly index: TitleIndex }[],
): Promise<void> {
  const tags = titles.flatMap(({ seq, title, index }) =>
    title.tags.map((tag, position) => ({
      title_seq: seq,
      position,
      tag,
      tag_key: index.tagKeys[position] ?? tag,
    })),
  );
  const sources = titles.flatMap(({ seq, title }) => title.sources.map((source) => sourceRow(seq, source)));
  const folders = titles.flatMap(({ seq, title }) => (title.deletedAt === null ? folderRows(seq, title) : []));
  await inParts(tags, ROWS_AT_ONCE, (rows) => transaction.insertInto("title_tags").values(rows).execute());
  await inParts(sources, ROWS_AT_ONCE, (rows) => transaction.insertInto("title_sources").values(rows).execute());
  await inParts(folders, ROWS_AT_ONCE, (rows) => transaction.insertInto("title_folders").values(rows).execute());
}

function sourceRow(seq: number, source: TitleSource) {
  const { sourceId, provider, origin, availability, mediaId, derived, fingerprint } = source;
  return {
    source_id: sourceId,
    title_seq: seq,
    provider,
    origin,
    availability,
    media_id: mediaId,
    derived: derived && JSON.stringify(derived),
    fingerprint,
  };
}

/** Does something with some of many at a time. */
export async function inParts<Item>(
  items: readonly Item[],
  size: number,
  work: (some: Item[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < items.length; from += size) await work(items.slice(from, from + size));
}

export async function dropParts(transaction: Transaction<Tables>, seq: number): Promise<void> {
  await transaction.deleteFrom("title_tags").where("title_seq", "=", seq).execute();
  await transaction.deleteFrom("title_sources").where("title_seq", "=", seq).execute();
  await transaction.deleteFrom("title_folders").where("title_seq", "=", seq).execute();
}

/** A title's number, and what it is sorted by when that is new. */
export interface Numbered {
  readonly num: number;
  readonly columns: readonly ColumnChange[];
  /** It has just got it: until then it was neither found nor counted. */
  readonly isNew: boolean;
}

const keysOf = ({ name_key, duration_ms, height }: SortedBy) => ({ name_key, duration_ms, height });

/** Gives new titles their numbers, in their order; the numbers by the titles' places. */
export async function numberTitles(
  transaction: Transaction<Tables>,
  titles: readonly { readonly seq: number; readonly row: SortedBy }[],
): Promise<Map<number, Numbered>> {
  await inParts(titles, ROWS_AT_ONCE, (some) =>
    transaction
      .insertInto("title_keys")
      .values(some.map(({ seq, row }) => ({ seq, ...keysOf(row) })))
      .execute(),
  );
  const { rows } = await sql<{ num: number; seq: number }>`select num, seq from title_keys
    where seq in (${listOf(titles.map(({ seq }) => seq))})`.execute(transaction);
  const nums = new Map(rows.map(({ num, seq }) => [Number(seq), num]));
  return new Map(
    titles.map(({ seq, row }) => {
      const num = nums.get(seq) ?? 0;
      return [seq, { num, columns: [{ num, seq, row }], isNew: true }];
    }),
  );
}

/** Keeps what a title is sorted by now, where it was sorted by `before`; its number, one that it gets now if it had none. */
export async function renumbered(
  transaction: Transaction<Tables>,
  seq: number,
  before: SortedBy,
  row: SortedBy,
): Promise<Numbered> {
  const known = await transaction.selectFrom("title_keys").select("num").where("seq", "=", seq).executeTakeFirst();
  if (!known) return (await numberTitles(transaction, [{ seq, row }])).get(seq) ?? { num: 0, columns: [], isNew: true };
  const { num } = known;
  const isSame = Bun.deepEquals(keysOf(before), keysOf(row)) && before.codec === row.codec;
  if (isSame) return { num, columns: [], isNew: false };
  await transaction.updateTable("title_keys").set(keysOf(row)).where("num", "=", num).execute();
  return { num, columns: [{ num, seq, row }], isNew: false };
}

/** Takes a title's number from it; null when it had none. */
export async function forgetNumber(transaction: Transaction<Tables>, seq: number): Promise<number | null> {
  const known = await transaction.selectFrom("title_keys").select("num").where("seq", "=", seq).executeTakeFirst();
  await transaction.deleteFrom("title_keys").where("seq", "=", seq).execute();
  return known?.num ?? null;
}

/** What a title is found by; nothing when it is deleted. */
export function termsOfTitle(
  title: TitleRecord & { readonly sources: readonly Pick<TitleSource, "derived">[] },
  row: Omit<TitleRow, "seq">,
  index: TitleIndex,
): ReadonlySet<Term> {
  if (title.deletedAt !== null) return new Set();
  const { visibility, owner, sources } = title;
  return termsOf({ visibility, ownerId: owner?.id ?? null, index, facets: facetsOf(row, sources) });
}
