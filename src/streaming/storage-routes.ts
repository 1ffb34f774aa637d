import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requireRole } from "../http/env.ts";
import { noQuery, problems } from "../http/route-parts.ts";
import { storageReport } from "./contract.ts";
import type { Storage } from "./storage.ts";

const tags = ["Operations"];
const reportSchema = z.object(storageReport.shape).openapi("StorageReport");
const removedSchema = z.object({ files: z.number().int(), bytes: z.number().int() });

const report = createRoute({
  method: "get",
  path: "/api/storage",
  tags,
  summary: "What takes how much space, and how much is free (admin)",
  description: "As the instance that answers sees it. Measured every 5 seconds at most.",
  request: { query: noQuery },
  responses: {
    200: { description: "Areas and volumes.", content: { "application/json": { schema: reportSchema } } },
    ...problems(400, 401, 403),
  },
});

const clearIndex = createRoute({
  method: "delete",
  path: "/api/storage/index",
  tags,
  summary: "Remove what can be made again: the stored indexes of videos (admin)",
  description: "Nothing is lost: each is made anew when its video is opened, which takes a moment longer that once.",
  request: { query: noQuery },
  responses: {
    200: { description: "What was removed.", content: { "application/json": { schema: removedSchema } } },
    ...problems(400, 401, 403),
  },
});

/** `/api/storage`: for admins. */
export function addStorage(app: OpenAPIHono<HttpEnv>, storage: Storage): void {
  // Before anything of the request is looked at: others learn nothing.
  for (const path of ["/api/storage", "/api/storage/*"])
    app.use(path, async (c, next) => {
      requireRole(c, "admin");
      await next();
    });
  app.openapi(report, async (c) => c.json(await storage.report(), 200, { "Cache-Control": "no-store" }));
  app.openapi(clearIndex, async (c) => {
    const { userId: by } = requireRole(c, "admin");
    const removed = await storage.clearIndex();
    c.get("log").info({ audit: "index-cleared", by, ...removed }, "stored indexes removed");
    return c.json(removed, 200);
  });
}
