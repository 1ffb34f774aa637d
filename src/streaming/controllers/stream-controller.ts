import type { GrantHolder, Principal } from "../../auth/contract.ts";
import type { StopReason, StreamEvent, StreamHandle, StreamProtocol, StreamSummary } from "../contract.ts";
import type { Clock } from "./clock.ts";

/** RTP on its way to a client. */
export interface RtpPush {
  /** Sends nothing until `resume`. */
  pause(): void;
  /** Goes on, or begins at once when it has not begun by itself. */
  resume(): void;
  /** Says good-bye over RTCP and frees the sockets. Calling it again does nothing. */
  close(): void;
  /** Told once, with null when the end was reached or with why it ended before; never after `close`. */
  onEnd: (reason: StopReason | null) => void;
}

/** What a stream consists of beside its controller. */
export interface OpenedStream {
  /** Also the id of its grant, when it has one. */
  readonly id: string;
  readonly url: string;
  readonly sdp: string | null;
  readonly grant: GrantHolder | null;
  readonly push: RtpPush | null;
  readonly title: { readonly id: string; readonly name: string };
  /** When it ends at the latest, whoever renews it (epoch milliseconds). */
  readonly limitAtMs: number;
}

export interface StreamControllerOptions {
  readonly clock: Clock;
  readonly graceMs: number;
  readonly instance: string;
  readonly protocol: StreamProtocol;
  readonly who: Principal;
  /** When the credential of `who` expires (epoch milliseconds). */
  readonly expiresAtMs: number;
  /** Calls back once when a credential or grant is revoked; the result ends the watch. */
  readonly onRevoked: (who: Principal | GrantHolder, cut: () => void) => () => void;
  readonly tell: (event: StreamEvent) => void;
  /** It is over and must be ended. */
  readonly onOver: (reason: StopReason) => void;
}

/**
 * One stream under control: running until its credential expires, asking for renewal for a grace after that, then over.
 * It is over at once when its credential, the one it was made with, its grant or its user's access is revoked.
 */
export class StreamController {
  readonly opened: OpenedStream;
  readonly #options: StreamControllerOptions;
  readonly #createdAtMs: number;
  readonly #watches: (() => void)[] = [];
  #unwatchCurrent: () => void = () => undefined;
  #callOff: () => void = () => undefined;
  #expiresAtMs: number;
  #asking = false;
  #paused = false;

  constructor(opened: OpenedStream, options: StreamControllerOptions) {
    this.opened = opened;
    this.#options = options;
    this.#createdAtMs = options.clock.now();
    this.#expiresAtMs = this.#atMost(options.expiresAtMs);
    this.#watches.push(options.onRevoked(options.who, this.#cut));
    if (opened.grant) this.#watches.push(options.onRevoked(opened.grant, this.#cut));
    if (opened.push) opened.push.onEnd = (reason) => this.#pushEnded(reason);
    this.#wait();
  }

  get id(): string {
    return this.opened.id;
  }

  get owner(): Principal {
    return this.#options.who;
  }

  get protocol(): StreamProtocol {
    return this.#options.protocol;
  }

  get handle(): StreamHandle {
    const { id, url, sdp } = this.opened;
    const expiresAt = new Date(this.#expiresAtMs).toISOString();
    return { id, protocol: this.protocol, url, sdp, syncTopic: `StreamerSync.${id}`, expiresAt };
  }

  get summary(): StreamSummary {
    const { userId, username } = this.owner;
    return {
      id: this.id,
      protocol: this.protocol,
      title: { ...this.opened.title },
      user: { id: userId, username },
      state: this.#asking ? "asking" : this.#paused ? "paused" : "running",
      createdAt: new Date(this.#createdAtMs).toISOString(),
      expiresAt: new Date(this.#expiresAtMs).toISOString(),
      instance: this.#options.instance,
    };
  }

  /** Goes on until `expiresAtMs`, by another credential of its owner. */
  refresh(who: Principal, expiresAtMs: number): void {
    this.#unwatchCurrent();
    this.#unwatchCurrent = this.#options.onRevoked(who, this.#cut);
    this.#expiresAtMs = this.#atMost(expiresAtMs);
    this.#asking = false;
    this.#wait();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.opened.push?.pause();
    this.#options.tell({ type: "paused" });
  }

  resume(): void {
    this.opened.push?.resume();
    if (!this.#paused) return;
    this.#paused = false;
    this.#options.tell({ type: "resumed" });
  }

  /** Ends timers, watches and what it sends. */
  release(): void {
    this.#callOff();
    this.#unwatchCurrent();
    for (const unwatch of this.#watches.splice(0)) unwatch();
    this.opened.push?.close();
  }

  readonly #cut = () => this.#options.onOver("revoked");

  #atMost(timeMs: number): number {
    return Math.min(timeMs, this.opened.limitAtMs);
  }

  /** Waits for what comes next: asking for renewal, the end of the grace, the end of all time. */
  #wait(): void {
    this.#callOff();
    const { clock, graceMs, onOver } = this.#options;
    const { limitAtMs } = this.opened;
    const next = this.#asking ? this.#expiresAtMs + graceMs : this.#expiresAtMs;
    if (next >= limitAtMs) this.#callOff = clock.at(limitAtMs, () => onOver("time-limit"));
    else this.#callOff = clock.at(next, () => (this.#asking ? onOver("expired") : this.#ask()));
  }

  #ask(): void {
    this.#asking = true;
    const stopsAt = new Date(this.#expiresAtMs + this.#options.graceMs).toISOString();
    this.#options.tell({ type: "requestAuthentication", stopsAt });
    this.#wait();
  }

  #pushEnded(reason: StopReason | null): void {
    if (reason === null) this.#options.tell({ type: "ended" });
    this.#options.onOver(reason ?? "ended");
  }
}
