import type { Principal } from "../auth/contract.ts";
import { ForbiddenError, UnauthorizedError, WrongMediaIdError } from "../errors.ts";
import { mayEdit, maySee, type Title, type TitleAccess } from "./contract.ts";
import type { Audience, TitleRecord } from "./title-repository.ts";

/** Who asks; null when nobody is signed in. */
export type Who = Pick<Principal, "userId" | "role"> | null;

/** A title as the HTTP interface shows it. */
export function toTitle({ info, ...title }: TitleRecord): Title {
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
  };
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
