import { sql, type Transaction } from "kysely";
import type { Audience, Counted, TitleCounts, TitleIndex, TitleRecord } from "../../catalog/title-repository.ts";
import type { TitleCountTable } from "./catalog-tables.ts";
import { isSqlite } from "./column-types.ts";
import { listOf } from "./number-list.ts";
import type { Database, Tables } from "./tables.ts";
import type { TitleRow } from "./title-rows.ts";

// Counts of titles by tag, codec and height, kept while titles are written: nobody has to count a million.

type Kind = TitleCountTable["kind"];
type Count = Omit<TitleCountTable, "titles">;

/** Tags looked at for each kind of title when the most frequent ones of several kinds are asked for. */
const TAGS_LOOKED_AT = 200;
/** The same where they begin with something: they are in the order of their text then, not of their number. */
const PREFIXED_LOOKED_AT = 5_000;
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
  if (rows.length === 0) return;
  const insert = transaction.insertInto("title_counts").values(rows);
  await (isSqlite(transaction)
    ? insert.onConflict((conflict) =>
        conflict
          .columns(["scope", "kind", "value"])
          .doUpdateSet({ titles: sql<number>`title_counts.titles + excluded.titles` }),
      )
    : insert.onDuplicateKeyUpdate({ titles: sql<number>`titles + values(titles)` })
  ).execute();
}

const scopesOf = (audience: Audience): string[] => {
  if ("userId" in audience) return ["public", "members", audience.userId];
  return audience.sees === "public" ? ["public"] : ["*"];
};

/** The most frequent tags of what an audience may see. */
export async function listTags(
  database: Database,
  audience: Audience,
  prefix: string,
  limit: number,
): Promise<Counted[]> {
  return listCounts(database, scopesOf(audience), "tag", prefix, limit);
}

/** Counts of everything that an audience may see. */
export async function countAll(database: Database, audience: Audience, limit: number): Promise<TitleCounts> {
  const scopes = scopesOf(audience);
  const list = (kind: Kind) => listCounts(database, scopes, kind, "", limit);
  const [all] = await list("title");
  return {
    titles: all?.count ?? 0,
    complete: true,
    codecs: await list("codec"),
    heights: await list("height"),
    tags: await list("tag"),
  };
}

async function listCounts(
  database: Database,
  scopes: readonly string[],
  kind: Kind,
  prefix: string,
  limit: number,
): Promise<Counted[]> {
  const values = new Set<string>();
  for (const scope of scopes) {
    const query = database
      .selectFrom("title_counts")
      .select("value")
      .where("scope", "=", scope)
      .where("kind", "=", kind);
    const found =
      prefix === ""
        ? query.orderBy("titles", "desc").limit(Math.max(TAGS_LOOKED_AT, limit))
        : query
            .where("value", ">=", prefix)
            .where("value", "<", `${prefix}\u{10FFFF}`)
            .orderBy("value")
            .limit(PREFIXED_LOOKED_AT);
    for (const { value } of await found.execute()) values.add(value);
  }
  if (values.size === 0) return [];
  const rows = await database
    .selectFrom("title_counts")
    .select(["value", "label", "titles"])
    .where("scope", "in", scopes)
    .where("kind", "=", kind)
    .where("value", "in", [...values])
    .execute();
  const counts = [...Map.groupBy(rows, ({ value }) => value).values()].map((group) => ({
    value: group[0]?.label ?? "",
    count: group.reduce((sum, { titles }) => sum + Number(titles), 0),
  }));
  return mostFrequent(counts, limit);
}

/** The most frequent first, equal ones by their text. */
const mostFrequent = (counts: readonly Counted[], limit: number): Counted[] =>
  counts
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, limit);

/** Counts these titles one by one. */
export async function countThese(
  database: Database,
  seqs: readonly number[],
  complete: boolean,
  limit: number,
): Promise<TitleCounts> {
  const none = { titles: 0, complete, codecs: [], heights: [], tags: [] };
  if (seqs.length === 0) return none;
  const places = listOf(seqs);
  const { rows } = await sql<{ codec: string; height: number }>`select codec, height from titles
    where seq in (${places})`.execute(database);
  const { rows: tags } = await sql<{ tag_key: string; tag: string }>`select tag_key, tag from title_tags
    where title_seq in (${places})`.execute(database);
  const counted = (values: readonly { readonly key: string; readonly label: string }[]) =>
    mostFrequent(
      [...Map.groupBy(values, ({ key }) => key).values()].map((group) => ({
        value: group[0]?.label ?? "",
        count: group.length,
      })),
      limit,
    );
  const same = (texts: readonly string[]) => texts.map((text) => ({ key: text, label: text }));
  return {
    titles: seqs.length,
    complete,
    codecs: counted(same(rows.map(({ codec }) => codec).filter(Boolean))),
    heights: counted(same(rows.filter(({ height }) => height > 0).map(({ height }) => String(height)))),
    tags: counted(tags.map(({ tag_key: key, tag: label }) => ({ key, label }))),
  };
}
