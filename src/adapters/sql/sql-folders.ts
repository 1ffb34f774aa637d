import { type RawBuilder, sql } from "kysely";
import { narrower, wider } from "../../catalog/contract.ts";
import type { Audience, Folder, FolderPage, FolderSearch, TitleWithSources } from "../../catalog/title-repository.ts";
import type { TitleFolderTable } from "./catalog-tables.ts";
import type { Database } from "./tables.ts";

/** Keeps folders; those that are there stay. */
export async function putFolders(
  database: Database,
  folders: readonly (Folder & { readonly nameKey: string })[],
): Promise<void> {
  for (const { id, parent, name, nameKey } of folders) {
    const known = await database.selectFrom("folders").select("id").where("id", "=", id).executeTakeFirst();
    if (known) continue;
    try {
      const row = { id, parent_id: parent ?? "", name, name_key: nameKey };
      await database.insertInto("folders").values(row).execute();
    } catch (error) {
      // Another instance may have been quicker: then it is there.
      if (!(await getFolder(database, id))) throw error;
    }
  }
}

export async function getFolder(database: Database, id: string): Promise<Folder | null> {
  const row = await database.selectFrom("folders").selectAll().where("id", "=", id).executeTakeFirst();
  return row ? { id: row.id, name: row.name, parent: row.parent_id || null } : null;
}

export async function hasTitlesIn(database: Database, id: string, audience: Audience): Promise<boolean> {
  const { rows } = await sql`select 1 from title_folders as tf where tf.folder_id = ${id} and ${countedFor(audience)}
    limit 1`.execute(database);
  return rows.length > 0;
}

/** One page of a folder's folders, those with nothing to see for this audience left out. */
export async function findFolders(database: Database, search: FolderSearch, audience: Audience): Promise<FolderPage> {
  const inside = sql`from title_folders as tf where tf.folder_id = f.id and ${countedFor(audience)}`;
  const after = search.after
    ? sql`and (f.name_key > ${search.after.nameKey} or (f.name_key = ${search.after.nameKey} and f.id > ${search.after.id}))`
    : sql``;
  const { rows } = await sql<{ id: string; parent_id: string; name: string; name_key: string; titles: number }>`
    select f.id, f.parent_id, f.name, f.name_key, (select count(*) ${inside}) as titles from folders as f
    where f.parent_id = ${search.parent ?? ""} ${after} and exists (select 1 ${inside})
    order by f.name_key, f.id limit ${search.limit + 1}`.execute(database);
  const shown = rows.slice(0, search.limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => ({
      id: row.id,
      name: row.name,
      parent: row.parent_id || null,
      titles: Number(row.titles),
    })),
    next: rows.length > search.limit && last ? { nameKey: last.name_key, id: last.id } : null,
  };
}

/** Nobody owns what lies in library folders: a private title is for admins. */
function countedFor(audience: Audience): RawBuilder<unknown> {
  if ("userId" in audience) return sql`tf.visibility in ('public', 'members')`;
  return audience.sees === "public" ? sql`tf.visibility = 'public'` : sql`1 = 1`;
}

/**
 * In which folders a title is found. Of where a further copy of it lies only those learn who may see that library folder;
 * where its own file lies is seen with the title.
 */
export function folderRows(seq: number, { id, sources, visibility }: TitleWithSources): TitleFolderTable[] {
  const rows = new Map<string, TitleFolderTable>();
  for (const { sourceId, derived } of sources) {
    const { folders = [], visibility: ofFolder = visibility } = derived ?? {};
    const seenBy = sourceId === id ? visibility : narrower(visibility, ofFolder);
    for (const [depth, folder] of folders.entries()) {
      const before = rows.get(folder);
      const direct = depth === folders.length - 1 || before?.direct === 1;
      rows.set(folder, {
        folder_id: folder,
        title_seq: seq,
        direct: direct ? 1 : 0,
        visibility: before ? wider(before.visibility, seenBy) : seenBy,
      });
    }
  }
  return [...rows.values()];
}
