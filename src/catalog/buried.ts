import { NotFoundError } from "../errors.ts";
import type { BuriedTitle } from "./contract.ts";
import type { TitleRepository } from "./title-repository.ts";

export interface BuriedDependencies {
  readonly repository: Pick<TitleRepository, "listBuried" | "unbury">;
  /** Has whoever has these sources announce them again. */
  readonly reannounce: (sourceIds: readonly string[]) => Promise<void>;
}

/** Library titles that were deleted for good: admins bring them back, for their files are still where they were. */
export class Buried {
  readonly #dependencies: BuriedDependencies;

  constructor(dependencies: BuriedDependencies) {
    this.#dependencies = dependencies;
  }

  /** The last one first. */
  async list(limit: number): Promise<BuriedTitle[]> {
    return this.#dependencies.repository.listBuried(limit);
  }

  /** Forgets that a title was deleted: its sources are announced, and become titles, anew. `NotFoundError` when none was. */
  async bringBack(titleId: string): Promise<void> {
    const sourceIds = await this.#dependencies.repository.unbury(titleId);
    if (sourceIds.length === 0) throw new NotFoundError("No video of the library with this id was deleted for good.");
    await this.#dependencies.reannounce(sourceIds);
  }
}
