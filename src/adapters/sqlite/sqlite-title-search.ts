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
 * Beginnings of words of these lengths have postings of their own. Any other beginning would have those of all its words
 * put together first, which takes longer than all the rest where many titles have them.
 */
const PREFIX_LENGTHS = [1, 2, 3, 4, 5, 6, 8];

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
  "2026-11-22-catalog-word-beginnings": {
    async up(db: Kysely<unknown>) {
      await sql`drop table title_search`.execute(db);
      await sql`create virtual table title_search using fts5(
        words, extra, content='', contentless_delete=1, tokenize='ascii',
        prefix=${sql.lit(PREFIX_LENGTHS.join(" "))})`.execute(db);
      await sql`insert or replace into catalog_stale (what) values ('titles')`.execute(db);
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
    const { seq } = entry;
    const { words, extra, grams, text } = postingsOf(entry);
    await sql`insert into title_search (rowid, words, extra) values (${seq}, ${words}, ${extra})`.execute(transaction);
    await sql`insert into title_grams (rowid, grams) values (${seq}, ${grams})`.execute(transaction);
    await sql`insert or replace into title_words (seq, words) values (${seq}, ${text})`.execute(transaction);
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
    if (words.length === 0 && grams.length > 0) return [sql`select rowid as seq from title_grams where ${byGrams}`];
    const named = grams.length === 0 ? sql`` : sql` and rowid in (select rowid from title_grams where ${byGrams})`;
    const cut = search.phrases.filter((tokens) => !isIndexed(tokens)).map(hasText);
    const whole =
      cut.length === 0
        ? sql``
        : sql` and exists (select 1 from title_words as w where w.seq = title_search.rowid and ${sql.join(cut, sql` and `)})`;
    return [sql`select rowid as seq from title_search where ${byWords}${named}${whole}`];
  }

  conditions({ phrases, marks }: TitleSearch): RawBuilder<unknown>[] {
    const all = [...phrases.map(hasText), ...marks.map((character) => sql`instr(w.words, ${mark(character)}) > 0`)];
    if (all.length === 0) return [];
    return [sql`exists (select 1 from title_words as w where w.seq = t.seq and ${sql.join(all, sql` and `)})`];
  }
}

/** What the text index's tables get of a title: the columns of `title_search`, `title_grams` and `title_words`. */
export function postingsOf({ visibility, ownerId, index, facets }: Omit<IndexEntry, "seq">) {
  const scopes = [scope(visibility), ...(ownerId === null ? [] : [scope(ownerId)])];
  return {
    words: index.tokens.map((token) => encode(token) || BOUNDARY).join(" "),
    extra: [...scopes, ...index.marks.map(mark), ...index.tagKeys.map(tag), ...facets.map(facet)].join(" "),
    grams: [...scopes, ...index.grams.map(encode)].join(" "),
    text: textOf(index),
  };
}

/** Words in a row, each after a space, so that a phrase with one before it begins where a word does. */
const textOf = ({ tokens, marks }: IndexEntry["index"]) =>
  [...tokens.map((token) => ` ${token || BOUNDARY}`), ...marks.map((character) => ` ${mark(character)}`)].join("");

function wordExpression({ phrases, marks, tagKeys, match }: TitleSearch): string[] {
  const tags = tagKeys.map(tag);
  return [
    ...phrases.map((tokens) => `words : ${quote(indexed(tokens).map(encode).join(" "))} *`),
    ...marks.map((character) => `extra : ${quote(mark(character))}`),
    ...(match === "any" ? anyOf(tags, "extra : ") : tags.map((token) => `extra : ${quote(token)}`)),
  ];
}

/** That the words `w` of a title have a phrase. */
const hasText = (tokens: readonly string[]) => sql`instr(w.words, ${` ${tokens.join(" ")}`}) > 0`;

/** A phrase as it is looked up: its last word no longer than a beginning that has postings. */
function indexed(tokens: readonly string[]): string[] {
  const characters = [...(tokens.at(-1) ?? "")];
  const length = PREFIX_LENGTHS.findLast((one) => one <= characters.length) ?? characters.length;
  return [...tokens.slice(0, -1), characters.slice(0, length).join("")];
}

/** Whether a phrase is looked up as it is. */
const isIndexed = (tokens: readonly string[]) => indexed(tokens).at(-1) === tokens.at(-1);

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
