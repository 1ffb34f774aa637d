import type { Logger } from "pino";
import type { GrantHolder, Principal } from "../../auth/contract.ts";
import { ConflictError, ForbiddenError, NotFoundError, ProblemError, RateLimitedError } from "../../errors.ts";
import { logFailure } from "../../http/failure-log.ts";
import type { StopReason, StreamEvent, StreamHandle, StreamProtocol, StreamSummary } from "../contract.ts";
import { TooManyStreamsError } from "../errors.ts";
import type { LiveStreams } from "../live-streams.ts";
import type { Clock } from "./clock.ts";
import { type OpenedStream, StreamController } from "./stream-controller.ts";

/** Whether a title is still to be seen is asked again after this when nobody could tell. */
const ASK_AGAIN_MS = 1_000;
/** Said to whoever comes when all places are taken. */
const RETRY_AFTER_SECONDS = 30;

/** What somebody wants to be streamed. */
export interface StreamRequest {
  readonly who: Principal;
  /** When the credential that the request came with expires (epoch milliseconds). */
  readonly expiresAtMs: number;
  readonly titleId: string;
  readonly protocol: StreamProtocol;
}

export interface StreamControllersOptions {
  readonly clock: Clock;
  readonly instance: string;
  /** How long a stream goes on after its credential has expired. */
  readonly graceMs: number;
  /** Streams that one user may have, and all users of this instance together. */
  readonly perUser: number;
  readonly max: number;
  readonly live: LiveStreams;
  readonly onRevoked: (who: Principal | GrantHolder, cut: () => void) => () => void;
  /** Rejects when somebody may not see a title (any more). */
  readonly admit: (titleId: string, who: Principal) => Promise<unknown>;
  readonly revokeGrant: (id: string) => Promise<void>;
  readonly publish: (id: string, event: StreamEvent) => Promise<void>;
  /** Told of every stream that begins, changes or ends. */
  readonly onChange: (summary: StreamSummary, isOver: boolean) => void;
  readonly log: Logger;
}

/** The stream controllers that this instance holds: who may do what with them, how many there may be, and their end. */
export class StreamControllers {
  readonly #options: StreamControllersOptions;
  readonly #controllers = new Map<string, StreamController>();
  /** Streams being opened, by user: they take a place already. */
  readonly #opening = new Map<string, number>();
  /** What is still to be done about streams that are over. */
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: StreamControllersOptions) {
    this.#options = options;
  }

  /**
   * Opens a stream and takes it under control. `elsewhere` is how many its user has on other instances.
   * `TooManyStreamsError` when the user has as many as they may, `RateLimitedError` when this instance has.
   */
  async create<Request extends StreamRequest>(
    request: Request,
    elsewhere: number,
    open: (request: Request) => Promise<OpenedStream>,
  ): Promise<StreamHandle> {
    const { userId } = request.who;
    this.#requirePlace(userId, elsewhere);
    this.#opening.set(userId, (this.#opening.get(userId) ?? 0) + 1);
    try {
      return this.#take(request, await open(request));
    } finally {
      const left = (this.#opening.get(userId) ?? 1) - 1;
      if (left > 0) this.#opening.set(userId, left);
      else this.#opening.delete(userId);
    }
  }

  /** Those of one user, or with null all of them. */
  list(userId: string | null): StreamSummary[] {
    const all = [...this.#controllers.values()];
    return all.filter(({ owner }) => userId === null || owner.userId === userId).map(({ summary }) => summary);
  }

  has(id: string): boolean {
    return this.#controllers.has(id);
  }

  /** One of them as somebody may see it: its owner or an admin; `NotFoundError` for others. */
  get(id: string, who: Principal): StreamSummary {
    return this.#find(id, who).summary;
  }

  /** Goes on until the credential of `who` expires. Only its owner can renew it; the title must still be theirs to see. */
  async refresh(id: string, who: Principal, expiresAtMs: number): Promise<StreamHandle> {
    const controller = this.#find(id, who);
    if (controller.owner.userId !== who.userId) throw new ForbiddenError("Only its owner can renew a stream.");
    await this.#options.admit(controller.opened.title.id, who);
    // It may have ended meanwhile.
    this.#find(id, who).refresh(who, expiresAtMs);
    return controller.handle;
  }

  /** Pauses what is sent, also by RTSP sessions. `ConflictError` for HLS, where the player fetches by itself. */
  pause(id: string, who: Principal): StreamSummary {
    const controller = this.#findPausable(id, who);
    controller.pause();
    this.#options.live.pause(id);
    this.#options.onChange(controller.summary, false);
    return controller.summary;
  }

  /** Goes on after a pause. */
  resume(id: string, who: Principal): StreamSummary {
    const controller = this.#findPausable(id, who);
    controller.resume();
    this.#options.live.resume(id);
    this.#options.onChange(controller.summary, false);
    return controller.summary;
  }

  /** Stops a stream; resolves when its grant is revoked everywhere. */
  async stop(id: string, who: Principal): Promise<StreamSummary> {
    const controller = this.#find(id, who);
    const { summary } = controller;
    await this.#end(controller, "stopped");
    return summary;
  }

  /** A title was changed or deleted: ends the streams of those who may not see it any more. */
  titleChanged(titleId: string): void {
    for (const controller of this.#controllers.values())
      if (controller.opened.title.id === titleId) void this.#admitAgain(controller);
  }

  /** How many there are of each protocol. */
  counts(): Record<StreamProtocol, number> {
    const counts = { rtsp: 0, rtp: 0, hls: 0 };
    for (const { protocol } of this.#controllers.values()) counts[protocol]++;
    return counts;
  }

  /** Ends all of them and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const controller of this.#controllers.values()) this.#endBehind(controller, "shutdown");
    await Promise.all(this.#ending);
  }

  #requirePlace(userId: string, elsewhere: number): void {
    const { perUser, max } = this.#options;
    const own = this.list(userId).length + (this.#opening.get(userId) ?? 0);
    if (own + elsewhere >= perUser) throw new TooManyStreamsError(perUser);
    const opening = [...this.#opening.values()].reduce((sum, count) => sum + count, 0);
    if (this.#controllers.size + opening >= max)
      throw new RateLimitedError("As many streams run as this Kinora allows. Try again later.", RETRY_AFTER_SECONDS);
  }

  #take({ who, protocol, expiresAtMs }: StreamRequest, opened: OpenedStream): StreamHandle {
    const { clock, graceMs, instance, onRevoked, log } = this.#options;
    const controller: StreamController = new StreamController(opened, {
      ...{ clock, graceMs, instance, protocol, who, expiresAtMs },
      onRevoked,
      tell: (event) => this.#tell(opened.id, event),
      onOver: (reason) => this.#endBehind(controller, reason),
    });
    this.#controllers.set(opened.id, controller);
    log.info({ streamId: opened.id, protocol, titleId: opened.title.id, userId: who.userId }, "stream started");
    this.#options.onChange(controller.summary, false);
    if (this.#closed) this.#endBehind(controller, "shutdown");
    // Hidden while it was being opened, it was nobody's yet.
    else void this.#admitAgain(controller);
    return controller.handle;
  }

  #find(id: string, who: Principal): StreamController {
    const controller = this.#controllers.get(id);
    if (!controller || (who.role !== "admin" && controller.owner.userId !== who.userId)) throw noSuchStream();
    return controller;
  }

  #findPausable(id: string, who: Principal): StreamController {
    const controller = this.#find(id, who);
    if (controller.protocol === "hls")
      throw new ConflictError("An HLS player fetches its segments by itself: pause the player.");
    return controller;
  }

  async #admitAgain(controller: StreamController): Promise<void> {
    try {
      await this.#options.admit(controller.opened.title.id, controller.owner);
    } catch (error) {
      if (!this.#controllers.has(controller.id)) return;
      if (error instanceof ProblemError && error.status < 500) return this.#endBehind(controller, "title-unavailable");
      const { clock } = this.#options;
      clock.at(clock.now() + ASK_AGAIN_MS, () => {
        if (this.#controllers.has(controller.id)) void this.#admitAgain(controller);
      });
    }
  }

  #endBehind(controller: StreamController, reason: StopReason): void {
    const ending = this.#end(controller, reason).catch((error: unknown) => {
      logFailure(this.#options.log, error, "a stopped stream's grant could not be revoked", {
        streamId: controller.id,
      });
    });
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }

  async #end(controller: StreamController, reason: StopReason): Promise<void> {
    if (!this.#controllers.delete(controller.id)) return;
    const { live, log, revokeGrant } = this.#options;
    controller.release();
    live.close(controller.id, reason);
    this.#options.onChange(controller.summary, true);
    this.#tell(controller.id, { type: "stopped", reason });
    log.info({ streamId: controller.id, reason }, "stream stopped");
    if (controller.opened.grant) await revokeGrant(controller.id);
  }

  #tell(id: string, event: StreamEvent): void {
    this.#options.publish(id, event).catch((error: unknown) => {
      logFailure(
        this.#options.log,
        error,
        "a stream's event was not published",
        { streamId: id, event: event.type },
        "warn",
      );
    });
  }
}

/** 404 `not-found`, the same for what is not there and for what is somebody else's. */
export const noSuchStream = () => new NotFoundError("You have no stream with this id.");
