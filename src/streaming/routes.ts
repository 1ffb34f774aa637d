import type { OpenAPIHono } from "@hono/zod-openapi";
import { NotFoundError } from "../errors.ts";
import { createApp } from "../http/app.ts";
import { type HttpEnv, requirePrincipal, viewerOf } from "../http/env.ts";
import { initSegment } from "../media/cmaf/init-segment.ts";
import { planStill } from "../media/cmaf/still.ts";
import { dashManifest } from "../media/dash/dash-manifest.ts";
import { hlsKeyFramePlaylist } from "../media/hls/hls-key-frames.ts";
import { hlsMediaPlaylist, hlsMultivariantPlaylist } from "../media/hls/hls-playlist.ts";
import { PACKAGER_VERSION } from "../media/packager-version.ts";
import type { AllLibraries } from "./all-libraries.ts";
import type { AllWatching } from "./all-watching.ts";
import { addChapters } from "./chapter-routes.ts";
import { bodyOf } from "./computed-body.ts";
import { type FaststartPlans, planAsItIs } from "./faststart-plans.ts";
import { addLibrary } from "./library-routes.ts";
import { addLinks } from "./link-routes.ts";
import type { Links } from "./links.ts";
import { answerMedia, contentOf, etagOf } from "./media-answer.ts";
import {
  answerComputed,
  answerWithSubtitles,
  bytesBody,
  carriedQuery,
  type PackagedAnswerDependencies,
  playlistBody,
  textBody,
  trackOf,
} from "./packaged-answer.ts";
import { reading } from "./reading.ts";
import { describe } from "./route-docs.ts";
import type { Storage } from "./storage.ts";
import { addStorage } from "./storage-routes.ts";
import { addSubtitles } from "./subtitle-routes.ts";
import type { Watching } from "./watching.ts";
import { addWatching, noteWatching } from "./watching-routes.ts";

const PLAYLIST = "application/vnd.apple.mpegurl";
const MANIFEST = "application/dash+xml";
const SEGMENT = "video/mp4";

const containerTypes: Readonly<Record<string, string>> = {
  mp4: "video/mp4",
  mov: "video/quicktime",
  matroska: "video/x-matroska",
  webm: "video/webm",
  mpegts: "video/mp2t",
};

export interface StreamingRoutesDependencies extends PackagedAnswerDependencies {
  readonly faststart: FaststartPlans;
  readonly library: AllLibraries;
  readonly links: Links;
  readonly storage: Storage;
  readonly watching: Watching;
  readonly allWatching: AllWatching;
}

/** `/stream/…`, `/api/library` and `/api/links`. Every answer is authorised anew. GET routes answer HEAD too. */
export function createStreamingRoutes(dependencies: StreamingRoutesDependencies): OpenAPIHono<HttpEnv> {
  const app = createApp();
  app.use("/stream/:titleId/*", noteWatching(dependencies.watching));
  addOriginal(app, dependencies);
  addFaststart(app, dependencies);
  addHls(app, dependencies);
  addDash(app, dependencies);
  addStill(app, dependencies);
  addSubtitles(app, dependencies);
  addChapters(app, dependencies);
  addLibrary(app, dependencies.library, dependencies.playback);
  addLinks(app, dependencies.links);
  addStorage(app, dependencies.storage);
  addWatching(app, dependencies.allWatching);
  // Whether an address exists is nobody's business who is not signed in.
  app.get("/stream/*", (c) => {
    if (!viewerOf(c)) requirePrincipal(c);
    throw new NotFoundError("There is nothing at this address.");
  });
  return app;
}

function addOriginal(app: OpenAPIHono<HttpEnv>, { playback }: StreamingRoutesDependencies): void {
  describe(app, "/stream/{titleId}/original", ["titleId"], "The untouched original, ranged", "video/*");
  app.get("/stream/:titleId/original", async (c) => {
    const playable = await playback.find(c.req.param("titleId"), viewerOf(c));
    const file = await playback.locate(playable);
    return answerMedia(c, playable, {
      sizeBytes: file.size,
      contentType: containerTypes[playable.source.info.container] ?? "application/octet-stream",
      etag: etagOf("original", ...contentOf(playable, file)),
      lastModified: new Date(file.mtimeMs),
      headers: { "Content-Disposition": disposition(playable.access.name, playable.source.info.container) },
      // A path and no handle: Bun sends it with sendfile.
      body: (range) =>
        file.path === null ? bodyOf(file, planAsItIs(file), range) : Bun.file(file.path).slice(range.start, range.end),
    });
  });
}

function addFaststart(app: OpenAPIHono<HttpEnv>, { playback, faststart }: StreamingRoutesDependencies): void {
  describe(app, "/stream/{titleId}/faststart", ["titleId"], "The original with its moov first, ranged", "video/*");
  app.get("/stream/:titleId/faststart", async (c) => {
    const playable = await playback.find(c.req.param("titleId"), viewerOf(c));
    const file = await playback.locate(playable);
    const plan = await reading(file, () => faststart.get(playable.source, file));
    return answerMedia(c, playable, {
      sizeBytes: plan.sizeBytes,
      contentType: containerTypes[playable.source.info.container] ?? "application/octet-stream",
      etag: etagOf("faststart", PACKAGER_VERSION, ...contentOf(playable, file)),
      lastModified: new Date(file.mtimeMs),
      headers: { "Content-Disposition": disposition(playable.access.name, playable.source.info.container) },
      body: (range) => bodyOf(file, plan, range, c.env),
    });
  });
}

/** RFC 6266 with the extended form of RFC 8187, which can carry any name. */
function disposition(name: string, container: string): string {
  const extension = { matroska: "mkv", mpegts: "ts" }[container] ?? container;
  const encoded = encodeURIComponent(`${name.toWellFormed()}.${extension}`).replace(/['()*]/g, escape);
  return `inline; filename*=UTF-8''${encoded}`;
}

function addHls(app: OpenAPIHono<HttpEnv>, dependencies: StreamingRoutesDependencies): void {
  const base = "/stream/{titleId}/hls";
  describe(app, `${base}/master.m3u8`, ["titleId"], "HLS multivariant playlist (RFC 8216)", PLAYLIST);
  describe(app, `${base}/{track}/playlist.m3u8`, ["titleId", "track"], "HLS media playlist", PLAYLIST);
  describe(app, `${base}/{track}/iframes.m3u8`, ["titleId", "track"], "HLS I-frame playlist", PLAYLIST);
  describe(app, `${base}/{track}/key/{segment}.m4s`, ["titleId", "track", "segment"], "CMAF key frame", SEGMENT);
  describe(app, `${base}/{track}/init.mp4`, ["titleId", "track"], "CMAF header", SEGMENT);
  describe(app, `${base}/{track}/{segment}.m4s`, ["titleId", "track", "segment"], "CMAF segment", SEGMENT);

  app.get("/stream/:titleId/hls/master.m3u8", (c) =>
    answerWithSubtitles(c, dependencies, PLAYLIST, (video, subtitles) =>
      playlistBody(c, hlsMultivariantPlaylist(video, subtitles)),
    ),
  );
  app.get("/stream/:titleId/hls/:track{[0-9]+}/playlist.m3u8", (c) =>
    answerComputed(c, dependencies, PLAYLIST, ({ video }) =>
      playlistBody(c, hlsMediaPlaylist(video, trackOf(video, c))),
    ),
  );
  app.get("/stream/:titleId/hls/:track{[0-9]+}/iframes.m3u8", (c) =>
    answerComputed(c, dependencies, PLAYLIST, ({ video }) => {
      const playlist = hlsKeyFramePlaylist(video, trackOf(video, c));
      if (playlist === null) throw new NotFoundError("This track has no I-frame playlist.");
      return playlistBody(c, playlist);
    }),
  );
  app.get("/stream/:titleId/hls/:track{[0-9]+}/init.mp4", (c) =>
    answerComputed(c, dependencies, SEGMENT, ({ video }) => bytesBody(initSegment(video, trackOf(video, c)))),
  );
  app.get("/stream/:titleId/hls/:track{[0-9]+}/key/:segment{[0-9]+\\.m4s}", (c) =>
    answerComputed(c, dependencies, SEGMENT, async ({ video, source }) => {
      const picture = await video.planKeyFrame(source, trackOf(video, c), Number.parseInt(c.req.param("segment"), 10));
      if (!picture) throw new NotFoundError("This track has no such key frame of its own.");
      return picture;
    }),
  );
  app.get("/stream/:titleId/hls/:track{[0-9]+}/:segment{[0-9]+\\.m4s}", (c) =>
    answerComputed(c, dependencies, SEGMENT, async ({ video, source }) => {
      const segment = await video.plan(source, trackOf(video, c), Number.parseInt(c.req.param("segment"), 10));
      if (!segment) throw new NotFoundError("This track has no such segment.");
      return segment;
    }),
  );
}

/** The manifest leads to the segments of HLS: one URL for one segment is better for caches. */
function addDash(app: OpenAPIHono<HttpEnv>, dependencies: StreamingRoutesDependencies): void {
  const path = "/stream/{titleId}/dash/manifest.mpd";
  describe(app, path, ["titleId"], "DASH manifest (ISO/IEC 23009-1)", MANIFEST);
  app.get("/stream/:titleId/dash/manifest.mpd", (c) =>
    answerWithSubtitles(c, dependencies, MANIFEST, (video, subtitles) =>
      textBody(dashManifest(video, subtitles, carriedQuery(c))),
    ),
  );
}

/** The player of whoever looks decodes it: nothing here opens a picture. */
function addStill(app: OpenAPIHono<HttpEnv>, dependencies: StreamingRoutesDependencies): void {
  describe(app, "/stream/{titleId}/still", ["titleId"], "One picture, as an MP4 file of a single key frame", SEGMENT);
  app.get("/stream/:titleId/still", (c) =>
    answerComputed(c, dependencies, SEGMENT, async ({ video, source }) => {
      const picture = await planStill(video, source);
      if (!picture) throw new NotFoundError("This video has no picture to show.");
      return picture;
    }),
  );
}
