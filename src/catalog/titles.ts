import type { z } from "zod";
import type { Principal, User } from "../auth/contract.ts";
import { UnauthorizedError, WrongMediaIdError } from "../errors.ts";
import { failsIfMatch } from "../http/conditional.ts";
import {
  type catalogContract,
  type DeletedTitle,
  type Facet,
  TAGS_MAX,
  type Title,
  type TitleAccess,
  type TitleFacets,
  type TitlePage,
  type TitleQuery,
} from "./contract.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { ChangedMeanwhileError, EmptyTextError, TitleIdUsedError, TooManyTagsError } from "./errors.ts";
import { type TagEdit, withTagEdit } from "./tag-words.ts";
import type { CachedTitles } from "./title-cache.ts";
import { searchOf, tagPrefixOf } from "./title-index.ts";
import type { TitleRecord, TitleRepository, TitleWithSources } from "./title-repository.ts";
import { cleanLine, cleanText, nameFrom, withTags } from "./title-text.ts";
import {
  audienceOf,
  etagOfTitle,
  requireEditable,
  requireMayHide,
  requireVisible,
  toAccess,
  toMine,
  toTitle,
  type Who,
} from "./title-view.ts";

type Operations = (typeof catalogContract)["operations"];
export type NewUpload = z.output<Operations["createTitle"]["input"]>;
export type CompletedUpload = z.output<Operations["completeTitle"]["input"]>;

export interface TitleEdit extends TagEdit {
  readonly name?: string | undefined;
  readonly visibility?: Title["visibility"] | undefined;
  readonly description?: string | undefined;
}

export interface TitlesDependencies {
  readonly repository: TitleRepository;
  /** The same, read through what instances share. */
  readonly cached: CachedTitles;
  /** Tells everybody of a change, before the answer goes out. */
  readonly publishChange: (titleId: string, type: "changed" | "deleted") => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long a deleted title can be restored. */
  readonly restoreWindowMs: number;
  /** Called when a title was deleted, so that its purge is planned. */
  readonly onDeleted: () => void;
}

/** What people do with titles, and what the upload service does. */
export class Titles {
  readonly #repository: TitleRepository;
  readonly #cached: CachedTitles;
  readonly #publishChange: TitlesDependencies["publishChange"];
  readonly #now: () => number;
  readonly #restoreWindowMs: number;
  readonly #onDeleted: () => void;

  constructor({ repository, cached, publishChange, now, restoreWindowMs, onDeleted }: TitlesDependencies) {
    this.#repository = repository;
    this.#cached = cached;
    this.#publishChange = publishChange;
    this.#now = now;
    this.#restoreWindowMs = restoreWindowMs;
    this.#onDeleted = onDeleted;
  }

  /** The streaming instances that can play a title, whoever may see it. */
  places(id: string): Promise<string[]> {
    return this.#repository.listProviders(id);
  }

  /** Makes the title of an upload that begins; the one there is when it was made before. */
  async createUpload({ id, owner, name, tags, sizeBytes }: NewUpload): Promise<Title> {
    const record: TitleWithSources = {
      id,
      mediaId: null,
      name: nameFrom(name),
      description: "",
      tags: withTags([], tags),
      owner: { id: owner.userId, username: owner.username },
      origin: "upload",
      visibility: "private",
      availability: "receiving",
      sizeBytes,
      info: null,
      createdAt: new Date(this.#now()).toISOString(),
      deletedAt: null,
      sources: [],
    };
    if (await this.#repository.insert(record)) {
      await this.#publishChange(id, "changed");
      return toTitle(record, toMine(null));
    }
    const existing = await this.#repository.get(id);
    if (!existing || existing.deletedAt !== null) throw new TitleIdUsedError();
    return this.#shown(existing, owner.userId);
  }

  /** Makes an upload's title `ready`; `WrongMediaIdError` when it was deleted meanwhile. */
  async completeUpload({ id, mediaId, info }: CompletedUpload): Promise<Title> {
    return this.#change(id, null, (title) => {
      if (title.deletedAt !== null) throw new WrongMediaIdError();
      // An announcement may have come first, and knows what became of the source since.
      const availability = title.sources.length === 0 ? "ready" : title.availability;
      return { ...title, mediaId: mediaId ?? title.mediaId, info, sizeBytes: info.sizeBytes, availability };
    });
  }

  /** Forgets the title of an upload that came to nothing; leaves one that can be played. */
  async discardUpload(id: string): Promise<void> {
    const removed = await this.#repository.remove(
      id,
      ({ origin, availability }) => origin === "upload" && (availability === "receiving" || availability === "failed"),
    );
    if (removed) await this.#publishChange(id, "deleted");
  }

  /**
   * Gives a title to somebody else, as it is, with its tags and visibility; false when it is not its owner's any more, or an
   * upload that is under way or came to nothing.
   */
  async give(id: string, ownerId: string, heir: Pick<User, "id" | "username">): Promise<boolean> {
    const isTheirs = ({ owner, availability }: TitleWithSources) =>
      owner?.id === ownerId && availability !== "receiving" && availability !== "failed";
    const owner = { id: heir.id, username: heir.username };
    const edited = await this.#repository.edit(id, (title) => (isTheirs(title) ? { ...title, owner } : null));
    if (edited?.changed) await this.#publishChange(id, "changed");
    return edited?.changed ?? false;
  }

  /** What deciding about a title takes; null when there is none. */
  async access(id: string): Promise<TitleAccess | null> {
    const title = await this.#find(id);
    return title && title.deletedAt === null ? toAccess(title) : null;
  }

  /** One title by its id, or by its content's: then the caller's own, else the oldest they may see. */
  async get(id: string, who: Who): Promise<Title> {
    const isMediaId = /^[0-9a-f]{64}$/.test(id);
    const title = isMediaId ? await this.#repository.getByMedia(id, audienceOf(who)) : await this.#find(id);
    return this.#shown(requireVisible(title, who), who?.userId ?? null);
  }

  async find(query: TitleQuery, who: Who): Promise<TitlePage> {
    requireSignedInFor(query, who);
    const search = searchOf(query, who?.userId ?? null, decodeCursor(query));
    const { titles, states, next } = await this.#repository.find(search, audienceOf(who));
    const items = titles.map((title) => toTitle(title, who && toMine(states.get(title.id))));
    return { items, nextCursor: next && encodeCursor(query, next) };
  }

  /** What the titles that a search finds could be narrowed by, `limit` of each kind. */
  async facets(query: TitleQuery, who: Who, limit: number): Promise<TitleFacets> {
    requireSignedInFor(query, who);
    const { heights, codecs, tags, ...counted } = await this.#repository.count(
      searchOf(query, who?.userId ?? null, null),
      audienceOf(who),
      limit,
    );
    return {
      ...counted,
      codecs: [...codecs],
      heights: heights.map(({ value, count }) => ({ value: Number(value), count })),
      tags: [...tags],
    };
  }

  /** The most frequent tags that begin with some text. */
  tags(text: string, who: Who, limit: number): Promise<Facet[]> {
    return this.#repository.listTags(audienceOf(who), tagPrefixOf(text), limit);
  }

  /** `ChangedMeanwhileError` when the title is not as `ifMatch`, an `If-Match` header, says. */
  edit(id: string, who: Principal, edit: TitleEdit, ifMatch: string | null = null): Promise<Title> {
    return this.#change(id, who, (title) => {
      requireEditable(title, who);
      if (failsIfMatch(ifMatch, etagOfTitle(toTitle(title, null)))) throw new ChangedMeanwhileError();
      requireMayHide(title, who, edit.visibility);
      for (const tag of [...(edit.tags ?? []), ...(edit.addTags ?? [])]) requireText("tags", cleanLine(tag));
      const tagged = withTagEdit(title, edit);
      if (tagged.tags.length > TAGS_MAX) throw new TooManyTagsError(tagged.tags.length);
      return {
        ...tagged,
        name: edit.name === undefined ? title.name : requireText("name", cleanLine(edit.name)),
        visibility: edit.visibility ?? title.visibility,
        description: edit.description === undefined ? title.description : cleanText(edit.description),
      };
    });
  }

  /** Hides a title from everybody at once; it can be restored for a while, then it is purged. */
  async delete(id: string, who: Principal): Promise<void> {
    const deleted = await this.#repository.edit(id, (title) => {
      requireEditable(title, who);
      return { ...title, deletedAt: this.#now() };
    });
    if (!deleted) throw new WrongMediaIdError();
    await this.#publishChange(id, "deleted");
    this.#onDeleted();
  }

  /** How long a deletion can be undone, in milliseconds. */
  get restoreWindowMs(): number {
    return this.#restoreWindowMs;
  }

  /** What somebody had and can bring back, the last one first; for whoever edits the library, what was deleted of it as well. */
  async deleted(who: Principal, limit: number): Promise<DeletedTitle[]> {
    const found = await this.#repository.listRestorable({
      ...{ ownerId: who.userId, library: who.role !== "viewer" },
      ...{ after: this.#now() - this.#restoreWindowMs, limit },
    });
    return found.map(({ id, name, owner, sizeBytes, info, deletedAt }) => ({
      ...{ id, name, owner, sizeBytes, durationSeconds: info?.durationSeconds ?? null },
      deletedAt: new Date(deletedAt ?? 0).toISOString(),
      until: new Date((deletedAt ?? 0) + this.#restoreWindowMs).toISOString(),
    }));
  }

  /** Undoes a deletion; `WrongMediaIdError` when its time is over. */
  restore(id: string, who: Principal): Promise<Title> {
    return this.#change(id, who, (title) => {
      const tooLate = title.deletedAt !== null && title.deletedAt + this.#restoreWindowMs <= this.#now();
      requireEditable(tooLate ? title : { ...title, deletedAt: null }, who);
      return { ...title, deletedAt: null };
    });
  }

  /** A title by its id, or by that of a file that became part of it once its content was known. */
  async #find(id: string) {
    return (await this.#cached.title(id)) ?? (await this.#repository.getBySource(id));
  }

  /** Changes a title and tells of it; a change that changes nothing is not told. */
  async #change(id: string, who: Who, change: (title: TitleWithSources) => TitleWithSources): Promise<Title> {
    const edited = await this.#repository.edit(id, (title) => {
      const next = change(title);
      return Bun.deepEquals(next, title) ? null : next;
    });
    if (!edited) throw new WrongMediaIdError();
    if (edited.changed) await this.#publishChange(id, "changed");
    return this.#shown(edited.title, who ? who.userId : (edited.title.owner?.id ?? null));
  }

  async #shown(title: TitleRecord, viewerId: string | null): Promise<Title> {
    if (viewerId === null) return toTitle(title, null);
    return toTitle(title, toMine(await this.#cached.state(viewerId, title.id)));
  }
}

function requireText(field: string, text: string): string {
  if (text === "") throw new EmptyTextError(field);
  return text;
}

/** What is about the caller takes one. */
function requireSignedInFor({ owner, favourite, watched, inProgress, sort }: TitleQuery, who: Who): void {
  const isAboutCaller = owner === "me" || favourite || watched !== undefined || inProgress || sort === "last-watched";
  if (isAboutCaller && !who) throw new UnauthorizedError();
}
