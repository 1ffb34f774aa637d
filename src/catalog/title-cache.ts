import type { TitleRecord, TitleRepository, TitleState } from "./title-repository.ts";

/** What is cached, by its kind. */
export interface CachedKinds {
  /** By its id. */
  title: TitleRecord;
  /** What somebody did with a title, by both ids; null when nothing. */
  state: TitleState | null;
}

/** What a cache knows. */
export type Cached<Value> =
  | { readonly known: true; readonly value: Value }
  /** Nothing. `keep` takes what the database says, unless that has changed since this answer. */
  | { readonly known: false; readonly keep: (value: Value) => Promise<void> };

/** What instances share beside the database. Nothing here throws: without it the database is asked. */
export interface TitleCache {
  read<Kind extends keyof CachedKinds>(kind: Kind, id: string): Promise<Cached<CachedKinds[Kind]>>;
  /** Forgets what has changed. While that cannot be done nothing is read from here. */
  drop(kind: keyof CachedKinds, id: string): Promise<void>;
}

/** Keeps nothing. */
export const noTitleCache: TitleCache = {
  read: async () => ({ known: false, keep: async () => undefined }),
  drop: async () => undefined,
};

/** What a title's page takes, read through the cache. */
export class CachedTitles {
  readonly #repository: TitleRepository;
  readonly #cache: TitleCache;

  constructor(repository: TitleRepository, cache: TitleCache) {
    this.#repository = repository;
    this.#cache = cache;
  }

  /** A title by id, deleted ones included until they are purged. */
  async title(id: string): Promise<TitleRecord | null> {
    const cached = await this.#cache.read("title", id);
    if (cached.known) return cached.value;
    const title = await this.#repository.get(id);
    if (title && title.deletedAt === null) await cached.keep(title);
    return title;
  }

  /** What somebody did with a title; undefined when nothing. */
  async state(userId: string, titleId: string): Promise<TitleState | undefined> {
    const cached = await this.#cache.read("state", stateId(userId, titleId));
    if (cached.known) return cached.value ?? undefined;
    const state = (await this.#repository.getStates(userId, [titleId])).get(titleId);
    await cached.keep(state ?? null);
    return state;
  }

  titleChanged(id: string): Promise<void> {
    return this.#cache.drop("title", id);
  }

  stateChanged(userId: string, titleId: string): Promise<void> {
    return this.#cache.drop("state", stateId(userId, titleId));
  }
}

const stateId = (userId: string, titleId: string) => `${userId}.${titleId}`;
