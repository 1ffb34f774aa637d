import { setTimeout } from "node:timers/promises";
import type { Logger } from "pino";
import type { LibraryStore } from "./library-store.ts";
import type { SourceRepository } from "./source-repository.ts";

/** Files that are forgotten together. */
const PAGE = 200;
const RETRY_MS = 3_000;

export interface FolderForgettingDependencies {
  readonly sources: Pick<SourceRepository, "listIn" | "removeFrom">;
  readonly store: Pick<LibraryStore, "listForgetting" | "beginForgetting" | "endForgetting">;
  readonly log: Logger;
  /** Has the catalog forget sources, with the titles that have no other. */
  readonly forgetTitles: (sourceIds: string[]) => Promise<unknown>;
  /** Removes what is kept of a source beside the database. */
  readonly forgetIndex: (sourceId: string) => Promise<void>;
  /** Resolves when everything that was to be announced before has been. */
  readonly announced: () => Promise<unknown>;
}

/**
 * Forgets the titles of folders that are library folders no more, page by page; the files are not touched. It is noted
 * first, so what a crash interrupts goes on with the next start.
 */
export class FolderForgetting {
  readonly #dependencies: FolderForgettingDependencies;
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(dependencies: FolderForgettingDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether a folder's titles are being forgotten: nothing of it is announced meanwhile. */
  has(folder: string): boolean {
    return this.#running.has(folder);
  }

  /** Folders whose titles are being forgotten. */
  get folders(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Resolves when a folder's titles are forgotten, or Kinora stops; at once when they are not to be. */
  async done(folder: string): Promise<void> {
    await this.#running.get(folder);
  }

  /** Goes on with what an earlier process began. */
  async resume(): Promise<void> {
    for (const folder of await this.#dependencies.store.listForgetting()) this.#start(folder, Promise.resolve());
  }

  /** Notes that a folder's titles are to be forgotten, and begins once `before` is over. */
  async begin(folder: string, before: Promise<unknown> = Promise.resolve()): Promise<void> {
    await this.#dependencies.store.beginForgetting(folder);
    this.#start(folder, before);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#running.values());
  }

  #start(folder: string, before: Promise<unknown>): void {
    if (this.#running.has(folder)) return;
    const work = before
      .catch(() => undefined)
      .then(() => this.#persist(folder))
      .finally(() => this.#running.delete(folder));
    this.#running.set(folder, work);
  }

  /** Tries until it is done or Kinora stops. */
  async #persist(folder: string): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        return await this.#forget(folder);
      } catch (error) {
        if (signal.aborted) return;
        this.#dependencies.log.warn({ err: error, folder }, "titles of a removed folder are not forgotten yet");
        // Rejects at once when Kinora stops, or has stopped already.
        await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #forget(folder: string): Promise<void> {
    const { sources, store, log, forgetTitles, forgetIndex, announced } = this.#dependencies;
    // What was read before it was noted is on its way.
    await announced();
    let files = 0;
    for (;;) {
      if (this.#stopped.signal.aborted) return;
      const page = await sources.listIn(folder, PAGE);
      if (page.length === 0) break;
      // The titles first: what is interrupted in between is forgotten once more.
      await forgetTitles(page);
      await sources.removeFrom(folder, page);
      for (const id of page) await forgetIndex(id);
      files += page.length;
    }
    await announced();
    await store.endForgetting(folder);
    log.info({ folder, files }, "titles of a removed folder forgotten");
  }
}
