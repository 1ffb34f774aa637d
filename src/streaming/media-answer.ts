import { ProblemError } from "../errors.ts";
import { type ByteRange, select } from "../http/conditional.ts";
import type { HttpContext } from "../http/env.ts";
import { problemResponse } from "../http/problem.ts";
import type { LocatedOriginal } from "./original.ts";
import type { Playable } from "./playback.ts";

/** Seconds a media connection may be silent: a paused player is idle. */
const MEDIA_IDLE_SECONDS = 240;

/** How long anybody may keep an answer about a public title, in seconds. */
const PUBLIC_MAX_AGE = 300;

export interface MediaAnswer {
  readonly sizeBytes: number;
  readonly contentType: string;
  /** A strong entity tag, quotes included. */
  readonly etag: string;
  readonly lastModified?: Date;
  readonly headers?: Readonly<Record<string, string>>;
  /** The bytes of the range; asked for only when they are sent. */
  readonly body: (range: ByteRange) => Promise<BodyInit> | BodyInit;
}

function rangeProblem(headers: Headers, sizeBytes: number): Response {
  const error = new ProblemError(
    "range-not-satisfiable",
    `The range lies past the end: there are ${sizeBytes} bytes.`,
    {
      status: 416,
    },
  );
  const response = problemResponse(error);
  for (const name of ["Content-Range", "Accept-Ranges"]) response.headers.set(name, headers.get(name) ?? "");
  return response;
}

/**
 * What a tag says of an original: its content where that is known, so that equal content has equal tags on all machines and a download goes on
 * at another. Until then, which source it is and its size and time. `file` must have been found to be the one that the source tells of.
 */
export function contentOf({ source }: Pick<Playable, "source">, file: LocatedOriginal): readonly (string | number)[] {
  return source.mediaId === null ? [source.id, file.size, file.mtimeMs] : [source.mediaId, file.size];
}

/** A strong tag for what follows from these values alone. */
export function etagOf(...parts: readonly (string | number)[]): string {
  const digest = new Bun.CryptoHasher("sha256").update(parts.join("\n")).digest("base64url");
  return `"${digest.slice(0, 27)}"`;
}

/**
 * Answers GET and HEAD for media: conditions, one range, `Cache-Control` by visibility. What is not public, or was asked
 * for with a grant, is kept by the browser that asked, and asked for again each time, so that a sign-out or revocation
 * counts at once.
 */
export async function answerMedia(
  c: HttpContext,
  { access, source }: Playable,
  answer: MediaAnswer,
): Promise<Response> {
  const selection = select(c.req.raw.headers, answer.sizeBytes, answer);
  const bytes = "range" in selection ? selection.range.end - selection.range.start : 0;
  c.set("media", { titleId: access.id, titleName: access.name, durationSeconds: source.info.durationSeconds, bytes });
  const isForAll = access.visibility === "public" && !c.get("grant");
  const headers = new Headers({
    ETag: answer.etag,
    "Cache-Control": isForAll ? `public, max-age=${PUBLIC_MAX_AGE}` : "private, no-cache",
    "Accept-Ranges": "bytes",
    "Cross-Origin-Resource-Policy": "same-origin",
    ...answer.headers,
  });
  if (answer.lastModified) headers.set("Last-Modified", answer.lastModified.toUTCString());
  if (selection.status === 304) return new Response(null, { status: 304, headers });
  if ("contentRange" in selection) headers.set("Content-Range", selection.contentRange);
  if (selection.status === 416) return rangeProblem(headers, answer.sizeBytes);
  headers.set("Content-Type", answer.contentType);
  const { start, end } = selection.range;
  if (c.req.method === "HEAD") {
    headers.set("Content-Length", String(end - start));
    return new Response(null, { status: selection.status, headers });
  }
  c.env.setIdleTimeout(MEDIA_IDLE_SECONDS);
  return new Response(await answer.body(selection.range), { status: selection.status, headers });
}
