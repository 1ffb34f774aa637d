import { z } from "zod";
import type { Principal } from "../auth/contract.ts";
import { NotFoundError } from "../errors.ts";
import type { Announcement } from "../streaming/contract.ts";
import type { FoldersPage } from "./contract.ts";
import { InvalidCursorError } from "./errors.ts";
import { fold } from "./folding.ts";
import type { FolderPage, TitleRepository } from "./title-repository.ts";
import { cleanLine } from "./title-text.ts";
import { audienceOf } from "./title-view.ts";

const NAME_KEY_LENGTH = 64;
/** Folders deeper than this are not walked up to: they cannot be. */
const MAX_DEPTH = 100;
const MAX_KNOWN = 20_000;
const cursor = z.tuple([z.string(), z.string()]);

/** The folders of the library as people browse them. */
export class Folders {
  readonly #repository: TitleRepository;
  /** Ids that are in the database for sure. */
  readonly #known = new Set<string>();

  constructor(repository: TitleRepository) {
    this.#repository = repository;
  }

  /** Keeps the folders that announced files lie in. */
  async keep(announced: readonly Announcement[]): Promise<void> {
    const chains = announced.map(({ folders }) =>
      folders.map(({ id, name }, depth) => ({ id, name: cleanLine(name), parent: folders[depth - 1]?.id ?? null })),
    );
    const fresh = new Map(chains.flat().flatMap((one) => (this.#known.has(one.id) ? [] : [[one.id, one] as const])));
    if (fresh.size === 0) return;
    await this.#repository.putFolders([...fresh.values()].map((one) => ({ ...one, nameKey: orderKey(one.name) })));
    if (this.#known.size > MAX_KNOWN) this.#known.clear();
    for (const id of fresh.keys()) this.#known.add(id);
  }

  /** The folders in one, or the library folders, by name; only those with something to see for the caller. */
  async list(parent: string | null, who: Principal, limit: number, after: string | undefined): Promise<FoldersPage> {
    const path = parent === null ? [] : await this.#pathOf(parent);
    const search = { parent, limit, after: after === undefined ? null : positionOf(after) };
    const { items, next } = await this.#repository.findFolders(search, audienceOf(who));
    // A folder that has nothing for the caller to see is not there for them.
    if (parent !== null && !(await this.#repository.hasTitlesIn(parent, audienceOf(who)))) throw noFolder();
    return { items: [...items], path, nextCursor: next && cursorOf(next) };
  }

  async #pathOf(id: string): Promise<{ id: string; name: string }[]> {
    const path: { id: string; name: string }[] = [];
    for (let next: string | null = id; next !== null && path.length < MAX_DEPTH; ) {
      const folder = await this.#repository.getFolder(next);
      if (!folder) throw noFolder();
      path.unshift({ id: folder.id, name: folder.name });
      next = folder.parent;
    }
    return path;
  }
}

const noFolder = () => new NotFoundError("There is no such folder.");

/** Names in the order people expect: "Season 2" before "Season 10". */
const orderKey = (name: string) =>
  [...fold(name).replace(/\d{1,8}/g, (digits) => digits.padStart(8, "0"))].slice(0, NAME_KEY_LENGTH).join("");

const cursorOf = ({ nameKey, id }: NonNullable<FolderPage["next"]>) =>
  Buffer.from(JSON.stringify([nameKey, id])).toString("base64url");

function positionOf(text: string) {
  try {
    const [nameKey, id] = cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
    return { nameKey, id };
  } catch {
    throw new InvalidCursorError();
  }
}
