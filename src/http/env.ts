import type { Context } from "hono";
import type { Logger } from "pino";
import type { GrantHolder, Principal, Role } from "../auth/contract.ts";
import { ForbiddenError, UnauthorizedError } from "../errors.ts";

/** What the listener hands to every request. */
export interface HttpBindings {
  /** The client's address, through `trustedProxies`. */
  readonly clientAddress: string;
  /** Whether a proxy that is not trusted, or says nothing of use, stands between: `clientAddress` is the proxy's then. */
  readonly behindUnknownProxy: boolean;
  /** Whether the client speaks TLS: `publicUrl` says so, or a trusted proxy in `X-Forwarded-Proto`. */
  readonly secure: boolean;
  /** Where the client reaches Kinora, for absolute URLs: `publicUrl`, or what the request itself names. No slash at the end. */
  readonly origin: string;
  /** The names the request is addressed to: its `Host`, and what a trusted proxy says the client wrote there. */
  readonly hosts: readonly string[];
  /** Whether the request came straight from this machine: no proxy has had it. */
  readonly fromThisMachine: boolean;
  /** Whether main sent it on: it has checked the host and the origin already. */
  readonly forwarded: boolean;
  /** Whether each chunk of a body is copied before the next one is asked for, so that it may lie in the same memory. */
  readonly copiesChunks: boolean;
  /** Aborted when Kinora stops: answers that have no end of their own end then. */
  readonly stopping: AbortSignal;
  /** Seconds of silence after which the connection is closed; 0 for never. Media and event streams need more than the default. */
  setIdleTimeout(seconds: number): void;
  /** Gives the connection the default again: it may stay for further requests. */
  resetIdleTimeout(): void;
}

export interface HttpVariables {
  requestId: string;
  log: Logger;
  /** Who asks; null when nobody is signed in. */
  principal: Principal | null;
  /** The grant in the URL; null when there is none. It is looked at for media, and what is read with it. */
  grant: PresentedGrant | null;
  /** What of a title the answer sends; of media alone. */
  media?: AnsweredMedia;
}

/** Which title's media an answer sends, and how much of it. */
export interface AnsweredMedia {
  readonly titleId: string;
  readonly titleName: string;
  readonly durationSeconds: number | null;
  readonly bytes: number;
}

/** A grant that counts, as it stood in the URL. */
export interface PresentedGrant {
  readonly holder: GrantHolder;
  /** The grant itself: for the URLs that an answer leads to, and for nothing else. */
  readonly text: string;
}

export type HttpEnv = { Bindings: HttpBindings; Variables: HttpVariables };
export type HttpContext = Context<HttpEnv>;

/** The signed-in caller; `UnauthorizedError` when nobody is. */
export function requirePrincipal(c: HttpContext): Principal {
  const who = c.get("principal");
  if (!who) throw new UnauthorizedError();
  return who;
}

/** Who asks for media: the holder of the grant in the URL, else the signed-in caller, else nobody. */
export function viewerOf(c: HttpContext): Principal | GrantHolder | null {
  return c.get("grant")?.holder ?? c.get("principal");
}

/** The signed-in caller, who must have one of these roles; `ForbiddenError` otherwise. */
export function requireRole(c: HttpContext, ...allowed: Role[]): Principal {
  const who = requirePrincipal(c);
  if (!allowed.includes(who.role)) throw new ForbiddenError(`This takes the role ${allowed.join(" or ")}.`);
  return who;
}
