import { type Kysely, type Migration, type RawBuilder, sql, type Transaction } from "kysely";
import type { Audience, TitleSearch } from "../../catalog/title-repository.ts";
import type { Tables } from "../sql/tables.ts";
import { facetGroupsOf } from "../sql/title-facets.ts";
import type { IndexEntry, TitleSearchIndex } from "../sql/title-search-index.ts";
import {
  facetTerm,
  gramTerms,
  markTerm,
  packTerms,
  planPhrase,
  type Term,
  tagTerm,
  termsOf,
  textOf,
  unpackTerms,
} from "./title-terms.ts";

/** Rows of one insert: a statement must stay below the server's `max_allowed_packet`. */
const ROWS_AT_ONCE = 2_000;
/** Terms that one search looks up at most: what else it asks for is looked at title by title. */
const LOOKED_UP = 6;
/** A title is there for one of these, whoever owns it. */
const VISIBILITIES = ["public", "members", "private"];

/** The text index's tables: terms as numbers, and the text that phrases are looked for in. */
export const mysqlTitleSearchMigrations: Readonly<Record<string, Migration>> = {
  "2026-11-22-catalog-terms": {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable("title_terms")
        .addColumn("term", sql`bigint unsigned`, (column) => column.notNull())
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("title_terms_key", ["term", "seq"])
        .execute();
      await db.schema
        .createTable("title_texts")
        .addColumn("seq", "bigint", (column) => column.primaryKey())
        .addColumn("words", sql`mediumtext`, (column) => column.notNull())
        .addColumn("terms", sql`mediumblob`, (column) => column.notNull())
        .execute();
    },
  },
};

/**
 * The text index in MySQL and MariaDB, which have no full-text index that finds single characters, parts of words
 * and scripts without spaces alike. Each term's titles lie together in the order of time, apart for each kind of
 * caller (public, members, each owner's): a search reads the beginning of a few such lists, however many titles
 * there are that its caller may not see.
 */
export class MysqlTitleSearch implements TitleSearchIndex {
  async put(transaction: Transaction<Tables>, { seq, visibility, ownerId, index, facets }: IndexEntry): Promise<void> {
    const scopes = ownerId === null ? [visibility] : [visibility, ownerId];
    const terms = termsOf(scopes, index, facets);
    await sql`insert into title_texts (seq, words, terms)
      values (${seq}, ${textOf(index)}, ${packTerms(terms)})`.execute(transaction);
    for (const some of chunks(terms)) {
      const rows = some.map((term) => sql`(${literal(term)}, ${seq})`);
      await sql`insert into title_terms (term, seq) values ${sql.join(rows)}`.execute(transaction);
    }
  }

  async remove(transaction: Transaction<Tables>, seq: number): Promise<void> {
    const { rows } = await sql<{ terms: Buffer }>`select terms from title_texts where seq = ${seq}`.execute(
      transaction,
    );
    for (const some of chunks(rows.flatMap(({ terms }) => unpackTerms(terms)))) {
      await sql`delete from title_terms where seq = ${seq}
        and term in (${sql.join(some.map(literal))})`.execute(transaction);
    }
    await sql`delete from title_texts where seq = ${seq}`.execute(transaction);
  }

  match(search: TitleSearch, audience: Audience): readonly RawBuilder<unknown>[] | null {
    const { phrases, marks, tagKeys, name, match } = search;
    const asksForName = name !== null && !name.exact;
    // Of several alternatives each would be a list of its own: those are looked at title by title.
    const facets = facetGroupsOf(search).flatMap((group) => (group.length === 1 ? group : []));
    if (phrases.length + marks.length + tagKeys.length + facets.length === 0 && !asksForName) return null;
    return scopesOf(search, audience).flatMap((scope) => {
      const plans = phrases.map((tokens) => planPhrase(scope, tokens));
      const terms = [
        ...plans.flatMap((plan) => plan.terms),
        ...(asksForName ? gramTerms(scope, name.grams) : []),
        ...marks.map((mark) => markTerm(scope, mark)),
        ...facets.map((facet) => facetTerm(scope, facet)),
      ];
      const texts = plans.flatMap(({ text }) => (text === null ? [] : [text]));
      const tags = tagKeys.map((key) => tagTerm(scope, key));
      if (match === "any" && tags.length > 0) return tags.map((tag) => candidates([tag, ...terms], texts));
      return [candidates([...tags, ...terms], texts)];
    });
  }

  conditions({ phrases, marks }: TitleSearch): RawBuilder<unknown>[] {
    const texts = phrases.map((tokens) => sql`instr(x.words, ${` ${tokens.join(" ")}`}) > 0`);
    const has = (terms: readonly Term[]) =>
      sql`exists (select 1 from title_terms as c where c.seq = t.seq and c.term in (${sql.join(terms.map(literal))}))`;
    return [
      ...(texts.length === 0
        ? []
        : [sql`exists (select 1 from title_texts as x where x.seq = t.seq and ${sql.join(texts, sql` and `)})`]),
      ...marks.map((mark) => has(VISIBILITIES.map((scope) => markTerm(scope, mark)))),
    ];
  }
}

/** Titles that have all terms, and all texts among their words. */
function candidates(terms: readonly Term[], texts: readonly string[]): RawBuilder<unknown> {
  const [first, ...others] = [...new Set(terms)];
  if (first === undefined) return sql`select seq from titles where 1 = 0`;
  const joined = others.slice(0, LOOKED_UP - 1);
  const checked = others.slice(LOOKED_UP - 1);
  const joins = joined.map((term, i) => {
    const alias = sql.ref(`t${i}`);
    return sql`inner join title_terms as ${alias} on ${alias}.term = ${literal(term)} and ${alias}.seq = a.seq`;
  });
  if (texts.length > 0) joins.push(sql`inner join title_texts as x on x.seq = a.seq`);
  const conditions = [
    sql`a.term = ${literal(first)}`,
    ...checked.map(
      (term) => sql`exists (select 1 from title_terms as c where c.term = ${literal(term)} and c.seq = a.seq)`,
    ),
    ...texts.map((text) => sql`instr(x.words, ${text}) > 0`),
  ];
  return sql`select a.seq from title_terms as a ${sql.join(joins, sql` `)} where ${sql.join(conditions, sql` and `)}`;
}

/** Whose lists are read: a title is in that of its visibility, and in its owner's. */
function scopesOf({ ownerId }: TitleSearch, audience: Audience): string[] {
  if (ownerId !== null) return [ownerId];
  if ("userId" in audience) return ["public", "members", audience.userId];
  return audience.sees === "public" ? ["public"] : VISIBILITIES;
}

/** Digits only: as a parameter a number beyond 2^53 would be a text, and compared as an inexact one. */
const literal = (term: Term) => sql.raw(term.toString());

function chunks(terms: readonly Term[]): Term[][] {
  return Array.from({ length: Math.ceil(terms.length / ROWS_AT_ONCE) }, (_, i) =>
    terms.slice(i * ROWS_AT_ONCE, (i + 1) * ROWS_AT_ONCE),
  );
}
