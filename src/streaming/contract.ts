import { z } from "zod";
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
});
export type Announcement = z.infer<typeof announcement>;

export const MediaAnnouncements = defineTopic("MediaAnnouncements", announcement);

export const libraryReport = z.object({
  items: z.array(
    z.object({
      folder: z.string(),
      state: z.enum(["scanning", "ready", "unreadable"]),
      /** Files that are titles. */
      files: z.number().int(),
      scannedAt: timestamp.nullable(),
      refused: z.array(z.object({ path: z.string(), code: z.string(), detail: z.string() })),
    }),
  ),
});
export type LibraryReport = z.infer<typeof libraryReport>;

export const streamingContract = defineService({
  name: "streaming",
  operations: {
    /**
     * Takes over a finished upload `uploads/{sourceId}` on the media volume: checks that it is a video (`not-a-video`,
     * `truncated`, `empty`), files it under its SHA-256 when that is known, announces it. Playable when it returns.
     * Calling it again for the same source gives the same answer.
     */
    adopt: {
      input: z.object({
        sourceId: id,
        ownerId: id,
        name: z.string(),
        sizeBytes: z.number().int(),
        mediaId: mediaId.nullable(),
      }),
      output: announcement,
      repeatable: true,
      timeoutMs: 120_000,
    },
    /** Tells the SHA-256 of an adopted source that was taken over without one. */
    identify: { input: z.object({ sourceId: id, mediaId }), output: none, repeatable: true },
    /** Announces every source this instance has, again. */
    reannounce: { input: none, output: z.object({ sources: z.number().int() }), repeatable: true, timeoutMs: 60_000 },
    /** Whether this instance can play the content now. */
    isAvailable: { input: z.object({ mediaId }), output: z.boolean(), repeatable: true },
  },
  publishes: ["MediaAnnouncements", "Progress", "ServiceAvailability"],
  subscribes: ["MediaReleased", "TitleChanges", "AuthenticationStatus"],
  calls: ["auth", "catalog"],
  routes: [{ path: "/stream" }, { path: "/api/library" }, { path: "/api/links" }],
});
