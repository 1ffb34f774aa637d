import type { z } from "zod";
import type { Principal } from "../auth/contract.ts";
import { UnauthorizedError, WrongMediaIdError } from "../errors.ts";
import {
  type catalogContract,
  TAGS_MAX,
  type Title,
  type TitleAccess,
  type TitlePage,
  type TitleQuery,
} from "./contract.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { EmptyTextError, TitleIdUsedError, TooManyTagsError } from "./errors.ts";
import { searchOf } from "./title-index.ts";
import type { TitleRepository, TitleWithSources } from "./title-repository.ts";
import { cleanLine, cleanText, nameFrom, withoutTags, withTags } from "./title-text.ts";
import { audienceOf, requireEditable, requireVisible, toAccess, toTitle, type Who } from "./title-view.ts";

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
    const removed = await this.#repository.remove(
      id,
      ({ origin, availability }) => origin === "upload" && (availability === "receiving" || availability === "failed"),
    );
    if (removed) await this.#publishChange(id, "deleted");
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
    return toTitle(requireVisible(title, who));
  }

  async find(query: TitleQuery, who: Who): Promise<TitlePage> {
    if (query.owner === "me" && !who) throw new UnauthorizedError();
    const search = searchOf(query, who?.userId ?? null, decodeCursor(query));
    const { titles, next } = await this.#repository.find(search, audienceOf(who));
    return { items: titles.map(toTitle), nextCursor: next && encodeCursor(query, next) };
  }

  edit(id: string, who: Principal, { name, visibility, description }: TitleEdit): Promise<Title> {
    return this.#change(id, (title) => {
      requireEditable(title, who);
      return {
        ...title,
        name: name === undefined ? title.name : requireText("name", cleanLine(name)),
        visibility: visibility ?? title.visibility,
        description: description === undefined ? title.description : cleanText(description),
      };
    });
  }

  addTags(id: string, who: Principal, added: readonly string[]): Promise<Title> {
    return this.#change(id, (title) => {
      requireEditable(title, who);
      for (const tag of added) requireText("tags", cleanLine(tag));
      const tags = withTags(title.tags, added);
      if (tags.length > TAGS_MAX) throw new TooManyTagsError(tags.length);
      return { ...title, tags };
    });
  }

  removeTags(id: string, who: Principal, removed: readonly string[]): Promise<Title> {
    return this.#change(id, (title) => {
      requireEditable(title, who);
      return { ...title, tags: withoutTags(title.tags, removed) };
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

  /** Undoes a deletion; `WrongMediaIdError` when its time is over. */
  restore(id: string, who: Principal): Promise<Title> {
    return this.#change(id, (title) => {
      const tooLate = title.deletedAt !== null && title.deletedAt + this.#restoreWindowMs <= this.#now();
      requireEditable(tooLate ? title : { ...title, deletedAt: null }, who);
      return { ...title, deletedAt: null };
    });
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

  /** A title by its id, or by that of a file that became part of it once its content was known. */
  async #find(id: string) {
    return (await this.#repository.get(id)) ?? (await this.#repository.getBySource(id));
  }

  /** Changes a title and tells of it; a change that changes nothing is not told. */
  async #change(id: string, change: (title: TitleWithSources) => TitleWithSources): Promise<Title> {
    const edited = await this.#repository.edit(id, (title) => {
      const next = change(title);
      return Bun.deepEquals(next, title) ? null : next;
    });
    if (!edited) throw new WrongMediaIdError();
    if (edited.changed) await this.#publishChange(id, "changed");
    return toTitle(edited.title);
  }
}

function requireText(field: string, text: string): string {
  if (text === "") throw new EmptyTextError(field);
  return text;
}
