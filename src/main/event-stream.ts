import type { Principal } from "../auth/contract.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { ProgressFeed, ProgressReader } from "./progress-feed.ts";

/** A comment is sent, and the credential asked again, this often. */
export const COMMENT_EVERY_MS = 15_000;

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
 * revoked or over, or Kinora stops. Nothing is held before the first read nor after the end.
 */
export function eventStream(options: EventStreamOptions): Response {
  let reading: Reading | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!reading) {
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
