import type { GrantHolder } from "../auth/contract.ts";
import { InvalidRequestError, NotFoundError, WrongMediaIdError } from "../errors.ts";
import type { Collections } from "./collections.ts";
import {
  type Collection,
  type CollectionAccess,
  mayPassOn,
  type Title,
  type TitlePage,
  type TitleQuery,
} from "./contract.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { searchOf } from "./title-index.ts";
import type { TitleRepository } from "./title-repository.ts";
import { audienceOf, requireVisible, toAccess, toSharedTitle } from "./title-view.ts";

export interface SharedDependencies {
  readonly titles: Pick<TitleRepository, "get" | "find">;
  readonly collections: Pick<Collections, "access" | "get">;
}

/** What else would tell of a title or collection: its words could be guessed by searching for them. */
const PARAMETERS = ["grant", "collection", "sort", "limit", "cursor"];
const ORDERS: readonly TitleQuery["sort"][] = ["position", "newest", "oldest", "name", "longest"];

/**
 * What whoever has a link may read of its title or collection, as long as the link's maker may pass it on: enough for a
 * page to play it, and nothing of what its owner has written about it.
 */
export class Shared {
  readonly #dependencies: SharedDependencies;

  constructor(dependencies: SharedDependencies) {
    this.#dependencies = dependencies;
  }

  /** The link's title, or one of its collection's; `wrong-media-id` for any other. */
  async title(id: string, holder: GrantHolder): Promise<Title> {
    requireLink(holder, new WrongMediaIdError());
    const title = requireVisible(await this.#dependencies.titles.get(id), holder.issuer);
    if (!mayPassOn(holder.issuer, toAccess(title))) throw new WrongMediaIdError();
    if (holder.titleId !== title.id && !(await this.#collectionOf(holder))?.titleIds.includes(title.id))
      throw new WrongMediaIdError();
    return toSharedTitle(title);
  }

  /** A page of the titles in the link's collection. `parameters` are all that the request named. */
  async titles(query: TitleQuery, parameters: readonly string[], holder: GrantHolder): Promise<TitlePage> {
    await this.#requireCollection(query.collection ?? "", holder);
    const unknown = parameters.find((name) => !PARAMETERS.includes(name));
    if (unknown !== undefined || !ORDERS.includes(query.sort)) {
      const field = unknown ?? "sort";
      throw new InvalidRequestError(`With a link, ${field} cannot be asked for: expected ${PARAMETERS.join(", ")}.`, {
        fields: [{ field, expected: PARAMETERS.join(", ") }],
      });
    }
    const search = searchOf(query, null, decodeCursor(query));
    const { titles, next } = await this.#dependencies.titles.find(search, audienceOf(holder.issuer));
    // An admin sees more than a link of theirs shows: such a page has fewer items.
    const shown = titles.filter((title) => mayPassOn(holder.issuer, toAccess(title)));
    return { items: shown.map(toSharedTitle), nextCursor: next && encodeCursor(query, next) };
  }

  /** The link's collection; `not-found` for any other. */
  async collection(id: string, holder: GrantHolder): Promise<Collection> {
    await this.#requireCollection(id, holder);
    // As its maker would see it who is no admin: what the link does not show is not counted.
    const maker = { userId: holder.issuer.userId, role: "viewer" as const };
    return { ...(await this.#dependencies.collections.get(id, maker)), description: "", owner: null };
  }

  async #requireCollection(id: string, holder: GrantHolder): Promise<void> {
    const nothing = new NotFoundError("There is no collection with this id.");
    requireLink(holder, nothing);
    if (holder.collectionId !== id || !(await this.#collectionOf(holder))) throw nothing;
  }

  async #collectionOf({ collectionId, issuer }: GrantHolder): Promise<CollectionAccess | null> {
    const access = collectionId === null ? null : await this.#dependencies.collections.access(collectionId);
    return access && mayPassOn(issuer, access) ? access : null;
  }
}

/** A stream controller's grant plays, and reads nothing. */
function requireLink({ kind }: GrantHolder, refusal: Error): void {
  if (kind !== "link") throw refusal;
}
