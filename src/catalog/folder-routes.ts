import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requirePrincipal } from "../http/env.ts";
import { json } from "../http/route-parts.ts";
import { folderPage as sharedFolderPage, titleQuery } from "./contract.ts";
import { limitOf } from "./find-query.ts";
import type { Folders } from "./folders.ts";
import { notStored, refusals, signedIn } from "./route-parts.ts";

const PAGE = 200;
const PAGE_MAX = 1_000;

const folderPage = z.object(sharedFolderPage.shape).openapi("FolderPage");

const list = createRoute({
  method: "get",
  path: "/api/folders",
  tags: ["titles"],
  summary: "The library's folders, or those in one of them; `GET /api/titles?folder=` lists what lies in it",
  middleware: [signedIn, notStored],
  request: {
    query: z.strictObject({
      parent: z.uuid().optional().openapi({ description: "A folder's id; without it the library folders" }),
      limit: limitOf(PAGE_MAX, PAGE),
      cursor: titleQuery.shape.cursor,
    }),
  },
  responses: { 200: json(folderPage, "Folders by name, with titles to see"), ...refusals },
});

/** The folders of the library. */
export function addFolders(app: OpenAPIHono<HttpEnv>, folders: Folders): void {
  app.openapi(list, async (c) => {
    const { parent = null, limit = PAGE, cursor } = c.req.valid("query");
    return c.json(await folders.list(parent, requirePrincipal(c), limit, cursor), 200);
  });
}
