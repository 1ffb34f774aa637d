import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { HttpEnv } from "../http/env.ts";
import { problems } from "../http/route-parts.ts";

const titleId = z.string().openapi({ description: "The title's id.", format: "uuid" });
const grant = z.string().optional().openapi({
  description:
    "The grant of a playback link; it stands for any other credential, and is carried into what is referred to.",
});

/** Describes a media route, which answers bytes and is therefore no typed route. */
export function describe(
  app: OpenAPIHono<HttpEnv>,
  path: string,
  params: string[],
  summary: string,
  type: string,
): void {
  app.openAPIRegistry.registerPath({
    method: "get",
    path,
    summary,
    tags: ["streaming"],
    request: {
      query: z.object({ grant }),
      params: z.object(Object.fromEntries(params.map((name) => [name, name === "titleId" ? titleId : z.string()]))),
    },
    responses: {
      200: { description: "The whole.", content: { [type]: { schema: { type: "string", format: "binary" } } } },
      206: { description: "The range that was asked for." },
      304: { description: "What the client has is current." },
      416: { description: "The range lies past the end." },
      ...problems(401, 404, 503),
    },
  });
}
