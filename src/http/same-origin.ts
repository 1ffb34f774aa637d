import type { MiddlewareHandler } from "hono";
import { ForbiddenError } from "../errors.ts";
import type { HttpEnv } from "./env.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses state-changing requests that another site's page makes a browser send: a foreign `Sec-Fetch-Site`
 * (W3C Fetch Metadata) or `Origin`. A Bearer credential is never sent by a browser on its own; a Basic one may be.
 * `publicOrigin` is the origin people use when a proxy stands in front; the `Host` otherwise.
 */
export function sameOrigin(publicOrigin: string | null): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const request = c.req.raw;
    if (
      !c.env.forwarded &&
      !SAFE_METHODS.has(request.method) &&
      !/^Bearer /i.test(request.headers.get("Authorization") ?? "") &&
      isForeign(request, publicOrigin)
    ) {
      throw new ForbiddenError("This request came from a page of another site and was refused.");
    }
    await next();
  };
}

function isForeign(request: Request, publicOrigin: string | null): boolean {
  const site = request.headers.get("Sec-Fetch-Site");
  if (site !== null && site !== "same-origin" && site !== "none") return true;
  const origin = request.headers.get("Origin");
  if (origin === null) return false;
  if (origin === publicOrigin) return false;
  const host = request.headers.get("Host");
  return host === null || URL.parse(origin)?.host !== host;
}
