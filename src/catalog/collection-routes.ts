import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { json, noQuery } from "../http/route-parts.ts";
import type { Collections } from "./collections.ts";
import { COLLECTION_TITLES_MAX, DESCRIPTION_MAX, titleName, titleQuery, visibility } from "./contract.ts";
import { limit, repeated } from "./find-query.ts";
import {
  body,
  changedMeanwhile,
  grantQuery,
  ifMatch,
  refusals,
  shownCollection,
  shownCollections,
  signedIn,
} from "./route-parts.ts";
import type { Shared } from "./shared.ts";
import { etagOfCollection } from "./title-view.ts";

const PAGE = 50;
/** Most titles that one request adds or removes. */
const TITLES_AT_ONCE = 200;

const params = z.object({ id: z.string().openapi({ description: "Collection id (UUID)" }) });
const fields = {
  name: titleName,
  description: z.string().max(DESCRIPTION_MAX).optional(),
  visibility: visibility.optional(),
};
const newCollection = z.strictObject(fields).openapi("NewCollection");
const edit = z
  .strictObject({ ...fields, name: titleName.optional() })
  .refine((given) => Object.keys(given).length > 0, "expected name, visibility or description")
  .openapi("CollectionEdit");
const placed = z
  .strictObject({
    titleIds: z.array(z.uuid()).min(1).max(TITLES_AT_ONCE),
    before: z.uuid().nullable().optional().openapi({
      description:
        "The title they come before; null for the end. When absent, new ones come to the end and others stay.",
    }),
  })
  .openapi("PlacedTitles");
const taken = z.strictObject({
  title: repeated(z.array(z.uuid()).min(1).max(TITLES_AT_ONCE)).openapi({
    type: "array",
    items: { type: "string", format: "uuid" },
  }),
});

const route = { tags: ["collections"], middleware: [signedIn] };
const path = "/api/collections/{id}";
const answer = { responses: { 200: json(shownCollection, "The collection"), ...refusals } };

const routes = {
  create: createRoute({
    ...route,
    method: "post",
    path: "/api/collections",
    summary: "Make a collection",
    description: "It is private unless you say otherwise.",
    request: { query: noQuery, body: body(newCollection) },
    responses: { 201: json(shownCollection, "The collection"), ...refusals },
  }),
  list: createRoute({
    ...route,
    method: "get",
    path: "/api/collections",
    summary: "Collections that you may see, by name",
    request: {
      query: z.strictObject({
        owner: titleQuery.shape.owner,
        q: z.string().max(200).optional().openapi({ description: "A part of the name." }),
        limit,
        cursor: titleQuery.shape.cursor,
      }),
    },
    responses: { 200: json(shownCollections, "One page"), ...refusals },
  }),
  edit: createRoute({
    ...route,
    method: "patch",
    path,
    summary: "Rename, describe, change who may see it",
    request: { params, query: noQuery, headers: ifMatch, body: body(edit) },
    responses: { ...answer.responses, ...changedMeanwhile },
  }),
  delete: createRoute({
    ...route,
    method: "delete",
    path,
    summary: "Delete the collection, not its titles",
    request: { params, query: noQuery },
    responses: { 204: { description: "Deleted" }, ...refusals },
  }),
  place: createRoute({
    ...route,
    method: "post",
    path: `${path}/titles`,
    summary: "Add titles, or move them",
    description: `A collection has at most ${COLLECTION_TITLES_MAX} titles. Doing it again changes nothing.`,
    request: { params, query: noQuery, body: body(placed) },
    ...answer,
  }),
  take: createRoute({
    ...route,
    method: "delete",
    path: `${path}/titles`,
    summary: "Take titles out",
    request: { params, query: taken },
    ...answer,
  }),
  of: createRoute({
    ...route,
    method: "get",
    path: "/api/titles/{id}/collections",
    summary: "Collections that a title is in, of those that you may see",
    request: { params: z.object({ id: z.string().openapi({ description: "Title id (UUID)" }) }), query: noQuery },
    responses: {
      200: json(z.object({ items: z.array(shownCollection) }), "By name"),
      ...refusals,
    },
  }),
};

const get = createRoute({
  tags: ["collections"],
  method: "get",
  path,
  summary: "One collection; its titles are at `/api/titles?collection=…`",
  request: { params, query: grantQuery },
  ...answer,
});

/** Ordered collections of titles. */
export function addCollections(app: OpenAPIHono<HttpEnv>, collections: Collections, shared: Shared): void {
  app.openapi(routes.create, async (c) =>
    c.json(await collections.create(requirePrincipal(c), c.req.valid("json")), 201),
  );
  app.openapi(routes.list, async (c) => {
    const { limit: most = PAGE, ...query } = c.req.valid("query");
    return c.json(await collections.list({ ...query, limit: most }, requirePrincipal(c)), 200);
  });
  app.openapi(get, async (c) => {
    const { id } = c.req.valid("param");
    const grant = c.get("grant");
    if (grant) return c.json(await shared.collection(id, grant.holder), 200);
    const collection = await collections.get(id, c.get("principal"));
    return c.json(collection, 200, { ETag: etagOfCollection(collection) });
  });
  app.openapi(routes.edit, async (c) => {
    const header = c.req.valid("header")["if-match"] ?? null;
    const { id } = c.req.valid("param");
    const collection = await collections.edit(id, requirePrincipal(c), c.req.valid("json"), header);
    return c.json(collection, 200, { ETag: etagOfCollection(collection) });
  });
  app.openapi(routes.delete, async (c) => {
    await collections.delete(c.req.valid("param").id, requirePrincipal(c));
    return c.body(null, 204);
  });
  app.openapi(routes.place, async (c) => {
    const { titleIds, before = "added" } = c.req.valid("json");
    return c.json(await collections.place(c.req.valid("param").id, requirePrincipal(c), titleIds, before), 200);
  });
  app.openapi(routes.take, async (c) =>
    c.json(await collections.take(c.req.valid("param").id, requirePrincipal(c), c.req.valid("query").title), 200),
  );
  app.openapi(routes.of, async (c) => {
    const items = await collections.of(c.req.valid("param").id, requirePrincipal(c));
    return c.json({ items }, 200);
  });
}
