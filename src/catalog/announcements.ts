import type { User } from "../auth/contract.ts";
import type { Announcement } from "../streaming/contract.ts";
import { turns } from "../turns.ts";
import type { Visibility } from "./contract.ts";
import { derivedOf, fingerprintOf, follow, isUnedited } from "./derived.ts";
import { withFollowedTags } from "./tag-words.ts";
import type { TitleRepository, TitleSource, TitleWithSources } from "./title-repository.ts";

/** Titles that are made, or follow their files, in one transaction: others wait for its end. */
const WRITTEN_TOGETHER = 50;
/** Titles of one content that are looked through: there is one for each kind of folder. */
const TWINS = 20;

export interface AnnouncementsDependencies {
  readonly repository: TitleRepository;
  readonly publishChange: (titleId: string, type: "changed" | "deleted") => Promise<void>;
  /** Says that the bytes of purged uploads may go. */
  readonly publishReleased: (sourceIds: string[], mediaId: string | null) => Promise<void>;
  /** The users that exist among these ids. */
  readonly getUsers: (ids: string[]) => Promise<Pick<User, "id" | "username">[]>;
}

type OnFailure = (announced: Announcement, error: unknown) => void;

/** A file and the title that follows it. */
interface Following {
  readonly titleId: string;
  readonly announced: Announcement;
}

/** Turns what streaming instances announce into titles. The same announcement again changes nothing. */
export class Announcements {
  readonly #repository: TitleRepository;
  readonly #publishChange: AnnouncementsDependencies["publishChange"];
  readonly #publishReleased: AnnouncementsDependencies["publishReleased"];
  readonly #getUsers: AnnouncementsDependencies["getUsers"];

  constructor({ repository, publishChange, publishReleased, getUsers }: AnnouncementsDependencies) {
    this.#repository = repository;
    this.#publishChange = publishChange;
    this.#publishReleased = publishReleased;
    this.#getUsers = getUsers;
  }

  async handle(announced: Announcement): Promise<void> {
    const { sourceId, mediaId } = announced;
    if (await this.#releaseAgain(announced)) return;
    const known = (await this.#repository.getBySource(sourceId)) ?? (await this.#repository.get(sourceId));
    const isFound = known !== null && !isReplaced(known, announced);
    // A title that was known by its path alone turns out to be another file's as soon as its content is known.
    if (isFound && (known.mediaId !== null || mediaId === null)) return this.#update(known.id, announced);
    const twin = await this.#twinOf(announced);
    if (isFound) {
      const absorbed = twin !== null && twin.id !== known.id && (await this.#absorb(known.id, twin.id));
      return this.#update(absorbed ? twin.id : known.id, announced);
    }
    if (known) await this.#detach(known.id, sourceId);
    if (twin) return this.#update(twin.id, announced);
    await this.#create(announced);
  }

  /**
   * Handles several; new titles are made together, and known ones follow their files together. What fails is told with its
   * announcement, and the rest goes on.
   */
  async handleAll(batch: readonly Announcement[], onFailure: OnFailure): Promise<void> {
    const fresh: Announcement[] = [];
    const following: Following[] = [];
    const handle = async (announced: Announcement) => {
      try {
        await this.handle(announced);
      } catch (error) {
        onFailure(announced, error);
      }
    };
    const flush = async () => {
      const made = fresh.splice(0);
      // One that cannot be made must not keep the others from it.
      await this.#createAll(made).catch(async () => {
        for (const announced of made) await handle(announced);
      });
      const followed = following.splice(0);
      if (await this.#followAll(followed, onFailure)) return;
      for (const { announced } of followed) await handle(announced);
    };
    const unknown = await this.#findUnknown(batch).catch(() => new Set<string>());
    const known = await this.#findKnown(batch).catch(() => new Map<string, string>());
    // What an earlier one of the batch was about may be known by now, or another title's.
    const met = new Set<string>();
    for (const announced of batch) {
      const titleId = known.get(announced.sourceId);
      const about = [announced.sourceId, announced.mediaId ?? "", titleId ?? ""].filter(Boolean);
      const isFirst = !about.some((id) => met.has(id));
      for (const id of about) met.add(id);
      if (isFirst && unknown.has(announced.sourceId)) fresh.push(announced);
      else if (isFirst && titleId !== undefined) following.push({ titleId, announced });
      else {
        await flush();
        await handle(announced);
      }
      if (fresh.length + following.length >= WRITTEN_TOGETHER) await flush();
    }
    await flush();
  }

  /** Library files whose title is known and stays theirs, with its id. */
  async #findKnown(batch: readonly Announcement[]): Promise<Map<string, string>> {
    const files = batch.filter(({ origin }) => origin === "library");
    const titles = await this.#repository.listBySource(files.map(({ sourceId }) => sourceId));
    return new Map(
      files.flatMap((announced) => {
        const title = titles.get(announced.sourceId);
        // What must be looked at more closely: its content became known, or is another one.
        const isPlain = title && title.mediaId === announced.mediaId && title.mediaId !== null;
        return isPlain ? [[announced.sourceId, title.id] as const] : [];
      }),
    );
  }

  /** Has titles follow their files, each another one, in one transaction; false, and nothing done, when one of them cannot. */
  async #followAll(pairs: readonly Following[], onFailure: OnFailure): Promise<boolean> {
    if (pairs.length === 0) return true;
    const byTitle = new Map(pairs.map(({ titleId, announced }) => [titleId, announced]));
    const change = (title: TitleWithSources) => {
      const announced = byTitle.get(title.id);
      const isStill = announced && title.sources.some(({ sourceId }) => sourceId === announced.sourceId);
      if (!isStill || title.mediaId !== announced.mediaId) throw new Error("The title has changed meanwhile.");
      const next = withAnnouncement(title, announced);
      return Bun.deepEquals(next, title) ? null : next;
    };
    const edited = await this.#repository.editAll([...byTitle.keys()], change).catch(() => null);
    if (!edited) return false;
    const turn = turns();
    for (const { titleId, announced } of pairs) {
      await turn();
      const one = edited.get(titleId);
      try {
        // It went away meanwhile: there is another answer to that.
        if (!one) await this.handle(announced);
        else if (one.changed && one.title.deletedAt === null) await this.#publishChange(titleId, "changed");
      } catch (error) {
        onFailure(announced, error);
      }
    }
    return true;
  }

  /** Library files of which there is neither a title nor a memory, nor another library file of their content. */
  #findUnknown(batch: readonly Announcement[]): Promise<Set<string>> {
    return this.#repository.listUnknown(batch.filter(({ origin }) => origin === "library"));
  }

  async #createAll(announced: readonly Announcement[]): Promise<void> {
    if (announced.length === 0) return;
    const titles = await Promise.all(announced.map((one) => this.#titleOf(one)));
    const turn = turns();
    for (const id of await this.#repository.insertAll(titles)) {
      await turn();
      await this.#publishChange(id, "changed");
    }
  }

  /** Those that have something new to say. */
  async select(batch: readonly Announcement[]): Promise<Announcement[]> {
    const marks = batch.map((announced) => ({ ...announced, fingerprint: fingerprintOf(announced) }));
    const unchanged = await this.#repository.takeUnchanged(marks);
    return batch.filter(({ sourceId }) => !unchanged.has(sourceId));
  }

  /**
   * The library title that a library file is another copy of. Copies in folders that other people may see are titles of their
   * own: neither name, tags and folders of the one nor the rights of the other are everybody's.
   */
  async #twinOf({ origin, mediaId, visibility }: Announcement): Promise<TitleWithSources | null> {
    if (origin !== "library" || mediaId === null) return null;
    const same = await this.#repository.listLibraryTitles(mediaId, TWINS);
    return same.find((title) => (folderVisibilityOf(title) ?? visibility) === visibility) ?? null;
  }

  /** Whether the source's title was purged. Its bytes may go, unless a title has the same content. */
  async #releaseAgain({ sourceId, mediaId }: Announcement): Promise<boolean> {
    const tombstone = await this.#repository.getTombstone(sourceId, mediaId);
    if (!tombstone) return false;
    if (tombstone.origin === "upload") await this.release([sourceId], tombstone.mediaId);
    return true;
  }

  /** Tells that purged sources' bytes may go, with those of others of this content, when no title has it any more. */
  async release(sourceIds: readonly string[], mediaId: string | null): Promise<void> {
    const released = mediaId === null ? [...sourceIds] : await this.#repository.listReleasable(mediaId);
    if (released.length > 0) await this.#publishReleased(released, mediaId);
  }

  /**
   * Forgets library sources, with the titles that have no other: tags, collections and what people have done with them go too, and no
   * tombstone is left.
   */
  async forget(sourceIds: readonly string[]): Promise<void> {
    const turn = turns();
    for (const sourceId of sourceIds) {
      await turn();
      const title = await this.#repository.getBySource(sourceId);
      if (title?.origin !== "library") continue;
      const isOnly = ({ sources }: TitleWithSources) => sources.every((source) => source.sourceId === sourceId);
      if (await this.#repository.remove(title.id, isOnly)) await this.#publishChange(title.id, "deleted");
      else await this.#detach(title.id, sourceId);
    }
    await this.#repository.forgetTombstones(sourceIds);
  }

  /** Makes a title that nobody has edited part of another one with the same content. */
  async #absorb(id: string, into: string): Promise<boolean> {
    const absorbed = await this.#repository.absorb(id, into, (title) => {
      const { origin, sources, deletedAt } = title;
      const [source, ...others] = sources;
      const alone = source !== undefined && others.length === 0 && source.sourceId === id;
      return origin === "library" && deletedAt === null && alone && isUnedited(title, source);
    });
    if (absorbed) await this.#publishChange(id, "deleted");
    return absorbed;
  }

  async #update(titleId: string, announced: Announcement): Promise<void> {
    const edited = await this.#repository.edit(titleId, (title) => {
      const next = withAnnouncement(title, announced);
      return Bun.deepEquals(next, title) ? null : next;
    });
    if (!edited)
      throw new Error(`The title ${titleId} went away while its source ${announced.sourceId} was announced.`);
    if (edited.changed && edited.title.deletedAt === null) await this.#publishChange(titleId, "changed");
  }

  /** Takes a source from a title whose content it no longer has. */
  async #detach(titleId: string, sourceId: string): Promise<void> {
    await this.#repository.edit(titleId, (title) =>
      withFollowedTags(
        withSources(
          title,
          title.sources.filter((source) => source.sourceId !== sourceId),
        ),
        title,
      ),
    );
    await this.#publishChange(titleId, "changed");
  }

  #create(announced: Announcement): Promise<void> {
    return this.#createAll([announced]);
  }

  async #titleOf(announced: Announcement): Promise<TitleWithSources> {
    const { sourceId: id, origin, info, mediaId, visibility, createdAt } = announced;
    const { name, description, tags } = derivedOf(announced);
    return {
      id,
      mediaId,
      name,
      description,
      tags,
      owner: await this.#ownerOf(announced),
      origin,
      visibility,
      availability: announced.availability,
      sizeBytes: info.sizeBytes,
      info,
      createdAt,
      deletedAt: null,
      sources: [sourceOf(announced)],
    };
  }

  /** Nobody owns what is in library folders, nor an upload whose user is gone: then only admins see it. */
  async #ownerOf({ origin, ownerId }: Announcement): Promise<TitleWithSources["owner"]> {
    if (origin === "library" || ownerId === null) return null;
    const [user] = await this.#getUsers([ownerId]);
    return user ? { id: user.id, username: user.username } : null;
  }
}

/** Who may see the library folder of a title's own file, when that is known. */
function folderVisibilityOf({ id, sources }: TitleWithSources): Visibility | undefined {
  const own = sources.find(({ sourceId }) => sourceId === id) ?? sources[0];
  return own?.derived?.visibility;
}

/** Whether a library source that was a further copy of a title now has other content, also when it is not known which. */
function isReplaced(title: { id: string; mediaId: string | null }, announced: Announcement): boolean {
  return title.id !== announced.sourceId && title.mediaId !== null && title.mediaId !== announced.mediaId;
}

function withAnnouncement(title: TitleWithSources, announced: Announcement): TitleWithSources {
  const before = title.sources.find(({ sourceId }) => sourceId === announced.sourceId);
  const others = title.sources.filter((source) => source !== before);
  const source = sourceOf(announced);
  const isOfLibrary = announced.origin === "library";
  const isOwn = announced.sourceId === title.id;
  const followed = isOfLibrary && isOwn && source.derived ? follow(title, before?.derived ?? null, source.derived) : {};
  const changed = withSources({ ...title, ...followed }, [...others, source]);
  const next = isOfLibrary ? withFollowedTags(changed, title) : changed;
  if (!isOwn && title.info !== null) return next;
  const sameBytes = title.info === null || title.sizeBytes === announced.info.sizeBytes;
  const mediaId = announced.mediaId ?? (sameBytes ? title.mediaId : null);
  return { ...next, mediaId, info: announced.info, sizeBytes: announced.info.sizeBytes };
}

/** A title is ready when any of its sources is. */
function withSources(title: TitleWithSources, sources: readonly TitleSource[]): TitleWithSources {
  return {
    ...title,
    sources: [...sources].sort((a, b) => (a.sourceId < b.sourceId ? -1 : 1)),
    availability: sources.some(({ availability }) => availability === "ready") ? "ready" : "unavailable",
  };
}

function sourceOf(announced: Announcement): TitleSource {
  const { sourceId, provider, origin, availability, mediaId } = announced;
  const derived = derivedOf(announced);
  return { sourceId, provider, origin, availability, mediaId, derived, fingerprint: fingerprintOf(announced) };
}
