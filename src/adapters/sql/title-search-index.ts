import type { RawBuilder, Transaction } from "kysely";
import type { Audience, TitleIndex, TitleSearch } from "../../catalog/title-repository.ts";
import type { Tables } from "./tables.ts";

/** What is indexed of one title beside its row. */
export interface IndexEntry {
  readonly seq: number;
  readonly visibility: string;
  readonly ownerId: string | null;
  readonly index: TitleIndex;
  /** What it can be filtered by (`title-facets.ts`): to be indexed or not, as it suits the database. */
  readonly facets: readonly string[];
}

/** The part of the title repository that differs between databases: the text index. */
export interface TitleSearchIndex {
  /** Adds a title that is not in the index. */
  put(transaction: Transaction<Tables>, entry: IndexEntry): Promise<void>;
  /** Takes a title out; nothing when it is not in. */
  remove(transaction: Transaction<Tables>, seq: number): Promise<void>;
  /**
   * Queries with the one column `seq` that together have every title that fits the search's phrases, marks, tags and
   * part of a name, and that the audience may see; one title may be in several of them. They may hold more titles than
   * that, where only the name's runs of characters fit, a filter is not indexed or the audience may not see them: the
   * repository checks all of these. Null when the search asks for nothing that is indexed.
   */
  match(search: TitleSearch, audience: Audience): readonly RawBuilder<unknown>[] | null;
  /** Conditions that title `t` fits the search's phrases and marks, for when titles are read in another order. */
  conditions(search: TitleSearch): RawBuilder<unknown>[];
}
