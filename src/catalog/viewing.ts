import type { Principal } from "../auth/contract.ts";
import { type MyTitle, WATCHED_SHARE } from "./contract.ts";
import type { CachedTitles } from "./title-cache.ts";
import type { TitleRecord, TitleRepository, TitleState } from "./title-repository.ts";
import { requireVisible, toMine } from "./title-view.ts";

export interface ViewingDependencies {
  readonly repository: TitleRepository;
  /** The same, read through what instances share. */
  readonly cached: CachedTitles;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What somebody says of their watching; at least one of the two. */
export interface ProgressChange {
  readonly positionSeconds?: number | undefined;
  readonly watched?: boolean | undefined;
}

const UNTOUCHED: TitleState = {
  positionSeconds: null,
  inProgress: false,
  watched: false,
  favourite: false,
  watchedAt: null,
};

/** What each person does with titles: where they stopped, what they have watched, what they like. */
export class Viewing {
  readonly #repository: TitleRepository;
  readonly #cached: CachedTitles;
  readonly #now: () => number;

  constructor({ repository, cached, now }: ViewingDependencies) {
    this.#repository = repository;
    this.#cached = cached;
    this.#now = now;
  }

  async state(titleId: string, who: Principal): Promise<MyTitle> {
    const { id } = requireVisible(await this.#cached.title(titleId), who);
    return toMine(await this.#cached.state(who.userId, id));
  }

  async progress(titleId: string, who: Principal, change: ProgressChange): Promise<MyTitle> {
    const title = requireVisible(await this.#cached.title(titleId), who);
    let state = UNTOUCHED;
    await this.#repository.editState(who.userId, title.id, (before) => {
      state = watchedOn(before ?? UNTOUCHED, change, title, this.#now());
      return state;
    });
    await this.#cached.stateChanged(who.userId, title.id);
    return toMine(state);
  }

  async favourite(titleId: string, who: Principal, favourite: boolean): Promise<void> {
    const { id } = requireVisible(await this.#cached.title(titleId), who);
    await this.#repository.editState(who.userId, id, (before) => ({ ...(before ?? UNTOUCHED), favourite }));
    await this.#cached.stateChanged(who.userId, id);
  }
}

/**
 * The state after watching on. Past 90 % a title counts as watched by itself, and no more as begun; it stays watched
 * when it is begun again. Whoever marks it as watched or not without naming a position starts anew next time.
 */
function watchedOn(
  before: TitleState,
  { positionSeconds, watched }: ProgressChange,
  { info }: TitleRecord,
  now: number,
): TitleState {
  if (positionSeconds === undefined) {
    return {
      ...before,
      positionSeconds: null,
      inProgress: false,
      watched: watched ?? before.watched,
      watchedAt: watched === false ? null : now,
    };
  }
  const duration = info?.durationSeconds ?? 0;
  const isNearEnd = duration > 0 && positionSeconds >= WATCHED_SHARE * duration;
  return {
    ...before,
    positionSeconds,
    inProgress: positionSeconds > 0 && !isNearEnd,
    watched: watched ?? (before.watched || isNearEnd),
    watchedAt: now,
  };
}
