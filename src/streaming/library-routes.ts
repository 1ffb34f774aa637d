import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requireRole } from "../http/env.ts";
import { problems } from "../http/route-parts.ts";
import type { AllLibraries } from "./all-libraries.ts";
import { announcement, keptFolders, libraryReport, titlesOfRemoved } from "./contract.ts";
import type { Playback } from "./playback.ts";

const report = { description: "The folders.", content: { "application/json": { schema: libraryReport } } };
const newFolder = z
  .strictObject({
    path: z.string().min(1).max(4096).openapi({ description: "An absolute path on the machine that Kinora runs on" }),
    visibility: announcement.shape.visibility.default("members"),
    instance: z.string().max(200).optional().openapi({
      description: "The streaming instance whose machine it is on; needed where several run",
    }),
  })
  .openapi("NewLibraryFolder");

const place = z
  .object({
    origin: z.enum(["upload", "library"]),
    folder: z.string().nullable().openapi({ description: "The library folder; null for an upload." }),
    path: z.string().nullable().openapi({ description: "Below the folder; null for an upload, which Kinora keeps." }),
  })
  .openapi("TitlePlace");

const removal = z.strictObject({
  titles: z.enum(titlesOfRemoved.options).default("keep").openapi({
    description:
      "`keep`: they are there again when the folder is. `forget`: they go for good, with tags, progress and places in collections; no file is touched.",
  }),
});

const kept = (description: string) => ({
  description,
  content: { "application/json": { schema: z.object(keptFolders.shape).openapi("KeptFolders") } },
});

/** What is known of folders that may be library folders no more. */
function addKept(app: OpenAPIHono<HttpEnv>, library: AllLibraries): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/library/kept",
      summary: "Folders of which files are known, removed ones among them (admin)",
      tags: ["library"],
      responses: { 200: kept("The folders."), ...problems(401, 403) },
    }),
    async (c) => c.json(await library.kept(), 200),
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/library/kept",
      summary: "Forget the titles of folders that were removed (admin)",
      description: "With tags, progress and places in collections; no file is touched. It goes on behind the answer.",
      tags: ["library"],
      request: {
        query: z.strictObject({
          folder: z.uuid().optional().openapi({ description: "Only of this one; all if absent." }),
        }),
      },
      responses: {
        202: kept("The folders whose titles are being forgotten, also when that was begun before."),
        ...problems(400, 401, 403, 404, 409, 503),
      },
    }),
    async (c) => {
      const { folder } = c.req.valid("query");
      const begun = await library.forgetRemoved(folder);
      const by = c.get("principal")?.userId;
      for (const { folder: path, files, instance } of begun.items)
        c.get("log").info({ audit: "library-titles-forgotten", by, folder: path, files, instance }, "titles forgotten");
      return c.json(begun, 202);
    },
  );
}

/** `/api/library`: for admins. */
export function addLibrary(app: OpenAPIHono<HttpEnv>, library: AllLibraries, playback: Pick<Playback, "find">): void {
  // Before anything of the request is looked at: others learn nothing.
  app.use("/api/library/*", async (c, next) => {
    requireRole(c, "admin");
    await next();
  });
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/library",
      summary: "Library folders, and the files that were refused and why (admin)",
      tags: ["library"],
      responses: { 200: report, ...problems(401, 403) },
    }),
    async (c) => c.json(await library.report(), 200),
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/library/rescan",
      summary: "Scan the library folders again (admin)",
      tags: ["library"],
      responses: { 202: report, ...problems(401, 403) },
    }),
    async (c) => {
      // It may take hours; its progress is on /api/events and its failures in the report and the log.
      const report = await library.rescan();
      c.get("log").info({ audit: "library-rescan", by: c.get("principal")?.userId }, "rescan asked for");
      return c.json(report, 202);
    },
  );
  app.openapi(
    createRoute({
      method: "post",
      path: "/api/library/folders",
      summary: "Add a library folder; its scan begins at once (admin)",
      tags: ["library"],
      request: { body: { required: true, content: { "application/json": { schema: newFolder } } } },
      responses: { 201: report, ...problems(400, 401, 403, 404, 409) },
    }),
    async (c) => {
      const { path, visibility, instance } = c.req.valid("json");
      const added = await library.add({ path, visibility }, instance);
      const by = c.get("principal")?.userId;
      c.get("log").info(
        { audit: "library-folder-added", by, folder: path, visibility, instance },
        "library folder added",
      );
      return c.json(added, 201);
    },
  );
  app.openapi(
    createRoute({
      method: "delete",
      path: "/api/library/folders/{id}",
      summary: "Remove an added library folder; nothing in it is touched (admin)",
      tags: ["library"],
      request: { params: z.object({ id: z.string() }), query: removal },
      responses: {
        204: { description: "Its titles are unavailable, or are being forgotten." },
        ...problems(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { titles } = c.req.valid("query");
      await library.remove(id, titles);
      const by = c.get("principal")?.userId;
      c.get("log").info({ audit: "library-folder-removed", by, folder: id, titles }, "library folder removed");
      return c.body(null, 204);
    },
  );
  addKept(app, library);
  app.openapi(
    createRoute({
      method: "get",
      path: "/api/library/titles/{id}",
      summary: "Where the file lies that plays a title (admin)",
      tags: ["library"],
      request: { params: z.object({ id: z.uuid() }) },
      responses: {
        200: { description: "Its place.", content: { "application/json": { schema: place } } },
        ...problems(401, 403, 404, 503),
      },
    }),
    async (c) => {
      const { origin, folder, path } = (await playback.find(c.req.valid("param").id, c.get("principal"))).source;
      return c.json({ origin, folder, path }, 200);
    },
  );
}
