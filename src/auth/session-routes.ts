import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpContext, type HttpEnv, requirePrincipal } from "../http/env.ts";
import { idParam, noQuery, problems } from "../http/route-parts.ts";
import { noteRefusals, noteSignIn } from "./audit.ts";
import type { AuthParts } from "./auth-parts.ts";
import type { Login } from "./auth-store.ts";
import { ApiKeyNotAllowedError, NobodyError } from "./errors.ts";
import { code, password, sessionBody, userJson, username } from "./http-schemas.ts";
import { passCookies, sessionCookieHeader, sessionTokenOf } from "./session-cookie.ts";
import { requireSession } from "./sessions.ts";

const tags = ["Session"];

const signIn = createRoute({
  method: "post",
  path: "/api/session",
  tags,
  security: [],
  summary: "Sign in, or create the account when the name is new and registration is open",
  description: "Where the account has a second factor, 403 `two-factor-required` asks for `twoFactorCode`.",
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            username,
            password,
            create: z
              .boolean()
              .optional()
              .describe("False: when the name is new and anybody may register, answer 404 `unknown-user` instead."),
            twoFactorCode: code
              .optional()
              .describe("Where the account has a second factor: a code of the authenticator app, or a backup code."),
            invite: code.optional().describe("The code of an invitation."),
            setupCode: code
              .optional()
              .describe("The code that the server printed at its start, for the first account."),
          }),
        },
      },
    },
  },
  responses: {
    200: { description: "Signed in. The answer sets the session cookie.", content: sessionBody },
    201: { description: "Account created and signed in.", content: sessionBody },
    ...problems(400, 401, 403, 404, 429, 503),
  },
});

const getSession = createRoute({
  method: "get",
  path: "/api/session",
  tags,
  summary: "Who I am",
  description:
    "The 401 has `first: true` while the server has no account at all, and `takesSetupCode`: whether the first one, which is the admin's, takes the code printed at the start.",
  request: { query: noQuery },
  responses: { 200: { description: "The signed-in user.", content: sessionBody }, ...problems(400, 401, 503) },
});

const signOut = createRoute({
  method: "delete",
  path: "/api/session",
  tags,
  summary: "Sign out",
  request: { query: noQuery },
  description: "Ends the session and the tokens made with it, or the token that the request came with.",
  responses: { 204: { description: "Nobody is signed in any more." }, ...problems(401, 403, 503) },
});

const changePassword = createRoute({
  method: "put",
  path: "/api/session/password",
  tags,
  summary: "Change my password",
  description:
    "All other sessions, all tokens and all API keys of the account end. Not with an API key: `api-key-not-allowed`.",
  request: {
    query: noQuery,
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ current: password, next: password }) } },
    },
  },
  responses: { 204: { description: "Changed." }, ...problems(400, 401, 403, 429, 503) },
});

const sessionSchema = z
  .object({
    id: z.uuid(),
    current: z.boolean().describe("Whether it is the session of this request."),
    userAgent: z.string().nullable(),
    ipAddress: z.string().nullable().describe("Where it was opened from."),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime().describe("When it was used last, to a minute."),
    expiresAt: z.iso.datetime(),
  })
  .openapi("Session");

const listSessions = createRoute({
  method: "get",
  path: "/api/sessions",
  tags,
  summary: "Where I am signed in: this session, then the one used last",
  request: { query: noQuery },
  responses: {
    200: {
      description: "My sessions.",
      content: { "application/json": { schema: z.object({ items: z.array(sessionSchema) }) } },
    },
    ...problems(400, 401, 403, 503),
  },
});

const endSession = createRoute({
  method: "delete",
  path: "/api/sessions/{id}",
  tags,
  summary: "Sign one of my sessions out",
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: "It counts no more." }, ...problems(400, 401, 403, 404, 503) },
});

const endOthers = createRoute({
  method: "delete",
  path: "/api/sessions",
  tags,
  summary: "Sign out everywhere else",
  request: { query: noQuery },
  responses: {
    200: {
      description: "How many sessions have ended.",
      content: { "application/json": { schema: z.object({ ended: z.number().int() }) } },
    },
    ...problems(400, 401, 403, 503),
  },
});

/** Routes of `/api/sessions`: for the session cookie alone. */
export function addSessionListRoutes(app: OpenAPIHono<HttpEnv>, { sessions }: AuthParts): void {
  app.openapi(listSessions, async (c) => {
    const who = requirePrincipal(c);
    const own = requireSession(who);
    const listed = (await sessions.list(who.userId)).toSorted((a, b) => Number(b.id === own) - Number(a.id === own));
    const items = listed.map(({ createdAt, lastSeenAt, expiresAt, ...session }) => ({
      ...session,
      current: session.id === own,
      createdAt: createdAt.toISOString(),
      lastSeenAt: (session.id === own ? new Date() : lastSeenAt).toISOString(),
      expiresAt: expiresAt.toISOString(),
    }));
    return c.json({ items }, 200, { "Cache-Control": "no-store" });
  });
  app.openapi(endSession, async (c) => {
    const who = requirePrincipal(c);
    requireSession(who);
    const { id } = c.req.valid("param");
    await sessions.end(id, who.userId);
    c.get("log").info({ audit: "session-ended", by: who.userId, session: id }, "session ended by its owner");
    return c.body(null, 204);
  });
  app.openapi(endOthers, async (c) => {
    const who = requirePrincipal(c);
    requireSession(who);
    const ended = await sessions.endOthers(who);
    c.get("log").info({ audit: "sessions-ended", by: who.userId, ended }, "other sessions ended by their owner");
    return c.json({ ended }, 200);
  });
}

/** Routes of `/api/session`. */
export function addSessionRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthParts): void {
  app.openapi(signIn, async (c) => {
    const { clientAddress } = c.env;
    const { twoFactorCode, ...given } = c.req.valid("json");
    const { login, created } = await noteRefusals(c, parts, given.username, async () => {
      const entered = await parts.accounts.enter({ ...given, clientAddress });
      await openSession(c, parts, entered.login, twoFactorCode);
      return entered;
    });
    noteSignIn(c, login, created ? "user-registered" : "signed-in");
    return c.json({ user: userJson(login) }, created ? 201 : 200);
  });

  app.openapi(getSession, async (c) => {
    const who = c.get("principal");
    if (!who) throw new NobodyError(await parts.accounts.firstAccount());
    const { userId, username, role, credential } = who;
    if (credential.kind === "session") {
      // Extends the session once a day, so that whoever comes back within a month stays signed in.
      const { headers } = await (await parts.betterAuth()).api.getSession({
        headers: new Headers({ Cookie: sessionCookieHeader(c) ?? "" }),
        returnHeaders: true,
      });
      passCookies(c, headers);
    }
    return c.json({ user: { id: userId, username, role } }, 200);
  });

  app.openapi(signOut, async (c) => {
    const who = c.get("principal");
    if (who?.credential.kind === "api-key") throw new ApiKeyNotAllowedError();
    if (who?.credential.kind === "token") {
      await parts.tokens.revoke(who.credential.id);
      return c.body(null, 204);
    }
    const token = who ? sessionTokenOf(c) : "";
    const close = () => parts.sessions.close(token);
    const headers = await (who ? parts.revocations.enforce("session", who.credential.id, close) : close());
    passCookies(c, headers);
    if (who) c.get("log").info({ audit: "signed-out", by: who.userId }, "signed out");
    return c.body(null, 204);
  });

  app.openapi(changePassword, async (c) => {
    const who = requirePrincipal(c);
    await parts.tokens.refuseApiKey(who);
    const { current, next } = c.req.valid("json");
    const keepSession = who.credential.kind === "session" ? who.credential.id : undefined;
    const proof = { username: who.username, password: current, clientAddress: c.env.clientAddress };
    await noteRefusals(c, parts, who.username, () => parts.users.changePassword(proof, next, keepSession));
    c.get("log").info({ audit: "password-changed", by: who.userId }, "password changed by its owner");
    return c.body(null, 204);
  });
}

async function openSession(c: HttpContext, { sessions }: AuthParts, login: Login, code: string | undefined) {
  const userAgent = c.req.header("User-Agent") ?? "";
  const opened = await sessions.open(login, { clientAddress: c.env.clientAddress, userAgent, code });
  // A browser that signs in again, as somebody else perhaps, must not leave a session behind that nobody can end.
  if (c.get("principal")?.credential.kind === "session") await sessions.close(sessionTokenOf(c));
  passCookies(c, opened.headers);
}
