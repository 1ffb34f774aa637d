import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { id } from "../bus/schemas.ts";
import { title } from "../catalog/contract.ts";
import type { HttpEnv } from "../http/env.ts";
import { json, refused } from "../http/route-parts.ts";
import { upload } from "./contract.ts";

const tags = ["upload"];
const common = {
  401: refused("Nobody is signed in (`unauthorized`)."),
  403: refused("The caller is a viewer (`forbidden`)."),
};
const endings = {
  413: refused("Larger than `upload.maxSize` (`too-large`)."),
  422: refused("`not-a-video`, `truncated` or `empty`. Nothing is left."),
  507: refused("`disk-full`. What a resumable upload has acknowledged is kept."),
};
const missing = { 404: refused("No such upload of the caller (`not-found`).") };
const one = { params: z.object({ id }) };
const form = z.object({
  file: z.string().openapi({ type: "string", format: "binary" }),
  name: z.string().optional(),
  tags: z.array(z.string()).optional(),
});

/** Describes routes whose bodies are streams, which no schema checks. */
export function describeRoutes({ openAPIRegistry: registry }: OpenAPIHono<HttpEnv>): void {
  registry.registerPath({
    method: "post",
    path: "/api/titles",
    tags,
    summary: "Upload a video as a form",
    description: "Fields in any order; `tags` repeated.",
    request: { body: { content: { "multipart/form-data": { schema: form } } } },
    responses: { 201: json(title, "The title."), 400: refused("`invalid-request`."), ...common, ...endings },
  });
  registry.registerPath({
    method: "post",
    path: "/api/uploads",
    tags,
    summary: "Begin a resumable upload (tus 1.0.0)",
    description:
      "Extensions: creation, creation-with-upload, termination, expiration, checksum. `Upload-Metadata`: `filename`, `name`, `tags` (a JSON array of strings). The length must be known.",
    responses: {
      201: { description: "`Location` is the upload." },
      400: refused("`invalid-request`."),
      ...common,
      ...endings,
    },
  });
  registry.registerPath({
    method: "patch",
    path: "/api/uploads/{id}",
    tags,
    summary: "Send the bytes that follow (tus 1.0.0)",
    request: one,
    responses: {
      204: { description: "`Upload-Offset` bytes are safely on disk; after the last one the title can be watched." },
      409: refused("`Upload-Offset` is not where the upload is (`conflict`)."),
      460: refused("The bytes do not have the `Upload-Checksum` (`checksum-mismatch`). None is kept."),
      423: refused("Another request is sending it (`upload-locked`)."),
      ...common,
      ...missing,
      ...endings,
    },
  });
  registry.registerPath({
    method: "head",
    path: "/api/uploads/{id}",
    tags,
    summary: "Where to go on (tus 1.0.0)",
    request: one,
    responses: { 200: { description: "`Upload-Offset` and `Upload-Length`." }, ...common, ...missing },
  });
  registry.registerPath({
    method: "get",
    path: "/api/uploads/{id}",
    tags,
    summary: "The state of an upload",
    request: one,
    responses: { 200: json(upload, "The upload."), ...common, ...missing },
  });
  registry.registerPath({
    method: "delete",
    path: "/api/uploads/{id}",
    tags,
    summary: "Cancel an unfinished upload (tus 1.0.0)",
    request: one,
    responses: {
      204: { description: "Nothing of it is left." },
      ...common,
      ...missing,
      409: refused("It is a title already."),
    },
  });
}
