import { createRoute, type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import {
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  type ProblemError,
  RateLimitedError,
  TemporaryUnavailableError,
  UnauthorizedError,
} from "../errors.ts";
import { type HttpContext, type HttpEnv, requirePrincipal } from "../http/env.ts";
import { noQuery, problems } from "../http/route-parts.ts";
import { SECOND_FACTOR } from "./attempt-limits.ts";
import { noteRefusals } from "./audit.ts";
import type { AuthParts } from "./auth-parts.ts";
import { AUTH_BASE_PATH, CLIENT_ADDRESS_HEADER } from "./better-auth-names.ts";
import { TwoFactorError, WrongCredentialsError, WrongPasswordError } from "./errors.ts";
import { code, password } from "./http-schemas.ts";
import { passCookies, sessionCookieHeader } from "./session-cookie.ts";
import { readCode, requireSession } from "./sessions.ts";

/**
 * What of better-auth can be reached. Everything else of it is not: signing in and up, names, passwords, e-mail
 * addresses and roles have routes of ours, with our limits, our rules and revocation.
 */
const get = (path: string, summary: string, query: z.ZodObject = noQuery) => ({
  method: "get" as const,
  path,
  summary,
  query,
});
const post = (path: string, summary: string, body: z.ZodObject = z.strictObject({})) => ({
  method: "post" as const,
  path,
  summary,
  body,
});

const keyId = z.string().min(1).max(100);
/** Shown in a list: nothing in it may reorder or hide what stands around it. */
const keyName = z
  .string()
  .min(1)
  .max(32)
  .regex(/^[^\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]*$/u, "expected no control characters");
const keyLifetime = z.number().int().min(86_400).nullable().optional().describe("Seconds; null for ever.");

const endpoints = [
  get("/get-session", "My session and I, as better-auth describes them; null when nobody is signed in"),
  get("/list-sessions", "My sessions"),
  post("/revoke-session", "End one of my sessions", z.strictObject({ id: z.uuid() })),
  post("/revoke-sessions", "End all my sessions"),
  post("/revoke-other-sessions", "End all my sessions but this one"),
  post("/api-key/create", "Make an API key", z.strictObject({ name: keyName.optional(), expiresIn: keyLifetime })),
  get("/api-key/list", "My API keys, without the keys themselves"),
  get("/api-key/get", "One of my API keys", z.strictObject({ id: keyId })),
  post(
    "/api-key/update",
    "Rename, disable or enable an API key",
    z.strictObject({ keyId, name: keyName.optional(), enabled: z.boolean().optional(), expiresIn: keyLifetime }),
  ),
  post("/api-key/delete", "Delete an API key", z.strictObject({ keyId })),
  post(
    "/two-factor/enable",
    "Begin with a second factor: the address for an authenticator app, and backup codes, shown only here",
    z.strictObject({ password }),
  ),
  post("/two-factor/verify-totp", "Switch the second factor on with a first code", z.strictObject({ code })),
  post("/two-factor/disable", "Switch the second factor off", z.strictObject({ password })),
  post(
    "/two-factor/generate-backup-codes",
    "New backup codes; those before count no more",
    z.strictObject({ password }),
  ),
];

/** Routes of `/api/auth`. */
export function addBetterAuthRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthParts): void {
  for (const endpoint of endpoints) {
    const content = { "application/json": { schema: z.unknown() } };
    const config: RouteConfig = {
      method: endpoint.method,
      path: `${AUTH_BASE_PATH}${endpoint.path}`,
      tags: ["better-auth"],
      summary: endpoint.summary,
      request:
        "body" in endpoint
          ? {
              query: noQuery,
              body: {
                // Without it a body of another type would go by unchecked.
                required: !endpoint.body.safeParse({}).success,
                content: { "application/json": { schema: endpoint.body } },
              },
            }
          : { query: endpoint.query },
      responses: { 200: { description: "As better-auth answers.", content }, ...problems(400, 401, 403, 404, 503) },
    };
    app.openapi(createRoute(config), async (c) => {
      const body: unknown = "body" in endpoint ? c.req.valid("json" as never) : null;
      return answer(c, parts, endpoint.path, body);
    });
  }
}

async function answer(c: HttpContext, parts: AuthParts, path: string, body: unknown): Promise<Response> {
  if (path !== "/get-session") requireSession(requirePrincipal(c));
  await beforehand(c, parts, path, body);
  // A copy of a session that has ended may still be in the cache: better-auth would show it.
  if (c.get("principal")?.credential.kind !== "session") return c.json(null, 200, { "Cache-Control": "no-store" });
  const response = await (await parts.betterAuth()).handler(
    requestFor(c, path, await inTheirTerms(c, parts, path, body)),
  );
  const answered: unknown = await response.json().catch(() => null);
  // To better-auth there is no session either when it could not look.
  if (response.ok ? answered === null : isWithoutSession(response, answered)) await requireEnded(c, parts);
  if (!response.ok) throw problemOf(response, answered, path);
  await endWhatEnded(parts, path, body);
  await noteChange(c, parts, path, body);
  passCookies(c, response.headers);
  return c.json(withOwnName(c, withoutEmail(withoutTokens(answered))), 200, { "Cache-Control": "no-store" });
}

const sessionRefused = z.object({
  code: z.enum(["UNAUTHORIZED", "UNAUTHORIZED_SESSION", "INVALID_TWO_FACTOR_COOKIE"]),
});
const isWithoutSession = ({ status }: Response, answered: unknown) =>
  status === 401 && sessionRefused.safeParse(answered).success;

/** `TemporaryUnavailableError` while the session of the request is there or nobody knows. */
async function requireEnded(c: HttpContext, { store }: AuthParts): Promise<void> {
  if (await store.getSessionUser(requirePrincipal(c).credential.id)) throw unreachable();
}

const unreachable = () => new TemporaryUnavailableError("The accounts cannot be reached right now.");

/** better-auth names sessions by their secret, which answers do not tell; we by their ids. */
async function inTheirTerms(c: HttpContext, { store }: AuthParts, path: string, body: unknown): Promise<unknown> {
  if (path !== "/revoke-session") return body;
  const { id } = z.object({ id: z.string() }).parse(body);
  const token = await store.sessionToken(id, requirePrincipal(c).userId);
  if (token === null) throw new NotFoundError("You have no session with this id.");
  return { token };
}

/** Only what better-auth needs: the session cookie, the checked body and the address we found. */
function requestFor(c: HttpContext, path: string, body: unknown): Request {
  const headers = new Headers({
    Cookie: sessionCookieHeader(c) ?? "",
    [CLIENT_ADDRESS_HEADER]: c.env.clientAddress,
    "Content-Type": "application/json",
  });
  const url = `http://localhost${AUTH_BASE_PATH}${path}${new URL(c.req.url).search}`;
  // better-auth knows no HEAD; Hono drops the body.
  const method = c.req.method === "HEAD" ? "GET" : c.req.method;
  return new Request(url, { method, headers, ...(body === null ? {} : { body: JSON.stringify(body) }) });
}

/** better-auth has hooks for ended sessions (`better-auth.ts`), none for API keys. */
async function endWhatEnded({ revocations }: AuthParts, path: string, body: unknown): Promise<void> {
  const ended = z.object({ keyId: z.string(), enabled: z.boolean().optional() }).safeParse(body);
  if (!ended.success) return;
  if (path === "/api-key/delete" || ended.data.enabled === false) await revocations.end("api-key", ended.data.keyId);
}

/** What guesses passwords or codes is limited here: better-auth does not count what comes with a session. */
async function beforehand(c: HttpContext, parts: AuthParts, path: string, body: unknown) {
  const { accounts, limits } = parts;
  if (path.startsWith("/api-key/")) return limits.administer(requirePrincipal(c).userId, c.req.method !== "GET");
  if (!path.startsWith("/two-factor/")) return;
  const { userId, username } = requirePrincipal(c);
  if (path === "/two-factor/verify-totp") return limits.attemptSecondFactor(userId);
  const { password } = z.object({ password: z.string() }).parse(body);
  const { clientAddress } = c.env;
  const verify = () =>
    accounts.verify({ username, password, clientAddress }).catch((error: unknown) => {
      throw error instanceof WrongCredentialsError ? new WrongPasswordError() : error;
    });
  await noteRefusals(c, parts, username, verify);
}

const audited: Readonly<Record<string, string>> = {
  "/api-key/create": "API key made",
  "/api-key/update": "API key changed",
  "/api-key/delete": "API key deleted",
  "/two-factor/verify-totp": "second factor switched on",
  "/two-factor/disable": "second factor switched off",
  "/two-factor/generate-backup-codes": "backup codes made anew",
  "/revoke-session": "session ended by its owner",
  "/revoke-sessions": "sessions ended by their owner",
  "/revoke-other-sessions": "other sessions ended by their owner",
};

async function noteChange(c: HttpContext, { limits }: AuthParts, path: string, body: unknown): Promise<void> {
  const { userId } = c.get("principal") ?? {};
  if (path === "/two-factor/verify-totp" && userId) {
    await limits.secondFactorSucceeded(userId);
    // It counts once: not for a sign-in as well.
    await limits.isFirstUse(userId, readCode(z.object({ code: z.string() }).parse(body).code).text);
  }
  const text = audited[path];
  if (text) c.get("log").info({ audit: path.slice(1).replaceAll("/", "-"), by: userId }, text);
}

/** The authenticator app shows the user's name and ours, where better-auth would put the synthetic e-mail address. */
function withOwnName(c: HttpContext, answered: unknown): unknown {
  const parsed = z.looseObject({ totpURI: z.string() }).safeParse(answered);
  if (!parsed.success) return answered;
  const label = `${c.get("principal")?.username}@${new URL(c.env.origin).host}`;
  const totpURI = parsed.data.totpURI.replace(/^(otpauth:\/\/totp\/[^:?]+:)[^?]*/, `$1${encodeURIComponent(label)}`);
  return { ...parsed.data, totpURI };
}

function problemOf(response: Response, answered: unknown, path: string): ProblemError {
  if (path === "/two-factor/verify-totp" && response.status === 401) return new TwoFactorError(true);
  const parsed = z.object({ message: z.string() }).safeParse(answered);
  const message = parsed.success ? parsed.data.message : `better-auth answered ${response.status}.`;
  if (response.status >= 500) return unreachable();
  if (response.status === 401) return new UnauthorizedError(message);
  if (response.status === 403) return new ForbiddenError(message);
  if (response.status === 404) return new NotFoundError(message);
  if (response.status === 429) return new RateLimitedError(message, SECOND_FACTOR.windowMs / 1000);
  return new InvalidRequestError(message);
}

/** `token` is the secret of a session wherever better-auth writes it: it belongs in the cookie, which no script reads. */
function withoutTokens(answered: unknown): unknown {
  if (Array.isArray(answered)) return answered.map(withoutTokens);
  if (typeof answered !== "object" || answered === null) return answered;
  const kept = Object.entries(answered).filter(([name]) => name !== "token");
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutTokens(value)]));
}

/** The synthetic address is nobody's business, and what goes with it means nothing here. */
function withoutEmail(answered: unknown): unknown {
  const parsed = z.looseObject({ user: z.looseObject({ id: z.string() }) }).safeParse(answered);
  if (!parsed.success) return answered;
  const { email: _email, emailVerified: _verified, image: _image, ...user } = parsed.data.user;
  return { ...parsed.data, user };
}
