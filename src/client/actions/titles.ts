import { type Title, title, titlePage, type Visibility } from "../../catalog/contract.ts";
import type { Api } from "../api.ts";
import type { ClientContext } from "../context.ts";
import { ClientError, EXIT, requireId, usageError } from "../errors.ts";
import { findTitle } from "../find-title.ts";
import { prompts } from "../prompts.ts";
import { printable } from "../terminal/printable.ts";
import { titleColumns, titlePairs } from "../title-text.ts";

export interface SearchOptions {
  readonly name?: string;
  readonly exact?: boolean;
  readonly tag?: string[];
  readonly any?: boolean;
  readonly mine?: boolean;
  readonly sort?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: boolean;
}

/** One page of what is sought, or with `all` everything. */
export async function search(api: Api, words: readonly string[], options: SearchOptions) {
  const { name, exact, tag, any, mine, sort, limit, all } = options;
  const page = (cursor: string | undefined) =>
    api.call("GET", "/api/titles", titlePage, {
      query: {
        ...(words.length > 0 ? { q: words.join(" ") } : {}),
        ...(name === undefined ? {} : { name }),
        ...(exact ? { exact } : {}),
        ...(tag ? { tag } : {}),
        ...(any ? { match: "any" } : {}),
        ...(mine ? { owner: "me" } : {}),
        ...(sort === undefined ? {} : { sort }),
        ...(limit === undefined ? {} : { limit }),
        ...(cursor === undefined ? {} : { cursor }),
      },
    });
  const found = await page(options.cursor);
  const items = [...found.items];
  let { nextCursor } = found;
  while (all && nextCursor !== null) {
    const next = await page(nextCursor);
    items.push(...next.items);
    nextCursor = next.nextCursor;
  }
  return { items, nextCursor };
}

/** `kinora search [words…]` */
export async function searchTitles(
  context: ClientContext,
  words: readonly string[],
  options: SearchOptions,
): Promise<void> {
  const { out } = context;
  if (options.exact && options.name === undefined) throw usageError("--exact goes with --name.");
  const found = await search(await context.connect(), words, options);
  out.result(found, () => {
    if (found.items.length === 0) return out.note("Nothing was found.");
    out.table(titleColumns, found.items);
    if (found.nextCursor !== null) out.note("There is more. --all shows everything.");
  });
}

/** `kinora show TITLE` */
export async function showTitle(context: ClientContext, wanted: string): Promise<void> {
  const shown = await findTitle(context, await context.connect(), wanted);
  context.out.result(shown, () => context.out.pairs(titlePairs(shown)));
}

export interface EditOptions {
  readonly name?: string;
  readonly visibility?: Visibility;
  readonly description?: string;
}

/** `kinora edit TITLE`, and `kinora rename TITLE NAME` */
export async function editTitle(context: ClientContext, wanted: string, change: EditOptions): Promise<void> {
  if (Object.values(change).every((value) => value === undefined))
    throw usageError("There is nothing to change.", "--name, --description or --visibility says what.");
  const api = await context.connect();
  const found = await findTitle(context, api, wanted);
  const edited = await api.call("PATCH", `/api/titles/${found.id}`, title, { body: change });
  context.out.result(edited, () => context.out.line(printable(changeText(found, edited))));
}

/** What an edit has changed: `Old name → New name (private → members, another description)`. */
function changeText(before: Title, after: Title): string {
  const changes = [
    ...(before.visibility === after.visibility ? [] : [`${before.visibility} → ${after.visibility}`]),
    ...(before.description === after.description ? [] : ["another description"]),
  ];
  const isRenamed = before.name !== after.name;
  const name = isRenamed ? `${before.name} → ${after.name}` : after.name;
  if (changes.length === 0) return isRenamed ? name : `${name} (as it was)`;
  return `${name} (${changes.join(", ")})`;
}

/** `kinora tag TITLE TAG…` and `kinora untag TITLE TAG…` */
export async function tagTitle(
  context: ClientContext,
  wanted: string,
  tags: readonly string[],
  add: boolean,
): Promise<void> {
  const api = await context.connect();
  const found = await findTitle(context, api, wanted);
  const path = `/api/titles/${found.id}/tags`;
  const had = new Set(found.tags.map(folded));
  const missing = add ? [] : tags.filter((tag) => !had.has(folded(tag)));
  if (missing.length > 0) context.out.note(`${found.name} has no tag ${missing.join(", ")}.`);
  tellChanged(
    context,
    add
      ? await api.call("POST", path, title, { body: { tags } })
      : await api.call("DELETE", path, title, { query: { tag: tags } }),
  );
}

/** As tags are compared: without regard to case. */
const folded = (tag: string) => tag.trim().normalize("NFC").toLowerCase();

function tellChanged({ out }: ClientContext, changed: Title): void {
  const tags = changed.tags.length > 0 ? ` [${changed.tags.join(", ")}]` : "";
  out.result(changed, () => out.line(printable(`${changed.name}${tags}`)));
}

/** `kinora delete TITLE`: asks first at a terminal. */
export async function deleteTitle(context: ClientContext, wanted: string, options: { yes?: boolean }): Promise<void> {
  const { out } = context;
  const api = await context.connect();
  const { id, name } = await findTitle(context, api, wanted);
  if (!options.yes) {
    if (!context.isInteractive)
      throw usageError("There is no terminal to ask at whether to delete.", "--yes deletes without asking.");
    if (!(await prompts.confirm(`Delete ${name}?`)))
      throw new ClientError("declined", "Nothing was deleted.", { exit: EXIT.failure });
  }
  await api.tell("DELETE", `/api/titles/${id}`);
  out.result({ id, name, deleted: true }, () =>
    out.line(`Deleted ${printable(name)}. For 60 s at least this brings it back: kinora restore ${id}`),
  );
}

/** `kinora restore ID` */
export async function restoreTitle(context: ClientContext, wanted: string): Promise<void> {
  const id = requireId(wanted, "title", "kinora delete shows the id of what it deletes.");
  const api = await context.connect();
  tellChanged(context, await api.call("POST", `/api/titles/${id}/restore`, title));
}
