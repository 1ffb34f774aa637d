import type { Principal } from "../auth/contract.ts";
import { ForbiddenError, NotFoundError, UnauthorizedError } from "../errors.ts";
import { failsIfMatch } from "../http/conditional.ts";
import type { CollectionRecord, CollectionRepository, CollectionSummary } from "./collection-repository.ts";
import {
  COLLECTION_TITLES_MAX,
  COLLECTIONS_MAX,
  type Collection,
  type CollectionAccess,
  type CollectionPage,
  maySee,
  type Visibility,
} from "./contract.ts";
import { decodeListCursor, encodeListCursor } from "./cursor.ts";
import {
  ChangedMeanwhileError,
  CollectionFullError,
  EmptyTextError,
  TitleNotInCollectionError,
  TooManyCollectionsError,
} from "./errors.ts";
import { fold } from "./folding.ts";
import type { TitleRepository } from "./title-repository.ts";
import { cleanLine, cleanText } from "./title-text.ts";
import { audienceOf, etagOfCollection, requireVisible, type Who } from "./title-view.ts";

export interface CollectionsDependencies {
  readonly repository: CollectionRepository;
  readonly titles: Pick<TitleRepository, "get">;
  /** Tells everybody of a change of what is in it or who may see it, before the answer goes out. */
  readonly publishChange: (collectionId: string, type: "changed" | "deleted") => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface CollectionEdit {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly visibility?: Visibility | undefined;
}

export interface CollectionListQuery {
  readonly owner?: string | undefined;
  readonly q?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const EMPTY: CollectionSummary = { titles: 0, durationSeconds: 0, coverTitleId: null };

/** Ordered collections of titles. They are shared like titles, and share none: everybody sees what they may see anyway. */
export class Collections {
  readonly #dependencies: CollectionsDependencies;

  constructor(dependencies: CollectionsDependencies) {
    this.#dependencies = dependencies;
  }

  async create(who: Principal, { name, description = "", visibility = "private" }: CollectionEdit & { name: string }) {
    requireShareable(who, visibility);
    const createdAt = this.#timestamp();
    const record: CollectionRecord = {
      id: Bun.randomUUIDv7(),
      name: nameOf(name),
      description: cleanText(description),
      owner: { id: who.userId, username: who.username },
      visibility,
      createdAt,
      updatedAt: createdAt,
    };
    if ((await this.#dependencies.repository.insert(record, COLLECTIONS_MAX)) === "too-many")
      throw new TooManyCollectionsError();
    return shown(record, EMPTY);
  }

  /** A collection that somebody may see, with what they may see of it. */
  async get(id: string, who: Who): Promise<Collection> {
    return this.#shown(await this.#visible(id, who), who);
  }

  async list({ owner, q = "", limit, cursor }: CollectionListQuery, who: Principal): Promise<CollectionPage> {
    const { repository } = this.#dependencies;
    const ownerId = owner === "me" ? who.userId : (owner ?? null);
    const text = fold(q);
    const after = cursor === undefined ? null : decodeListCursor(cursor, [ownerId, text]);
    const { items, next } = await repository.list({ text, ownerId, limit, after }, audienceOf(who));
    return {
      items: await this.#allShown(items, who),
      nextCursor: next && encodeListCursor(next, [ownerId, text]),
    };
  }

  /** The collections that a title is in, of those the caller may see. */
  async of(titleId: string, who: Who): Promise<Collection[]> {
    const { repository, titles } = this.#dependencies;
    const { id } = requireVisible(await titles.get(titleId), who);
    return this.#allShown(await repository.listWith(id, audienceOf(who)), who);
  }

  /** `ChangedMeanwhileError` when the collection is not as `ifMatch`, an `If-Match` header, says. */
  async edit(id: string, who: Principal, edit: CollectionEdit, ifMatch: string | null = null): Promise<Collection> {
    await this.#editable(id, who);
    if (edit.visibility) requireShareable(who, edit.visibility);
    const changed = await this.#dependencies.repository.edit(id, (record) => {
      if (failsIfMatch(ifMatch, etagOfCollection(record))) throw new ChangedMeanwhileError();
      return {
        ...record,
        name: edit.name === undefined ? record.name : nameOf(edit.name),
        description: edit.description === undefined ? record.description : cleanText(edit.description),
        visibility: edit.visibility ?? record.visibility,
        updatedAt: this.#timestamp(),
      };
    });
    if (!changed) throw noCollection();
    await this.#dependencies.publishChange(id, "changed");
    return this.#shown(changed, who);
  }

  async delete(id: string, who: Principal): Promise<void> {
    await this.#editable(id, who);
    await this.#dependencies.repository.remove(id);
    await this.#dependencies.publishChange(id, "deleted");
  }

  /**
   * Adds titles before another one or (null) at the end, moving those that are in it; with `added` only those that are
   * not come to the end. Doing it again changes nothing.
   */
  async place(id: string, who: Principal, titleIds: readonly string[], before: string | null | "added") {
    await this.#editable(id, who);
    const { repository, titles } = this.#dependencies;
    for (const titleId of titleIds) requireVisible(await titles.get(titleId), who);
    const options = { before, max: COLLECTION_TITLES_MAX, updatedAt: this.#timestamp() };
    const outcome = await repository.place(id, [...new Set(titleIds)], options);
    if (outcome === "too-many") throw new CollectionFullError();
    if (outcome === "no-place") throw new TitleNotInCollectionError();
    return this.#changed(id, who);
  }

  /** Takes titles out of a collection; those that are not in it do not matter. */
  async take(id: string, who: Principal, titleIds: readonly string[]): Promise<Collection> {
    await this.#editable(id, who);
    await this.#dependencies.repository.take(id, titleIds, this.#timestamp());
    return this.#changed(id, who);
  }

  /** What deciding about a collection and its titles takes. */
  async access(id: string): Promise<CollectionAccess | null> {
    const { repository } = this.#dependencies;
    const record = await repository.get(id);
    if (!record) return null;
    const { name, visibility, owner } = record;
    return { id, name, visibility, ownerId: owner.id, titleIds: await repository.titleIds(id) };
  }

  /** The collection, when the caller may see it: who searches for its titles may know that it is there. */
  async requireVisible(id: string, who: Who): Promise<void> {
    await this.#visible(id, who);
  }

  /** Gives what a deleted user had to somebody else. */
  async giveOf(userId: string, heir: CollectionRecord["owner"]): Promise<void> {
    const { repository, publishChange } = this.#dependencies;
    for (const id of await repository.giveOwned(userId, heir)) await publishChange(id, "changed");
  }

  /** Forgets what a deleted user had. */
  async forgetOf(userId: string): Promise<void> {
    const { repository, publishChange } = this.#dependencies;
    for (const id of await repository.removeOwned(userId)) await publishChange(id, "deleted");
  }

  async #visible(id: string, who: Who): Promise<CollectionRecord> {
    const record = await this.#dependencies.repository.get(id);
    if (record && maySee(who, { ownerId: record.owner.id, visibility: record.visibility })) return record;
    throw who ? noCollection() : new UnauthorizedError();
  }

  async #editable(id: string, who: Principal): Promise<CollectionRecord> {
    const record = await this.#visible(id, who);
    if (record.owner.id === who.userId || who.role === "admin") return record;
    throw new ForbiddenError("You may look at this collection but not change it.");
  }

  async #changed(id: string, who: Principal): Promise<Collection> {
    await this.#dependencies.publishChange(id, "changed");
    return this.get(id, who);
  }

  async #shown(record: CollectionRecord, who: Who): Promise<Collection> {
    const summaries = await this.#dependencies.repository.summaries([record.id], audienceOf(who));
    return shown(record, summaries.get(record.id) ?? EMPTY);
  }

  async #allShown(records: readonly CollectionRecord[], who: Who): Promise<Collection[]> {
    const ids = records.map(({ id }) => id);
    const summaries = await this.#dependencies.repository.summaries(ids, audienceOf(who));
    return records.map((record) => shown(record, summaries.get(record.id) ?? EMPTY));
  }

  #timestamp(): string {
    return new Date(this.#dependencies.now()).toISOString();
  }
}

const shown = (record: CollectionRecord, summary: CollectionSummary): Collection => ({ ...record, ...summary });

function nameOf(text: string): string {
  const name = cleanLine(text);
  if (name === "") throw new EmptyTextError("name");
  return name;
}

/** Viewers keep collections for themselves: what others see is for those who may add to the library. */
function requireShareable(who: Principal, visibility: Visibility): void {
  if (visibility !== "private" && who.role === "viewer")
    throw new ForbiddenError("Viewers' collections are private. Ask an admin for the role editor to share them.");
}

const noCollection = () => new NotFoundError("There is no collection with this id.");
