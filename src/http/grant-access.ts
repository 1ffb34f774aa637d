import type { MiddlewareHandler } from "hono";
import { GRANT_PARAMETER } from "../auth/contract.ts";
import { UnauthorizedError } from "../errors.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { HttpContext, HttpEnv, PresentedGrant } from "./env.ts";

/** What a page of another site may read of an answer (Fetch standard, CORS), beside what it always may. */
const EXPOSED = "Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After, X-Request-Id";
/** What it may send. */
const ALLOWED_HEADERS = "Range, If-Range, If-None-Match, If-Modified-Since";
/** How long a browser may keep the answer to its preflight, in seconds. */
const PREFLIGHT_MAX_AGE = 7_200;

/**
 * Lets a grant in the URL stand for everything else that a request may show: it alone decides, and one that does not
 * count is refused even beside a valid cookie. Only with a grant may any site's page read the answer, never with
 * cookies.
 */
export function grantAccess(authenticator: Authenticator): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const grants = c.req.queries(GRANT_PARAMETER);
    if (grants === undefined) return next();
    if (c.req.method === "OPTIONS") return preflight();
    c.set("grant", await present(authenticator, grants));
    await next();
  };
}

/**
 * The same for what may be read through a link beside the media itself, on pages of ours only. Nothing can be changed
 * with a grant: it is not looked at then, and a parameter that nobody knows.
 */
export function sharedAccess(authenticator: Authenticator): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const grants = c.req.queries(GRANT_PARAMETER);
    if (grants !== undefined && (c.req.method === "GET" || c.req.method === "HEAD"))
      c.set("grant", await present(authenticator, grants));
    await next();
    if (grants !== undefined) c.res.headers.set("Referrer-Policy", "no-referrer");
  };
}

async function present(authenticator: Authenticator, grants: readonly string[]): Promise<PresentedGrant> {
  const [text = "", ...more] = grants;
  const holder = more.length === 0 ? await authenticator.resolveGrant(text) : null;
  if (!holder) throw new UnauthorizedError("This link does not count (any more). Ask for a new one.");
  return { holder, text };
}

/** Says who may read an answer, errors included, and keeps its address from the next site. */
export const grantHeaders: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  if (!hasGrant(c)) return;
  c.res.headers.set("Access-Control-Allow-Origin", "*");
  c.res.headers.set("Access-Control-Expose-Headers", EXPOSED);
  c.res.headers.set("Cross-Origin-Resource-Policy", "cross-origin");
  c.res.headers.set("Referrer-Policy", "no-referrer");
};

const hasGrant = (c: HttpContext) => c.req.query(GRANT_PARAMETER) !== undefined;

function preflight(): Response {
  const headers = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": ALLOWED_HEADERS,
    "Access-Control-Max-Age": String(PREFLIGHT_MAX_AGE),
  };
  return new Response(null, { status: 204, headers });
}
