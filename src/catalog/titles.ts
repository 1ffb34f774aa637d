import type { z } from "zod";
import type { Principal } from "../auth/contract.ts";
import { ForbiddenError, UnauthorizedError, WrongMediaIdError } from "../errors.ts";
import {
  type catalogContract,
  mayEdit,
  maySee,
  type Title,
  type TitleAccess,
  type TitlePage,
  type TitleQuery,
  TAGS_MAX,
} from "./contract.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { EmptyTextError, TitleIdUsedError, TooManyTagsError } from "./errors.ts";
import { searchOf } from "./title-index.ts";
import type { Audience, TitleRecord, TitleRepository, TitleWithSources } from "./title-repository.ts";
import { cleanLine, cleanText, nameFrom, withoutTags, withTags } from "./title-text.ts";

export type Who = Principal | null;
type Operations = (typeof catalogContract)["operations"];
export type NewUpload = z.output<Operations["createTitle"]["input"]>;
export type CompletedUpload = z.output<Operations["completeTitle"]["input"]>;

export interface TitleEdit {
  readonly name?: string | undefined;
  readonly visibility?: Title["visibility"] | undefined;
  readonly description?: string | undefined;
}

export interface TitlesDependencies {
  readonly repository: TitleRepository;
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
  readonly #publishChange: TitlesDependencies["publishChange"];
  readonly #now: () => number;
  readonly #restoreWindowMs: number;
  readonly #onDeleted: () => void;

  constructor({ repository, publishChange, now, restoreWindowMs, onDeleted }: TitlesDependencies) {
    this.#repository = repository;
    this.#publishChange = publishChange;
    this.#now = now;
    this.#restoreWindowMs = restoreWindowMs;
    this.#onDeleted = onDeleted;
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
      return toTitle(record);
    }
    const existing = await this.#repository.get(id);
    if (!existing || existing.deletedAt !== null) throw new TitleIdUsedError();
    return toTitle(existing);
  }

  /** Makes an upload's title `ready`; `WrongMediaIdError` when it was deleted meanwhile. */
  async completeUpload({ id, mediaId, info }: CompletedUpload): Promise<Title> {
    return this.#change(id, (title) => {
      if (title.deletedAt !== null) throw new WrongMediaIdError();
      // An announcement may have come first, and knows what became of the source since.
      const availability = title.sources.length === 0 ? "ready" : title.availability;
      return { ...title, mediaId: mediaId ?? title.mediaId, info, sizeBytes: info.sizeBytes, availability };
    });
  }

  /** Forgets the title of an upload that came to nothing; leaves one that can be played. */
  async discardUpload(id: string): Promise<void> {
    const title = await this.#repository.get(id);
    if (!title || title.origin !== "upload" || (title.availability !== "receiving" && title.availability !== "failed"))
      return;
    await this.#repository.remove(id);
    await this.#publishChange(id, "deleted");
  }

  /** What deciding about a title takes; null when there is none. */
  async access(id: string): Promise<TitleAccess | null> {
    const title = await this.#repository.get(id);
    if (!title || title.deletedAt !== null) return null;
    return {
      id,
      ownerId: title.owner?.id ?? null,
      visibility: title.visibility,
      mediaId: title.mediaId,
      name: title.name,
    };
  }

  /** One title by its id, or by its content's: then the caller's own, else the oldest they may see. */
  async get(id: string, who: Who): Promise<Title> {
    const isMediaId = /^[0-9a-f]{64}$/.test(id);
    const title = isMediaId
      ? await this.#repository.getByMedia(id, audienceOf(who))
      : await this.#repository.get(id.toLowerCase());
    return toTitle(requireVisible(title, who));
  }

  async find(query: TitleQuery, who: Who): Promise<TitlePage> {
    if (query.owner === "me" && !who) throw new UnauthorizedError();
    const search = searchOf(query, who?.userId ?? null, decodeCursor(query));
    const { titles, next } = await this.#repository.find(search, audienceOf(who));
    return { items: titles.map(toTitle), nextCursor: next && encodeCursor(query, next) };
  }

  edit(id: string, who: Who, { name, visibility, description }: TitleEdit): Promise<Title> {
    return this.#change(id, (title) => {
      requireEditable(title, who);
      return {
        ...title,
        name: name === undefined ? title.name : requireText("name", cleanLine(name)),
        visibility: visibility ?? title.visibility,
        description: description === undefined ? title.description : cleanText(description),
      };
    }, who);
  }

  addTags(id: string, who: Who, added: readonly string[]): Promise<Title> {
    return this.#change(id, (title) => {
      requireEditable(title, who);
      for (const tag of added) requireText("tags", cleanLine(tag));
      const tags = withTags(title.tags, added);
      if (tags.length > TAGS_MAX) throw new TooManyTagsError(tags.length);
      return { ...title, tags };
    }, who);
  }

  removeTags(id: string, who: Who, removed: readonly string[]): Promise<Title> {
    return this.#change(id, (title) => {
      requireEditable(title, who);
      return { ...title, tags: withoutTags(title.tags, removed) };
    }, who);
  }

  /** Hides a title from everybody at once; it can be restored for a while, then it is purged. */
  async delete(id: string, who: Who): Promise<void> {
    const deleted = await this.#repository.edit(id, (title) => {
      requireEditable(title, who);
      return { ...title, deletedAt: this.#now() };
    });
    if (!deleted) requireVisible(null, who);
    await this.#publishChange(id, "deleted");
    this.#onDeleted();
  }

  /** Undoes a deletion; `WrongMediaIdError` when its time is over. */
  restore(id: string, who: Who): Promise<Title> {
    return this.#change(id, (title) => {
      const tooLate = title.deletedAt !== null && title.deletedAt + this.#restoreWindowMs <= this.#now();
      requireEditable(tooLate ? title : { ...title, deletedAt: null }, who);
      return { ...title, deletedAt: null };
    }, who);
  }

  /** Where the caller stopped, in seconds; 0 when they never started. */
  async progress(id: string, who: Principal): Promise<number> {
    requireVisible(await this.#repository.get(id), who);
    return (await this.#repository.getProgress(who.userId, id)) ?? 0;
  }

  async keepProgress(id: string, who: Principal, positionSeconds: number): Promise<void> {
    requireVisible(await this.#repository.get(id), who);
    await this.#repository.putProgress(who.userId, id, positionSeconds);
  }

  /** Changes a title and tells of it; a change that changes nothing is not told. */
  async #change(id: string, change: (title: TitleWithSources) => TitleWithSources, who: Who = null): Promise<Title> {
    let unchanged: TitleWithSources | null = null;
    const changed = await this.#repository.edit(id, (title) => {
      const next = change(title);
      if (!Bun.deepEquals(next, title)) return next;
      unchanged = title;
      return null;
    });
    if (changed) await this.#publishChange(id, "changed");
    return toTitle(requireVisible(changed ?? unchanged, who, changed !== null || unchanged !== null));
  }
}
