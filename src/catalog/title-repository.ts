import type { MediaInfo } from "../streaming/contract.ts";
import type { TitleQuery, Visibility } from "./contract.ts";

export type Availability = "receiving" | "ready" | "unavailable" | "failed";
export type Origin = "upload" | "library";

/** What a source's file name, its folders and the file itself say of a title. */
export interface Derived {
  readonly name: string;
  /** What the file is called, without folders and extension; absent when that is `name`. */
  readonly fileName?: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Ids of the folders it lies in, outermost first. */
  readonly folders: readonly string[];
  /** Who may see what lies in its library folder; absent for uploads, and for sources that have not been announced since this is kept. */
  readonly visibility?: Visibility;
}

/** A physical file or upload that a title can be played from. */
export interface TitleSource {
  readonly sourceId: string;
  readonly provider: string;
  readonly origin: Origin;
  readonly availability: "ready" | "unavailable";
  readonly mediaId: string | null;
  /** What the title followed last; null for what was announced before this was kept. */
  readonly derived: Derived | null;
  /** Tells whether an announcement is the one that was taken last; null when none was. */
  readonly fingerprint: string | null;
}

/** A library folder or one below it. */
export interface Folder {
  readonly id: string;
  readonly name: string;
  /** Null for a library folder. */
  readonly parent: string | null;
}

/** A folder with how many titles the caller may see in it and below. */
export interface CountedFolder extends Folder {
  readonly titles: number;
}

export interface FolderPage {
  readonly items: readonly CountedFolder[];
  /** The last one's place when there are more. */
  readonly next: { readonly nameKey: string; readonly id: string } | null;
}

/** The folders in one, or the library folders when `parent` is null; those with nothing to see are left out. */
export interface FolderSearch {
  readonly parent: string | null;
  readonly limit: number;
  readonly after: FolderPage["next"];
}

/** A title as it is kept. */
export interface TitleRecord {
  readonly id: string;
  readonly mediaId: string | null;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Null for library titles. */
  readonly owner: { readonly id: string; readonly username: string } | null;
  readonly origin: Origin;
  readonly visibility: Visibility;
  readonly availability: Availability;
  readonly sizeBytes: number;
  readonly info: MediaInfo | null;
  readonly createdAt: string;
  /** Milliseconds since 1970; null while it is there. */
  readonly deletedAt: number | null;
}

/** What people have said of a library title's tags: it counts more than what its folders and files give. */
export interface TagWords {
  /** Tags it has for as long as nobody removes them. */
  readonly added: readonly string[];
  /** Tags that no folder gives it, until somebody adds them. */
  readonly removed: readonly string[];
}

/** A title with what it is played from. */
export interface TitleWithSources extends TitleRecord {
  readonly sources: readonly TitleSource[];
  /** Absent as long as nobody has said anything, or it is seen by comparing tags and sources. */
  readonly tagWords?: TagWords;
}

/** Text of a title, folded and cut for searching. */
export interface TitleIndex {
  readonly nameFolded: string;
  /** The beginning of the folded name: what titles are sorted by. */
  readonly nameKey: string;
  /** One key for each tag, in the tags' order. */
  readonly tagKeys: readonly string[];
  /** Tokens of name, tags, description and names of files; an empty string parts what no phrase may span. */
  readonly tokens: readonly string[];
  /** Punctuation in name, tags and description. */
  readonly marks: readonly string[];
  /** All runs of one, two and three characters in the folded name. */
  readonly grams: readonly string[];
  /** Names of its files whose words are among the tokens; those that say no more than the name are left out. */
  readonly fileNames: readonly string[];
}

/** What is indexed of a title: of its sources the names of their files, or those that were kept in the index. */
export type Indexable = Pick<TitleRecord, "name" | "description" | "tags"> &
  (Pick<TitleIndex, "fileNames"> | Pick<TitleWithSources, "id" | "visibility" | "sources">);

/** Computes what a repository indexes of a title. */
export type TitleIndexOf = (title: Indexable) => TitleIndex;

/** Whose eyes a search has: `everything` (admins), `public` only (nobody signed in), or a user's. */
export type Audience = { readonly sees: "everything" } | { readonly sees: "public" } | { readonly userId: string };

/** Where a page ended: the last title's place in time, and what the order goes by before that, unless it is time. */
export interface Position {
  readonly place: number;
  /** Its name's key, its duration in milliseconds, when it was watched, its place in the collection. */
  readonly key?: string | number;
}

/** How far indexing all titles anew has come. */
export interface IndexingProgress {
  readonly indexed: number;
  readonly titles: number;
}

/** What somebody has done with a title. */
export interface TitleState {
  readonly positionSeconds: number | null;
  /** Begun and not yet watched to its end. */
  readonly inProgress: boolean;
  readonly watched: boolean;
  readonly favourite: boolean;
  /** Milliseconds since 1970. */
  readonly watchedAt: number | null;
}

export interface NameSearch {
  readonly folded: string;
  /** The `nameKey` of a title with exactly this name. */
  readonly key: string;
  readonly exact: boolean;
  /** Its runs of 3 characters, or itself when it is shorter. */
  readonly grams: readonly string[];
}

/** A search with folded text. All conditions must hold. */
export interface TitleSearch {
  /** Each phrase must occur in name, tags or description; its last token may be the beginning of a word. */
  readonly phrases: readonly (readonly string[])[];
  readonly marks: readonly string[];
  /** The folded name contains this, or equals it when `exact`. */
  readonly name: NameSearch | null;
  readonly tagKeys: readonly string[];
  readonly match: TitleQuery["match"];
  readonly ownerId: string | null;
  /** In this folder, or there and in the folders below it. */
  readonly folder: { readonly id: string; readonly below: boolean } | null;
  readonly visibility: Visibility | null;
  readonly availability: Availability | null;
  /** Both ends included, milliseconds; titles of unknown duration are in no range. Null: open at this end. */
  readonly durationMs: Range;
  /** Lines of the picture, both ends included; titles without a picture are in no range. */
  readonly height: Range;
  /** Any of these; empty for all. */
  readonly codecs: readonly string[];
  /** Whose `TitleState`s count and are given along; null for nobody's. */
  readonly viewerId: string | null;
  /** What the viewer must have done with it; null where it does not matter. */
  readonly state: {
    readonly favourite: true | null;
    readonly watched: boolean | null;
    readonly inProgress: true | null;
  };
  readonly collectionId: string | null;
  readonly sort: TitleQuery["sort"];
  readonly limit: number;
  readonly after: Position | null;
}

export interface Range {
  readonly min: number | null;
  readonly max: number | null;
}

/** How many of some titles have a tag, codec or height. */
export interface TitleCounts {
  readonly titles: number;
  /** False when there are more titles than were counted. */
  readonly complete: boolean;
  readonly codecs: readonly Counted[];
  readonly heights: readonly Counted[];
  readonly tags: readonly Counted[];
}

export interface Counted {
  readonly value: string;
  readonly count: number;
}

export interface FoundTitles {
  readonly titles: readonly TitleRecord[];
  /** What the viewer has done with them, by title id; nothing for those they have done nothing with. */
  readonly states: ReadonlyMap<string, TitleState>;
  /** Where the next page begins; null on the last. */
  readonly next: Position | null;
}

/** What is left of a title that was purged: its source never becomes a title again. */
export interface Tombstone {
  readonly sourceId: string;
  readonly origin: Origin;
  readonly mediaId: string | null;
}

/** A library title that was purged. */
export interface BuriedTitle {
  readonly id: string;
  /** Null when an older version purged it. */
  readonly name: string | null;
  readonly purgedAt: string;
}

/** A title after an edit. */
export interface EditedTitle {
  readonly title: TitleWithSources;
  readonly changed: boolean;
}

/** The port to the database of titles. `src/adapters/sql` implements it; the suites beside this file define it. */
export interface TitleRepository {
  /** Adds a title. False, and nothing done, when its id is a title's or a tombstone's. */
  insert(title: TitleWithSources): Promise<boolean>;
  /** The same for several in one transaction; the ids of those that were added. */
  insertAll(titles: readonly TitleWithSources[]): Promise<string[]>;
  /** A title by id, deleted ones included until they are purged. */
  get(id: string): Promise<TitleRecord | null>;
  /** The title that a source belongs to. */
  getBySource(sourceId: string): Promise<TitleRecord | null>;
  /** Of the titles with this content: the user's own, else the oldest the audience may see. */
  getByMedia(mediaId: string, audience: Audience): Promise<TitleRecord | null>;
  /** Of these sources those of which there is neither a title nor a tombstone, nor a library title of their content. */
  listUnknown(sources: readonly Pick<TitleSource, "sourceId" | "mediaId">[]): Promise<Set<string>>;
  /** Up to `limit` library titles with this content, the oldest first. */
  listLibraryTitles(mediaId: string, limit: number): Promise<TitleWithSources[]>;
  /**
   * Changes a title in one transaction: `change` gets it as it is, deleted ones included, and returns what it
   * becomes, or null to leave it. Id and creation time stay. Null when there is no such title.
   */
  edit(id: string, change: (title: TitleWithSources) => TitleWithSources | null): Promise<EditedTitle | null>;
  /** The same for several in one transaction, as far as they are there: what they share in the index is written once. */
  editAll(
    ids: readonly string[],
    change: (title: TitleWithSources) => TitleWithSources | null,
  ): Promise<ReadonlyMap<string, EditedTitle>>;
  /** The titles that these sources belong to, by source. */
  listBySource(sourceIds: readonly string[]): Promise<ReadonlyMap<string, Pick<TitleRecord, "id" | "mediaId">>>;
  /**
   * Of these announced sources the ids of those that were taken before with the same fingerprint: nothing is to be done
   * for them. Their provider is kept, which is another one after each start.
   */
  takeUnchanged(sources: readonly Pick<TitleSource, "sourceId" | "fingerprint" | "provider">[]): Promise<Set<string>>;
  /**
   * Makes what people have on one title (where they stopped) part of another and forgets the first without a trace,
   * when `when` says yes; whether it did.
   */
  absorb(id: string, into: string, when: (title: TitleWithSources) => boolean): Promise<boolean>;
  /** Keeps folders; those that are there stay as they are. `nameKey` gives their order. */
  putFolders(folders: readonly (Folder & { readonly nameKey: string })[]): Promise<void>;
  getFolder(id: string): Promise<Folder | null>;
  /** Whether the audience may see a title in this folder or below. */
  hasTitlesIn(id: string, audience: Audience): Promise<boolean>;
  findFolders(search: FolderSearch, audience: Audience): Promise<FolderPage>;
  find(search: TitleSearch, audience: Audience): Promise<FoundTitles>;
  /** Forgets a title without a trace when `when` says yes; whether it did. */
  remove(id: string, when: (title: TitleWithSources) => boolean): Promise<boolean>;
  /**
   * Replaces a title by tombstones of its id and sources when `when` says yes. Null when it was not there or
   * `when` said no; otherwise what it was.
   */
  purge(id: string, when: (title: TitleRecord) => boolean): Promise<TitleWithSources | null>;
  /** Purged library titles, the last one first. */
  listBuried(limit: number): Promise<BuriedTitle[]>;
  /** Forgets the tombstones of a purged library title, so that its sources become titles again: those sources. */
  unbury(id: string): Promise<string[]>;
  /** Forgets the tombstones of these library sources alone. */
  forgetTombstones(sourceIds: readonly string[]): Promise<void>;
  /** Ids of titles deleted at or before this time (ms). */
  listDeleted(until: number): Promise<string[]>;
  /** Titles of one owner (and with `library` those of nobody) deleted after this time (ms), the last one first. */
  listRestorable(which: {
    readonly ownerId: string;
    readonly library: boolean;
    readonly after: number;
    readonly limit: number;
  }): Promise<TitleRecord[]>;
  /** When the title that was deleted first was deleted; null when none is. */
  firstDeletion(): Promise<number | null>;
  /** Instances that announced a title's sources as ready. */
  listProviders(id: string): Promise<string[]>;
  listOwned(ownerId: string): Promise<string[]>;
  /** The tombstone of a source, with its content's id updated when one is given. */
  getTombstone(sourceId: string, mediaId: string | null): Promise<Tombstone | null>;
  /** Purged uploads with this content, when no title has it any more; otherwise none. */
  listReleasable(mediaId: string): Promise<string[]>;
  /** Tags, codecs and heights of what a search finds, the most frequent first, at most `limit` of each. */
  count(search: TitleSearch, audience: Audience, limit: number): Promise<TitleCounts>;
  /** The most frequent tags that titles visible to the audience have, of those whose key begins with `prefix`. */
  listTags(audience: Audience, prefix: string, limit: number): Promise<Counted[]>;
  /** What a user has done with titles, by title id; nothing for those they have done nothing with. */
  getStates(userId: string, titleIds: readonly string[]): Promise<ReadonlyMap<string, TitleState>>;
  /**
   * Changes what a user has done with a title, in one transaction: `change` gets it as it is, null when they have done
   * nothing. Nothing when there is no such title.
   */
  editState(userId: string, titleId: string, change: (state: TitleState | null) => TitleState): Promise<void>;
  forgetStatesOf(userId: string): Promise<void>;
  /** Readies the index when an older version left another one. Call it before anything else; it takes seconds at most. */
  readyIndex(): Promise<void>;
  /**
   * Indexes titles that an older version has left without; nothing otherwise. Titles are found as it goes on. Stopped, it goes on
   * where it was with the next call.
   */
  indexAnew(tell: (progress: IndexingProgress) => void, stop: AbortSignal): Promise<void>;
}
