import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { createApp } from "../http/app.ts";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { problem } from "../http/problem.ts";
import {
  DESCRIPTION_MAX,
  folderPage as sharedFolderPage,
  tags,
  title,
  titleName,
  titlePage,
  titleQuery,
  visibility,
} from "./contract.ts";
import type { Folders } from "./folders.ts";
import type { Titles } from "./titles.ts";

// Made anew: schemas older than the OpenAPI extension do not have its method.
const shownTitle = z.object(title.shape).openapi("Title");
const shownPage = titlePage.extend({ items: z.array(shownTitle) }).openapi("TitlePage");
const folderPage = z.object(sharedFolderPage.shape);
const progress = z.strictObject({ positionSeconds: z.number().min(0).max(1e9) }).openapi("WatchProgress");

const edit = z
  .strictObject({
    name: titleName.optional(),
    visibility: visibility.optional(),
    description: z.string().max(DESCRIPTION_MAX).optional(),
  })
  .refine((fields) => Object.keys(fields).length > 0, "expected name, visibility or description")
  .openapi("TitleEdit");

/** A query parameter that may come several times. */
const repeated = <Item extends z.ZodType>(items: z.ZodArray<Item>) =>
  z.preprocess((value) => (typeof value === "string" ? [value] : value), items);

const findQuery = z
  .strictObject({
    q: titleQuery.shape.q,
    name: titleQuery.shape.name,
    exact: z.enum(["true", "false"]).optional(),
    tag: repeated(titleQuery.shape.tags.unwrap())
      .optional()
      .openapi({ type: "array", items: { type: "string" } }),
    match: titleQuery.shape.match,
    owner: titleQuery.shape.owner,
    folder: z.uuid().optional().openapi({
      description: "Only titles that lie in this folder (`GET /api/folders`)",
    }),
    below: z.enum(["true", "false"]).optional().openapi({ description: "Also in the folders below it" }),
    sort: titleQuery.shape.sort,
    limit: z
      .string()
      .regex(/^\d{1,4}$/, "expected a whole number")
      .transform(Number)
      .pipe(titleQuery.shape.limit.unwrap())
      .optional()
      .openapi({ type: "integer", minimum: 1, maximum: 200, default: 50 }),
    cursor: titleQuery.shape.cursor,
  })
  .transform(({ tag, exact, below, ...query }) =>
    titleQuery.parse({ ...query, tags: tag ?? [], exact: exact === "true", below: below === "true" }),
  );

const limitOf = (maximum: number, normal: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().int().min(1).max(maximum))
    .optional()
    .openapi({ type: "integer", minimum: 1, maximum, default: normal });

const tagsQuery = z.strictObject({
  tag: repeated(tags.min(1)).openapi({ type: "array", items: { type: "string" } }),
});

/** Any text: what is no id is answered like an id that nothing has. */
const params = z.object({ id: z.string().openapi({ description: "Title id (UUID)" }) });
const anyId = z.object({ id: z.string().openapi({ description: "Title id (UUID), or media id (64 hex digits)" }) });
const noQuery = z.strictObject({});

const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { "application/json": { schema } },
});
const refusals = Object.fromEntries(
  [400, 401, 403, 404].map((status) => [
    status,
    { description: "Refused", content: { "application/problem+json": { schema: problem } } },
  ]),
);

/** Before anything of the request is looked at: whoever is not signed in learns nothing. */
const signedIn: MiddlewareHandler<HttpEnv> = async (c, next) => {
  requirePrincipal(c);
  await next();
};

const titleRoute = { path: "/api/titles/{id}" as const, tags: ["titles"] };
const answersTitle = { responses: { 200: json(shownTitle, "The title"), ...refusals } };

const routes = {
  find: createRoute({
    method: "get",
    path: "/api/titles",
    tags: ["titles"],
    summary: "Search titles that you may see",
    middleware: [signedIn],
    request: { query: findQuery },
    responses: { 200: json(shownPage, "One page"), ...refusals },
  }),
  get: createRoute({
    ...titleRoute,
    method: "get",
    summary: "One title, by its id or by the SHA-256 of its content",
    request: { params: anyId, query: noQuery },
    ...answersTitle,
  }),
  edit: createRoute({
    ...titleRoute,
    method: "patch",
    summary: "Rename, describe, change who may see it",
    middleware: [signedIn],
    request: { params, query: noQuery, body: body(edit) },
    ...answersTitle,
  }),
  delete: createRoute({
    ...titleRoute,
    method: "delete",
    summary: "Delete; can be undone for 60 s",
    middleware: [signedIn],
    request: { params, query: noQuery },
    responses: { 204: { description: "Deleted" }, ...refusals },
  }),
  restore: createRoute({
    ...titleRoute,
    path: "/api/titles/{id}/restore",
    method: "post",
    summary: "Undo the deletion of the last 60 s",
    middleware: [signedIn],
    request: { params, query: noQuery },
    ...answersTitle,
  }),
  addTags: createRoute({
    ...titleRoute,
    path: "/api/titles/{id}/tags",
    method: "post",
    summary: "Add tags",
    middleware: [signedIn],
    request: { params, query: noQuery, body: body(z.strictObject({ tags }).openapi("Tags")) },
    ...answersTitle,
  }),
  removeTags: createRoute({
    ...titleRoute,
    path: "/api/titles/{id}/tags",
    method: "delete",
    summary: "Remove tags",
    middleware: [signedIn],
    request: { params, query: tagsQuery },
    ...answersTitle,
  }),
  getProgress: createRoute({
    ...titleRoute,
    path: "/api/titles/{id}/progress",
    method: "get",
    summary: "Where you stopped watching",
    middleware: [signedIn],
    request: { params, query: noQuery },
    responses: { 200: json(progress, "0 when never started"), ...refusals },
  }),
  folders: createRoute({
    method: "get",
    path: "/api/folders",
    tags: ["titles"],
    summary: "The library's folders, or those in one of them; `GET /api/titles?folder=` lists what lies in it",
    middleware: [signedIn],
    request: {
      query: z.strictObject({
        parent: z.uuid().optional().openapi({ description: "A folder's id; without it the library folders" }),
        limit: limitOf(1_000, 200),
        cursor: titleQuery.shape.cursor,
      }),
    },
    responses: { 200: json(folderPage.openapi("FolderPage"), "Folders by name, with titles to see"), ...refusals },
  }),
  putProgress: createRoute({
    ...titleRoute,
    path: "/api/titles/{id}/progress",
    method: "put",
    summary: "Keep where you stopped watching",
    middleware: [signedIn],
    request: { params, query: noQuery, body: body(progress) },
    responses: { 200: json(progress, "As kept"), ...refusals },
  }),
};

/** The catalog's part of the HTTP interface (design section 8). */
export function catalogRoutes(titles: Titles, folders: Folders) {
  const app = createApp();
  app.use("/api/titles/*", async (c, next) => {
    await next();
    c.res.headers.set("Cache-Control", "no-store");
  });
  app.openapi(routes.find, async (c) => c.json(await titles.find(c.req.valid("query"), requirePrincipal(c)), 200));
  app.openapi(routes.folders, async (c) => {
    const { parent = null, limit = 200, cursor } = c.req.valid("query");
    c.header("Cache-Control", "no-store");
    return c.json(await folders.list(parent, requirePrincipal(c), limit, cursor), 200);
  });
  app.openapi(routes.get, async (c) => c.json(await titles.get(c.req.valid("param").id, c.get("principal")), 200));
  app.openapi(routes.edit, async (c) =>
    c.json(await titles.edit(c.req.valid("param").id, requirePrincipal(c), c.req.valid("json")), 200),
  );
  app.openapi(routes.delete, async (c) => {
    await titles.delete(c.req.valid("param").id, requirePrincipal(c));
    return c.body(null, 204);
  });
  app.openapi(routes.restore, async (c) =>
    c.json(await titles.restore(c.req.valid("param").id, requirePrincipal(c)), 200),
  );
  app.openapi(routes.addTags, async (c) =>
    c.json(await titles.addTags(c.req.valid("param").id, requirePrincipal(c), c.req.valid("json").tags), 200),
  );
  app.openapi(routes.removeTags, async (c) =>
    c.json(await titles.removeTags(c.req.valid("param").id, requirePrincipal(c), c.req.valid("query").tag), 200),
  );
  app.openapi(routes.getProgress, async (c) =>
    c.json({ positionSeconds: await titles.progress(c.req.valid("param").id, requirePrincipal(c)) }, 200),
  );
  app.openapi(routes.putProgress, async (c) => {
    const { positionSeconds } = c.req.valid("json");
    await titles.keepProgress(c.req.valid("param").id, requirePrincipal(c), positionSeconds);
    return c.json({ positionSeconds }, 200);
  });
  return app;
}
