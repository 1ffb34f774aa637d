import type { TitleAccess } from "../catalog/contract.ts";
import { TemporaryUnavailableError } from "../errors.ts";
import { locateInside } from "./located-inside.ts";
import type { MediaStore } from "./media-store.ts";
import type { LocatedOriginal } from "./original.ts";
import type { Source } from "./source.ts";
import type { SourceRepository } from "./source-repository.ts";
import type { TitleGate, Viewer } from "./title-gate.ts";

const MAX_KEPT = 10_000;

/** A title that its caller may watch, with the source that plays it. */
export interface Playable {
  readonly access: TitleAccess;
  readonly source: Source;
}

/** Leads from a request to the bytes it may have. */
export class Playback {
  readonly #gate: TitleGate;
  readonly #sources: SourceRepository;
  readonly #store: MediaStore;
  readonly #kept = new Map<string, Source>();

  readonly #onChanged: (source: Source) => void;

  /** `onChanged` is called when a library file is not the one that was scanned. */
  constructor(gate: TitleGate, sources: SourceRepository, store: MediaStore, onChanged: (source: Source) => void) {
    this.#gate = gate;
    this.#sources = sources;
    this.#store = store;
    this.#onChanged = onChanged;
  }

  /**
   * Authorises the caller and finds a source. Throws `unauthorized`, `wrong-media-id`, or `temporary-unavailable`
   * when the title is known but its bytes are not here.
   */
  async find(titleId: string, who: Viewer): Promise<Playable> {
    const access = await this.#gate.admit(titleId, who);
    const kept = this.#kept.get(titleId);
    if (kept) return { access, source: kept };
    const source = await this.#sources.findPlayable(access.id, access.mediaId);
    if (!source) throw new TemporaryUnavailableError("This video's file is not here right now.");
    this.#keep(titleId, source);
    return { access, source };
  }

  /**
   * Where a source's file is, and what it is right now. `temporary-unavailable` when it has vanished, or is another
   * one than was scanned.
   */
  async locate({ access, source }: Playable): Promise<LocatedOriginal> {
    let file: LocatedOriginal;
    try {
      file = await this.#fileOf(source);
    } catch (cause) {
      this.#kept.delete(access.id);
      if (cause instanceof TemporaryUnavailableError) throw cause;
      throw new TemporaryUnavailableError("This video's file is not here right now.", { cause });
    }
    if (isSame(source, file)) return file;
    this.#kept.delete(access.id);
    this.#onChanged(source);
    throw new TemporaryUnavailableError("This video's file has changed and is being read again.");
  }

  /** Forgets which source plays a title; with null, of all titles. */
  drop(titleId: string | null): void {
    if (titleId === null) this.#kept.clear();
    else this.#kept.delete(titleId);
  }

  #fileOf(source: Source): Promise<LocatedOriginal> {
    if (source.folder !== null && source.path !== null) return locateInside(source.folder, source.path);
    return this.#store.locate(source);
  }

  #keep(titleId: string, source: Source): void {
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(titleId, source);
  }
}

/** An upload's bytes never change; the file that holds them may be that of an equal upload. */
function isSame(source: Source, file: LocatedOriginal): boolean {
  if (file.size !== source.sizeBytes) return false;
  return source.origin === "upload" || file.mtimeMs === source.mtimeMs;
}
