import type { OpenAPIHono } from "@hono/zod-openapi";
import { id as idSchema } from "../bus/schemas.ts";
import { InvalidRequestError } from "../errors.ts";
import { createApp } from "../http/app.ts";
import { type HttpContext, type HttpEnv, requireRole } from "../http/env.ts";
import { lazy } from "../lazy.ts";
import { UploadNotFoundError } from "./errors.ts";
import { describeRoutes } from "./route-descriptions.ts";
import { TUS_PATH } from "./tus-path.ts";
import { toUpload, type Uploads } from "./uploads.ts";

const UPLOADERS = ["admin", "editor"] as const;

/** The upload service's part of the HTTP interface. */
export function createRoutes(uploads: Uploads): OpenAPIHono<HttpEnv> {
  const app = createApp();
  // Loaded with the first upload: a start does not wait for them.
  const tus = lazy(async () => new (await import("./tus.ts")).TusProtocol(uploads));
  const form = lazy(() => import("./form-upload.ts"));
  describeRoutes(app);

  app.post("/api/titles", async (c) => {
    const who = begin(c);
    const title = await unhurried(c, async () => (await form()).uploadForm(uploads, c.req.raw, who));
    return c.json(title, 201, { Location: `/api/titles/${title.id}` });
  });

  app.post(TUS_PATH, async (c) => {
    const who = begin(c);
    const request = { raw: c.req.raw, who, id: Bun.randomUUIDv7(), stopping: c.env.stopping };
    return unhurried(c, async () => (await tus()).send(request));
  });

  app.options(TUS_PATH, async (c) =>
    (await tus()).options({ raw: c.req.raw, who: begin(c), id: "", stopping: c.env.stopping }),
  );

  // Hono answers HEAD through GET.
  app.get(`${TUS_PATH}/:id`, async (c) => {
    const request = await ownRequest(c, uploads);
    if (c.req.raw.method === "HEAD") return (await tus()).head(request);
    return c.json(toUpload(await uploads.find(request.id, request.who)), 200, { "Cache-Control": "no-store" });
  });

  app.patch(`${TUS_PATH}/:id`, async (c) => {
    const request = await ownRequest(c, uploads);
    await uploads.requireHere(request.id, request.who);
    return unhurried(c, async () => (await tus()).send(request));
  });
  app.delete(`${TUS_PATH}/:id`, async (c) => {
    const request = await ownRequest(c, uploads);
    await uploads.requireHere(request.id, request.who);
    return (await tus()).delete(request);
  });
  return app;
}

/** What all requests have in common: an editor or admin asks, and nothing stands in the query. */
function begin(c: HttpContext) {
  const who = requireRole(c, ...UPLOADERS);
  if (new URL(c.req.url).search !== "") throw new InvalidRequestError("The query: expected nothing.");
  return who;
}

/**
 * Runs what receives a body with no limit on the connection's silence: a slow sender and a large file being checked
 * are silent for longer than others may be, and `Receptions` cuts those that have stalled.
 */
async function unhurried<Result>(c: HttpContext, receive: () => Promise<Result>): Promise<Result> {
  c.env.setIdleTimeout(0);
  try {
    return await receive();
  } finally {
    c.env.resetIdleTimeout();
  }
}

/** A request about one of the caller's own uploads; anybody else's is not there. */
async function ownRequest(c: HttpContext, uploads: Uploads) {
  const who = begin(c);
  const { success, data: id } = idSchema.safeParse(c.req.param("id"));
  if (!success) throw new UploadNotFoundError();
  await uploads.find(id, who);
  return { raw: c.req.raw, who, id, stopping: c.env.stopping };
}
