import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type HttpEnv, requireRole, viewerOf } from "../http/env.ts";
import { noQuery, problems } from "../http/route-parts.ts";
import type { AllWatching } from "./all-watching.ts";
import { watched } from "./contract.ts";
import type { Watching } from "./watching.ts";

const listWatching = createRoute({
  method: "get",
  path: "/api/watching",
  tags: ["streams"],
  summary: "What is being watched without a stream controller, the newest first (admin)",
  description:
    "In browsers and players, as far as requests of the last minute tell. `bytes` is null for whole files, of which players ask for more than they take. " +
    "Streams under control are in `GET /api/streams`.",
  request: { query: noQuery },
  responses: {
    200: {
      description: "Who watches what.",
      content: {
        "application/json": { schema: z.object({ items: z.array(z.object(watched.shape).openapi("Watched")) }) },
      },
    },
    ...problems(400, 401, 403, 503),
  },
});

/** `GET /api/watching`: for admins. */
export function addWatching(app: OpenAPIHono<HttpEnv>, all: AllWatching): void {
  app.use("/api/watching", async (c, next) => {
    // Before anything of the request is looked at: others learn nothing.
    requireRole(c, "admin");
    await next();
  });
  app.openapi(listWatching, async (c) => c.json({ items: await all.list() }, 200, { "Cache-Control": "no-store" }));
}

/** Notes each answer with media. */
export function noteWatching(watching: Watching): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await next();
    const media = c.get("media");
    if (!media || c.req.method !== "GET" || c.res.status >= 400) return;
    const path = c.req.path.split("/").slice(3).join("/");
    watching.note({ ...media, who: viewerOf(c), clientAddress: c.env.clientAddress, path, signal: c.req.raw.signal });
  };
}
