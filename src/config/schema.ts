import { z } from "zod";

/** Everything that can be set. The one source of types, defaults, env names, the sample file and the reference page. */
export const configSchema = z.strictObject({
  listen: z.string().default("127.0.0.1:8080"),
  data: z.string().default("./data"),
  publicUrl: z.string().nullable().default(null),
  trustedProxies: z.array(z.string()).default([]),
  registration: z.enum(["open", "invite", "closed"]).nullable().default(null),
  rtsp: z.strictObject({ listen: z.string().default("127.0.0.1:8554") }).prefault({}),
  library: z
    .strictObject({
      folders: z
        .array(
          z.strictObject({ path: z.string(), visibility: z.enum(["private", "members", "public"]).default("members") }),
        )
        .default([]),
    })
    .prefault({}),
  database: z.string().nullable().default(null),
  storage: z.string().nullable().default(null),
  auth: z
    .strictObject({
      defaultRole: z.enum(["admin", "editor", "viewer"]).default("editor"),
      /** Milliseconds once loaded. */
      tokenLifetime: z.number().default(30_000),
      sessionLifetime: z.number().default(31 * 24 * 3_600_000),
    })
    .prefault({}),
  upload: z.strictObject({ maxSize: z.number().default(64 * 2 ** 30) }).prefault({}),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info") }).prefault({}),
});

export type Config = z.output<typeof configSchema>;
