import { getCookie } from "hono/cookie";
import type { HttpContext } from "../http/env.ts";
import { SESSION_COOKIE } from "./contract.ts";

/** Copies cookies that better-auth set to the answer; `Secure` when the request came over TLS. */
export function passCookies(c: HttpContext, headers: Headers): void {
  for (const cookie of headers.getSetCookie()) {
    c.header("Set-Cookie", c.env.secure ? `${cookie}; Secure` : cookie, { append: true });
  }
}

/** The random part of the session cookie, which names the session; empty without one. It is checked elsewhere. */
export function sessionTokenOf(c: HttpContext): string {
  const value = getCookie(c, SESSION_COOKIE) ?? "";
  return value.slice(0, Math.max(0, value.lastIndexOf(".")));
}

/** A `Cookie` header with the session cookie and no other; null without one. */
export function sessionCookieHeader(c: HttpContext): string | null {
  const pairs = (c.req.header("Cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${SESSION_COOKIE}=`)) ?? null;
}
