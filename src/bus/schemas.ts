import { z } from "zod";

/** UUIDv7 in lower case: ids of users, titles, sources, uploads, streams. */
export const id = z.uuid();
/** SHA-256 of the content in lower-case hex. Names content; never gives access to it. */
export const mediaId = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits");
/** ISO 8601 in UTC. */
export const timestamp = z.iso.datetime();
export const none = z.object({});
