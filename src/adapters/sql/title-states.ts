import type { Transaction } from "kysely";
import type { TitleState } from "../../catalog/title-repository.ts";
import type { TitleStateTable } from "./catalog-tables.ts";
import type { Database, Tables } from "./tables.ts";
import { changeIndex } from "./title-postings.ts";
import { type Term, termOf } from "./title-terms.ts";

// What people have done with titles.

const columns = [
  "s.position_seconds",
  "s.in_progress",
  "s.watched",
  "s.favourite",
  "s.watched_at",
] as const satisfies readonly `s.${keyof TitleStateTable}`[];

export async function getStates(
  database: Database | Transaction<Tables>,
  userId: string,
  titleIds: readonly string[],
): Promise<Map<string, TitleState>> {
  if (titleIds.length === 0) return new Map();
  const rows = await database
    .selectFrom("titles as t")
    // SQLite joins in this order then: somebody may have done something with thousands of titles.
    .crossJoin("title_states as s")
    .select("t.id")
    .select(columns)
    .where("t.id", "in", titleIds)
    .whereRef("s.title_seq", "=", "t.seq")
    .where("s.user_id", "=", userId)
    .execute();
  return new Map(rows.map(({ id, ...row }) => [id, toState(row)]));
}

/** Changes what a user has done with the title at a place; nothing is kept of somebody who has done nothing. */
export async function editState(
  transaction: Transaction<Tables>,
  userId: string,
  seq: number,
  change: (state: TitleState | null) => TitleState,
): Promise<StateChange> {
  const row = await transaction
    .selectFrom("title_states as s")
    .select(columns)
    .where("s.user_id", "=", userId)
    .where("s.title_seq", "=", seq)
    .executeTakeFirst();
  const before = row ? toState(row) : null;
  const after = change(before);
  const next = toRow(after);
  if (row) {
    await transaction
      .updateTable("title_states")
      .set(next)
      .where("user_id", "=", userId)
      .where("title_seq", "=", seq)
      .execute();
  } else {
    await transaction
      .insertInto("title_states")
      .values({ user_id: userId, title_seq: seq, ...next })
      .execute();
  }
  return { userId, seq, before, after };
}

/** What somebody has done with a title, before and after; null for nothing. */
export interface StateChange {
  readonly userId: string;
  readonly seq: number;
  readonly before: TitleState | null;
  readonly after: TitleState | null;
}

/** Has titles found by what people have done with them. */
export async function changeStateTerms(
  transaction: Transaction<Tables>,
  changes: readonly StateChange[],
): Promise<void> {
  const changed = changes
    .map(({ userId, seq, before, after }) => ({ seq, before: termsOf(userId, before), after: termsOf(userId, after) }))
    .filter(({ before, after }) => before.symmetricDifference(after).size > 0);
  if (changed.length === 0) return;
  const seqs = [...new Set(changed.map(({ seq }) => seq))];
  const keys = await transaction.selectFrom("title_keys").select(["num", "seq"]).where("seq", "in", seqs).execute();
  const nums = new Map(keys.map(({ num, seq }) => [Number(seq), num]));
  await changeIndex(
    transaction,
    changed.flatMap(({ seq, before, after }) => {
      const num = nums.get(seq);
      return num === undefined ? [] : [{ num, before, after }];
    }),
  );
}

function termsOf(userId: string, state: TitleState | null): Set<Term> {
  return new Set([
    ...(state?.favourite ? [termOf("favourite", userId)] : []),
    ...(state?.inProgress ? [termOf("inProgress", userId)] : []),
    ...(state?.watched ? [termOf("watched", userId)] : []),
    ...(state?.watchedAt ? [termOf("played", userId)] : []),
  ]);
}

/** What a title is found by for what somebody has done with it now. */
export const stateTermsOf = ({ userId, after }: StateChange): ReadonlySet<Term> => termsOf(userId, after);

/** What people have done with these titles, as a change from nothing. */
export async function statesOf(transaction: Transaction<Tables>, seqs: readonly number[]): Promise<StateChange[]> {
  if (seqs.length === 0) return [];
  const rows = await transaction.selectFrom("title_states").selectAll().where("title_seq", "in", seqs).execute();
  return rows.map((row) => ({ userId: row.user_id, seq: Number(row.title_seq), before: null, after: toState(row) }));
}

/** Forgets some of what a user has done. */
export async function takeStates(
  transaction: Transaction<Tables>,
  userId: string,
  limit: number,
): Promise<StateChange[]> {
  const rows = await transaction
    .selectFrom("title_states")
    .selectAll()
    .where("user_id", "=", userId)
    .limit(limit)
    .execute();
  const seqs = rows.map(({ title_seq }) => title_seq);
  if (seqs.length > 0)
    await transaction.deleteFrom("title_states").where("user_id", "=", userId).where("title_seq", "in", seqs).execute();
  return rows.map((row) => ({ userId, seq: Number(row.title_seq), before: toState(row), after: null }));
}

/** Makes what people have done with one title what they have done with another, unless they have with that too. */
export async function moveStates(transaction: Transaction<Tables>, from: number, to: number): Promise<void> {
  const users = await transaction.selectFrom("title_states").select("user_id").where("title_seq", "=", to).execute();
  let moved = transaction.updateTable("title_states").set({ title_seq: to }).where("title_seq", "=", from);
  for (const { user_id } of users) moved = moved.where("user_id", "!=", user_id);
  await moved.execute();
  const known = new Set(users.map(({ user_id }) => user_id));
  const now = await statesOf(transaction, [to]);
  await changeStateTerms(
    transaction,
    now.filter(({ userId }) => !known.has(userId)),
  );
}

/** Puts one title in the places that another has in collections, unless it is in them too. */
export async function moveInCollections(transaction: Transaction<Tables>, from: number, to: number): Promise<void> {
  const table = "collection_titles";
  const known = await transaction.selectFrom(table).select("collection_id").where("title_seq", "=", to).execute();
  let moved = transaction.updateTable(table).set({ title_seq: to }).where("title_seq", "=", from);
  for (const { collection_id: id } of known) moved = moved.where("collection_id", "!=", id);
  await moved.execute();
}

/** A row as what it means. */
export function toState(row: Omit<TitleStateTable, "user_id" | "title_seq">): TitleState {
  const watchedAt = Number(row.watched_at);
  return {
    positionSeconds: row.position_seconds,
    inProgress: row.in_progress === 1,
    watched: row.watched === 1,
    favourite: row.favourite === 1,
    watchedAt: watchedAt === 0 ? null : watchedAt,
  };
}

function toRow(state: TitleState): Omit<TitleStateTable, "user_id" | "title_seq"> {
  return {
    position_seconds: state.positionSeconds,
    in_progress: state.inProgress ? 1 : 0,
    watched: state.watched ? 1 : 0,
    favourite: state.favourite ? 1 : 0,
    watched_at: state.watchedAt ?? 0,
  };
}
