import type { Visibility } from "./contract.ts";
import type { Audience } from "./title-repository.ts";

/** A collection as it is kept. */
export interface CollectionRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly owner: { readonly id: string; readonly username: string };
  readonly visibility: Visibility;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What is in a collection, of what somebody may see. */
export interface CollectionSummary {
  readonly titles: number;
  readonly durationSeconds: number;
  readonly coverTitleId: string | null;
}

export interface CollectionQuery {
  /** Folded; the folded name contains it. */
  readonly text: string;
  readonly ownerId: string | null;
  readonly limit: number;
  /** Where the page before ended. */
  readonly after: CollectionPosition | null;
}

/** A collection's place in the order, by name. */
export interface CollectionPosition {
  readonly nameKey: string;
  readonly id: string;
}

export interface FoundCollections {
  readonly items: readonly CollectionRecord[];
  readonly next: CollectionPosition | null;
}

/** What collections are found and sorted by. */
export type CollectionKeysOf = (name: string) => { readonly folded: string; readonly key: string };

/** The port to the database of collections. `src/adapters/sql` implements it; the suite beside this file defines it. */
export interface CollectionRepository {
  /** Adds a collection, unless its owner has `max` already. */
  insert(collection: CollectionRecord, max: number): Promise<"saved" | "too-many">;
  get(id: string): Promise<CollectionRecord | null>;
  /** Changes a collection in one transaction; null when there is none. Id, owner and creation time stay. */
  edit(id: string, change: (collection: CollectionRecord) => CollectionRecord): Promise<CollectionRecord | null>;
  /** Forgets a collection, not its titles; whether there was one. */
  remove(id: string): Promise<boolean>;
  /** Collections visible to the audience, in the order of their names. */
  list(query: CollectionQuery, audience: Audience): Promise<FoundCollections>;
  /** What is in each of these collections, of what the audience may see. */
  summaries(ids: readonly string[], audience: Audience): Promise<ReadonlyMap<string, CollectionSummary>>;
  /** Its titles in order, deleted ones included until they are purged. */
  titleIds(id: string): Promise<string[]>;
  /**
   * Puts titles in this order before another one, or at the end (null): those that are in the collection are moved.
   * With `added` the new ones come to the end, and those that are in the collection stay. Changes nothing when it would hold more than `max`, or `before` is not in it (or is one of the titles).
   */
  place(
    id: string,
    titleIds: readonly string[],
    options: { readonly before: string | null | "added"; readonly max: number; readonly updatedAt: string },
  ): Promise<"placed" | "too-many" | "no-place">;
  /** Takes titles out; how many there were. */
  take(id: string, titleIds: readonly string[], updatedAt: string): Promise<number>;
  /** Collections visible to the audience that a title is in, in the order of their names. */
  listWith(titleId: string, audience: Audience): Promise<CollectionRecord[]>;
  /** Forgets a user's collections and gives their ids. */
  removeOwned(ownerId: string): Promise<string[]>;
  /** Gives a user's collections to another, in one transaction; their ids. */
  giveOwned(ownerId: string, heir: CollectionRecord["owner"]): Promise<string[]>;
}
