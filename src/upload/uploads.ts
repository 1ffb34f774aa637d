import type { Principal } from "../auth/contract.ts";
import type { Title } from "../catalog/contract.ts";
import { ConflictError, ProblemError, RateLimitedError, TemporaryUnavailableError } from "../errors.ts";
import { logFailure } from "../http/failure-log.ts";
import type { Checksum } from "./checksum.ts";
import type { Upload } from "./contract.ts";
import {
  asUploadError,
  DiskFullError,
  EmptyUploadError,
  isMissing,
  OffsetConflictError,
  TooLargeError,
  UploadGoneError,
  UploadLockedError,
  UploadNotFoundError,
} from "./errors.ts";
import type { Finisher, FinisherDependencies } from "./finisher.ts";
import { EXPIRY_MS, LEASE_MS } from "./intake.ts";
import type { Reception, Receptions } from "./receptions.ts";
import { initialName } from "./title-name.ts";
import type { UploadRecord, UploadState } from "./upload-records.ts";

/** Unfinished uploads that one user may have. */
export const UNFINISHED_MAX = 200;
/** Bytes that stay free on the media volume: the database may lie there too. */
const RESERVED_BYTES = 32 << 20;

export interface NewUpload {
  readonly name: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string | null>>;
  readonly sizeBytes: number;
}

/** Bytes that a request brings. */
export interface UploadBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly checksum: Checksum | null;
}

export interface UploadsDependencies
  extends Pick<FinisherDependencies, "records" | "files" | "writer" | "place" | "intake" | "catalog" | "log" | "now"> {
  readonly finisher: Finisher;
  readonly receptions: Receptions;
  readonly maxSizeBytes: number;
}

/** What can be done with uploads. Whoever calls has been found to be an editor or admin. */
export class Uploads {
  readonly receptions: Receptions;
  readonly #dependencies: UploadsDependencies;

  constructor(dependencies: UploadsDependencies) {
    this.receptions = dependencies.receptions;
    this.#dependencies = dependencies;
  }

  get maxSizeBytes(): number {
    return this.#dependencies.maxSizeBytes;
  }

  /** `TooLargeError` or `DiskFullError` for bytes that certainly will not fit. */
  async requireRoom(sizeBytes: number): Promise<void> {
    if (sizeBytes > this.maxSizeBytes) throw TooLargeError.forLimit(this.maxSizeBytes);
    const free = await this.#dependencies.files.freeBytes();
    if (sizeBytes + RESERVED_BYTES > free) throw new DiskFullError();
  }

  /** Begins a resumable upload and its title. */
  async createResumable(id: string, upload: NewUpload, who: Principal): Promise<UploadRecord> {
    if (upload.sizeBytes === 0) throw new EmptyUploadError();
    await this.requireRoom(upload.sizeBytes);
    const { catalog } = this.#dependencies;
    const record = await this.#create(id, "tus", upload, who);
    try {
      const owner = { userId: who.userId, username: who.username };
      await catalog.createTitle({ id, owner, name: upload.name, tags: [...upload.tags], sizeBytes: upload.sizeBytes });
    } catch (error) {
      await this.#undo(id);
      throw error;
    }
    return record;
  }

  /** An upload that was not begun after all is none of its user's; what cannot be removed now goes with the next sweep. */
  async #undo(id: string): Promise<void> {
    const { records, log, now } = this.#dependencies;
    const { code, message: detail, status } = new UploadGoneError();
    const forget = () => records.update(id, { state: "failed", error: { code, detail, status }, expiresAt: now() });
    await this.#remove(id)
      .catch(forget)
      .catch((error: unknown) => logFailure(log, error, "upload not removed", { id }, "warn"));
  }

  /** The caller's upload; `UploadNotFoundError` for any other. */
  async find(id: string, who: Pick<Principal, "userId">): Promise<UploadRecord> {
    const record = await this.#dependencies.records.get(id);
    if (!record || record.ownerId !== who.userId) throw new UploadNotFoundError();
    return record;
  }

  /** `temporary-unavailable` when the caller's upload lies in a store that this instance does not reach. */
  async requireHere(id: string, who: Pick<Principal, "userId">): Promise<void> {
    if (!this.#reaches(await this.find(id, who)))
      throw new TemporaryUnavailableError("The instance that has this upload cannot be reached. Go on with it later.", {
        retryAfterSeconds: 5,
      });
  }

  /** Which store has an upload and which instance receives it; null where there is none. */
  async placeOf(id: string): Promise<Pick<UploadRecord, "place" | "writer"> | null> {
    const record = await this.#dependencies.records.get(id);
    return record && { place: record.place, writer: record.writer };
  }

  /** Appends to a resumable upload at its offset and returns the new one. What cannot be a video ends it. */
  async append(id: string, offset: number, body: UploadBody, reception: Reception): Promise<number> {
    const { records, intake, finisher, writer } = this.#dependencies;
    const record = requireOpen(await this.#claim(id));
    if (record.offset !== offset) throw new OffsetConflictError(record.offset);
    if (record.state !== "receiving") return record.offset;
    try {
      return await intake.receive(record, body.chunks, reception, body.checksum);
    } catch (error) {
      // What it brought is another instance's to judge.
      if (reception.isLost) throw error;
      const isRefused = error instanceof ProblemError && error.status === 422;
      if (isRefused && (await records.updateAs(writer, id, { leaseUntil: null }))) await finisher.fail(record, error);
      else await this.#finishLater(id);
      throw error;
    } finally {
      if (!reception.isLost) await records.updateAs(writer, id, { leaseUntil: null });
    }
  }

  /** Where this instance can go on with an upload: less than was counted when another instance has the last bytes. */
  async reachableOffset({ id, offset, state, writer }: UploadRecord): Promise<number> {
    const isHere = writer === null || writer === this.#dependencies.writer || state !== "receiving";
    return isHere ? offset : this.#dependencies.files.shared(id, offset);
  }

  /** Makes a title of a resumable upload whose bytes have all come. */
  async complete(id: string, reception: Reception): Promise<void> {
    reception.received();
    const { records, finisher, writer } = this.#dependencies;
    const record = requireOpen(await records.get(id));
    if (record.state === "ready") return;
    // Nobody takes it over from here on, unless somebody just has.
    const isMine = record.state === "receiving" && record.writer === writer;
    if (isMine && !(await records.updateAs(writer, id, { state: "finishing" }))) throw new UploadLockedError();
    await finisher.finish(record);
  }

  /** Begins a form upload; its title is made when all fields are known. */
  createForm(id: string, fileName: string | null, who: Principal): Promise<UploadRecord> {
    const upload = { name: initialName(null, fileName), tags: [], metadata: { filename: fileName }, sizeBytes: 0 };
    return this.#create(id, "form", upload, who);
  }

  /** Receives the file of a form upload; the number of its bytes. */
  async receiveForm(record: UploadRecord, chunks: AsyncIterable<Uint8Array>, reception: Reception): Promise<number> {
    const sizeBytes = await this.#dependencies.intake.receive(record, chunks, reception);
    if (sizeBytes === 0) throw new EmptyUploadError();
    return sizeBytes;
  }

  /** Makes a title of a form upload. From here on a service that is away delays it, and nothing is lost. */
  async completeForm(record: UploadRecord, upload: Pick<NewUpload, "name" | "tags" | "sizeBytes">): Promise<Title> {
    const finishing = { ...record, ...upload, offset: upload.sizeBytes };
    await this.#dependencies.records.update(record.id, { ...upload, offset: upload.sizeBytes });
    return this.#dependencies.finisher.finish(finishing);
  }

  /** Forgets a form upload that did not work out, unless all of it is here and only a service is away. */
  async abandonForm(id: string): Promise<void> {
    const record = await this.#dependencies.records.get(id);
    if (record && (record.state === "receiving" || record.state === "failed")) await this.#remove(id);
  }

  /** Ends an unfinished upload; nothing of it is left. `ConflictError` when it is a title already. */
  async terminate(id: string): Promise<void> {
    const { records } = this.#dependencies;
    await this.receptions.cut(id, new UploadGoneError("This upload was cancelled."));
    const record = await records.get(id);
    if (!record) return;
    if (record.state === "ready" || record.state === "finishing")
      throw new ConflictError("This upload is complete. Delete its title instead.");
    await this.#remove(id);
  }

  /**
   * The title is gone: so is its upload. What streaming has already, the catalog releases when it purges the title;
   * what is being finished finds out there.
   */
  async titleDeleted(id: string): Promise<void> {
    const { records } = this.#dependencies;
    const known = await records.get(id);
    if (!known || !this.#reaches(known)) return;
    await this.receptions.cut(id, new UploadGoneError("The title of this upload was deleted."));
    const record = await records.get(id);
    if (record?.state === "receiving") await this.#remove(id);
    if (record?.state === "ready") await records.remove(id);
  }

  /** The user is gone: so are their unfinished uploads. */
  async userDeleted(userId: string): Promise<void> {
    for (const record of await this.#dependencies.records.ofOwner(userId)) {
      const { id, state } = record;
      await this.receptions.cut(id, new UploadGoneError());
      // What another store has, its instance finds expired.
      if (!this.#reaches(record)) continue;
      if (state === "receiving" || state === "failed") await this.#remove(id);
    }
  }

  /** Removes what has expired. What cannot be removed now is tried at the next sweep. */
  async sweep(): Promise<void> {
    const { records, files, log, now } = this.#dependencies;
    await files.sweep((id) => records.get(id));
    for (const record of await records.expired(now())) {
      const { id, state } = record;
      if (state === "finishing" || !this.#reaches(record)) continue;
      log.info({ id, state }, "upload expired");
      await this.#expire(id, state).catch((error: unknown) =>
        logFailure(log, error, "upload not removed", { id }, "warn"),
      );
    }
  }

  /** After a start: older form uploads cannot go on; resumable ones whose bytes were all there are finished. */
  async recover(startedAt: Date): Promise<void> {
    const { records } = this.#dependencies;
    for (const record of await records.inState("receiving")) {
      if (record.createdAt >= startedAt || !this.#mayRecover(record) || (await this.receptions.isElsewhere(record.id)))
        continue;
      if (record.kind === "form") await this.#remove(record.id);
      else if (record.offset === record.sizeBytes) await records.update(record.id, { state: "finishing" });
    }
  }

  /** Whether nobody else can be receiving it: only its own instance knows that of a form. */
  #mayRecover(record: UploadRecord): boolean {
    const { kind, writer, leaseUntil } = record;
    if (!this.#reaches(record)) return false;
    if (writer === null || writer === this.#dependencies.writer) return true;
    return kind === "tus" && (leaseUntil?.getTime() ?? 0) < this.#dependencies.now().getTime();
  }

  /** Whether its bytes are in the store of this instance. */
  #reaches({ place }: Pick<UploadRecord, "place">): boolean {
    return place === null || place === this.#dependencies.place;
  }

  async #create(id: string, kind: "tus" | "form", upload: NewUpload, who: Principal): Promise<UploadRecord> {
    const { records, files, writer, place, now } = this.#dependencies;
    const unfinished = (await records.ofOwner(who.userId)).filter(({ state }) => state === "receiving");
    if (unfinished.length >= UNFINISHED_MAX)
      throw new RateLimitedError(`You have ${UNFINISHED_MAX} unfinished uploads. Finish or cancel some first.`, 60);
    const createdAt = now();
    const record: UploadRecord = {
      id,
      kind,
      ...upload,
      ownerId: who.userId,
      ownerName: who.username,
      offset: 0,
      state: "receiving",
      attempts: 0,
      mediaId: null,
      error: null,
      writer,
      place,
      copy: null,
      leaseUntil: kind === "form" ? new Date(createdAt.getTime() + LEASE_MS) : null,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + EXPIRY_MS),
    };
    await records.insert(record);
    try {
      await files.create(id);
    } catch (error) {
      await records.remove(id);
      throw error;
    }
    return record;
  }

  /**
   * Makes this instance the one that receives the upload. `UploadLockedError` while another one does. When another one did
   * before, its hash of the bytes and what only it has count no more, and nothing that it still writes, as it does not know of
   * this yet, reaches the copy that counts from then on.
   */
  async #claim(id: string): Promise<UploadRecord | null> {
    const { records, files, writer, now } = this.#dependencies;
    const before = await records.get(id);
    if (before?.state !== "receiving") return before;
    const at = now().getTime();
    const after = { ...before, writer, leaseUntil: new Date(at + LEASE_MS) };
    if (before.writer === null || before.writer === writer) {
      if (!(await records.takeOver(before, after))) throw new UploadLockedError();
      return after;
    }
    // Nothing is missing that this instance could receive.
    if (before.offset === before.sizeBytes && (await files.shared(id, before.offset)) === before.offset) return before;
    const isLeased = before.leaseUntil !== null && before.leaseUntil.getTime() >= at;
    if (isLeased && !this.receptions.lockDecides) throw new UploadLockedError();
    return this.#takeOver(before, after);
  }

  async #takeOver(before: UploadRecord, after: UploadRecord & { leaseUntil: Date }): Promise<UploadRecord> {
    const { records, files, intake, log } = this.#dependencies;
    const { id } = before;
    intake.forget(id);
    await files.discard(id);
    const offset = await files.shared(id, before.offset);
    // Whoever let go of it writes no more.
    const copy = before.leaseUntil === null ? before.copy : await this.#branch(before, offset);
    if (!(await records.takeOver(before, { ...after, copy, offset }))) {
      if (copy !== before.copy) await files.drop({ id, copy });
      throw new UploadLockedError();
    }
    log.info({ id, offset, from: before.writer, copied: copy !== before.copy }, "goes on with another's upload");
    if (copy !== before.copy)
      await files.drop(before).catch((error: unknown) => log.warn({ err: error, id }, "old copy not removed"));
    return { ...after, copy, offset };
  }

  async #branch(upload: UploadRecord, offset: number): Promise<string | null> {
    try {
      return await this.#dependencies.files.branch(upload, offset);
    } catch (error) {
      throw isMissing(error) ? new UploadGoneError() : asUploadError(error);
    }
  }

  /** A request that broke off after its last byte: the sender will find that nothing is missing, and not come again. */
  async #finishLater(id: string): Promise<void> {
    const { records, writer } = this.#dependencies;
    const record = await records.get(id);
    if (record?.state === "receiving" && record.offset === record.sizeBytes)
      await records.updateAs(writer, id, { state: "finishing" });
  }

  async #expire(id: string, state: UploadState): Promise<void> {
    await this.receptions.cut(id, new UploadGoneError());
    if (state === "ready") await this.#dependencies.records.remove(id);
    else await this.#remove(id);
  }

  /** The record goes last: while it is there, what is left of the upload can be found. */
  async #remove(id: string): Promise<void> {
    await this.#dependencies.finisher.clear(id);
    await this.#dependencies.records.remove(id);
  }
}

/** An upload as the HTTP interface shows it. */
export function toUpload(record: UploadRecord): Upload {
  const { id, offset, sizeBytes, mediaId, error } = record;
  return {
    id,
    state: record.state === "finishing" ? "receiving" : record.state,
    offset,
    sizeBytes,
    titleId: id,
    mediaId,
    error: error && { code: error.code, detail: error.detail },
  };
}

/** An upload that can go on; what ended a failed one is told again. */
function requireOpen(record: UploadRecord | null): UploadRecord {
  if (!record) throw new UploadGoneError();
  if (record.error) throw new ProblemError(record.error.code, record.error.detail, { status: record.error.status });
  return record;
}
