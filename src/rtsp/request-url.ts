import { RtspError } from "./errors.ts";

/** What a request is about. */
export interface RequestTarget {
  /** `*`, or the root: the server as such. */
  readonly titleId: string | null;
  /** The track whose `control` it names; null for all of them. */
  readonly track: number | null;
  /** The right to play that stands in the URL. */
  readonly grant: string | null;
  /** The URL of the title, with the host as the client wrote it, without the grant and a slash at the end. */
  readonly base: string;
}

const FORM = /^rtspu?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;
/** How clients join a URL and the `control` of a track: to the path, or to the whole with its query. */
const TRACK = /\/trackID=(\d{1,9})\/?$/i;

/**
 * Reads a request's URL in the forms that clients have for them: `/{titleId}?grant=…`, `/{titleId}/`,
 * `/{titleId}/trackID=1`, `/{titleId}?grant=…/trackID=1`, `/{titleId}/?grant=…/trackID=1`. 400 for what is no RTSP URL,
 * 404 for other paths.
 */
export function parseRequestUrl(url: string): RequestTarget {
  if (url === "*") return { titleId: null, track: null, grant: null, base: "*" };
  const match = FORM.exec(url);
  if (!match) throw new RtspError(400, "this is no rtsp:// address");
  const [, authority = "", wholePath = "", wholeQuery = ""] = match;
  const found = TRACK.exec(wholeQuery) ?? TRACK.exec(wholePath);
  const query = wholeQuery.replace(TRACK, "");
  const path = wholePath.replace(TRACK, "").replace(/^\/+|\/+$/g, "");
  if (path.includes("/")) throw new RtspError(404, "there is nothing at this address");
  // What stands before an @ is a name and a password, which no answer repeats.
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return {
    titleId: path === "" ? null : path,
    track: found ? Number(found[1]) : null,
    grant: grantIn(query),
    base: `rtsp://${host}/${path}`,
  };
}

/** The last `grant` counts as any other would: a URL has one. A slash that a client put at the end is none of it. */
function grantIn(query: string): string | null {
  const grant = new URLSearchParams(query).get("grant");
  return grant === null ? null : grant.replace(/\/+$/, "");
}
