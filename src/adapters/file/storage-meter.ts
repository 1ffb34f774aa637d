import { opendir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { StorageReport } from "../../streaming/contract.ts";
import type { StoredCount } from "../../streaming/source-repository.ts";
import type { StorageMeter } from "../../streaming/storage.ts";

type Held = StorageReport["volumes"][number]["holds"][number];

export interface StoragePlaces {
  readonly data: string;
  /** Null where uploads are kept elsewhere. */
  readonly storage: string | null;
  /** The SQLite file; null where the database is a server. */
  readonly database: string | null;
}

/** Measures Kinora's own folders. Nothing of them is followed out of them. */
export class FileStorageMeter implements StorageMeter {
  readonly #places: StoragePlaces;

  constructor(places: StoragePlaces) {
    this.#places = places;
  }

  async uploads(): Promise<StoredCount | null> {
    const { storage } = this.#places;
    if (storage === null) return null;
    let [files, bytes] = [0, 0];
    const folder = await opendir(join(storage, "uploads")).catch(() => null);
    for await (const entry of folder ?? []) {
      const found = entry.isFile() ? await stat(join(storage, "uploads", entry.name)).catch(() => null) : null;
      if (!found) continue;
      files++;
      bytes += found.size;
    }
    return { files, bytes };
  }

  async databaseBytes(): Promise<number | null> {
    const { database } = this.#places;
    if (database === null) return null;
    const sizes = await Promise.all(
      ["", "-wal", "-shm"].map((end) =>
        stat(database + end).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Places that lie on the same device are one volume. */
  async volumes(): Promise<StorageReport["volumes"]> {
    const volumes = new Map<number, { holds: Held[]; path: string; freeBytes: number; totalBytes: number }>();
    for (const held of ["data", "storage", "database"] as const) {
      const path = this.#places[held];
      if (path === null) continue;
      const found = await stat(path).catch(() => null);
      if (!found) continue;
      const known = volumes.get(found.dev);
      if (known) known.holds.push(held);
      else {
        const { bavail, blocks, bsize } = await statfs(path);
        volumes.set(found.dev, { holds: [held], path, freeBytes: bavail * bsize, totalBytes: blocks * bsize });
      }
    }
    return [...volumes.values()];
  }
}
