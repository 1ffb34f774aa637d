import type { Principal } from "../auth/contract.ts";
import { RateLimitedError } from "../errors.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { ProgressFeed, ProgressReader } from "./progress-feed.ts";

/** A comment is sent, and the credential asked again, this often. */
export const COMMENT_EVERY_MS = 15_000;

/** Event streams that one user may have open. */
export const STREAMS_MAX = 20;

export interface EventStreamOptions {
  readonly feed: ProgressFeed;
  readonly authenticator: Authenticator;
  readonly who: Principal;
  readonly request: Request;
  /** Ends the stream when Kinora stops. */
  readonly stopping: AbortSignal;
  readonly commentEveryMs: number;
}

/**
 * Progress as server-sent events (WHATWG HTML section 9.2), from now until the reader leaves, the credential is
 * revoked or over, or Kinora stops. `RateLimitedError` when the user has `STREAMS_MAX` open. Nothing is held before the first read nor after the end.
 */
export function eventStream(options: EventStreamOptions): Response {
  if (isFull(options)) throw new RateLimitedError(`At most ${STREAMS_MAX} event streams can be open at once.`, 30);
  let reading: Reading | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!reading) {
          // Of many that were let in at the same moment the last ones end here.
          if (isFull(options)) return controller.close();
          reading = read(options);
          controller.enqueue(encoder.encode("retry: 2000\n: hello\n\n"));
          return;
        }
        const events = await reading.reader.next();
        if (events === null) return controller.close();
        const text = events.map((event) => `event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`).join("");
        controller.enqueue(encoder.encode(text || ": still here\n\n"));
      },
      cancel: () => reading?.end(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      // nginx would collect the events otherwise.
      "X-Accel-Buffering": "no",
    },
  });
}

const isFull = ({ feed, who }: EventStreamOptions) => feed.countOf(who.userId) >= STREAMS_MAX;

const encoder = new TextEncoder();

interface Reading {
  readonly reader: ProgressReader;
  end(): void;
}

function read({ feed, authenticator, who, request, stopping, commentEveryMs }: EventStreamOptions): Reading {
  const reader = feed.open(who);
  const end = () => {
    reader.end();
    clearInterval(timer);
    unwatch();
    stopping.removeEventListener("abort", end);
    request.signal.removeEventListener("abort", end);
  };
  const checkAgain = async () => {
    // A token runs out without a word; and nobody stays on doubt.
    const still = await authenticator.authenticate(request).catch(() => null);
    if (still?.userId === who.userId) reader.keepAlive();
    else end();
  };
  const timer = setInterval(() => void checkAgain(), commentEveryMs);
  const unwatch = authenticator.onRevoked(who, end);
  stopping.addEventListener("abort", end);
  request.signal.addEventListener("abort", end);
  if (stopping.aborted || request.signal.aborted) end();
  return { reader, end };
}
