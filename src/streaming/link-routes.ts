import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requirePrincipal, requireRole } from "../http/env.ts";
import { idParam, noQuery, problems } from "../http/route-parts.ts";
import type { Links } from "./links.ts";

const tags = ["links"];
const PAGE = 50;
const PAGE_MAX = 200;

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Seconds, or a number with a unit; milliseconds afterwards. */
const lifetime = z
  .union([
    z
      .number()
      .int()
      .positive()
      .max(1e9)
      .transform((seconds) => seconds * 1000),
    z
      .string()
      .regex(/^[1-9]\d{0,8}[smhd]$/, "expected seconds as a number, or a number with s, m, h or d, such as 2h")
      .transform((text) => Number(text.slice(0, -1)) * (unitsMs[text.slice(-1)] ?? 1)),
  ])
  .openapi({
    anyOf: [{ type: "integer" }, { type: "string", pattern: "^[1-9]\\d{0,8}[smhd]$" }],
    description: "Seconds, or a number with `s`, `m`, `h` or `d`. At most, and by default, `auth.grantLifetime`.",
    example: "2h",
  });

const linkRequest = z
  .strictObject({ titleId: z.uuid().optional(), collectionId: z.uuid().optional(), expiresIn: lifetime.optional() })
  .refine(({ titleId, collectionId }) => (titleId === undefined) !== (collectionId === undefined), {
    path: ["titleId"],
    message: "expected either titleId or collectionId",
  });

const newLink = z
  .object({
    id: z.uuid(),
    url: z.string().openapi({ description: "The file itself, for any player; the page of a collection." }),
    pageUrl: z.string().openapi({ description: "A page for whoever has the link." }),
    hlsUrl: z.string().nullable().openapi({ description: "Null for a collection, as are the next two." }),
    dashUrl: z.string().nullable(),
    rtspUrl: z.string().nullable(),
    expiresAt: z.iso.datetime(),
  })
  .openapi("NewLink");

const link = z
  .object({
    id: z.uuid(),
    titleId: z.uuid().nullable().openapi({ description: "Null for a link to a collection." }),
    titleName: z.string().nullable().openapi({ description: "Null when the title is not there for you to see." }),
    collectionId: z.uuid().nullable(),
    collectionName: z.string().nullable(),
    user: z.object({ id: z.uuid(), username: z.string() }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .openapi("Link");

const makeLink = createRoute({
  method: "post",
  path: "/api/links",
  tags,
  summary: "Make a playback link",
  description:
    "Whoever has one of its URLs can play this one title, or what is in this one collection, until the link expires " +
    "or is revoked, as long as you may see it yourself. What is private is passed on by its owner alone, not by admins " +
    "(`private-to-owner`). The URLs are shown once.",
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        "application/json": { schema: linkRequest },
      },
    },
  },
  responses: {
    201: { description: "The link.", content: { "application/json": { schema: newLink } } },
    ...problems(400, 401, 403, 404, 503),
  },
});

const listLinks = createRoute({
  method: "get",
  path: "/api/links",
  tags,
  summary: "My playback links that count, the newest first; admins see everybody's with `all=true`",
  request: {
    query: z.strictObject({
      all: z.enum(["true", "false"]).optional(),
      limit: z.coerce.number().int().min(1).max(PAGE_MAX).optional(),
      cursor: z.uuid().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of links.",
      content: {
        "application/json": {
          schema: z.object({
            items: z.array(link),
            nextCursor: z.string().nullable(),
            longestSeconds: z.number().openapi({ description: "The longest that a new link can count." }),
          }),
        },
      },
    },
    ...problems(400, 401, 403, 503),
  },
});

const revokeLink = createRoute({
  method: "delete",
  path: "/api/links/{id}",
  tags,
  summary: "Revoke one of my links; admins may revoke any",
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: "It counts no more." }, ...problems(400, 401, 404, 503) },
});

/** Routes of `/api/links`. */
export function addLinks(app: OpenAPIHono<HttpEnv>, links: Links): void {
  app.openapi(makeLink, async (c) => {
    const who = requirePrincipal(c);
    const { titleId, collectionId, expiresIn: lifetimeMs } = c.req.valid("json");
    const asked = { lifetimeMs, origin: c.env.origin };
    const made =
      titleId === undefined
        ? await links.makeForCollection(who, { ...asked, id: collectionId ?? "" })
        : await links.make(who, { ...asked, id: titleId });
    return c.json(made, 201, { "Cache-Control": "no-store" });
  });

  app.openapi(listLinks, async (c) => {
    const { all, limit = PAGE, cursor } = c.req.valid("query");
    const who = all === "true" ? requireRole(c, "admin") : requirePrincipal(c);
    const userId = all === "true" ? null : who.userId;
    const { items, more } = await links.list(who, { userId, limit, before: cursor });
    const shown = items.map(({ userId: owner, username, kind: _, ...link }) => ({
      ...link,
      user: { id: owner, username },
    }));
    const nextCursor = more ? (items.at(-1)?.id ?? null) : null;
    return c.json({ items: shown, nextCursor, longestSeconds: links.longestMs / 1000 }, 200);
  });

  app.openapi(revokeLink, async (c) => {
    await links.revoke(requirePrincipal(c), c.req.valid("param").id);
    return c.body(null, 204);
  });
}
