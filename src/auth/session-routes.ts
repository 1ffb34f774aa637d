import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { ForbiddenError } from "../errors.ts";
import { type HttpContext, type HttpEnv, requirePrincipal } from "../http/env.ts";
import type { AuthParts } from "./auth-parts.ts";
import type { Login } from "./auth-store.ts";
import { WrongCredentialsError } from "./errors.ts";
import { code, noQuery, password, problems, sessionBody, userJson, username } from "./http-schemas.ts";
import { passCookies, sessionCookieHeader, sessionTokenOf } from "./session-cookie.ts";

const tags = ["Session"];

const signIn = createRoute({
  method: "post",
  path: "/api/session",
  tags,
  security: [],
  summary: "Sign in, or create the account when the name is new and registration is open",
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
  description: "All other sessions, all tokens and all API keys of the account end.",
  request: {
    query: noQuery,
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ current: password, next: password }) } },
    },
  },
  responses: { 204: { description: "Changed." }, ...problems(400, 401, 403, 429, 503) },
});

/** Routes of `/api/session`. */
export function addSessionRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthParts): void {
  app.openapi(signIn, async (c) => {
    const { clientAddress } = c.env;
    const { login, created } = await parts.accounts.enter({ ...c.req.valid("json"), clientAddress });
    await openSession(c, parts, login);
    return c.json({ user: userJson(login) }, created ? 201 : 200);
  });

  app.openapi(getSession, async (c) => {
    const { userId, username, role, credential } = requirePrincipal(c);
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
    if (who?.credential.kind === "api-key")
      throw new ForbiddenError("An API key is not signed out. Delete it with POST /api/auth/api-key/delete.");
    if (who?.credential.kind === "token") {
      await parts.tokens.revoke(who.credential.id);
      return c.body(null, 204);
    }
    const token = who ? sessionTokenOf(c) : "";
    const close = () => closeSession(parts, token);
    const { headers } = await (who ? parts.revocations.enforce("session", who.credential.id, close) : close());
    passCookies(c, headers);
    return c.body(null, 204);
  });

  app.openapi(changePassword, async (c) => {
    const who = requirePrincipal(c);
    const { current, next } = c.req.valid("json");
    const keepSession = who.credential.kind === "session" ? who.credential.id : undefined;
    await parts.users.changePassword(
      { username: who.username, password: current, clientAddress: c.env.clientAddress },
      next,
      keepSession,
    );
    return c.body(null, 204);
  });
}

async function openSession(c: HttpContext, parts: AuthParts, login: Login): Promise<void> {
  const userAgent = (c.req.header("User-Agent") ?? "").slice(0, 256);
  const opened = await (await parts.betterAuth()).api.openSession({
    body: { userId: login.id, ipAddress: c.env.clientAddress, userAgent },
    headers: new Headers(),
    returnHeaders: true,
  });
  // The password may have been changed while it was being checked.
  if (!(await parts.store.isCurrent(login))) {
    await closeSession(parts, opened.response.token);
    throw new WrongCredentialsError();
  }
  // A browser that signs in again, as somebody else perhaps, must not leave a session behind that nobody can end.
  if (c.get("principal")?.credential.kind === "session") await closeSession(parts, sessionTokenOf(c));
  passCookies(c, opened.headers);
}

async function closeSession(parts: AuthParts, token: string) {
  return (await parts.betterAuth()).api.closeSession({ body: { token }, headers: new Headers(), returnHeaders: true });
}
