import type { OpenAPIHono } from "@hono/zod-openapi";
import { NotFoundError } from "../errors.ts";
import type { HttpEnv } from "../http/env.ts";
import { hlsSubtitlePlaylist, hlsSubtitleSpan } from "../media/hls/hls-subtitles.ts";
import { writeWebVtt } from "../media/text/webvtt.ts";
import { subtitleNames } from "../media/track-names.ts";
import {
  answerPlan,
  answerWithSubtitles,
  type PackagedAnswerDependencies,
  type ParamContext,
  playableOf,
  playlistBody,
  textBody,
} from "./packaged-answer.ts";
import { reading } from "./reading.ts";
import { describe } from "./route-docs.ts";
import type { Subtitle } from "./subtitles.ts";

const PLAYLIST = "application/vnd.apple.mpegurl";
const JSON_TYPE = "application/json";
const WEBVTT = "text/vtt; charset=utf-8";

/** `/stream/{titleId}/subtitles…` and the subtitles of HLS. */
export function addSubtitles(app: OpenAPIHono<HttpEnv>, dependencies: PackagedAnswerDependencies): void {
  addList(app, dependencies);
  const hls = "/stream/{titleId}/hls/subtitles/{lang}";
  describe(app, "/stream/{titleId}/subtitles/{lang}.vtt", ["titleId", "lang"], "Subtitles as WebVTT, whole", WEBVTT);
  describe(app, `${hls}/playlist.m3u8`, ["titleId", "lang"], "HLS media playlist of subtitles", PLAYLIST);
  describe(app, `${hls}/{segment}.vtt`, ["titleId", "lang", "segment"], "WebVTT segment", WEBVTT);

  app.get("/stream/:titleId/subtitles/:lang{[^/]+\\.vtt}", async (c) => {
    const { playable, file } = await playableOf(c, dependencies);
    const key = c.req.param("lang").slice(0, -".vtt".length);
    const subtitle = subtitleOf(await reading(file, () => dependencies.subtitles.list(playable, file)), key);
    const cues = await reading(file, () => subtitle.cues(0, Number.POSITIVE_INFINITY));
    const body = textBody(writeWebVtt(cues));
    return answerPlan(c, { playable, file, contentType: WEBVTT, body, state: [subtitle.state] });
  });
  app.get("/stream/:titleId/hls/subtitles/:lang/playlist.m3u8", (c) =>
    answerWithSubtitles(c, dependencies, PLAYLIST, (video, subtitles) => {
      subtitleOf(subtitles, keyOf(c));
      return playlistBody(c, hlsSubtitlePlaylist(video));
    }),
  );
  app.get("/stream/:titleId/hls/subtitles/:lang/:segment{[0-9]+\\.vtt}", (c) =>
    answerWithSubtitles(c, dependencies, WEBVTT, async (video, subtitles) => {
      const subtitle = subtitleOf(subtitles, keyOf(c));
      const span = hlsSubtitleSpan(video, Number.parseInt(c.req.param("segment"), 10));
      if (!span) throw new NotFoundError("These subtitles have no such segment.");
      return textBody(writeWebVtt(await subtitle.cues(span.fromMs, span.toMs), { inHls: true }));
    }),
  );
}

/**
 * `{items: [{key, language, name, forced, isDefault}]}`, for players that take subtitles one by one: the page's own when
 * it plays the file as it is.
 */
function addList(app: OpenAPIHono<HttpEnv>, dependencies: PackagedAnswerDependencies): void {
  describe(
    app,
    "/stream/{titleId}/subtitles",
    ["titleId"],
    "The subtitles of a title, with the keys of their paths",
    JSON_TYPE,
  );
  app.get("/stream/:titleId/subtitles", async (c) => {
    const { playable, file } = await playableOf(c, dependencies);
    const subtitles = await reading(file, () => dependencies.subtitles.list(playable, file));
    const names = subtitleNames(subtitles);
    const items = subtitles.map(({ key, language, forced, isDefault }, i) => {
      return { key, language, name: names[i] ?? "", forced, isDefault };
    });
    const state = subtitles.map((subtitle) => subtitle.state);
    return answerPlan(c, { playable, file, contentType: JSON_TYPE, body: textBody(JSON.stringify({ items })), state });
  });
}

const keyOf = (c: ParamContext) => c.req.param("lang") ?? "";

function subtitleOf(subtitles: readonly Subtitle[], key: string): Subtitle {
  const found = subtitles.find((subtitle) => subtitle.key === key);
  if (!found) throw new NotFoundError("This video has no such subtitles.");
  return found;
}
