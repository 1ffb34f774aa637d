import type { authContract } from "../auth/contract.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import type { StorageReport } from "./contract.ts";
import type { MovieCache } from "./movie-cache.ts";
import type { SourceRepository, StoredCount } from "./source-repository.ts";

/** Uploaders that are named; those with less are left out. */
const MAX_OWNERS = 500;

/** The same answer for everybody who asks within this time: measuring walks folders. */
const MEASURED_EVERY_MS = 5_000;

/** Port: what lies on disks beside the videos. `src/adapters/file` implements it. */
export interface StorageMeter {
  /** Uploads that are not filed; null where they are not in a folder of this instance. */
  uploads(): Promise<StoredCount | null>;
  /** Bytes of the database's own files; null where it is a server. */
  databaseBytes(): Promise<number | null>;
  volumes(): Promise<StorageReport["volumes"]>;
}

export interface StorageDependencies {
  readonly instance: string;
  readonly sources: Pick<SourceRepository, "countStored" | "countByOwner">;
  readonly movies: Pick<MovieCache, "stored" | "clear">;
  readonly meter: StorageMeter;
  readonly auth: Pick<ServiceProxy<typeof authContract>, "getUsers">;
}

/** What takes how much space, and what of it can be made again. */
export class Storage {
  readonly #dependencies: StorageDependencies;
  #last: { readonly atMs: number; readonly report: Promise<StorageReport> } | null = null;

  constructor(dependencies: StorageDependencies) {
    this.#dependencies = dependencies;
  }

  report(): Promise<StorageReport> {
    if (!this.#last || performance.now() - this.#last.atMs > MEASURED_EVERY_MS) {
      const report = this.#measure();
      this.#last = { atMs: performance.now(), report };
      report.catch(() => {
        this.#last = null;
      });
    }
    return this.#last.report;
  }

  /** Removes the stored indexes; each is made again when its video is opened. */
  async clearIndex(): Promise<StoredCount> {
    const removed = await this.#dependencies.movies.clear();
    this.#last = null;
    return removed;
  }

  async #measure(): Promise<StorageReport> {
    const { instance, sources, movies, meter } = this.#dependencies;
    const { upload, library } = await sources.countStored();
    const [index, uploads, databaseBytes] = [await movies.stored(), await meter.uploads(), await meter.databaseBytes()];
    const kept = (kind: Area["kind"], { files, bytes }: StoredCount): Area => ({
      kind,
      bytes,
      files,
      removable: false,
    });
    return {
      instance,
      areas: [
        kept("originals", upload),
        ...(uploads ? [kept("uploads", uploads)] : []),
        { ...kept("index", index), removable: true },
        ...(databaseBytes === null
          ? []
          : [{ kind: "database" as const, bytes: databaseBytes, files: null, removable: false }]),
        kept("library", library),
      ],
      volumes: await meter.volumes(),
      owners: await this.#owners(),
    };
  }

  async #owners(): Promise<StorageReport["owners"]> {
    const counts = await this.#dependencies.sources.countByOwner(MAX_OWNERS);
    const users = await this.#dependencies.auth.getUsers({ ids: counts.map(({ ownerId }) => ownerId) });
    return counts.flatMap(({ ownerId, files, bytes }) => {
      const found = users.find(({ id }) => id === ownerId);
      // Of somebody who is gone it is being removed.
      return found ? [{ user: { id: found.id, username: found.username }, files, bytes }] : [];
    });
  }
}

type Area = StorageReport["areas"][number];
