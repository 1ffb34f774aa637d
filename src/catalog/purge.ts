import type { TitleRepository, TitleWithSources } from "./title-repository.ts";

const RETRY_MS = 5_000;
/** `setTimeout` takes no more; a clock set back could ask for it. */
const LONGEST_WAIT_MS = 3_600_000;

export interface PurgeDependencies {
  readonly repository: TitleRepository;
  /** Tells that the bytes of a purged title's sources may go when nothing else has them. */
  readonly release: (sourceIds: string[], mediaId: string | null) => Promise<void>;
  readonly now: () => number;
  readonly restoreWindowMs: number;
  readonly onFailure: (error: unknown) => void;
}

/** Purges deleted titles when they can no longer be restored. When is in the database, so a restart forgets nothing. */
export class Purge {
  readonly #dependencies: PurgeDependencies;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(dependencies: PurgeDependencies) {
    this.#dependencies = dependencies;
  }

  /** Purges what is due and waits for the next. Call it at start and after each deletion. */
  plan(): void {
    this.#running = this.#running
      .then(() => this.#run())
      .catch((error) => {
        this.#dependencies.onFailure(error);
        this.#wait(RETRY_MS);
      });
  }

  /** Purges one title now, whatever its state; null when it is gone already. */
  async purge(id: string): Promise<TitleWithSources | null> {
    const title = await this.#dependencies.repository.purge(id, () => true);
    if (title) await this.#release(title);
    return title;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    if (this.#closed) return;
    const { repository, now, restoreWindowMs } = this.#dependencies;
    const isDue = (deletedAt: number | null) => deletedAt !== null && deletedAt <= now() - restoreWindowMs;
    for (const id of await repository.listDeleted(now() - restoreWindowMs)) {
      const title = await repository.purge(id, ({ deletedAt }) => isDue(deletedAt));
      if (title) await this.#release(title);
    }
    const first = await repository.firstDeletion();
    if (first !== null) this.#wait(first + restoreWindowMs - now());
  }

  async #release({ id, origin, sources, mediaId }: TitleWithSources): Promise<void> {
    const uploads = sources.filter((source) => source.origin === "upload").map(({ sourceId }) => sourceId);
    const ids = new Set(origin === "upload" ? [id, ...uploads] : uploads);
    // A library title may have been the last to hold back the bytes of uploads with its content.
    await this.#dependencies.release([...ids], mediaId);
  }

  #wait(ms: number): void {
    if (this.#closed) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.plan(), Math.min(Math.max(ms, 0), LONGEST_WAIT_MS));
  }
}
