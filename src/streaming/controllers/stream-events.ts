import type { Principal } from "../../auth/contract.ts";
import type { Unsubscribe } from "../../bus/bus.ts";
import { ProblemError, RateLimitedError } from "../../errors.ts";
import type { Authenticator } from "../../identity/authenticator.ts";
import type { StreamEvent, StreamSummary } from "../contract.ts";

/** A comment is sent, and it is looked whether the stream is still there, this often. */
export const COMMENT_EVERY_MS = 15_000;
/** Readers of one stream's events on this instance. */
const READERS_MAX = 5;
/** Events a reader may be behind with; whoever is further behind is let go. */
const PENDING_MAX = 100;
/** After a revocation the stream's own end is told within this time, before the reader is let go. */
const LAST_WORDS_MS = 500;

/** As the interface calls them. */
const eventNames: Readonly<Record<StreamEvent["type"], string>> = {
  requestAuthentication: "authentication-requested",
  paused: "paused",
  resumed: "resumed",
  ended: "ended",
  stopped: "stopped",
};

export interface StreamEventsOptions {
  /** Subscribes to one stream's events, from wherever it runs. */
  readonly subscribe: (id: string, handler: (event: StreamEvent) => void) => Promise<Unsubscribe>;
  /** One stream as somebody may see it; `NotFoundError` when there is none for them. */
  readonly find: (id: string, who: Principal) => Promise<StreamSummary>;
  readonly authenticator: Authenticator;
  readonly graceMs: number;
  readonly commentEveryMs?: number;
}

export interface EventsRequest {
  readonly id: string;
  readonly who: Principal;
  readonly request: Request;
  /** Ends the answer when Kinora stops. */
  readonly stopping: AbortSignal;
}

/** Relays the events of streams as server-sent events (WHATWG HTML section 9.2). */
export class StreamEvents {
  readonly #options: StreamEventsOptions;
  readonly #readers = new Map<string, number>();

  constructor(options: StreamEventsOptions) {
    this.#options = options;
  }

  /**
   * The events of one stream from now on, until it stops or the reader leaves. Its owner hears of it for as long as it
   * runs, since it runs by their own credential; anybody else for as long as theirs counts.
   */
  async open(asked: EventsRequest): Promise<Response> {
    const { id, who } = asked;
    const reader = new EventReader(id);
    this.#enter(id);
    reader.onEnd(() => this.#leave(id));
    try {
      // Subscribed first and looked at after, so that nothing is missed in between.
      const unsubscribe = await this.#options.subscribe(id, (event) => reader.push(event));
      reader.onEnd(() => void unsubscribe());
      const summary = await this.#options.find(id, who);
      if (summary.state === "asking") {
        const stopsAt = new Date(Date.parse(summary.expiresAt) + this.#options.graceMs).toISOString();
        reader.push({ type: "requestAuthentication", stopsAt });
      }
      this.#watch(reader, asked, summary.user.id === who.userId);
    } catch (error) {
      reader.end();
      throw error;
    }
    return respond(reader);
  }

  #watch(reader: EventReader, { id, who, request, stopping }: EventsRequest, isOwner: boolean): void {
    const { authenticator, find, commentEveryMs = COMMENT_EVERY_MS } = this.#options;
    const end = () => reader.end();
    const check = async () => {
      if (!isOwner && (await authenticator.authenticate(request))?.userId !== who.userId) return end();
      await find(id, who);
      reader.comment();
    };
    const timer = setInterval(() => {
      check().catch((error: unknown) => {
        // Its instance may be gone without a word; nobody stays on doubt.
        if (error instanceof ProblemError && error.status === 404) reader.push({ type: "stopped", reason: "gone" });
        else end();
      });
    }, commentEveryMs);
    reader.onEnd(() => clearInterval(timer));
    reader.onEnd(authenticator.onRevoked(who, () => void setTimeout(end, LAST_WORDS_MS)));
    for (const signal of [stopping, request.signal]) {
      signal.addEventListener("abort", end);
      reader.onEnd(() => signal.removeEventListener("abort", end));
      if (signal.aborted) end();
    }
  }

  #enter(id: string): void {
    const readers = this.#readers.get(id) ?? 0;
    if (readers >= READERS_MAX)
      throw new RateLimitedError(`At most ${READERS_MAX} can follow one stream's events at once.`, 30);
    this.#readers.set(id, readers + 1);
  }

  #leave(id: string): void {
    const left = (this.#readers.get(id) ?? 1) - 1;
    if (left > 0) this.#readers.set(id, left);
    else this.#readers.delete(id);
  }
}

function respond(reader: EventReader): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await reader.next();
        if (text === null) controller.close();
        else controller.enqueue(encoder.encode(text));
      },
      cancel: () => reader.end(),
    },
    { highWaterMark: 0 },
  );
  const headers = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    // nginx would collect the events otherwise.
    "X-Accel-Buffering": "no",
  };
  return new Response(body, { headers });
}

const encoder = new TextEncoder();

/** What one reader has not read yet. */
class EventReader {
  readonly #id: string;
  readonly #pending: string[] = ["retry: 2000\n: hello\n\n"];
  readonly #endings: (() => void)[] = [];
  /** Nothing is added any more; what there is may still be read. */
  #complete = false;
  #wake: (() => void) | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  push({ type, ...details }: StreamEvent): void {
    if (this.#complete) return;
    this.#pending.push(`event: ${eventNames[type]}\ndata: ${JSON.stringify({ id: this.#id, ...details })}\n\n`);
    if (type === "stopped" || this.#pending.length > PENDING_MAX) this.end();
    else this.#wake?.();
  }

  comment(): void {
    if (this.#complete || this.#pending.length > 0) return;
    this.#pending.push(": still here\n\n");
    this.#wake?.();
  }

  /** Runs something when it ends; at once when it has. */
  onEnd(run: () => void): void {
    if (this.#complete) run();
    else this.#endings.push(run);
  }

  end(): void {
    if (this.#complete) return;
    this.#complete = true;
    for (const run of this.#endings.splice(0)) run();
    this.#wake?.();
  }

  /** Waits for what is next; null at the end. */
  async next(): Promise<string | null> {
    while (this.#pending.length === 0 && !this.#complete) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    this.#wake = null;
    return this.#pending.splice(0).join("") || null;
  }
}
