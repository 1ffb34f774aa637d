import type { Transaction } from "kysely";
import type { TitleIndex, TitleRecord, TitleSource, TitleWithSources } from "../../catalog/title-repository.ts";
import { writeTitleFolders } from "./sql-folders.ts";
import type { Tables } from "./tables.ts";
import { facetsOf } from "./title-facets.ts";
import type { TitleRow } from "./title-rows.ts";
import { type Term, termsOf } from "./title-terms.ts";

// What belongs to a title beside its row.

/** Writes tags, sources and, unless the title is deleted, its folders. */
export async function writeParts(
  transaction: Transaction<Tables>,
  seq: number,
  title: TitleWithSources,
  index: TitleIndex,
): Promise<void> {
  const tags = title.tags.map((tag, position) => ({
    title_seq: seq,
    position,
    tag,
    tag_key: index.tagKeys[position] ?? tag,
  }));
  if (tags.length > 0) await transaction.insertInto("title_tags").values(tags).execute();
  const sources = title.sources.map(({ sourceId, provider, origin, availability, mediaId, ...source }) => ({
    source_id: sourceId,
    title_seq: seq,
    provider,
    origin,
    availability,
    media_id: mediaId,
    derived: source.derived && JSON.stringify(source.derived),
    fingerprint: source.fingerprint,
  }));
  if (sources.length > 0) await transaction.insertInto("title_sources").values(sources).execute();
  if (title.deletedAt === null) await writeTitleFolders(transaction, seq, title);
}

export async function dropParts(transaction: Transaction<Tables>, seq: number): Promise<void> {
  await transaction.deleteFrom("title_tags").where("title_seq", "=", seq).execute();
  await transaction.deleteFrom("title_sources").where("title_seq", "=", seq).execute();
  await transaction.deleteFrom("title_folders").where("title_seq", "=", seq).execute();
}

type Keys = Pick<TitleRow, "name_key" | "duration_ms" | "height">;

const keysOf = ({ name_key, duration_ms, height }: Keys): Keys => ({ name_key, duration_ms, height });

/** Gives a new title its number. */
export async function numberTitle(transaction: Transaction<Tables>, seq: number, row: Keys): Promise<number> {
  const { insertId } = await transaction
    .insertInto("title_keys")
    .values({ seq, ...keysOf(row) })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

/** Keeps what a title is sorted by now; its number, one that it gets now if it had none. */
export async function renumbered(transaction: Transaction<Tables>, seq: number, row: Keys): Promise<number> {
  const known = await transaction.selectFrom("title_keys").select("num").where("seq", "=", seq).executeTakeFirst();
  if (!known) return numberTitle(transaction, seq, row);
  await transaction.updateTable("title_keys").set(keysOf(row)).where("num", "=", known.num).execute();
  return known.num;
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
