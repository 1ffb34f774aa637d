import type { Principal } from "../auth/contract.ts";
import { ForbiddenError, UnauthorizedError, WrongMediaIdError } from "../errors.ts";
import type { CollectionSummary } from "./collection-repository.ts";
import {
  type Collection,
  type MyTitle,
  mayEdit,
  maySee,
  type Title,
  type TitleAccess,
  type Visibility,
} from "./contract.ts";
import type { Audience, TitleRecord, TitleState } from "./title-repository.ts";

/** Who asks; null when nobody is signed in. */
export type Who = Pick<Principal, "userId" | "role"> | null;

/** What the caller has done with a title, as the HTTP interface shows it. */
export const toMine = (state: TitleState | null | undefined): MyTitle => ({
  positionSeconds: state?.positionSeconds ?? null,
  watched: state?.watched ?? false,
  favourite: state?.favourite ?? false,
  lastWatchedAt: state?.watchedAt == null ? null : new Date(state.watchedAt).toISOString(),
});

/** A title as the HTTP interface shows it to somebody; `mine` is null for nobody in particular. */
export function toTitle({ info, ...title }: TitleRecord, mine: MyTitle | null): Title {
  return {
    id: title.id,
    mediaId: title.mediaId,
    name: title.name,
    description: title.description,
    tags: [...title.tags],
    owner: title.owner,
    visibility: title.visibility,
    availability: title.availability,
    needsRendition: info?.needsRendition ?? null,
    durationSeconds: info?.durationSeconds ?? null,
    sizeBytes: title.sizeBytes,
    container: info?.container ?? null,
    video: info?.video ?? null,
    audio: info?.audio ?? [],
    createdAt: title.createdAt,
    mine,
  };
}

/** A strong entity tag of something that is written as JSON. */
const tagOf = (value: unknown) =>
  `"${new Bun.CryptoHasher("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22)}"`;

/**
 * The entity tag of a title. What the caller has done with it is no part of it: watching changes nothing that somebody may be
 * editing. No cache ever compares it, as these answers are not stored.
 */
export const etagOfTitle = (title: Title) => tagOf({ ...title, mine: null });

/** The entity tag of a collection, of what is the same for everybody who sees it. */
export function etagOfCollection(collection: Omit<Collection, keyof CollectionSummary>): string {
  const { id, name, description, visibility, owner, createdAt, updatedAt } = collection;
  return tagOf([id, name, description, visibility, owner?.id, createdAt, updatedAt]);
}

/**
 * A title as the holder of a link sees it: what playing it takes. Description, tags and owner are not the issuer's
 * to pass on, and the content's hash would name the same bytes elsewhere.
 */
export function toSharedTitle(record: TitleRecord): Title {
  return { ...toTitle(record, null), mediaId: null, description: "", tags: [], owner: null };
}

/** What deciding about a title takes. */
export function toAccess({ id, owner, visibility, mediaId, name }: TitleRecord): TitleAccess {
  return { id, ownerId: owner?.id ?? null, visibility, mediaId, name };
}

/** Whose eyes a search has. */
export function audienceOf(who: Who): Audience {
  if (!who) return { sees: "public" };
  return who.role === "admin" ? { sees: "everything" } : { userId: who.userId };
}

/** The title, when it is there and the caller may see it; 401 or 404 as design section 6 says, the same for both reasons. */
export function requireVisible<T extends TitleRecord>(title: T | null, who: Who): T {
  if (title && title.deletedAt === null && maySee(who, toAccess(title))) return title;
  throw who ? new WrongMediaIdError() : new UnauthorizedError();
}

/** The title, when the caller may see and change it; 403 when they may only see it. */
export function requireEditable<T extends TitleRecord>(title: T | null, who: Who): T {
  const visible = requireVisible(title, who);
  if (!mayEdit(who, toAccess(visible))) throw new ForbiddenError("You may watch this video but not change it.");
  return visible;
}

/** 403 for whoever would make a title of nobody private without being an admin: it would be gone for themselves as well. */
export function requireMayHide(title: TitleRecord, who: Who, visibility: Visibility | undefined): void {
  if (visibility !== "private" || title.visibility === "private" || title.owner !== null || who?.role === "admin")
    return;
  throw new ForbiddenError("Only admins make videos of the library private: nobody else could see them any more.");
}
