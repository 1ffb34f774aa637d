import { z } from "zod";
import { defineService } from "../bus/contract.ts";
import { id, mediaId } from "../bus/schemas.ts";

/** An upload as the HTTP interface shows it. Title, upload and source have the same id. */
export const upload = z.object({
  id,
  state: z.enum(["receiving", "ready", "failed"]),
  offset: z.number().int(),
  sizeBytes: z.number().int(),
  titleId: id,
  mediaId: mediaId.nullable(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
});
export type Upload = z.infer<typeof upload>;

export const uploadContract = defineService({
  name: "upload",
  operations: {
    /** The store that has an upload and the instance (its data folder's name) that receives it; null when there is none. */
    placeOf: {
      input: z.object({ id }),
      output: z.object({
        upload: z.object({ place: z.string().nullable(), writer: z.string().nullable() }).nullable(),
      }),
      repeatable: true,
    },
  },
  publishes: ["Progress", "ServiceAvailability"],
  subscribes: ["TitleChanges", "AuthenticationStatus"],
  durable: ["AuthenticationStatus"],
  calls: ["main", "auth", "catalog", "streaming"],
  routes: [
    { path: "/api/titles", exact: true, methods: ["POST"] },
    { path: "/api/uploads", placed: true },
    { path: "/api/imports", placed: true },
  ],
});
