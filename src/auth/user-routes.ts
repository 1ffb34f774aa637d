import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { NotFoundError } from "../errors.ts";
import { type HttpContext, type HttpEnv, requireRole } from "../http/env.ts";
import { idParam, noQuery, problems } from "../http/route-parts.ts";
import type { AuthParts } from "./auth-parts.ts";
import type { AccountRecord, UserRecord } from "./auth-store.ts";
import { type Principal, type Role, role } from "./contract.ts";
import { password, username, userSchema } from "./http-schemas.ts";

const tags = ["Users"];
const DAY_SECONDS = 86_400;

const accountSchema = userSchema
  .extend({
    disabled: z.boolean(),
    twoFactor: z.boolean().describe("Whether signing in takes a second factor."),
    createdAt: z.iso.datetime(),
  })
  .openapi("Account", { description: "A user as admins see them." });
const listedSchema = accountSchema
  .extend({ lastSeenAt: z.iso.datetime().nullable().describe("When one of the sessions they have was used last.") })
  .openapi("ListedAccount");
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
      q: z.string().max(64).optional().describe("Only users with this in their names."),
    }),
  },
  responses: {
    200: {
      description: "A page of users.",
      content: {
        "application/json": {
          schema: z.object({ items: z.array(listedSchema), nextCursor: z.string().nullable() }),
        },
      },
    },
    ...problems(400, 401, 403, 429, 503),
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
  responses: { 201: { description: "The new user.", content: accountBody }, ...problems(400, 401, 403, 409, 429, 503) },
});

const changeUser = createRoute({
  method: "patch",
  path: "/api/users/{id}",
  tags,
  summary: "Change a user's role, disable or enable them, reset their password, or end their second factor (admin)",
  description:
    "Their tokens end. Disabling ends their sessions, a new password their sessions and API keys. " +
    "The last active admin stays one. An API key cannot set a password, end a second factor or make an admin: `api-key-not-allowed`.",
  request: {
    params: idParam,
    query: noQuery,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({
              role: role.optional(),
              disabled: z.boolean().optional(),
              password: password.optional(),
              twoFactor: z.literal(false).optional().describe("False: they have lost it, and sign in without."),
            })
            .refine((change) => Object.keys(change).length > 0, "expected role, disabled, password or twoFactor"),
        },
      },
    },
  },
  responses: {
    200: { description: "The user now.", content: accountBody },
    ...problems(400, 401, 403, 404, 409, 429, 503),
  },
});

const deleteUser = createRoute({
  method: "delete",
  path: "/api/users/{id}",
  tags,
  summary: "Delete a user (admin)",
  description:
    "Everything of theirs ends at once, their links and keys for good. Their videos and collections go to the account that " +
    "`videosTo` names, and are deleted without. The last active admin cannot be deleted.",
  request: {
    params: idParam,
    query: z.strictObject({
      videosTo: z
        .uuid()
        .optional()
        .describe("The id of another account that may upload and is not disabled: it gets videos and collections."),
    }),
  },
  responses: { 204: { description: "Deleted." }, ...problems(400, 401, 403, 404, 409, 429, 503) },
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
    ...problems(400, 401, 403, 429, 503),
  },
});

const inviteSchema = z
  .object({
    id: z.uuid(),
    role,
    createdBy: z.string().nullable().describe("A user name; null when that user is gone."),
    used: z.boolean(),
    usedBy: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .openapi("ListedInvite");

const listInvites = createRoute({
  method: "get",
  path: "/api/invites",
  tags,
  summary: "Invitations that are still in time, the newest first, without their codes (admin)",
  request: { query: noQuery },
  responses: {
    200: {
      description: "The invitations.",
      content: { "application/json": { schema: z.object({ items: z.array(inviteSchema) }) } },
    },
    ...problems(400, 401, 403, 429, 503),
  },
});

const deleteInvite = createRoute({
  method: "delete",
  path: "/api/invites/{id}",
  tags,
  summary: "Revoke an invitation (admin)",
  request: { params: idParam, query: noQuery },
  responses: { 204: { description: "Nobody can use it any more." }, ...problems(400, 401, 403, 404, 429, 503) },
});

/** Routes of `/api/users` and `/api/invites`. */
export function addUserRoutes(app: OpenAPIHono<HttpEnv>, { limits, store, tokens, users }: AuthParts): void {
  /** Only admins get further, and only so often. */
  const requireAdmin = async (c: HttpContext) => {
    const who = requireRole(c, "admin");
    await limits.administer(who.userId, c.req.method !== "GET");
    return who;
  };
  /** Making an admin, a new password and the end of a second factor take somebody who has signed in. */
  const requireSignIn = async (who: Principal, asked: { role?: Role; password?: unknown; twoFactor?: unknown }) => {
    if (asked.role === "admin" || asked.password !== undefined || asked.twoFactor !== undefined)
      await tokens.refuseApiKey(who);
  };

  app.openapi(listUsers, async (c) => {
    await requireAdmin(c);
    const { limit, cursor, q } = c.req.valid("query");
    const found = await store.listUsers(limit + 1, cursor ?? null, q);
    const page = found.slice(0, limit);
    const nextCursor = found.length > limit ? (page.at(-1)?.id ?? null) : null;
    return c.json({ items: page.map(listedJson), nextCursor }, 200);
  });

  app.openapi(createUser, async (c) => {
    const who = await requireAdmin(c);
    const { username, password, role = users.defaultRole } = c.req.valid("json");
    await requireSignIn(who, { role });
    const created = await users.create(username, password, role);
    c.get("log").info({ audit: "user-created", by: who.userId, user: created.id, role: created.role }, "user created");
    return c.json(accountJson(created), 201);
  });

  app.openapi(changeUser, async (c) => {
    const who = await requireAdmin(c);
    const { id } = c.req.valid("param");
    const asked = c.req.valid("json");
    await requireSignIn(who, asked);
    const changed = await users.change(id, asked);
    const change = { ...asked, ...(asked.password === undefined ? {} : { password: true }) };
    c.get("log").info({ audit: "user-changed", by: who.userId, user: id, change }, "user changed");
    return c.json(accountJson(changed), 200);
  });

  app.openapi(deleteUser, async (c) => {
    const { userId: by } = await requireAdmin(c);
    const { id } = c.req.valid("param");
    const { videosTo } = c.req.valid("query");
    await users.delete(id, videosTo);
    c.get("log").info({ audit: "user-deleted", by, user: id, ...(videosTo ? { videosTo } : {}) }, "user deleted");
    return c.body(null, 204);
  });

  app.openapi(listInvites, async (c) => {
    await requireAdmin(c);
    const items = (await store.listInvites()).map(({ isUsed: used, createdAt, expiresAt, ...invite }) => ({
      ...invite,
      used,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
    }));
    return c.json({ items }, 200, { "Cache-Control": "no-store" });
  });

  app.openapi(deleteInvite, async (c) => {
    const { userId: by } = await requireAdmin(c);
    const { id } = c.req.valid("param");
    if (!(await store.deleteInvite(id))) throw new NotFoundError("There is no invitation with this id.");
    c.get("log").info({ audit: "invite-revoked", by, invite: id }, "invitation revoked");
    return c.body(null, 204);
  });

  app.openapi(createInvite, async (c) => {
    const who = await requireAdmin(c);
    const { role = users.defaultRole, expiresIn = 7 * DAY_SECONDS } = c.req.valid("json");
    await requireSignIn(who, { role });
    const { id, code, expiresAt, ...invite } = await users.invite(who.userId, role, expiresIn * 1000);
    c.get("log").info({ audit: "invite-made", by: who.userId, invite: id, role: invite.role }, "invitation made");
    return c.json({ id, code, role: invite.role, expiresAt: expiresAt.toISOString() }, 201, {
      "Cache-Control": "no-store",
    });
  });
}

function accountJson({ id, username, role, disabled, twoFactor, createdAt }: UserRecord) {
  return { id, username, role, disabled, twoFactor, createdAt: createdAt.toISOString() };
}

function listedJson({ lastSeenAt, ...user }: AccountRecord) {
  return { ...accountJson(user), lastSeenAt: lastSeenAt?.toISOString() ?? null };
}
