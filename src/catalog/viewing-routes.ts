import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { json, noQuery } from "../http/route-parts.ts";
import { titleState } from "./contract.ts";
import { body, params, refusals, signedIn } from "./route-parts.ts";
import type { Viewing } from "./viewing.ts";

const positionSeconds = z.number().min(0).max(1e9);
const progress = z
  .object({
    positionSeconds: positionSeconds.openapi({ description: "0 when never started." }),
    watched: titleState.shape.watched,
  })
  .openapi("WatchProgress");
const change = z
  .strictObject({ positionSeconds: positionSeconds.optional(), watched: z.boolean().optional() })
  .refine((fields) => Object.keys(fields).length > 0, "expected positionSeconds or watched")
  .openapi("WatchProgressChange");

const route = { tags: ["titles"], middleware: [signedIn] };
const progressPath = "/api/titles/{id}/progress";
const favouritePath = "/api/titles/{id}/favourite";

const routes = {
  get: createRoute({
    ...route,
    method: "get",
    path: progressPath,
    summary: "Where you stopped watching",
    request: { params, query: noQuery },
    responses: { 200: json(progress, "0 when never started"), ...refusals },
  }),
  put: createRoute({
    ...route,
    method: "put",
    path: progressPath,
    summary: "Keep where you stopped watching, or mark as watched",
    description:
      "Past 90 % of the duration a title counts as watched by itself. Marked as watched or not without a position, it " +
      "starts from its beginning next time.",
    request: { params, query: noQuery, body: body(change) },
    responses: { 200: json(progress, "As kept"), ...refusals },
  }),
  favour: createRoute({
    ...route,
    method: "put",
    path: favouritePath,
    summary: "Make it one of your favourites",
    request: { params, query: noQuery },
    responses: { 204: { description: "It is." }, ...refusals },
  }),
  disfavour: createRoute({
    ...route,
    method: "delete",
    path: favouritePath,
    summary: "Take it out of your favourites",
    request: { params, query: noQuery },
    responses: { 204: { description: "It is none." }, ...refusals },
  }),
};

/** What people do with titles for themselves. */
export function addViewing(app: OpenAPIHono<HttpEnv>, viewing: Viewing): void {
  app.openapi(routes.get, async (c) => {
    const { positionSeconds: position, watched } = await viewing.state(c.req.valid("param").id, requirePrincipal(c));
    return c.json({ positionSeconds: position ?? 0, watched }, 200);
  });
  app.openapi(routes.put, async (c) => {
    const who = requirePrincipal(c);
    const { positionSeconds: position, watched } = await viewing.progress(
      c.req.valid("param").id,
      who,
      c.req.valid("json"),
    );
    return c.json({ positionSeconds: position ?? 0, watched }, 200);
  });
  app.openapi(routes.favour, async (c) => {
    await viewing.favourite(c.req.valid("param").id, requirePrincipal(c), true);
    return c.body(null, 204);
  });
  app.openapi(routes.disfavour, async (c) => {
    await viewing.favourite(c.req.valid("param").id, requirePrincipal(c), false);
    return c.body(null, 204);
  });
}
