import type { PeerAnswers, Peers } from "../bus/peers.ts";
import type { CallOptions, ServiceProxy } from "../bus/proxy.ts";
import { ConflictError, NotFoundError, TemporaryUnavailableError } from "../errors.ts";
import type { ServiceInstance } from "../main/contract.ts";
import type { Announcement, KeptFolders, LibraryReport, streamingContract, TitlesOfRemoved } from "./contract.ts";
import type { Library } from "./library.ts";

export interface AllLibrariesDependencies {
  /** The folders of this instance. */
  readonly own: Pick<Library, "report" | "startRescan" | "add" | "remove" | "kept" | "forgetRemoved">;
  readonly peers: Pick<Peers, "others" | "askAll">;
  readonly streaming: Pick<
    ServiceProxy<typeof streamingContract>,
    "reportLibrary" | "rescanLibrary" | "addFolder" | "removeFolder" | "listKept" | "forgetRemoved"
  >;
  /** This instance. */
  readonly instance: string;
}

/** The library folders of all live streaming instances, each on its own machine. */
export class AllLibraries {
  readonly #dependencies: AllLibrariesDependencies;

  constructor(dependencies: AllLibrariesDependencies) {
    this.#dependencies = dependencies;
  }

  /** What this very instance has. */
  ownReport(): LibraryReport {
    const { own, instance } = this.#dependencies;
    const report = own.report();
    return { ...report, items: report.items.map((item) => ({ ...item, instance })) };
  }

  /** The folders of all; who does not answer in time is named in `missing`. */
  report(): Promise<LibraryReport> {
    const { streaming } = this.#dependencies;
    return this.#collect((target) => streaming.reportLibrary({}, target));
  }

  /** Asks all for a scan, and does not wait for the end of it: it may take hours. */
  rescan(): Promise<LibraryReport> {
    const { own, streaming } = this.#dependencies;
    own.startRescan();
    return this.#collect((target) => streaming.rescanLibrary({}, target));
  }

  /** Adds a folder of the machine that `instance` runs on. `ConflictError` when it is not named and there are several. */
  async add(
    { path, visibility }: Pick<Announcement, "visibility"> & { readonly path: string },
    instance: string | undefined,
  ): Promise<LibraryReport> {
    const { own, streaming, instance: self } = this.#dependencies;
    const others = (await this.#others()).map((other) => other.instance);
    const target = instance ?? (others.length === 0 ? self : null);
    if (target === null) {
      throw new ConflictError(
        `Several machines run here: name the one by its instance (${[self, ...others].join(", ")}).`,
      );
    }
    if (target === self) await own.add(path, visibility);
    else if (others.includes(target)) await streaming.addFolder({ path, visibility }, { instance: target });
    else throw new NotFoundError("There is no streaming instance of this name.");
    return this.report();
  }

  /** What this very instance knows of folders' files. */
  async ownKept(): Promise<KeptFolders> {
    const { own, instance } = this.#dependencies;
    return { items: (await own.kept()).items.map((item) => ({ ...item, instance })) };
  }

  /** What all know of folders' files; who does not answer in time is named in `missing`. */
  kept(): Promise<KeptFolders> {
    const { streaming } = this.#dependencies;
    return this.#collectKept(this.ownKept(), (target) => streaming.listKept({}, target));
  }

  /**
   * Has all begin to forget the titles of folders that are library folders no more, of all or the one with this id; those folders, also
   * when it was begun before. Of one: `NotFoundError` when nobody knows it, `ConflictError` when it is a library folder.
   */
  async forgetRemoved(id: string | undefined): Promise<KeptFolders> {
    const { own, streaming, instance: self } = this.#dependencies;
    const asked = id === undefined ? {} : { id };
    const mine = own
      .forgetRemoved(id)
      .then(({ items }) => ({ items: items.map((one) => ({ ...one, instance: self })) }));
    const begun = await this.#collectKept(mine, (target) => streaming.forgetRemoved(asked, target));
    if (id !== undefined && begun.items.length === 0) await this.#refuseToForget(id);
    return begun;
  }

  async #refuseToForget(id: string): Promise<never> {
    const { items, missing = [] } = await this.report();
    if (items.some((item) => item.id === id))
      throw new ConflictError("This is a library folder. Remove it, then its titles can be forgotten.");
    if (missing.length > 0)
      throw new TemporaryUnavailableError(
        `No machine that answers knows this folder; no answer from ${missing.join(", ")}.`,
      );
    throw new NotFoundError("No folder with this id was removed, or its titles are forgotten already.");
  }

  /** Removes an added folder, wherever it is; its titles are kept for when it comes back, or forgotten. */
  async remove(id: string, titles: TitlesOfRemoved): Promise<void> {
    const { own, streaming, instance: self } = this.#dependencies;
    const isOwn = own.report().items.some((item) => item.id === id);
    const holder = isOwn ? self : (await this.report()).items.find((item) => item.id === id)?.instance;
    if (holder === undefined || holder === self) await own.remove(id, titles);
    else await streaming.removeFolder({ id, titles }, { instance: holder });
  }

  async #collectKept(own: Promise<KeptFolders>, ask: (target: CallOptions) => Promise<KeptFolders>) {
    const { answers, missing } = await this.#askAll(own, ask);
    return { items: answers.flatMap(({ items }) => items), missing };
  }

  async #collect(ask: (target: CallOptions) => Promise<LibraryReport>): Promise<LibraryReport> {
    const { answers, missing } = await this.#askAll(this.ownReport(), ask);
    return {
      items: answers.flatMap(({ items }) => items),
      unhashedBytes: answers.reduce((sum, { unhashedBytes }) => sum + unhashedBytes, 0),
      mayAdd: answers.some(({ mayAdd }) => mayAdd),
      missing,
    };
  }

  #askAll<T>(own: T | Promise<T>, ask: (target: CallOptions) => Promise<T>): Promise<PeerAnswers<T>> {
    return this.#dependencies.peers.askAll(own, ask, this.#others());
  }

  /** None when main cannot be asked: the folders of this instance are there all the same. */
  #others(): Promise<ServiceInstance[]> {
    return this.#dependencies.peers.others().catch(() => []);
  }
}
