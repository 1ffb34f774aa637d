import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { problems } from "../http/route-parts.ts";
import { collection, collectionPage, title, titlePage } from "./contract.ts";

// Made anew: schemas older than the OpenAPI extension do not have its method.
export const shownTitle = z.object(title.shape).openapi("Title");
export const shownPage = titlePage.extend({ items: z.array(shownTitle) }).openapi("TitlePage");
export const shownCollection = z.object(collection.shape).openapi("Collection");
export const shownCollections = collectionPage.extend({ items: z.array(shownCollection) }).openapi("CollectionPage");

/** Any text: what is no id is answered like an id that nothing has. */
export const params = z.object({ id: z.string().openapi({ description: "Title id (UUID)" }) });
/** The grant of a link stands for any other credential. */
export const grantQuery = z.strictObject({
  grant: z.string().optional().openapi({ description: "The grant of a link, in place of any other credential." }),
});

export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { "application/json": { schema } },
});
/** Of a request that changes something: what it must be like. */
export const ifMatch = z.object({
  "if-match": z.string().max(1_000).optional().openapi({
    description:
      "The `ETag` it was read with: then it is changed as long as nobody else has; 412 `changed-meanwhile` otherwise.",
  }),
});
export const changedMeanwhile = problems(412);
export const refusals = problems(400, 401, 403, 404);

/** Before anything of the request is looked at: whoever is not signed in learns nothing. */
export const signedIn: MiddlewareHandler<HttpEnv> = async (c, next) => {
  requirePrincipal(c);
  await next();
};

/** Answers are somebody's: nothing between keeps them. */
export const notStored: MiddlewareHandler<HttpEnv> = async (c, next) => {
  await next();
  c.res.headers.set("Cache-Control", "no-store");
};
