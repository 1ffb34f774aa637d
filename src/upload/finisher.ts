import type { Logger } from "pino";
import { BusTimeoutError } from "../bus/errors.ts";
import type { ServiceProxy } from "../bus/proxy.ts";
import type { catalogContract, Title } from "../catalog/contract.ts";
import { ProblemError, TemporaryUnavailableError } from "../errors.ts";
import { logFailure } from "../http/failure-log.ts";
import type { Announcement, streamingContract } from "../streaming/contract.ts";
import { isMissing, NotAVideoError } from "./errors.ts";
import { type Intake, LEASE_MS } from "./intake.ts";
import { fileStem } from "./title-name.ts";
import type { UploadFiles } from "./upload-files.ts";
import type { UploadProgress } from "./upload-progress.ts";
import type { UploadRecord, UploadRecords } from "./upload-records.ts";

/** How long a finished or failed upload can still be asked for. */
const KEEP_MS = 24 * 3_600_000;

/** An upload whose inspection was begun this often and never came to an end is refused. */
const ATTEMPTS_MAX = 2;

/** How long an inspection may take: some containers are read whole, and a disk brings 20 MB in a second at least. */
const adoptTimeoutMs = (sizeBytes: number) => 120_000 + Math.ceil(sizeBytes / 20_000);

export interface FinisherDependencies {
  readonly records: UploadRecords;
  readonly files: UploadFiles;
  /** This instance, as the records name it. */
  readonly writer: string;
  /** The store that its uploads arrive in. */
  readonly place: string;
  readonly intake: Intake;
  readonly progress: UploadProgress;
  readonly catalog: Pick<ServiceProxy<typeof catalogContract>, "createTitle" | "completeTitle" | "discardTitle">;
  readonly streaming: Pick<ServiceProxy<typeof streamingContract>, "adopt" | "identify">;
  readonly log: Logger;
  readonly now: () => Date;
  /** Milliseconds an inspection of so many bytes may take. */
  readonly adoptTimeoutMs?: (sizeBytes: number) => number;
}

/** Hands complete uploads to streaming and catalog. Each step can be done again, so a crash between them is made good. */
export class Finisher {
  readonly #dependencies: FinisherDependencies;
  readonly #finishing = new Map<string, Promise<Title>>();
  readonly #identifying = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();

  constructor(dependencies: FinisherDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Makes an upload whose bytes are all on disk a title that can be watched. When the bytes are refused
   * (`not-a-video`, `truncated`, `empty`) nothing of it is left but the record that says why. Any other error
   * leaves it `finishing`, and it is tried again; but what has crashed or hung its inspection twice is refused too.
   */
  finish(upload: UploadRecord): Promise<Title> {
    const running = this.#finishing.get(upload.id);
    if (running) return running;
    const finishing = this.#finish(upload).finally(() => this.#finishing.delete(upload.id));
    this.#finishing.set(upload.id, finishing);
    return finishing;
  }

  /** Finishes and identifies what was left undone, by a crash or because a service was away. */
  async resume(): Promise<void> {
    const { records, log } = this.#dependencies;
    for (const upload of await records.inState("finishing")) {
      if (this.#abort.signal.aborted) return;
      if (!this.#isOurs(upload)) continue;
      await this.finish(upload).catch((error: unknown) =>
        logFailure(log, error, "upload not finished", { id: upload.id }, "warn"),
      );
    }
    for (const upload of await records.unidentified()) if (this.#isOurs(upload)) this.identify(upload);
  }

  /** Hashes what was adopted without its SHA-256, in the background, and tells streaming. */
  identify(upload: UploadRecord): void {
    if (this.#identifying.has(upload.id) || this.#abort.signal.aborted) return;
    const identifying = this.#identify(upload)
      .catch((error: unknown) =>
        logFailure(this.#dependencies.log, error, "upload not identified", { id: upload.id }, "warn"),
      )
      .finally(() => this.#identifying.delete(upload.id));
    this.#identifying.set(upload.id, identifying);
  }

  /** Ends an upload for good: no bytes, no title; the record says why. */
  async fail(upload: UploadRecord, problem: ProblemError): Promise<void> {
    const { records, progress } = this.#dependencies;
    const error = { code: problem.code, detail: problem.message, status: problem.status };
    await records.update(upload.id, { state: "failed", error, expiresAt: this.#keptUntil() });
    await this.clear(upload.id);
    progress.failed(upload, upload.offset, error);
  }

  /** Removes an unfinished upload's bytes and its title. */
  async clear(id: string): Promise<void> {
    const { records, files, intake, progress, catalog } = this.#dependencies;
    intake.forget(id);
    progress.forget(id);
    await files.remove((await records.get(id)) ?? { id, copy: null });
    await catalog.discardTitle({ id });
  }

  /** Stops hashing and inspecting; both go on at the next start. */
  stop(): void {
    this.#abort.abort(new TemporaryUnavailableError("Kinora is stopping. The upload is complete and goes on later."));
  }

  /** Stops, and waits for what is under way. */
  async close(): Promise<void> {
    this.stop();
    await Promise.allSettled([...this.#finishing.values(), ...this.#identifying.values()]);
  }

  /** Whether this instance is to go on with it: it received it, or the one that did has not come back in time. */
  #isOurs({ writer, place, leaseUntil }: UploadRecord): boolean {
    if (place !== null && place !== this.#dependencies.place) return false;
    if (writer === null || writer === this.#dependencies.writer) return true;
    return (leaseUntil?.getTime() ?? 0) < this.#dependencies.now().getTime();
  }

  #keptUntil(): Date {
    return new Date(this.#dependencies.now().getTime() + KEEP_MS);
  }

  async #finish(upload: UploadRecord): Promise<Title> {
    const { records, intake, progress } = this.#dependencies;
    const { id, sizeBytes } = upload;
    const mediaId = upload.mediaId ?? intake.digestOf(id, sizeBytes);
    const finishing = { ...upload, state: "finishing" as const, mediaId };
    await records.update(id, { state: "finishing", mediaId, leaseUntil: this.#lease() });
    if (upload.attempts >= ATTEMPTS_MAX) await this.#giveUp(finishing);
    const title = await this.#leased(id, async () => this.#complete(finishing, await this.#adopt(finishing)));
    await records.update(id, { state: "ready", expiresAt: this.#keptUntil() });
    progress.done(upload, sizeBytes);
    if (mediaId === null) this.identify(finishing);
    else intake.forget(id);
    return title;
  }

  /** Has streaming take the bytes over; what it refuses ends the upload. */
  async #adopt(upload: UploadRecord): Promise<Announcement> {
    await this.#requireTitle(upload);
    const { files, records, streaming, adoptTimeoutMs: timeoutFor = adoptTimeoutMs } = this.#dependencies;
    const { id, ownerId, name, sizeBytes, mediaId, attempts, metadata } = upload;
    const fileName = fileStem(metadata.filename ?? null);
    await files.complete(upload, sizeBytes);
    // Counted first: a crash leaves no time for it afterwards.
    await records.update(id, { attempts: attempts + 1, copy: null });
    try {
      const timeoutMs = timeoutFor(sizeBytes);
      const announcement = await streaming.adopt(
        { sourceId: id, ownerId, name, fileName, sizeBytes, mediaId },
        { timeoutMs, signal: this.#abort.signal },
      );
      await records.update(id, { attempts: 0 });
      return announcement;
    } catch (error) {
      if (isRefusal(error)) await this.fail(upload, error);
      else if (this.#abort.signal.aborted || wasNotTried(error)) await records.update(id, { attempts });
      throw error;
    }
  }

  /** Until then no other instance does what is left undone; it is renewed while this one is at it. */
  #lease(): Date {
    return new Date(this.#dependencies.now().getTime() + LEASE_MS);
  }

  async #leased<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const { records, log } = this.#dependencies;
    const renew = () =>
      void records
        .update(id, { leaseUntil: this.#lease() })
        .catch((error: unknown) => logFailure(log, error, "lease not renewed", { id }, "warn"));
    const timer = setInterval(renew, LEASE_MS / 3);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  async #giveUp(upload: UploadRecord): Promise<never> {
    const error = new NotAVideoError(`Reading this file failed ${upload.attempts} times without a result.`);
    this.#dependencies.log.warn({ id: upload.id, attempts: upload.attempts }, "upload given up");
    await this.fail(upload, error);
    throw error;
  }

  /** Makes the title unless it is there. One that was deleted stays deleted, and its purge releases what is left. */
  async #requireTitle({ id, ownerId, ownerName, name, tags, sizeBytes, copy }: UploadRecord): Promise<void> {
    const { catalog, files, intake, records } = this.#dependencies;
    const owner = { userId: ownerId, username: ownerName };
    try {
      await catalog.createTitle({ id, owner, name, tags: [...tags], sizeBytes });
    } catch (error) {
      if (isRefusal(error)) {
        intake.forget(id);
        await files.remove({ id, copy });
        await records.remove(id);
      }
      throw error;
    }
  }

  /** Tells the catalog. A title that was deleted meanwhile takes the bytes with it when it is purged. */
  async #complete({ id, mediaId }: UploadRecord, { info }: Announcement): Promise<Title> {
    const { catalog, records } = this.#dependencies;
    try {
      return await catalog.completeTitle({ id, mediaId, info });
    } catch (error) {
      if (isRefusal(error)) await records.remove(id);
      throw error;
    }
  }

  async #identify(upload: UploadRecord): Promise<void> {
    const { intake, records, streaming } = this.#dependencies;
    const mediaId = await this.#hash(upload).catch((error: unknown) => {
      if (isMissing(error)) return this.#askStreaming(upload);
      throw error;
    });
    if (mediaId === null) return;
    intake.forget(upload.id);
    await streaming.identify({ sourceId: upload.id, mediaId });
    await records.update(upload.id, { mediaId });
  }

  async #hash(upload: UploadRecord): Promise<string | null> {
    const hash = this.#dependencies.intake.hashOf(upload.id);
    const file = await this.#dependencies.files.open({ id: upload.id, copy: null });
    try {
      await hash.catchUp(file, () => upload.sizeBytes, this.#abort.signal);
    } finally {
      await file.close();
    }
    return hash.digest(upload.sizeBytes);
  }

  /** The file has been filed already: streaming was told, and this service stopped before it wrote that down. */
  async #askStreaming({ id, ownerId, name, sizeBytes, metadata }: UploadRecord): Promise<string | null> {
    const { records, streaming } = this.#dependencies;
    const fileName = fileStem(metadata.filename ?? null);
    try {
      return (await streaming.adopt({ sourceId: id, ownerId, name, fileName, sizeBytes, mediaId: null })).mediaId;
    } catch (error) {
      // Deleted in the meantime.
      if (isRefusal(error)) await records.remove(id);
      throw error;
    }
  }
}

/** No instance was there or had room, which says nothing about the bytes; one that did not answer in time does. */
const wasNotTried = (error: unknown) =>
  error instanceof ProblemError &&
  (error.status === 503 || error.status === 507) &&
  !(error instanceof BusTimeoutError);

/** An answer that will be the same next time. */
const isRefusal = (error: unknown): error is ProblemError =>
  error instanceof ProblemError && error.status >= 400 && error.status < 500;
