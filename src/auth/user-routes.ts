import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type HttpEnv, requireRole } from "../http/env.ts";
import type { AuthParts } from "./auth-parts.ts";
import type { UserRecord } from "./auth-store.ts";
import { role } from "./contract.ts";
import { idParam, noQuery, password, problems, username, userSchema } from "./http-schemas.ts";

const tags = ["Users"];
const DAY_SECONDS = 86_400;

const accountSchema = userSchema
  .extend({ disabled: z.boolean(), createdAt: z.iso.datetime() })
  .openapi("Account", { description: "A user as admins see them." });
const accountBody = { "application/json": { schema: accountSchema } };

const listUsers = createRoute({
  method: "get",
  path: "/api/users",
  tags,
  summary: "List users, the oldest first (admin)",
  request: {
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(50),
      cursor: z.uuid().optional().describe("`nextCursor` of the page before."),
    }),
  },
  responses: {
    200: {
      description: "A page of users.",
      content: {
        "application/json": {
          schema: z.object({ items: z.array(accountSchema), nextCursor: z.string().nullable() }),
        },
      },
    },
    ...problems(400, 401, 403, 503),
  },
});

const createUser = createRoute({
  method: "post",
  path: "/api/users",
  tags,
  summary: "Create a user (admin)",
  request: {
    query: noQuery,
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ username, password, role: role.optional() }) } },
    },
  },
  responses: { 201: { description: "The new user.", content: accountBody }, ...problems(400, 401, 403, 409, 503) },
});

const changeUser = createRoute({
  method: "patch",
  path: "/api/users/{id}",
  tags,
  summary: "Change a user's role, disable or enable them, or reset their password (admin)",
  description:
    "Their tokens end. Disabling ends their sessions, a new password their sessions and API keys. " +
    "The last active admin stays one.",
  request: {
    params: idParam,
    query: noQuery,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({ role: role.optional(), disabled: z.boolean().optional(), password: password.optional() })
            .refine((change) => Object.keys(change).length > 0, "expected role, disabled or password"),
        },
      },
    },
  },
  responses: { 200: { description: "The user now.", content: accountBody }, ...problems(400, 401, 403, 404, 409, 503) },
});

const deleteUser = createRoute({
  method: "delete",
  path: "/api/users/{id}",
  tags,
  summary: "Delete a user (admin)",
  description: "Everything of theirs ends at once. The last active admin cannot be deleted.",
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: "Deleted." }, ...problems(400, 401, 403, 404, 409, 503) },
});

const createInvite = createRoute({
  method: "post",
  path: "/api/invites",
  tags,
  summary: "Invite somebody (admin)",
  description: "The code lets one person register, once, with `POST /api/session` and the field `invite`.",
  request: {
    query: noQuery,
    body: {
      required: false,
      content: {
        "application/json": {
          schema: z.strictObject({
            role: role.optional(),
            expiresIn: z
              .number()
              .int()
              .min(60)
              .max(30 * DAY_SECONDS)
              .optional()
              .describe("Seconds; a week when absent, 30 days at most."),
          }),
        },
      },
    },
  },
  responses: {
    201: {
      description: "The invitation. Its code is shown only here.",
      content: {
        "application/json": {
          schema: z.object({ id: z.uuid(), code: z.string(), role, expiresAt: z.iso.datetime() }).openapi("Invite"),
        },
      },
    },
    ...problems(400, 401, 403, 503),
  },
});

/** Routes of `/api/users` and `/api/invites`. */
export function addUserRoutes(app: OpenAPIHono<HttpEnv>, { store, users }: AuthParts): void {
  app.openapi(listUsers, async (c) => {
    requireRole(c, "admin");
    const { limit, cursor } = c.req.valid("query");
    const found = await store.listUsers(limit + 1, cursor ?? null);
    const page = found.slice(0, limit);
    const nextCursor = found.length > limit ? (page.at(-1)?.id ?? null) : null;
    return c.json({ items: page.map(accountJson), nextCursor }, 200);
  });

  app.openapi(createUser, async (c) => {
    requireRole(c, "admin");
    const body = c.req.valid("json");
    return c.json(accountJson(await users.create(body.username, body.password, body.role)), 201);
  });

  app.openapi(changeUser, async (c) => {
    requireRole(c, "admin");
    return c.json(accountJson(await users.change(c.req.valid("param").id, c.req.valid("json"))), 200);
  });

  app.openapi(deleteUser, async (c) => {
    requireRole(c, "admin");
    await users.delete(c.req.valid("param").id);
    return c.body(null, 204);
  });

  app.openapi(createInvite, async (c) => {
    const { userId } = requireRole(c, "admin");
    const { role, expiresIn = 7 * DAY_SECONDS } = c.req.valid("json");
    const { id, code, expiresAt, ...invite } = await users.invite(userId, role, expiresIn * 1000);
    return c.json({ id, code, role: invite.role, expiresAt: expiresAt.toISOString() }, 201, {
      "Cache-Control": "no-store",
    });
  });
}

function accountJson({ id, username, role, disabled, createdAt }: UserRecord) {
  return { id, username, role, disabled, createdAt: createdAt.toISOString() };
}
