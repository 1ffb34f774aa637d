import type { Principal } from "../auth/contract.ts";
import { ProblemError, RateLimitedError, TemporaryUnavailableError, UnauthorizedError } from "../errors.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import { IncompleteBodyError, UploadGoneError, UploadLockedError } from "./errors.ts";
import { type LockHolder, noUploadLocks, type UploadLock, type UploadLocks } from "./upload-locks.ts";

/** Requests that one user may have sending at once. */
export const RUNNING_MAX = 16;
/** A sender that was silent for this long gives way to a new request: its connection has probably died. */
export const SILENT_MS = 2_000;
/** A sender that was silent for this long is cut. */
const STALLED_MS = 300_000;
const CHECK_MS = 15_000;

const SIGNED_OUT = "You were signed out. Sign in and go on with the upload.";
const STOPPING = "Kinora is stopping. Go on with the upload later.";

/** One request that sends bytes of an upload. */
export class Reception {
  readonly who: Principal;
  readonly #abort = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #lastByteAt = performance.now();
  #receiving = true;
  #lost = false;

  constructor(who: Principal) {
    this.who = who;
  }

  /** Aborted with a `ProblemError` when the request may not go on. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when the request is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Milliseconds without a byte; 0 once all bytes are here. */
  get silentMs(): number {
    return this.#receiving ? performance.now() - this.#lastByteAt : 0;
  }

  /** Whether another instance has the upload by now. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** Ends it, as another instance has the upload by now: not a byte more may be written. */
  lose(): void {
    this.#lost = true;
    this.cut(new TemporaryUnavailableError("Another instance goes on with this upload."));
  }

  /** A byte has come. */
  touch(): void {
    this.#lastByteAt = performance.now();
  }

  /** All bytes are here. */
  received(): void {
    this.#receiving = false;
  }

  /** Ends it with this answer. The connection is closed: the rest of the body is not taken. */
  cut({ code, message, status, data, headers }: ProblemError): void {
    const close = { ...headers, Connection: "close" };
    this.#abort.abort(new ProblemError(code, message, { status, data, headers: close }));
  }

  end(): void {
    this.#over.resolve();
  }
}

/** The requests that are sending now: at most one for each upload, and not too many for each user. */
export class Receptions {
  readonly #authenticator: Pick<Authenticator, "onRevoked">;
  readonly #locks: UploadLocks;
  readonly #running = new Map<string, Reception>();
  readonly #timer: Timer;
  #closed = false;

  constructor(authenticator: Pick<Authenticator, "onRevoked">, locks: UploadLocks = noUploadLocks) {
    this.#authenticator = authenticator;
    this.#locks = locks;
    this.#timer = setInterval(() => this.#cutStalled(), CHECK_MS);
    this.#timer.unref();
  }

  /**
   * Runs `use` as the only request that sends bytes of this upload. `UploadLockedError` while another one is;
   * one that has gone silent is cut, and what it brought is kept. Revoking the caller's credential cuts it, and so
   * does `stopping`.
   */
  async run<Result>(
    id: string,
    who: Principal,
    use: (reception: Reception) => Promise<Result>,
    stopping?: AbortSignal,
  ): Promise<Result> {
    await this.yieldSilent(id);
    const reception = this.#begin(id, who);
    const unwatch = this.#authenticator.onRevoked(who, () => reception.cut(new UnauthorizedError(SIGNED_OUT)));
    const stop = () => reception.cut(new TemporaryUnavailableError(STOPPING));
    stopping?.addEventListener("abort", stop, { once: true });
    let lock: UploadLock | null = null;
    try {
      lock = await this.#lock(id, reception);
      return await use(reception);
    } finally {
      unwatch();
      stopping?.removeEventListener("abort", stop);
      await lock?.release();
      this.#running.delete(id);
      reception.end();
    }
  }

  /** `UploadLockedError` while another instance receives this upload from a sender that is not silent. */
  async #lock(id: string, reception: Reception): Promise<UploadLock> {
    const holder: LockHolder = {
      silentMs: () => reception.silentMs,
      onAsked: (kind) => {
        if (kind === "stop") reception.cut(new UploadGoneError());
        else if (reception.silentMs >= SILENT_MS) reception.cut(new IncompleteBodyError());
      },
      onLost: () => reception.lose(),
    };
    const lock = (await this.#locks.take(id, holder)) ?? (await this.#takeOver(id, holder));
    if (!lock) throw new UploadLockedError();
    return lock;
  }

  async #takeOver(id: string, holder: LockHolder): Promise<UploadLock | null> {
    return (await this.#locks.ask(id, "yield")) ? this.#locks.take(id, holder) : null;
  }

  /** Whether having the lock is enough to take an upload over; else its lease in the records says who may. */
  get lockDecides(): boolean {
    return this.#locks.decides;
  }

  /** Whether another instance receives this upload. */
  async isElsewhere(id: string): Promise<boolean> {
    return !this.#running.has(id) && (await this.#locks.isHeld(id));
  }

  /** Ends a request that has gone silent, so that its bytes are counted. */
  async yieldSilent(id: string): Promise<void> {
    const other = this.#running.get(id);
    if (other && other.silentMs >= SILENT_MS) await this.cut(id, new IncompleteBodyError());
    if (!other) await this.#locks.ask(id, "yield");
  }

  /** Cuts the request that sends this upload, if there is one, and waits for its end. */
  async cut(id: string, reason: ProblemError): Promise<void> {
    const reception = this.#running.get(id);
    if (!reception) return void (await this.#locks.ask(id, "stop"));
    reception.cut(reason);
    await reception.over;
  }

  /** Cuts all of them and waits for their end: what has arrived is kept. No new ones begin. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed = true;
    const reason = new TemporaryUnavailableError(STOPPING);
    await Promise.all([...this.#running.keys()].map((id) => this.cut(id, reason)));
  }

  #begin(id: string, who: Principal): Reception {
    if (this.#closed) throw new TemporaryUnavailableError(STOPPING);
    if (this.#running.has(id)) throw new UploadLockedError();
    const mine = [...this.#running.values()].filter((other) => other.who.userId === who.userId);
    if (mine.length >= RUNNING_MAX) throw new RateLimitedError(`At most ${RUNNING_MAX} uploads can run at once.`, 5);
    const reception = new Reception(who);
    this.#running.set(id, reception);
    return reception;
  }

  #cutStalled(): void {
    for (const reception of this.#running.values()) {
      if (reception.silentMs >= STALLED_MS) reception.cut(new IncompleteBodyError());
    }
  }
}
