import { z } from "zod";
import { type Principal, principal, user } from "../auth/contract.ts";
import { defineService, defineTopic } from "../bus/contract.ts";
import { id, mediaId, none, timestamp } from "../bus/schemas.ts";
import { mediaInfo } from "../streaming/contract.ts";

export const visibilities = ["private", "members", "public"] as const;
export const visibility = z.enum(visibilities);
export type Visibility = z.infer<typeof visibility>;

export const availability = z.enum(["receiving", "ready", "unavailable", "failed"]);

/** Longest name, description and tag in characters, most tags of one title. */
export const NAME_MAX = 300;
export const DESCRIPTION_MAX = 10_000;
export const TAG_MAX = 64;
export const TAGS_MAX = 100;

export const titleName = z.string().trim().min(1).max(NAME_MAX);
export const tag = z.string().trim().min(1).max(TAG_MAX);
export const tags = z.array(tag).max(TAGS_MAX);

/** A title as the HTTP interface shows it. */
export const title = z.object({
  id,
  mediaId: mediaId.nullable(),
  name: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  owner: user.pick({ id: true, username: true }).nullable(),
  visibility,
  availability,
  needsRendition: mediaInfo.shape.needsRendition,
  durationSeconds: z.number().nullable(),
  sizeBytes: z.number().int(),
  container: z.string().nullable(),
  video: mediaInfo.shape.video,
  audio: mediaInfo.shape.audio,
  createdAt: timestamp,
});
export type Title = z.infer<typeof title>;

/** What deciding about a title takes, and nothing more. */
export const titleAccess = z.object({
  id,
  ownerId: id.nullable(),
  visibility,
  mediaId: mediaId.nullable(),
  name: z.string(),
});
export type TitleAccess = z.infer<typeof titleAccess>;

/** Whether somebody (null: nobody signed in) may see and play a title. */
export function maySee(
  who: Pick<Principal, "userId" | "role"> | null,
  access: Pick<TitleAccess, "ownerId" | "visibility">,
) {
  if (access.visibility === "public") return true;
  if (!who) return false;
  if (access.visibility === "members" || who.role === "admin") return true;
  return access.ownerId === who.userId;
}

/** Whether somebody may change a title they may see: admins all, editors their own and those of the library. */
export function mayEdit(who: Pick<Principal, "userId" | "role"> | null, access: Pick<TitleAccess, "ownerId">) {
  if (!who || who.role === "viewer") return false;
  if (who.role === "admin") return true;
  return access.ownerId === null || access.ownerId === who.userId;
}

/** How titles are searched. */
export const titleQuery = z.object({
  q: z.string().max(200).optional(),
  name: z.string().max(NAME_MAX).optional(),
  exact: z.boolean().default(false),
  tags: z.array(z.string().max(TAG_MAX)).max(20).default([]),
  match: z.enum(["all", "any"]).default("all"),
  owner: z.literal("me").optional(),
  folder: id.optional(),
  below: z.boolean().default(false),
  sort: z.enum(["newest", "oldest", "name"]).default("newest"),
  limit: z.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1000).optional(),
});
export type TitleQuery = z.infer<typeof titleQuery>;

export const titlePage = z.object({ items: z.array(title), nextCursor: z.string().nullable() });
export type TitlePage = z.infer<typeof titlePage>;

/** A folder of the library as the HTTP interface shows it. */
export const folder = z.object({
  id,
  name: z.string(),
  /** Titles in it and below that the caller may see. */
  titles: z.number().int(),
  /** Null for a library folder. */
  parent: id.nullable(),
});

export const folderPage = z.object({
  items: z.array(folder),
  /** The folders that lead to the one that was asked for, outermost first, itself last. */
  path: z.array(folder.pick({ id: true, name: true })),
  nextCursor: z.string().nullable(),
});
export type FoldersPage = z.infer<typeof folderPage>;

/** The last title of these bytes is gone: whoever keeps them may delete them. */
export const MediaReleased = defineTopic(
  "MediaReleased",
  z.object({ sourceIds: z.array(id), mediaId: mediaId.nullable() }),
);

/** A title was changed or deleted: drop what you keep of it. */
export const TitleChanges = defineTopic(
  "TitleChanges",
  z.object({ titleId: id, type: z.enum(["changed", "deleted"]) }),
);

export const catalogContract = defineService({
  name: "catalog",
  operations: {
    /** Makes the title of an upload that begins, `receiving`. Doing it again with the same id changes nothing. */
    createTitle: {
      input: z.object({
        id,
        owner: principal.pick({ userId: true, username: true }),
        name: titleName,
        tags,
        sizeBytes: z.number().int(),
      }),
      output: title,
      repeatable: true,
    },
    /** The upload is complete: bytes, content and kind are known. The title becomes `ready`. */
    completeTitle: {
      input: z.object({ id, mediaId: mediaId.nullable(), info: mediaInfo }),
      output: title,
      repeatable: true,
    },
    /** Forgets the title of an upload that failed or was cancelled; nothing when it is `ready`. */
    discardTitle: { input: z.object({ id }), output: none, repeatable: true },
    /** What deciding about a title takes; null when there is none (or it is deleted). */
    getAccess: { input: z.object({ id }), output: titleAccess.nullable(), repeatable: true },
    /** The streaming instances that can play a title, as they announced it. */
    getPlaces: { input: z.object({ id }), output: z.object({ providers: z.array(z.string()) }), repeatable: true },
    /** One title by title id or media id, as `who` may see it; `unauthorized` or `wrong-media-id` otherwise. */
    getTitle: {
      input: z.object({ id: z.union([id, mediaId]), who: principal.nullable() }),
      output: title,
      repeatable: true,
    },
    /** Resolves when this instance has taken every announcement that reached it before. */
    settleAnnouncements: { input: none, output: none, repeatable: true, timeoutMs: 60_000 },
    findTitles: {
      input: z.object({ query: titleQuery, who: principal.nullable() }),
      output: titlePage,
      repeatable: true,
    },
  },
  publishes: ["MediaReleased", "TitleChanges", "ServiceAvailability"],
  subscribes: ["MediaAnnouncements", "ServiceAvailability", "AuthenticationStatus"],
  durable: ["AuthenticationStatus"],
  calls: ["main", "auth", "streaming"],
  routes: [{ path: "/api/titles" }, { path: "/api/folders" }],
});
