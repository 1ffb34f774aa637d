import type { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { ProblemError } from "../errors.ts";
import { createApp } from "../http/app.ts";
import type { HttpEnv } from "../http/env.ts";
import type { AuthParts } from "./auth-parts.ts";
import { addBetterAuthRoutes } from "./better-auth-routes.ts";
import { addSessionListRoutes, addSessionRoutes } from "./session-routes.ts";
import { addTokenRoutes } from "./token-routes.ts";
import { addUserRoutes } from "./user-routes.ts";

/** All bodies here are small; anything more is an attempt to fill the memory. */
const MAX_BODY_BYTES = 64 * 1024;

/** The auth service's part of the HTTP interface. */
export function authRoutes(parts: AuthParts): OpenAPIHono<HttpEnv> {
  const app = createApp();
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw new ProblemError("too-large", `The body is too large: at most ${MAX_BODY_BYTES} bytes.`, { status: 413 });
    },
  });
  for (const path of ["/api/session", "/api/sessions", "/api/auth", "/api/tokens", "/api/users", "/api/invites"]) {
    app.use(path, limit);
    app.use(`${path}/*`, limit);
  }
  addSessionRoutes(app, parts);
  addSessionListRoutes(app, parts);
  addTokenRoutes(app, parts);
  addUserRoutes(app, parts);
  addBetterAuthRoutes(app, parts);
  return app;
}
