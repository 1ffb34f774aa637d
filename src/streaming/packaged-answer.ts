import { GRANT_PARAMETER } from "../auth/contract.ts";
import { NotFoundError } from "../errors.ts";
import { type HttpContext, viewerOf } from "../http/env.ts";
import type { ByteSource } from "../media/byte-source.ts";
import { withQuery } from "../media/hls/hls-lines.ts";
import { trackById } from "../media/movie.ts";
import { PACKAGER_VERSION } from "../media/packager-version.ts";
import type { Presentation } from "../media/presentation.ts";
import type { SegmentPlan } from "../media/segment-plan.ts";
import { bodyOf } from "./computed-body.ts";
import { NotPackagedError } from "./errors.ts";
import { answerMedia, contentOf, etagOf } from "./media-answer.ts";
import type { MovieCache } from "./movie-cache.ts";
import { type LocatedOriginal, withLocated } from "./original.ts";
import type { Playable, Playback } from "./playback.ts";
import { reading } from "./reading.ts";
import type { Subtitle, Subtitles } from "./subtitles.ts";

export interface PackagedAnswerDependencies {
  readonly playback: Playback;
  readonly movies: MovieCache;
  readonly subtitles: Subtitles;
}

/** A request for a path with parameters. */
export type ParamContext = HttpContext & { req: { param(name: string): string | undefined } };

/** What an answer about a title is computed from. */
export interface Subject {
  readonly video: Presentation;
  /** The original; opened if it is read. */
  readonly source: ByteSource;
}

/** The track that the path names; 404 when there is none. */
export function trackOf(video: Presentation, c: ParamContext): number {
  const id = Number(c.req.param("track"));
  if (!trackById(video, id)) throw new NotFoundError("This video has no such track.");
  return id;
}

/** The query that what an answer refers to must carry: the grant that the request came with. */
export function carriedQuery(c: HttpContext): string {
  const grant = c.get("grant");
  return grant ? `?${GRANT_PARAMETER}=${grant.text}` : "";
}

export const bytesBody = (header: Uint8Array): SegmentPlan => ({ header, ranges: [], sizeBytes: header.length });
export const textBody = (text: string) => bytesBody(new TextEncoder().encode(text));
/** An HLS playlist that leads on with the grant that the request came with. */
export const playlistBody = (c: HttpContext, playlist: string) => textBody(withQuery(playlist, carriedQuery(c)));

/** Answers with what follows from the original and the path alone. */
export async function answerComputed(
  c: ParamContext,
  dependencies: PackagedAnswerDependencies,
  contentType: string,
  compute: (subject: Subject) => SegmentPlan | Promise<SegmentPlan>,
): Promise<Response> {
  const { playable, file } = await playableOf(c, dependencies);
  const video = await packaged(playable, file, dependencies);
  const body = await reading(file, () => withLocated(file, async (source) => compute({ video, source })));
  return answerPlan(c, { playable, file, contentType, body, state: [] });
}

/** The same for what follows from the subtitles beside the original as well. */
export async function answerWithSubtitles(
  c: ParamContext,
  dependencies: PackagedAnswerDependencies,
  contentType: string,
  compute: (video: Presentation, subtitles: readonly Subtitle[]) => SegmentPlan | Promise<SegmentPlan>,
): Promise<Response> {
  const { playable, file } = await playableOf(c, dependencies);
  const video = await packaged(playable, file, dependencies);
  const subtitles = await reading(file, () => dependencies.subtitles.list(playable, file));
  const body = await reading(file, () => compute(video, subtitles));
  return answerPlan(c, { playable, file, contentType, body, state: subtitles.map(({ state }) => state) });
}

/** Authorises the caller and finds the file that plays the title. */
export async function playableOf(
  c: ParamContext,
  { playback }: Pick<PackagedAnswerDependencies, "playback">,
): Promise<{ playable: Playable; file: LocatedOriginal }> {
  const playable = await playback.find(c.req.param("titleId") ?? "", viewerOf(c));
  return { playable, file: await playback.locate(playable) };
}

async function packaged(
  { source }: Playable,
  file: LocatedOriginal,
  { movies }: PackagedAnswerDependencies,
): Promise<Presentation> {
  const video = await reading(file, () => movies.get(source.id, file));
  if (!video) throw new NotPackagedError(source.info);
  return video;
}

interface PlanAnswer {
  readonly playable: Playable;
  readonly file: LocatedOriginal;
  readonly contentType: string;
  readonly body: SegmentPlan;
  /** What the body depends on beside the original and the path. */
  readonly state: readonly string[];
}

/** Answers with a plan's bytes, under a tag that changes whenever they may. A grant is no part of it. */
export function answerPlan(
  c: ParamContext,
  { playable, file, contentType, body, state }: PlanAnswer,
): Promise<Response> {
  const [, , , ...path] = c.req.path.split("/");
  return answerMedia(c, playable, {
    sizeBytes: body.sizeBytes,
    contentType,
    etag: etagOf(PACKAGER_VERSION, ...contentOf(playable, file), path.join("/"), ...state),
    body: (range) => bodyOf(file, body, range, c.env),
  });
}
