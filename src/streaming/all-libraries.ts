import type { ServiceProxy } from "../bus/proxy.ts";
import { ConflictError, NotFoundError } from "../errors.ts";
import type { mainContract } from "../main/contract.ts";
import type { Announcement, KeptFolders, LibraryReport, streamingContract, TitlesOfRemoved } from "./contract.ts";
import type { Library } from "./library.ts";

/** How long another instance may take to answer, in milliseconds. */
const ASK_MS = 2_000;

export interface AllLibrariesDependencies {
  /** The folders of this instance. */
  readonly own: Pick<Library, "report" | "startRescan" | "add" | "remove" | "kept" | "forgetRemoved">;
  readonly main: Pick<ServiceProxy<typeof mainContract>, "listServices">;
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
    return this.#collect((instance) => streaming.reportLibrary({}, { instance, timeoutMs: ASK_MS }));
  }

  /** Asks all for a scan, and does not wait for the end of it: it may take hours. */
  rescan(): Promise<LibraryReport> {
    const { own, streaming } = this.#dependencies;
    own.startRescan();
    return this.#collect((instance) => streaming.rescanLibrary({}, { instance, timeoutMs: ASK_MS }));
  }

  /** Adds a folder of the machine that `instance` runs on. `ConflictError` when it is not named and there are several. */
  async add(
    { path, visibility }: Pick<Announcement, "visibility"> & { readonly path: string },
    instance: string | undefined,
  ): Promise<LibraryReport> {
    const { own, streaming, instance: self } = this.#dependencies;
    const others = await this.#others();
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
    return this.#collectKept(this.ownKept(), (instance) => streaming.listKept({}, { instance, timeoutMs: ASK_MS }));
  }

  /** Has all begin to forget the titles of folders that are library folders no more, of all or the one with this id; those folders. */
  forgetRemoved(id: string | undefined): Promise<KeptFolders> {
    const { own, streaming, instance: self } = this.#dependencies;
    const asked = id === undefined ? {} : { id };
    const mine = own
      .forgetRemoved(id)
      .then(({ items }) => ({ items: items.map((one) => ({ ...one, instance: self })) }));
    return this.#collectKept(mine, (instance) => streaming.forgetRemoved(asked, { instance, timeoutMs: ASK_MS }));
  }

  /** Removes an added folder, wherever it is; its titles are kept for when it comes back, or forgotten. */
  async remove(id: string, titles: TitlesOfRemoved): Promise<void> {
    const { own, streaming, instance: self } = this.#dependencies;
    const isOwn = own.report().items.some((item) => item.id === id);
    const holder = isOwn ? self : (await this.report()).items.find((item) => item.id === id)?.instance;
    if (holder === undefined || holder === self) await own.remove(id, titles);
    else await streaming.removeFolder({ id, titles }, { instance: holder });
  }

  async #collectKept(own: Promise<KeptFolders>, ask: (instance: string) => Promise<KeptFolders>): Promise<KeptFolders> {
    const [mine, others] = await Promise.all([own, this.#others()]);
    const answers = await Promise.all(others.map((instance) => ask(instance).catch(() => null)));
    return {
      items: [mine, ...answers].flatMap((answer) => answer?.items ?? []),
      missing: others.filter((_, index) => answers[index] === null),
    };
  }

  async #collect(ask: (instance: string) => Promise<LibraryReport>): Promise<LibraryReport> {
    const others = await this.#others();
    const answers = await Promise.all(others.map((instance) => ask(instance).catch(() => null)));
    const reports = [this.ownReport(), ...answers.filter((answer) => answer !== null)];
    return {
      items: reports.flatMap(({ items }) => items),
      unhashedBytes: reports.reduce((sum, { unhashedBytes }) => sum + unhashedBytes, 0),
      mayAdd: reports.some(({ mayAdd }) => mayAdd),
      missing: others.filter((_, index) => answers[index] === null),
    };
  }

  /** The other live instances of streaming; none when nobody can be asked. */
  async #others(): Promise<string[]> {
    const { main, instance: self } = this.#dependencies;
    const known = await main.listServices({}, { timeoutMs: ASK_MS }).catch(() => ({ items: [] }));
    return known.items
      .filter(({ service, instance }) => service === "streaming" && instance !== self)
      .map(({ instance }) => instance);
  }
}
