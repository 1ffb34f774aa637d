import type { StopReason } from "./contract.ts";

/** Something that plays under a grant right now: an RTSP session. Its functions must not throw. */
export interface LiveStream {
  /** Sends nothing until `resume`. Calling it while paused does nothing. */
  pause(): void;
  /** Goes on where `pause` stopped it. Calling it while it plays does nothing. */
  resume(): void;
  /** Ends at once. It is called once, and nothing after it. */
  close(reason: StopReason): void;
}

/** What somebody who registered a stream holds. */
export interface LiveStreamRegistration {
  /** The video was played to its end; the player may still seek back. */
  ended(): void;
  /** It is over: nothing is called any more. Calling it again does nothing. */
  release(): void;
}

/**
 * The streams that play in this process, by the id of the grant they play under; whoever controls the grant pauses,
 * resumes and closes them here. Grants that nobody controls, those of playback links, may be registered just the same.
 */
export class LiveStreams {
  readonly #streams = new Map<string, Set<LiveStream>>();
  readonly #paused = new Set<string>();
  #onEnded: (grantId: string) => void = () => undefined;

  /** Who is told when a stream has been played to its end. */
  set onEnded(listener: (grantId: string) => void) {
    this.#onEnded = listener;
  }

  /** How many play under a grant; under all of them without one. */
  count(grantId?: string): number {
    if (grantId !== undefined) return this.#streams.get(grantId)?.size ?? 0;
    let count = 0;
    for (const { size } of this.#streams.values()) count += size;
    return count;
  }

  /** A stream begins. It is paused at once when its grant is. */
  register(grantId: string, stream: LiveStream): LiveStreamRegistration {
    const streams = this.#streams.get(grantId) ?? new Set();
    this.#streams.set(grantId, streams.add(stream));
    if (this.#paused.has(grantId)) stream.pause();
    return {
      ended: () => {
        if (streams.has(stream)) this.#onEnded(grantId);
      },
      release: () => {
        streams.delete(stream);
        if (streams.size === 0 && this.#streams.get(grantId) === streams) this.#streams.delete(grantId);
      },
    };
  }

  /** Pauses what plays under a grant, and what will begin to until `resume` or `close`. */
  pause(grantId: string): void {
    this.#paused.add(grantId);
    for (const stream of this.#streams.get(grantId) ?? []) stream.pause();
  }

  resume(grantId: string): void {
    this.#paused.delete(grantId);
    for (const stream of this.#streams.get(grantId) ?? []) stream.resume();
  }

  /** Closes what plays under a grant, and forgets the grant. */
  close(grantId: string, reason: StopReason): void {
    const streams = this.#streams.get(grantId);
    this.#paused.delete(grantId);
    this.#streams.delete(grantId);
    for (const stream of streams ?? []) {
      // Whoever releases itself in `close` is gone from the set already.
      streams?.delete(stream);
      stream.close(reason);
    }
  }
}
