import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { NotFoundError, UnauthorizedError } from "../errors.ts";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { idParam, noQuery, problems } from "../http/route-parts.ts";
import { noteRefusals, noteSignIn } from "./audit.ts";
import type { AuthParts } from "./auth-parts.ts";
import { issuedToken } from "./contract.ts";
import { TokenFromTokenError } from "./errors.ts";
import { code, password, username } from "./http-schemas.ts";

const tags = ["Tokens"];
const tokenBody = { "application/json": { schema: z.object(issuedToken.shape).openapi("Token") } };

const nameAndPassword = z
  .strictObject({ username: username.optional(), password: password.optional(), twoFactorCode: code.optional() })
  .refine(
    (body) => (body.username === undefined) === (body.password === undefined),
    "expected username and password, or neither",
  );

const createToken = createRoute({
  method: "post",
  path: "/api/tokens",
  tags,
  security: [],
  summary: "Make a token",
  description:
    "With name and password in the body (and `twoFactorCode` where the account has a second factor), or with the session cookie or an API key and no body. A token made with a " +
    "session or API key ends with it.",
  request: {
    query: noQuery,
    body: {
      required: false,
      content: {
        "application/json": { schema: nameAndPassword },
      },
    },
  },
  responses: { 201: { description: "The token.", content: tokenBody }, ...problems(400, 401, 403, 429, 503) },
});

const refreshToken = createRoute({
  method: "post",
  path: "/api/tokens/refresh",
  tags,
  summary: "Renew the token that the request came with",
  description: "The new one has the same id: revoking it ends all of them.",
  request: { query: noQuery },
  responses: { 201: { description: "The new token.", content: tokenBody }, ...problems(400, 401, 503) },
});

const revokeToken = createRoute({
  method: "delete",
  path: "/api/tokens/{id}",
  tags,
  summary: "Revoke one of my tokens; admins may revoke any",
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: "It counts no more." }, ...problems(400, 401, 404, 503) },
});

/** Routes of `/api/tokens`. */
export function addTokenRoutes(app: OpenAPIHono<HttpEnv>, parts: AuthParts): void {
  const { accounts, sessions, tokens } = parts;
  app.openapi(createToken, async (c) => {
    const provedAtMs = Date.now();
    const body = c.req.valid("json");
    if (body.username !== undefined && body.password !== undefined) {
      const { username, password, twoFactorCode } = body;
      const { clientAddress } = c.env;
      const userAgent = c.req.header("User-Agent") ?? "";
      const login = await noteRefusals(c, parts, username, async () => {
        const verified = await accounts.verify({ username, password, clientAddress });
        await sessions.prove(verified, { clientAddress, userAgent, code: twoFactorCode });
        return verified;
      });
      noteSignIn(c, login, "token-made");
      return c.json(await tokens.issueForLogin(login, provedAtMs), 201, noStore);
    }
    const { userId, credential } = requirePrincipal(c);
    if (credential.kind === "token") throw new TokenFromTokenError();
    return c.json(await tokens.issue(userId, { kind: credential.kind, id: credential.id }, provedAtMs), 201, noStore);
  });

  app.openapi(refreshToken, async (c) => {
    if (requirePrincipal(c).credential.kind !== "token")
      throw new UnauthorizedError("This renews a token: send it as Authorization: Bearer.");
    const token = (c.req.header("Authorization") ?? "").trim().split(/\s+/)[1] ?? "";
    return c.json(await tokens.refresh(token), 201, noStore);
  });

  app.openapi(revokeToken, async (c) => {
    const who = requirePrincipal(c);
    const { id } = c.req.valid("param");
    const revoked = await tokens.revoke(id, who.role === "admin" ? undefined : who.userId);
    if (!revoked) throw new NotFoundError("You have no token with this id.");
    return c.body(null, 204);
  });
}

const noStore = { "Cache-Control": "no-store" };
