import { type Kysely, type Migration, type RawBuilder, sql, type Transaction } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";
import type { Tables } from "../sql/tables.ts";
import { facetGroupsOf } from "../sql/title-facets.ts";
import { rangesOf } from "../sql/title-ranges.ts";
import type { IndexEntry, TitleSearchIndex } from "../sql/title-search-index.ts";

/**
 * FTS5's `ascii` tokenizer keeps every character above U+007F, so characters of the private use area can stand for
 * what it would split at, and mark tokens that are no words. No query can name them: folded tokens hold none.
 */
const BOUNDARY = "\uE000";
const MARK = "\uE001";
const SCOPE = "\uE002";
const TAG = "\uE003";
const FACET = "\uE004";
const ASCII_BASE = 0xe100;

/**
 * The text index's tables. Those of FTS5 are contentless: they keep postings only. `title_words` has the words in a row,
 * for titles that are looked at one by one.
 */
export const sqliteTitleSearchMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-catalog-search": {
    async up(db: Kysely<unknown>) {
      await sql`create virtual table title_search using fts5(
        words, extra, content='', contentless_delete=1, tokenize='ascii', prefix='1 2 3')`.execute(db);
      await sql`create virtual table title_grams using fts5(
        grams, content='', contentless_delete=1, tokenize='ascii', detail=none)`.execute(db);
    },
  },
  "2026-11-22-catalog-words": {
    async up(db: Kysely<unknown>) {
      await sql`create table title_words (seq integer primary key, words text not null)`.execute(db);
    },
  },
};

/**
 * The text index in SQLite. Who may see a title is in the postings too, so that a word of a million titles of which the
 * caller may see none costs little; so are tags, and runs of one and two characters that FTS5's own trigram
 * tokenizer could not find.
 */
export class SqliteTitleSearch implements TitleSearchIndex {
  async put(transaction: Transaction<Tables>, entry: IndexEntry): Promise<void> {
    const { seq, visibility, ownerId, index } = entry;
    const scopes = [scope(visibility), ...(ownerId === null ? [] : [scope(ownerId)])];
    const words = index.tokens.map((token) => encode(token) || BOUNDARY).join(" ");
    const extra = [...scopes, ...index.marks.map(mark), ...index.tagKeys.map(tag), ...entry.facets.map(facet)].join(
      " ",
    );
    const grams = [...scopes, ...index.grams.map(encode)].join(" ");
    await sql`insert into title_search (rowid, words, extra) values (${seq}, ${words}, ${extra})`.execute(transaction);
    await sql`insert into title_grams (rowid, grams) values (${seq}, ${grams})`.execute(transaction);
    await sql`insert or replace into title_words (seq, words) values (${seq}, ${textOf(index)})`.execute(transaction);
  }

  async remove(transaction: Transaction<Tables>, seq: number): Promise<void> {
    await sql`delete from title_search where rowid = ${seq}`.execute(transaction);
    await sql`delete from title_grams where rowid = ${seq}`.execute(transaction);
    await sql`delete from title_words where seq = ${seq}`.execute(transaction);
  }

  match(search: TitleSearch, audience: Audience): readonly RawBuilder<unknown>[] | null {
    const words = wordExpression(search);
    const grams = search.name && !search.name.exact ? search.name.grams.map((gram) => quote(encode(gram))) : [];
    // What parts of a name find is little: its filters are looked at title by title.
    const facets =
      grams.length > 0 ? [] : facetGroupsOf(search).flatMap((group) => anyOf(group.map(facet), "extra : "));
    const asked = [...words, ...facets];
    if (asked.length + grams.length === 0) return null;
    const byWords = sql`title_search match ${[...asked, ...scopeExpression(search, audience, "extra : ")].join(" AND ")}`;
    const byGrams = sql`title_grams match ${[...grams, ...scopeExpression(search, audience, "")].join(" AND ")}`;
    if (grams.length === 0) return [sql`select rowid as seq from title_search where ${byWords}`];
    if (words.length === 0) return [sql`select rowid as seq from title_grams where ${byGrams}`];
    const both = sql`select rowid as seq from title_search where ${byWords}
      and rowid in (select rowid from title_grams where ${byGrams})`;
    return [both];
  }

  conditions({ phrases, marks }: TitleSearch): RawBuilder<unknown>[] {
    const texts = [...phrases.map((tokens) => ` ${tokens.join(" ")}`), ...marks.map(mark)];
    if (texts.length === 0) return [];
    const all = texts.map((text) => sql`instr(w.words, ${text}) > 0`);
    return [sql`exists (select 1 from title_words as w where w.seq = t.seq and ${sql.join(all, sql` and `)})`];
  }
}

/** Words in a row, each after a space, so that a phrase with one before it begins where a word does. */
const textOf = ({ tokens, marks }: IndexEntry["index"]) =>
  [...tokens.map((token) => ` ${token || BOUNDARY}`), ...marks.map((character) => ` ${mark(character)}`)].join("");

function wordExpression({ phrases, marks, tagKeys, match }: TitleSearch): string[] {
  const tags = tagKeys.map(tag);
  return [
    ...phrases.map((tokens) => `words : ${quote(tokens.map(encode).join(" "))} *`),
    ...marks.map((character) => `extra : ${quote(mark(character))}`),
    ...(match === "any" ? anyOf(tags, "extra : ") : tags.map((token) => `extra : ${quote(token)}`)),
  ];
}

/** Of which postings a title must be in one; none when the audience sees everything. It may hold a bit more. */
function scopeExpression(search: TitleSearch, audience: Audience, column: string): string[] {
  const ranges = rangesOf(search, audience);
  const visibilities = [...new Set(ranges.flatMap(({ visibility }) => visibility ?? []))];
  if (ranges.length === 0) return [`${column}${quote(scope("nobody"))}`];
  if (ranges.every(({ ownerId }) => ownerId !== null && ownerId === ranges[0]?.ownerId)) {
    const owner = `${column}${quote(scope(ranges[0]?.ownerId ?? ""))}`;
    return visibilities.length === 3 ? [owner] : [owner, ...anyOf(visibilities.map(scope), column)];
  }
  if (ranges.some(({ ownerId, visibility }) => ownerId === null && visibility === null)) return [];
  return anyOf(
    ranges.map(({ ownerId, visibility }) => scope(ownerId ?? visibility ?? "")),
    column,
  );
}

function anyOf(tokens: readonly string[], column: string): string[] {
  return tokens.length === 0 ? [] : [`${column}(${tokens.map(quote).join(" OR ")})`];
}

const quote = (tokens: string) => `"${tokens}"`;
const mark = (character: string) => MARK + encode(character);
const scope = (name: string) => SCOPE + encode(name);
const tag = (key: string) => TAG + encode(key);
const facet = (name: string) => FACET + encode(name);

/** Makes one token of any text: the tokenizer splits at nothing in the result, and it holds no quote. */
function encode(text: string): string {
  return text.replace(/[^a-z0-9\u0080-\u{10FFFF}]/gu, (character) =>
    String.fromCodePoint(ASCII_BASE + character.charCodeAt(0)),
  );
}
