import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { createApp } from "../http/app.ts";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { json, noQuery } from "../http/route-parts.ts";
import type { Buried } from "./buried.ts";
import { addBuried } from "./buried-routes.ts";
import { addCollections } from "./collection-routes.ts";
import type { Collections } from "./collections.ts";
import { DESCRIPTION_MAX, deletedTitle, facet, TAG_MAX, tags, titleFacets, titleName, visibility } from "./contract.ts";
import { facetsQuery, findQuery, limit, tagsQuery } from "./find-query.ts";
import { addFolders } from "./folder-routes.ts";
import type { Folders } from "./folders.ts";
import {
  body,
  changedMeanwhile,
  grantQuery,
  ifMatch,
  notStored,
  params,
  refusals,
  shownPage,
  shownTitle,
  signedIn,
} from "./route-parts.ts";
import type { Shared } from "./shared.ts";
import { type BatchChange, changeMany } from "./title-batch.ts";
import { etagOfTitle } from "./title-view.ts";
import type { Titles } from "./titles.ts";
import type { Viewing } from "./viewing.ts";
import { addViewing } from "./viewing-routes.ts";

/** Most deleted titles in one answer. */
const DELETED_MAX = 200;

const edit = z
  .strictObject({
    name: titleName.optional(),
    visibility: visibility.optional(),
    description: z.string().max(DESCRIPTION_MAX).optional(),
    tags: tags.optional().openapi({ description: "All tags it shall have, instead of those it has." }),
  })
  .refine((fields) => Object.keys(fields).length > 0, "expected name, visibility, description or tags")
  .openapi("TitleEdit");

const anyId = z.object({ id: z.string().openapi({ description: "Title id (UUID), or media id (64 hex digits)" }) });

/** Most titles that are changed at once. */
const BATCH_MAX = 200;
/** Most tags, codecs and heights that a search is told it could be narrowed by. */
const FACETS_MAX = 50;
const TAGS_PAGE = 20;

const batch = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(BATCH_MAX),
    addTags: tags.min(1).optional(),
    removeTags: tags.min(1).optional(),
    visibility: visibility.optional(),
    delete: z.literal(true).optional(),
    restore: z.literal(true).optional(),
  })
  .refine(({ ids: _, ...changes }) => isOneChange(changes), "expected either delete, restore, or tags and visibility")
  .openapi("TitleBatch");

function isOneChange({ delete: deleted, restore, ...edits }: BatchChange): boolean {
  const kinds = [deleted, restore, Object.keys(edits).length > 0];
  return kinds.filter(Boolean).length === 1;
}

const batchResults = z
  .object({
    items: z.array(
      z.object({
        id: z.uuid(),
        title: shownTitle.nullable().openapi({ description: "As it is now; null when deleted or refused." }),
        error: z.object({ code: z.string(), status: z.number().int(), detail: z.string() }).nullable(),
      }),
    ),
  })
  .openapi("TitleBatchResults");

const shownFacets = z.object(titleFacets.shape).openapi("TitleFacets");
const deletedTitles = z.object({
  items: z.array(z.object(deletedTitle.shape).openapi("DeletedTitle")),
  keepSeconds: z.number(),
});
const tagCounts = z.object({ items: z.array(facet) }).openapi("TagCounts");

/** A public collection is for everybody, one with a link for whoever has that. */
const signedInOrCollection: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.query("collection") === undefined && !c.get("grant")) requirePrincipal(c);
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
    description: "Whoever is not signed in sees the public titles of a public collection, and nothing else.",
    middleware: [signedInOrCollection],
    request: { query: findQuery },
    responses: { 200: json(shownPage, "One page"), ...refusals },
  }),
  facets: createRoute({
    method: "get",
    path: "/api/titles/facets",
    tags: ["titles"],
    summary: "Codecs, heights and tags of what a search finds, with how many titles have them",
    description: "Of a search that finds many titles only the first are counted: `complete` is false then.",
    middleware: [signedIn],
    request: { query: facetsQuery },
    responses: { 200: json(shownFacets, "The most frequent first"), ...refusals },
  }),
  deleted: createRoute({
    method: "get",
    path: "/api/titles/deleted",
    tags: ["titles"],
    summary: "My titles that were deleted and can be restored, the last one first",
    description:
      "Whoever may edit the library sees what was deleted of it as well. `keepSeconds` is `trash.keep`. 200 at most.",
    middleware: [signedIn],
    request: { query: noQuery },
    responses: { 200: json(deletedTitles, "What can be restored, and how long it is kept"), ...refusals },
  }),
  batch: createRoute({
    method: "post",
    path: "/api/titles/batch",
    tags: ["titles"],
    summary: "Change, delete or restore many titles",
    middleware: [signedIn],
    request: { query: noQuery, body: body(batch) },
    responses: { 200: json(batchResults, "What became of each"), ...refusals },
  }),
  tagList: createRoute({
    method: "get",
    path: "/api/tags",
    tags: ["titles"],
    summary: "Tags of titles that you may see, the most frequent first",
    middleware: [signedIn],
    request: {
      query: z.strictObject({
        q: z.string().max(TAG_MAX).optional().openapi({ description: "What they begin with." }),
        limit,
      }),
    },
    responses: { 200: json(tagCounts, "The most frequent first"), ...refusals },
  }),
  get: createRoute({
    ...titleRoute,
    method: "get",
    summary: "One title, by its id or by the SHA-256 of its content",
    request: { params: anyId, query: grantQuery },
    ...answersTitle,
  }),
  edit: createRoute({
    ...titleRoute,
    method: "patch",
    summary: "Rename, describe, tag, change who may see it: all of it or nothing",
    middleware: [signedIn],
    request: { params, query: noQuery, headers: ifMatch, body: body(edit) },
    responses: { ...answersTitle.responses, ...changedMeanwhile },
  }),
  delete: createRoute({
    ...titleRoute,
    method: "delete",
    summary: "Delete; can be undone for 60 s, or as long as `trash.keep` says",
    middleware: [signedIn],
    request: { params, query: noQuery },
    responses: { 204: { description: "Deleted" }, ...refusals },
  }),
  restore: createRoute({
    ...titleRoute,
    path: "/api/titles/{id}/restore",
    method: "post",
    summary: "Undo a deletion of the last 60 s, or as long ago as `trash.keep` says",
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
};

export interface CatalogRoutesDependencies {
  readonly titles: Titles;
  readonly viewing: Viewing;
  readonly collections: Collections;
  readonly folders: Folders;
  readonly buried: Buried;
  readonly shared: Shared;
}

/** The catalog's part of the HTTP interface (design section 8). */
export function catalogRoutes(dependencies: CatalogRoutesDependencies) {
  const { titles, viewing, collections, folders, shared } = dependencies;
  const app = createApp();
  for (const path of ["/api/titles/*", "/api/collections/*", "/api/tags"]) app.use(path, notStored);
  addSearch(app, dependencies);
  addBuried(app, dependencies.buried);
  app.openapi(routes.batch, async (c) => {
    const { ids, ...change } = c.req.valid("json");
    return c.json({ items: await changeMany(titles, ids, requirePrincipal(c), change) }, 200);
  });
  app.openapi(routes.get, async (c) => {
    const { id } = c.req.valid("param");
    const grant = c.get("grant");
    if (grant) return c.json(await shared.title(id, grant.holder), 200);
    const title = await titles.get(id, c.get("principal"));
    return c.json(title, 200, { ETag: etagOfTitle(title) });
  });
  app.openapi(routes.edit, async (c) => {
    const header = c.req.valid("header")["if-match"] ?? null;
    const title = await titles.edit(c.req.valid("param").id, requirePrincipal(c), c.req.valid("json"), header);
    return c.json(title, 200, { ETag: etagOfTitle(title) });
  });
  app.openapi(routes.delete, async (c) => {
    await titles.delete(c.req.valid("param").id, requirePrincipal(c));
    return c.body(null, 204);
  });
  app.openapi(routes.restore, async (c) =>
    c.json(await titles.restore(c.req.valid("param").id, requirePrincipal(c)), 200),
  );
  app.openapi(routes.addTags, async (c) => {
    const { tags: addTags } = c.req.valid("json");
    return c.json(await titles.edit(c.req.valid("param").id, requirePrincipal(c), { addTags }), 200);
  });
  app.openapi(routes.removeTags, async (c) => {
    const { tag: removeTags } = c.req.valid("query");
    return c.json(await titles.edit(c.req.valid("param").id, requirePrincipal(c), { removeTags }), 200);
  });
  addViewing(app, viewing);
  addCollections(app, collections, shared);
  addFolders(app, folders);
  return app;
}

function addSearch(
  app: ReturnType<typeof createApp>,
  { titles, collections, shared }: CatalogRoutesDependencies,
): void {
  app.openapi(routes.find, async (c) => {
    const grant = c.get("grant");
    if (grant) return c.json(await shared.titles(c.req.valid("query"), Object.keys(c.req.query()), grant.holder), 200);
    const [query, who] = [c.req.valid("query"), c.get("principal")];
    if (query.collection !== undefined) await collections.requireVisible(query.collection, who);
    return c.json(await titles.find(query, who), 200);
  });
  app.openapi(routes.deleted, async (c) => {
    const items = await titles.deleted(requirePrincipal(c), DELETED_MAX);
    return c.json({ items, keepSeconds: titles.restoreWindowMs / 1000 }, 200);
  });
  app.openapi(routes.facets, async (c) => {
    const [query, who] = [c.req.valid("query"), requirePrincipal(c)];
    if (query.collection !== undefined) await collections.requireVisible(query.collection, who);
    return c.json(await titles.facets(query, who, FACETS_MAX), 200);
  });
  app.openapi(routes.tagList, async (c) => {
    const { q = "", limit: most = TAGS_PAGE } = c.req.valid("query");
    return c.json({ items: await titles.tags(q, requirePrincipal(c), most) }, 200);
  });
}
