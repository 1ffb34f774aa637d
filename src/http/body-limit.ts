import type { MiddlewareHandler } from "hono";
import { ProblemError } from "../errors.ts";
import type { LargeBodies } from "../service.ts";
import type { HttpEnv } from "./env.ts";

/** Bytes of a body, unless its route says otherwise: a title's longest description has less in any notation. */
const BODY_BYTES = 64 << 10;

/** 413 `too-large`: the body has more bytes than requests here may have. */
class BodyTooLargeError extends ProblemError {
  constructor() {
    super("too-large", `The body may have at most ${BODY_BYTES} bytes here.`, {
      status: 413,
      data: { maxSizeBytes: BODY_BYTES },
      // Whatever else comes of the body is not taken.
      headers: { Connection: "close" },
    });
  }
}

/**
 * Refuses bodies of more than `BODY_BYTES`: before anything is read when the length is announced, else as soon as
 * more has come. `large` names the requests that have limits of their own.
 */
export function limitBody(large: readonly LargeBodies[]): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { raw, path } = c.req;
    const isLarge = large.some(
      (one) =>
        one.method === raw.method && (path === one.path || (one.below === true && path.startsWith(`${one.path}/`))),
    );
    if (!isLarge && raw.body) {
      const announced = raw.headers.get("Content-Length");
      if (Number(announced ?? 0) > BODY_BYTES) throw new BodyTooLargeError();
      if (announced === null) c.req.raw = await readWhole(raw, raw.body);
    }
    await next();
  };
}

/** The request with a body that is known to be small enough. */
async function readWhole(raw: Request, body: ReadableStream<Uint8Array>): Promise<Request> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > BODY_BYTES) throw new BodyTooLargeError();
    chunks.push(chunk);
  }
  const { method, headers, signal, url } = raw;
  return new Request(url, { method, headers, signal, body: Buffer.concat(chunks) });
}
