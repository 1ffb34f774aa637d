import { z } from "zod";
import { principal, user } from "../auth/contract.ts";
import { defineService, defineTopic } from "../bus/contract.ts";
import { id, mediaId, none, timestamp } from "../bus/schemas.ts";

/** What the bytes are, read from the container. Codec names are the families of the RFC 6381 strings: `h264`, `aac`. */
export const mediaInfo = z.object({
  durationSeconds: z.number().nonnegative(),
  sizeBytes: z.number().int().nonnegative(),
  /** `mp4`, `mov`, `matroska`, `webm`, `mpegts`. */
  container: z.string(),
  video: z
    .object({
      codec: z.string(),
      width: z.number().int(),
      height: z.number().int(),
      frameRate: z.number(),
      /** Clockwise degrees to turn the picture by: 0, 90, 180, 270. */
      rotation: z.number().int(),
    })
    .nullable(),
  audio: z.array(
    z.object({
      codec: z.string(),
      channels: z.number().int(),
      sampleRate: z.number().int(),
      language: z.string().nullable(),
    }),
  ),
  /** Set when no common browser decodes it as it is: which codec, and why. */
  needsRendition: z.object({ codec: z.string(), reason: z.string() }).nullable(),
});
export type MediaInfo = z.infer<typeof mediaInfo>;

/** A folder that a library file lies in: the library folder itself, or one below it. */
const announcedFolder = z.object({ id, name: z.string() });
export type AnnouncedFolder = z.infer<typeof announcedFolder>;

/** One source that a streaming instance can play, or has lost. */
export const announcement = z.object({
  /** Also the id of the title it makes, when it makes one. */
  sourceId: id,
  /** Null until the content is hashed. */
  mediaId: mediaId.nullable(),
  name: z.string(),
  /** The announcing instance. */
  provider: z.string(),
  origin: z.enum(["upload", "library"]),
  /** The uploader; null for library folders. */
  ownerId: id.nullable(),
  /** What a title made from it starts with. */
  visibility: z.enum(["private", "members", "public"]),
  availability: z.enum(["ready", "unavailable"]),
  info: mediaInfo,
  createdAt: timestamp,
  /** What file name, folders and the file itself say; a title follows them as long as nobody edits it. */
  description: z.string().default(""),
  tags: z.array(z.string()).default([]),
  /** The folders a library file lies in, outermost first. */
  folders: z.array(announcedFolder).default([]),
  /** What the file is called, without folders and extension, where that is not `name`. */
  fileName: z.string().optional(),
});
export type Announcement = z.infer<typeof announcement>;

export const MediaAnnouncements = defineTopic("MediaAnnouncements", announcement);

const libraryFolder = z.object({
  id,
  folder: z.string(),
  /** What the titles of its files start with. */
  visibility: announcement.shape.visibility,
  /** Those from the configuration are removed there, added ones with `DELETE /api/library/folders/{id}`. */
  origin: z.enum(["configuration", "added"]),
  /** `empty`: it had videos, and there is nothing in it now; its disk may be missing. */
  state: z.enum(["scanning", "ready", "unreadable", "empty"]),
  /** Files that are titles. */
  files: z.number().int(),
  scannedAt: timestamp.nullable(),
  /** How changes are noticed: at once, or by scanning again; then why. */
  watched: z.enum(["events", "interval"]),
  watchedDetail: z.string().nullable(),
  refused: z.array(z.object({ path: z.string(), code: z.string(), detail: z.string() })),
  /** All files that were refused; `refused` names the first thousand. */
  refusedFiles: z.number().int(),
  /** Files beside the videos that do not claim by their extension to be any: texts, pictures, links to other folders in it. */
  otherFiles: z.number().int().default(0),
  /** The streaming instance whose machine it is on, as `/api/services` names it. */
  instance: z.string().optional(),
});

export const libraryReport = z.object({
  items: z.array(libraryFolder),
  /** Bytes of files that can be watched and whose SHA-256 is not known yet. */
  unhashedBytes: z.number().int(),
  /** Whether `POST /api/library/folders` is allowed here. */
  mayAdd: z.boolean(),
  /** Live streaming instances whose folders are not among these: they did not answer in time. */
  missing: z.array(z.string()).optional(),
});
export type LibraryReport = z.infer<typeof libraryReport>;

/** What becomes of the titles of a library folder that is removed: they wait for it to come back, or go for good. */
export const titlesOfRemoved = z.enum(["keep", "forget"]);
export type TitlesOfRemoved = z.infer<typeof titlesOfRemoved>;

/** What is known of a library folder's files, whether or not it still is one. */
export const keptFolder = z.object({
  id,
  folder: z.string(),
  /** Files that are known, those that are not there now among them. */
  files: z.number().int(),
  /** It is no library folder any more. */
  isRemoved: z.boolean(),
  /** Its titles are being forgotten. */
  isForgetting: z.boolean(),
  instance: z.string().optional(),
});
export const keptFolders = z.object({
  items: z.array(keptFolder),
  /** Live streaming instances that did not answer in time. */
  missing: z.array(z.string()).optional(),
});
export type KeptFolders = z.infer<typeof keptFolders>;

/** What takes space: Kinora's own first, then the library folders, which it only reads. */
const storageArea = z.object({
  /**
   * `originals`: uploaded videos, equal ones once. `uploads`: uploads that have not come to their end, or are being filed.
   * `index`: what is kept of videos so that they start at once; it can be made again. `database`. `library`: the files of
   * library folders.
   */
  kind: z.enum(["originals", "uploads", "index", "database", "library"]),
  bytes: z.number().int(),
  files: z.number().int().nullable(),
  /** Whether `DELETE /api/storage/index` may remove it without loss. */
  removable: z.boolean(),
});
const storageVolume = z.object({
  /** What of Kinora's is on it. */
  holds: z.array(z.enum(["data", "storage", "database"])),
  path: z.string(),
  freeBytes: z.number().int(),
  totalBytes: z.number().int(),
});
export const storageReport = z.object({
  areas: z.array(storageArea),
  volumes: z.array(storageVolume),
  /** What uploaders have, those with the most first; equal uploads of several people count for each of them. */
  owners: z.array(
    z.object({ user: user.pick({ id: true, username: true }), bytes: z.number().int(), files: z.number().int() }),
  ),
  /** The instance that tells it. */
  instance: z.string(),
});
export type StorageReport = z.infer<typeof storageReport>;

/**
 * Why a stream was ended. `stopped`: its owner or an admin stopped it. `ended`: RTP was sent to the end. `expired`: its credential was not renewed in
 * time. `revoked`: the credential or the grant was revoked, or its user signed out. `title-unavailable`: the video was
 * deleted or hidden from its viewer. `time-limit`: it has run as long as a grant may. `unreachable`: nobody listens
 * where RTP is sent. `failed`: the video could not be read on. `gone`: the instance that held it is gone. `shutdown`:
 * Kinora stops.
 */
export const stopReason = z.enum([
  "stopped",
  "ended",
  "expired",
  "revoked",
  "title-unavailable",
  "time-limit",
  "unreachable",
  "failed",
  "gone",
  "shutdown",
]);
export type StopReason = z.infer<typeof stopReason>;

export const streamProtocol = z.enum(["rtsp", "rtp", "hls"]);
export type StreamProtocol = z.infer<typeof streamProtocol>;

/** What a stream controller answers its owner with. The URL holds a grant: it is a secret. */
export const streamHandle = z.object({
  id,
  protocol: streamProtocol,
  url: z.string(),
  /** What an RTP player needs (RFC 8866); null where the protocol brings it along. */
  sdp: z.string().nullable(),
  /** Where its events are published, and what `GET /api/streams/{id}/events` relays. */
  syncTopic: z.string(),
  /** It asks for renewal then, and stops a grace later. */
  expiresAt: timestamp,
});
export type StreamHandle = z.infer<typeof streamHandle>;

/** A stream controller as lists show it: without its secrets. */
export const streamSummary = z.object({
  id,
  protocol: streamProtocol,
  title: z.object({ id, name: z.string() }),
  user: user.pick({ id: true, username: true }),
  /** `asking`: its time is over and it waits for renewal. */
  state: z.enum(["running", "paused", "asking"]),
  createdAt: timestamp,
  expiresAt: timestamp,
  /** The streaming instance that holds it. */
  instance: z.string(),
});
export type StreamSummary = z.infer<typeof streamSummary>;

/** What happens to one stream, published under its id. */
const streamEvent = z.discriminatedUnion("type", [
  /** Its credential has expired: it stops at `stopsAt` unless it is refreshed. */
  z.object({ type: z.literal("requestAuthentication"), stopsAt: timestamp }),
  z.object({ type: z.literal("paused") }),
  z.object({ type: z.literal("resumed") }),
  /** It was played to its end. */
  z.object({ type: z.literal("ended") }),
  /** Nothing comes after this. */
  z.object({ type: z.literal("stopped"), reason: stopReason }),
]);
export type StreamEvent = z.infer<typeof streamEvent>;
export const StreamerSync = defineTopic("StreamerSync", streamEvent, { keyed: true });

/** Somebody who watches without a stream controller, as far as requests tell. */
export const watched = z.object({
  id,
  title: z.object({ id, name: z.string() }),
  /** Who watches, or who made the link; null for somebody without an account. */
  user: user.pick({ id: true, username: true }).nullable(),
  by: z.enum(["session", "token", "api-key", "link", "public"]),
  protocol: z.enum(["hls", "dash", "file"]),
  since: timestamp,
  /** The last request. */
  lastAt: timestamp,
  /** Sent so far; null where it cannot be told. */
  bytes: z.number().int().nullable(),
  instance: z.string(),
});
export type Watched = z.infer<typeof watched>;

export const streamingContract = defineService({
  name: "streaming",
  operations: {
    /**
     * Takes over a finished upload in the store `place` (`temporary-unavailable` when this instance does not reach it): checks that it is a video (`not-a-video`,
     * `truncated`, `empty`), files it under its SHA-256 when that is known, announces it. Playable when it returns.
     * Calling it again for the same source gives the same answer.
     */
    adopt: {
      input: z.object({
        sourceId: id,
        ownerId: id,
        name: z.string(),
        /** What the file was called, without folders and extension; null when nobody said. */
        fileName: z.string().nullable().default(null),
        sizeBytes: z.number().int(),
        mediaId: mediaId.nullable(),
        place: z.string().nullable().default(null),
      }),
      output: announcement,
      repeatable: true,
      timeoutMs: 120_000,
    },
    /** Tells the SHA-256 of an adopted source that was taken over without one. */
    identify: { input: z.object({ sourceId: id, mediaId }), output: none, repeatable: true },
    /** Announces every source this instance has, again; with `sourceIds` only these, as far as it has them. */
    reannounce: {
      input: z.object({ sourceIds: z.array(id).max(1_000).optional() }),
      output: z.object({ sources: z.number().int() }),
      repeatable: true,
      timeoutMs: 1_800_000,
    },
    /** Whether this instance can play the content, or a title of it, now. */
    isAvailable: {
      input: z.object({ mediaId: mediaId.nullable(), titleId: id.optional() }),
      output: z.boolean(),
      repeatable: true,
    },
    /** The library folders of this very instance. */
    reportLibrary: { input: none, output: libraryReport, repeatable: true },
    /** Has this very instance begin to scan its library folders again. */
    rescanLibrary: { input: none, output: libraryReport, repeatable: true },
    /** Adds a library folder of this very instance's machine; what `POST /api/library/folders` refuses is refused. */
    addFolder: { input: z.object({ path: z.string(), visibility: announcement.shape.visibility }), output: none },
    /** Removes an added library folder of this very instance. */
    removeFolder: { input: z.object({ id: z.string(), titles: titlesOfRemoved.default("keep") }), output: none },
    /** What this very instance knows of the files of its library folders, and of those that were. */
    listKept: { input: none, output: keptFolders, repeatable: true },
    /** Has this very instance forget the titles of one folder, or of all, that are library folders no more; those it begins with. */
    forgetRemoved: { input: z.object({ id: z.string().optional() }), output: keptFolders, repeatable: true },
    /** The stream controllers that this very instance holds, of one user or (null) all of them; with `id` only that one. */
    listStreams: {
      input: z.object({ userId: id.nullable(), id: id.optional() }),
      output: z.object({ items: z.array(streamSummary) }),
      repeatable: true,
      timeoutMs: 2_000,
    },
    /** What is being watched from this very instance without a controller. */
    listWatching: {
      input: none,
      output: z.object({ items: z.array(watched) }),
      repeatable: true,
      timeoutMs: 2_000,
    },
    /** Renews a controller that this instance holds until `expiresAt`, by the credential of `who`, its owner. */
    refreshStream: { input: z.object({ id, who: principal, expiresAt: timestamp }), output: streamHandle },
    /** Pauses, resumes or stops a controller that this instance holds, for its owner or an admin. */
    controlStream: {
      input: z.object({ id, who: principal, action: z.enum(["pause", "resume", "stop"]) }),
      output: streamSummary,
    },
  },
  publishes: ["MediaAnnouncements", "Progress", "ServiceAvailability", "StreamerSync"],
  subscribes: ["MediaReleased", "TitleChanges", "CollectionChanges", "AuthenticationStatus", "StreamerSync"],
  durable: ["AuthenticationStatus"],
  calls: ["main", "auth", "catalog", "streaming"],
  routes: [
    { path: "/stream", placed: true },
    { path: "/api/library" },
    { path: "/api/storage" },
    { path: "/api/watching" },
    { path: "/api/links" },
    { path: "/api/streams" },
  ],
});
