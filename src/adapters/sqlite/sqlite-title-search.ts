import { type Kysely, type Migration, type RawBuilder, sql, type Transaction } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";
import type { Tables } from "../sql/tables.ts";
import type { IndexEntry, TitleSearchIndex } from "../sql/title-search-index.ts";

/**
 * FTS5's `ascii` tokenizer keeps every character above U+007F, so characters of the private use area can stand for
 * what it would split at, and mark tokens that are no words. No query can name them: folded tokens hold none.
 */
const BOUNDARY = "\uE000";
const MARK = "\uE001";
const SCOPE = "\uE002";
const TAG = "\uE003";
const ASCII_BASE = 0xe100;

/** The text index's tables. Both are contentless: they keep postings only, and `titles` keeps the text. */
export const sqliteTitleSearchMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-catalog-search": {
    async up(db: Kysely<unknown>) {
      await sql`create virtual table title_search using fts5(
        words, extra, content='', contentless_delete=1, tokenize='ascii', prefix='1 2 3')`.execute(db);
      await sql`create virtual table title_grams using fts5(
        grams, content='', contentless_delete=1, tokenize='ascii', detail=none)`.execute(db);
    },
  },
};

/**
 * The text index in SQLite. Who may see a title is in the postings too, so that a word of a million titles of which the
 * caller may see none costs little; so are tags, and runs of one and two characters that FTS5's own trigram
 * tokenizer could not find.
 */
export class SqliteTitleSearch implements TitleSearchIndex {
  async put(transaction: Transaction<Tables>, { seq, visibility, ownerId, index }: IndexEntry): Promise<void> {
    const scopes = [scope(visibility), ...(ownerId === null ? [] : [scope(ownerId)])];
    const words = index.tokens.map((token) => encode(token) || BOUNDARY).join(" ");
    const extra = [...scopes, ...index.marks.map(mark), ...index.tagKeys.map(tag)].join(" ");
    const grams = [...scopes, ...index.grams.map(encode)].join(" ");
    await sql`insert into title_search (rowid, words, extra) values (${seq}, ${words}, ${extra})`.execute(transaction);
    await sql`insert into title_grams (rowid, grams) values (${seq}, ${grams})`.execute(transaction);
  }

  async remove(transaction: Transaction<Tables>, seq: number): Promise<void> {
    await sql`delete from title_search where rowid = ${seq}`.execute(transaction);
    await sql`delete from title_grams where rowid = ${seq}`.execute(transaction);
  }

  match(search: TitleSearch, audience: Audience): readonly RawBuilder<unknown>[] | null {
    const scopes = scopesOf(search, audience);
    const words = wordExpression(search);
    const grams = search.name && !search.name.exact ? search.name.grams.map((gram) => quote(encode(gram))) : [];
    const byWords =
      words.length === 0 ? null : sql`title_search match ${[...words, ...group("extra : ", scopes)].join(" AND ")}`;
    const byGrams =
      grams.length === 0 ? null : sql`title_grams match ${[...grams, ...group("", scopes)].join(" AND ")}`;
    if (byWords && byGrams) {
      const both = sql`select rowid as seq from title_search where ${byWords}
        and rowid in (select rowid from title_grams where ${byGrams})`;
      return [both];
    }
    if (byWords) return [sql`select rowid as seq from title_search where ${byWords}`];
    return byGrams && [sql`select rowid as seq from title_grams where ${byGrams}`];
  }
}

function wordExpression({ phrases, marks, tagKeys, match }: TitleSearch): string[] {
  const tags = tagKeys.map((key) => quote(tag(key)));
  return [
    ...phrases.map((tokens) => `words : ${quote(tokens.map(encode).join(" "))} *`),
    ...marks.map((character) => `extra : ${quote(mark(character))}`),
    ...(match === "any" ? group("extra : ", tags) : tags.map((token) => `extra : ${token}`)),
  ];
}

/** The postings of which a title must be in one; none when the audience sees everything. */
function scopesOf({ ownerId }: TitleSearch, audience: Audience): string[] {
  if (ownerId !== null) return [quote(scope(ownerId))];
  if ("userId" in audience) return ["public", "members", audience.userId].map((name) => quote(scope(name)));
  return audience.sees === "public" ? [quote(scope("public"))] : [];
}

const group = (column: string, alternatives: readonly string[]) =>
  alternatives.length === 0 ? [] : [`${column}(${alternatives.join(" OR ")})`];

const quote = (tokens: string) => `"${tokens}"`;
const mark = (character: string) => MARK + encode(character);
const scope = (name: string) => SCOPE + encode(name);
const tag = (key: string) => TAG + encode(key);

/** Makes one token of any text: the tokenizer splits at nothing in the result, and it holds no quote. */
function encode(text: string): string {
  return text.replace(/[^a-z0-9\u0080-\u{10FFFF}]/gu, (character) =>
    String.fromCodePoint(ASCII_BASE + character.charCodeAt(0)),
  );
}
