import { sql, type Transaction } from "kysely";
import type { Derived, TagWords, TitleRecord, TitleSource, TitleWithSources } from "../../catalog/title-repository.ts";
import { listOf } from "./number-list.ts";
import type { Database, Tables } from "./tables.ts";
import { type TitleRow, toRecord } from "./title-rows.ts";

type Reader = Database | Transaction<Tables>;

/** These titles with their tags. */
export async function recordsOf(database: Reader, rows: readonly TitleRow[]): Promise<TitleRecord[]> {
  if (rows.length === 0) return [];
  const { rows: tags } = await sql<{ title_seq: number; tag: string }>`select title_seq, tag from title_tags
    where title_seq in (${listOf(rows.map(({ seq }) => seq))}) order by position`.execute(database);
  const bySeq = Map.groupBy(tags, ({ title_seq }) => Number(title_seq));
  return rows.map((row) =>
    toRecord(
      row,
      (bySeq.get(Number(row.seq)) ?? []).map(({ tag }) => tag),
    ),
  );
}

/** A title with its place, as it is kept. */
export interface Whole {
  readonly seq: number;
  readonly title: TitleWithSources;
  /** Names of its files that it is indexed by. */
  readonly fileNames: readonly string[];
}

/** These titles with their tags and sources. */
export async function wholesOf(database: Reader, rows: readonly TitleRow[]): Promise<Whole[]> {
  const records = await recordsOf(database, rows);
  if (records.length === 0) return [];
  const { rows: sources } = await sql<SourceRow>`
    select title_seq, source_id as sourceId, provider, origin, availability, media_id as mediaId, derived, fingerprint
    from title_sources where title_seq in (${listOf(rows.map(({ seq }) => seq))}) order by source_id`.execute(database);
  const bySeq = Map.groupBy(sources, ({ title_seq }) => Number(title_seq));
  return rows.flatMap((row, i) => {
    const record = records[i];
    const seq = Number(row.seq);
    if (!record) return [];
    const title = { ...record, sources: (bySeq.get(seq) ?? []).map(sourceOf), ...tagWordsOf(row) };
    return [{ seq, title, fileNames: row.file_names?.split("\n") ?? [] }];
  });
}

const tagWordsOf = ({ tag_words }: TitleRow): Pick<TitleWithSources, "tagWords"> =>
  tag_words === null ? {} : { tagWords: JSON.parse(tag_words) as TagWords };

type SourceRow = Omit<TitleSource, "derived"> & { readonly title_seq: number; readonly derived: string | null };

const sourceOf = ({ title_seq: _, derived, ...source }: SourceRow): TitleSource => ({
  ...source,
  derived: derived === null ? null : (JSON.parse(derived) as Derived),
});
