import { type RawBuilder, sql, type Transaction } from "kysely";
import type { Audience, Counted, TitleCounts, TitleIndex, TitleRecord } from "../../catalog/title-repository.ts";
import type { TitleCountTable } from "./catalog-tables.ts";
import { isSqlite } from "./column-types.ts";
import { listOf } from "./number-list.ts";
import { CHUNK } from "./posting-bits.ts";
import type { Database, Tables } from "./tables.ts";
import { codecOf, heightOf } from "./title-columns.ts";
import type { TitleView } from "./title-memory.ts";
import type { TitleRow } from "./title-rows.ts";

// Counts of titles by tag, codec and height, kept while titles are written: nobody has to count a million.

type Kind = TitleCountTable["kind"];
type Count = Omit<TitleCountTable, "titles">;

/** Tags looked at for each kind of title when the most frequent ones of several kinds are asked for. */
const TAGS_LOOKED_AT = 100;
/** The same where they begin with something: they are in the order of their text then, not of their number. */
const PREFIXED_LOOKED_AT = 5_000;
/** Titles lie close together when so many times as many lie between the first and the last of them. */
const CLOSE = 8;
/** Counts that one statement writes. */
const ROWS_WRITTEN = 500;
const LABEL_LENGTH = 255;

/** What a title counts for; nothing when it is deleted. */
export function countsOf(title: TitleRecord, row: Omit<TitleRow, "seq">, index: TitleIndex): Count[] {
  if (title.deletedAt !== null) return [];
  const values: Omit<Count, "scope">[] = [
    { kind: "title", value: "", label: "" },
    ...title.tags.map((tag, i) => ({ kind: "tag" as const, value: index.tagKeys[i] ?? tag, label: tag })),
    ...(row.codec === "" ? [] : [{ kind: "codec" as const, value: row.codec, label: row.codec }]),
    ...(row.height === 0 ? [] : [{ kind: "height" as const, value: String(row.height), label: String(row.height) }]),
  ];
  return scopesOfTitle(row).flatMap((scope) => values.map((value) => ({ scope, ...value })));
}

function scopesOfTitle({ visibility, owner_id: ownerId }: Pick<TitleRow, "visibility" | "owner_id">): string[] {
  if (visibility !== "private") return ["*", visibility];
  return ownerId === null ? ["*"] : ["*", ownerId];
}

/** Counts a title for what it is now, and no more for what it was. */
export async function changeCounts(
  transaction: Transaction<Tables>,
  before: readonly Count[],
  after: readonly Count[],
): Promise<void> {
  const changes = new Map<string, TitleCountTable>();
  const add = (count: Count, titles: number) => {
    const key = JSON.stringify([count.scope, count.kind, count.value]);
    const label = count.label.slice(0, LABEL_LENGTH).toWellFormed();
    changes.set(key, { ...count, label, titles: (changes.get(key)?.titles ?? 0) + titles });
  };
  for (const count of before) add(count, -1);
  for (const count of after) add(count, 1);
  // Always in the same order: two that count at once never wait for each other.
  const rows = [...changes]
    .filter(([, { titles }]) => titles !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
  await addUp(transaction, rows);
  for (const { scope, kind, value } of rows.filter(({ titles }) => titles < 0)) {
    await transaction
      .deleteFrom("title_counts")
      .where("scope", "=", scope)
      .where("kind", "=", kind)
      .where("value", "=", value)
      .where("titles", "<=", 0)
      .execute();
  }
}

async function addUp(transaction: Transaction<Tables>, rows: readonly TitleCountTable[]): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_WRITTEN) {
    const insert = transaction.insertInto("title_counts").values(rows.slice(from, from + ROWS_WRITTEN));
    await (isSqlite(transaction)
      ? insert.onConflict((conflict) =>
          conflict
            .columns(["scope", "kind", "value"])
            .doUpdateSet({ titles: sql<number>`title_counts.titles + excluded.titles` }),
        )
      : insert.onDuplicateKeyUpdate({ titles: sql<number>`titles + values(titles)` })
    ).execute();
  }
}

const scopesOf = (audience: Audience): string[] => {
  if ("userId" in audience) return [audience.userId, "members", "public"];
  return audience.sees === "public" ? ["public"] : ["*"];
};

/** The most frequent tags of what an audience may see. */
export async function listTags(
  database: Database,
  audience: Audience,
  prefix: string,
  limit: number,
): Promise<Counted[]> {
  const counts = await listCounts(database, scopesOf(audience), ["tag"], prefix, limit);
  return counts.get("tag") ?? [];
}

/** Counts of everything that an audience may see. */
export async function countAll(database: Database, audience: Audience, limit: number): Promise<TitleCounts> {
  const kinds = ["title", "codec", "height", "tag"] as const;
  const counts = await listCounts(database, scopesOf(audience), kinds, "", limit);
  const list = (kind: Kind) => counts.get(kind) ?? [];
  return {
    titles: list("title")[0]?.count ?? 0,
    complete: true,
    codecs: list("codec"),
    heights: list("height"),
    tags: list("tag"),
  };
}

type Listed = Pick<TitleCountTable, "scope" | "kind" | "value" | "label" | "titles">;

/** The most frequent values of some kinds over all scopes, in two statements at most. */
async function listCounts(
  database: Database,
  scopes: readonly string[],
  kinds: readonly Kind[],
  prefix: string,
  limit: number,
): Promise<Map<Kind, Counted[]>> {
  const atMost = prefix === "" ? Math.max(TAGS_LOOKED_AT, limit) : PREFIXED_LOOKED_AT;
  const chosen =
    prefix === ""
      ? sql`order by titles desc limit ${atMost}`
      : sql`and value >= ${prefix} and value < ${`${prefix}\u{10FFFF}`} order by value limit ${atMost}`;
  const lists = scopes.flatMap((scope) => kinds.map((kind) => ({ scope, kind })));
  const parts = lists.map(
    ({ scope, kind }, i) => sql`select * from (select scope, kind, value, label, titles from title_counts
      where scope = ${scope} and kind = ${kind} ${chosen}) as ${sql.ref(`list_${i}`)}`,
  );
  const { rows } = await sql<Listed>`${sql.join(parts, sql` union all `)}`.execute(database);
  const more = await countedElsewhere(database, scopes, rows, atMost);
  const byKind = Map.groupBy([...rows, ...more], ({ kind }) => kind);
  const place = new Map(scopes.map((scope, i) => [scope, i]));
  return new Map(
    Array.from(byKind, ([kind, listed]) => {
      // A tag is shown as its first scope has it.
      const inOrder = listed.toSorted((a, b) => (place.get(a.scope) ?? 0) - (place.get(b.scope) ?? 0));
      return [kind, summedUp(inOrder, limit)];
    }),
  );
}

/** Of values that were listed in some scopes the counts in others whose lists were cut before them. */
async function countedElsewhere(
  database: Database,
  scopes: readonly string[],
  listed: readonly Listed[],
  atMost: number,
): Promise<Listed[]> {
  const missing = [...Map.groupBy(listed, ({ kind }) => kind)].flatMap(([kind, rows]) => {
    const values = new Set(rows.map(({ value }) => value));
    const inScopes = Map.groupBy(rows, ({ scope }) => scope);
    return scopes.flatMap((scope) => {
      const known = inScopes.get(scope) ?? [];
      const unknown = [...values.difference(new Set(known.map(({ value }) => value)))];
      return known.length < atMost || unknown.length === 0 ? [] : [{ kind, scope, unknown }];
    });
  });
  if (missing.length === 0) return [];
  return database
    .selectFrom("title_counts")
    .select(["scope", "kind", "value", "label", "titles"])
    .where(({ or, and, eb }) =>
      or(
        missing.map(({ kind, scope, unknown }) =>
          and([eb("scope", "=", scope), eb("kind", "=", kind), eb("value", "in", unknown)]),
        ),
      ),
    )
    .execute();
}

const summedUp = (rows: readonly Listed[], limit: number): Counted[] =>
  mostFrequent(
    [...Map.groupBy(rows, ({ value }) => value).values()].map((group) => ({
      value: group[0]?.label ?? "",
      count: group.reduce((sum, { titles }) => sum + Number(titles), 0),
    })),
    limit,
  );

/** The most frequent first, equal ones by their text. */
const mostFrequent = (counts: readonly Counted[], limit: number): Counted[] =>
  counts
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, limit);

/** Counts these titles one by one: their tags in the database, the rest by what is at hand of them. */
export async function countThese(
  view: TitleView,
  titles: readonly { readonly seq: number; readonly num: number }[],
  complete: boolean,
  limit: number,
): Promise<TitleCounts> {
  const none = { titles: 0, complete, codecs: [], heights: [], tags: [] };
  if (titles.length === 0) return none;
  const { rows: tags } = await sql<{ tag_key: string; label: string; titles: number }>`
    select tag_key, min(tag) as label, count(*) as titles from title_tags
    where ${isOneOf(titles)}
    group by tag_key order by titles desc, label limit ${limit}`.execute(view.database);
  const kinds = await kindsOf(
    view,
    titles.map(({ num }) => num),
  );
  const codecs = await view.codecs(new Set(kinds.map(codecOf)));
  const counted = (values: readonly string[]) =>
    mostFrequent(
      [...Map.groupBy(values, (value) => value)].map(([value, { length }]) => ({ value, count: length })),
      limit,
    );
  return {
    titles: titles.length,
    complete,
    codecs: counted(kinds.flatMap((kind) => codecs.get(codecOf(kind)) ?? [])),
    heights: counted(kinds.map(heightOf).flatMap((height) => (height > 0 ? [String(height)] : []))),
    tags: mostFrequent(
      tags.map(({ label, titles: count }) => ({ value: label, count: Number(count) })),
      limit,
    ),
  };
}

/**
 * That a row of `title_tags` is of one of these titles. Where they lie close together, as those of a frequent word do, reading all in between
 * takes half of the time that looking up a thousand takes, or less.
 */
function isOneOf(titles: readonly { readonly seq: number; readonly num: number }[]): RawBuilder<unknown> {
  const nums = titles.map(({ num }) => num);
  const seqs = titles.map(({ seq }) => seq);
  const list = listOf(seqs);
  if (Math.max(...nums) - Math.min(...nums) > CLOSE * titles.length) return sql`title_seq in (${list})`;
  // Plus nothing, so that the list is not taken for places to look up.
  return sql`title_seq between ${Math.min(...seqs)} and ${Math.max(...seqs)} and (title_seq + 0) in (${list})`;
}

async function kindsOf(view: TitleView, nums: readonly number[]): Promise<number[]> {
  const chunkOf = (num: number) => Math.floor(num / CHUNK);
  await view.loadColumns(["kind"], [...new Set(nums.map(chunkOf))]);
  return nums.map((num) => view.column("kind", chunkOf(num))?.values[num % CHUNK] ?? 0);
}
