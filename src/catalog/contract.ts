import { z } from "zod";
import { type Principal, principal, user } from "../auth/contract.ts";
import { defineService, defineTopic } from "../bus/contract.ts";
import { id, mediaId, none, timestamp } from "../bus/schemas.ts";
import { mediaInfo } from "../streaming/contract.ts";

/** From the fewest who may see it to the most. */
export const visibilities = ["private", "members", "public"] as const;
export const visibility = z.enum(visibilities);
export type Visibility = z.infer<typeof visibility>;

const reach = (one: Visibility) => visibilities.indexOf(one);
/** Of two the one that fewer people may see. */
export const narrower = (a: Visibility, b: Visibility): Visibility => (reach(a) < reach(b) ? a : b);
/** Of two the one that more people may see. */
export const wider = (a: Visibility, b: Visibility): Visibility => (reach(a) < reach(b) ? b : a);

export const availability = z.enum(["receiving", "ready", "unavailable", "failed"]);

/** Longest name, description and tag in characters, most tags of one title. */
export const NAME_MAX = 300;
export const DESCRIPTION_MAX = 10_000;
export const TAG_MAX = 64;
export const TAGS_MAX = 100;

export const titleName = z.string().trim().min(1).max(NAME_MAX);
export const tag = z.string().trim().min(1).max(TAG_MAX);
export const tags = z.array(tag).max(TAGS_MAX);

/** What one person has done with a title. */
export const titleState = z.object({
  /** Where they stopped; null when they never started, or when it was marked as watched or not. */
  positionSeconds: z.number().nullable(),
  /** Set by itself past 90 % of the duration (`WATCHED_SHARE`). */
  watched: z.boolean(),
  favourite: z.boolean(),
  /** When they last played it or marked it as watched. */
  lastWatchedAt: timestamp.nullable(),
});
export type MyTitle = z.infer<typeof titleState>;

/** The part of a title that counts as having watched it. */
export const WATCHED_SHARE = 0.9;

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
  /** What the caller has done with it; null when nobody is signed in. */
  mine: titleState.nullable(),
});
export type Title = z.infer<typeof title>;

/** What deciding about a title takes, and nothing more. */
const titleAccess = z.object({
  id,
  ownerId: id.nullable(),
  visibility,
  mediaId: mediaId.nullable(),
  name: z.string(),
});
export type TitleAccess = z.infer<typeof titleAccess>;

/** A title that was deleted and can be brought back until `until`. */
export const deletedTitle = z.object({
  id,
  name: z.string(),
  /** Null for a title of the library. */
  owner: title.shape.owner,
  sizeBytes: z.number().int(),
  durationSeconds: z.number().nullable(),
  deletedAt: timestamp,
  until: timestamp,
});
export type DeletedTitle = z.infer<typeof deletedTitle>;

/** A library title that was deleted for good, while its file may still be there. */
export const buriedTitle = z.object({
  id,
  /** Null when an older version deleted it. */
  name: z.string().nullable(),
  purgedAt: timestamp,
});
export type BuriedTitle = z.infer<typeof buriedTitle>;

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

/**
 * Whether a link of somebody's may show a title or collection to people without an account. What is private is passed on
 * by its owner alone: an admin may look at it, and lets others see it by changing its visibility, which its owner notices.
 */
export function mayPassOn(
  who: Pick<Principal, "userId" | "role">,
  access: Pick<TitleAccess, "ownerId" | "visibility">,
) {
  const isSomebodyElses = access.ownerId !== null && access.ownerId !== who.userId;
  return maySee(who, access) && !(access.visibility === "private" && isSomebodyElses);
}

/** Whether somebody may change a title they may see: admins all, editors their own and those of the library. */
export function mayEdit(who: Pick<Principal, "userId" | "role"> | null, access: Pick<TitleAccess, "ownerId">) {
  if (!who || who.role === "viewer") return false;
  if (who.role === "admin") return true;
  return access.ownerId === null || access.ownerId === who.userId;
}

/** Longest run of codecs in one search, and the longest name of one. */
const CODEC_MAX = 32;
const height = z.number().int().min(0).max(100_000);
const seconds = z.number().min(0).max(1e9);

/** How titles are searched. */
export const titleQuery = z.object({
  q: z.string().max(200).optional(),
  name: z.string().max(NAME_MAX).optional(),
  exact: z.boolean().default(false),
  tags: z.array(z.string().max(TAG_MAX)).max(20).default([]),
  match: z.enum(["all", "any"]).default("all"),
  owner: z.union([z.literal("me"), id]).optional(),
  visibility: visibility.optional(),
  availability: availability.optional(),
  /** Seconds, both included. */
  minDuration: seconds.optional(),
  maxDuration: seconds.optional(),
  /** Lines of the picture, both included. */
  minHeight: height.optional(),
  maxHeight: height.optional(),
  /** Families of video codecs, any of which it may have. */
  codecs: z.array(z.string().min(1).max(CODEC_MAX)).max(20).default([]),
  /** Of what the caller has done with them. */
  favourite: z.literal(true).optional(),
  watched: z.boolean().optional(),
  inProgress: z.literal(true).optional(),
  /** Only the titles of this collection. */
  collection: id.optional(),
  folder: id.optional(),
  below: z.boolean().default(false),
  /** `position`: as in the collection. `last-watched`: by the caller; titles never watched come after, the newest first. */
  sort: z.enum(["newest", "oldest", "name", "longest", "last-watched", "position"]).default("newest"),
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

/** Most titles of one collection, and most collections of one person. */
export const COLLECTION_TITLES_MAX = 1_000;
export const COLLECTIONS_MAX = 1_000;

/** A collection as one person sees it: titles they may not see are left out of it, and out of the counts. */
export const collection = z.object({
  id,
  name: z.string(),
  description: z.string(),
  visibility,
  /** Null for whoever has a link to it. */
  owner: user.pick({ id: true, username: true }).nullable(),
  titles: z.number().int(),
  durationSeconds: z.number(),
  /** The first title, to show a picture of. */
  coverTitleId: id.nullable(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Collection = z.infer<typeof collection>;

export const collectionPage = z.object({ items: z.array(collection), nextCursor: z.string().nullable() });
export type CollectionPage = z.infer<typeof collectionPage>;

/** What deciding about a collection and the titles in it takes. */
const collectionAccess = z.object({ id, ownerId: id, visibility, name: z.string(), titleIds: z.array(id) });
export type CollectionAccess = z.infer<typeof collectionAccess>;

/** How many titles have something. */
export const facet = z.object({ value: z.string(), count: z.number().int() });
export type Facet = z.infer<typeof facet>;

/** What a search could be narrowed by. */
export const titleFacets = z.object({
  /** Titles that were counted. */
  titles: z.number().int(),
  /** False when the search finds more: then only some of them were counted. */
  complete: z.boolean(),
  codecs: z.array(facet),
  heights: z.array(z.object({ value: z.number().int(), count: z.number().int() })),
  tags: z.array(facet),
});
export type TitleFacets = z.infer<typeof titleFacets>;

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

/** What a collection holds, or who may see it, was changed: drop what you keep of it. */
export const CollectionChanges = defineTopic(
  "CollectionChanges",
  z.object({ collectionId: id, type: z.enum(["changed", "deleted"]) }),
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
    /** What deciding about a collection takes, with its titles in order; null when there is none. */
    getCollectionAccess: { input: z.object({ id }), output: collectionAccess.nullable(), repeatable: true },
    /** One title by title id or media id, as `who` may see it; `unauthorized` or `wrong-media-id` otherwise. */
    getTitle: {
      input: z.object({ id: z.union([id, mediaId]), who: principal.nullable() }),
      output: title,
      repeatable: true,
    },
    /**
     * Forgets library sources for good, with the titles that are played from nothing else, whatever people have done with them; titles that have
     * other sources lose these. Again, it changes nothing.
     */
    forgetSources: {
      input: z.object({ sourceIds: z.array(id).max(1_000) }),
      output: none,
      repeatable: true,
      timeoutMs: 120_000,
    },
    /** Resolves when this instance has taken every announcement that reached it before. */
    settleAnnouncements: { input: none, output: none, repeatable: true, timeoutMs: 60_000 },
    findTitles: {
      input: z.object({ query: titleQuery, who: principal.nullable() }),
      output: titlePage,
      repeatable: true,
    },
  },
  publishes: ["MediaReleased", "TitleChanges", "CollectionChanges", "ServiceAvailability"],
  subscribes: ["MediaAnnouncements", "ServiceAvailability", "AuthenticationStatus", "TitleChanges"],
  durable: ["AuthenticationStatus"],
  calls: ["main", "auth", "streaming"],
  routes: [{ path: "/api/titles" }, { path: "/api/folders" }, { path: "/api/collections" }, { path: "/api/tags" }],
});
