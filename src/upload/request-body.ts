import { foreignContainer } from "../media/foreign-container.ts";
import { IncompleteBodyError, NotAVideoError } from "./errors.ts";
import { sniff } from "./sniff.ts";

/**
 * A request's body in chunks. Throws the signal's reason when it is aborted, and `IncompleteBodyError` when the
 * connection ends before the body does.
 */
export async function* bodyChunks(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (!body) return;
  const reader = body.getReader();
  // A read that waits for the client ends with `done` when its reader is cancelled.
  const stop = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        signal.throwIfAborted();
        throw new IncompleteBodyError(error);
      });
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    // Whoever stopped early must not let the rest pile up in memory.
    stop();
  }
}

/** Says what the file is, where its first bytes tell. */
function refusalOf(head: Uint8Array): string {
  const name = foreignContainer(head);
  const read = "MP4, MOV, Matroska, WebM, MPEG-TS";
  return name === null
    ? `This file is not a video: it begins like no container that Kinora reads (${read}).`
    : `This file is ${name}, which Kinora does not read. It reads ${read}.`;
}

/** The same chunks, but the first ones are held until they look like a video; `NotAVideoError` when they do not. */
export async function* refuseOthers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let head: Uint8Array | null = new Uint8Array();
  for await (const chunk of chunks) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const verdict = sniff(head);
    if (verdict === "other") throw new NotAVideoError(refusalOf(head));
    if (verdict === "unknown") continue;
    yield head;
    head = null;
  }
  if (head && head.length > 0) yield head;
}
