import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requireRole } from "../http/env.ts";
import { json, noQuery } from "../http/route-parts.ts";
import type { Buried } from "./buried.ts";
import { buriedTitle } from "./contract.ts";
import { params, refusals } from "./route-parts.ts";

/** Most titles in one answer. */
const BURIED_MAX = 500;

const buriedTitles = z
  .object({ items: z.array(z.object(buriedTitle.shape).openapi("BuriedTitle")) })
  .openapi("BuriedTitles");

const routes = {
  list: createRoute({
    method: "get",
    path: "/api/titles/buried",
    tags: ["titles"],
    summary: "Titles of the library that were deleted for good, the last one first (admin)",
    description: "Those that can still be restored are not among them (`/api/titles/deleted`). 500 at most.",
    request: { query: noQuery },
    responses: { 200: json(buriedTitles, "What an admin can bring back"), ...refusals },
  }),
  bringBack: createRoute({
    method: "post",
    path: "/api/titles/buried/{id}/restore",
    tags: ["titles"],
    summary: "Bring a title of the library back that was deleted for good: its file is taken up again (admin)",
    request: { params, query: noQuery },
    responses: { 204: { description: "It is there again within seconds, if its file is." }, ...refusals },
  }),
};

/** `/api/titles/buried`: for admins. */
export function addBuried(app: OpenAPIHono<HttpEnv>, buried: Buried): void {
  // Before anything of the request is looked at: others learn nothing.
  app.use("/api/titles/buried/*", async (c, next) => {
    requireRole(c, "admin");
    await next();
  });
  app.openapi(routes.list, async (c) => c.json({ items: await buried.list(BURIED_MAX) }, 200));
  app.openapi(routes.bringBack, async (c) => {
    const { id } = c.req.valid("param");
    await buried.bringBack(id);
    const by = c.get("principal")?.userId;
    c.get("log")?.info({ audit: "library-title-brought-back", by, title: id }, "deleted library title brought back");
    return c.body(null, 204);
  });
}
