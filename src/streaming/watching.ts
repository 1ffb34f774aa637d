import { LRUCache } from "lru-cache";
import type { GrantHolder, Principal } from "../auth/contract.ts";
import type { Watched } from "./contract.ts";

/** Viewings that are remembered at once; those that were quiet longest go. */
const MAX = 5_000;
/** Who has asked for no segment for so long has stopped, or paused with a full buffer. */
const QUIET_MS = 60_000;

/** A request for media that was answered with bytes, or with "nothing has changed". */
export interface MediaRequest {
  readonly who: Principal | GrantHolder | null;
  readonly clientAddress: string;
  readonly titleId: string;
  readonly titleName: string;
  readonly durationSeconds: number | null;
  /** Below `/stream/{titleId}/`. */
  readonly path: string;
  readonly bytes: number;
  /** Aborted when the client leaves in the middle of the answer. */
  readonly signal: AbortSignal;
}

interface Viewing {
  readonly id: string;
  readonly title: Watched["title"];
  readonly userId: string | null;
  readonly username: string | null;
  readonly by: Watched["by"];
  protocol: Watched["protocol"];
  readonly sinceMs: number;
  lastAtMs: number;
  /** It counts as being watched until then: a file may come in one answer that lasts as long as the film. */
  untilMs: number;
  bytes: number | null;
}

/**
 * What is being watched from this instance without a stream controller, as far as its requests tell: a note in memory for each
 * request, no call and nothing written. What a controller steers is listed with the controllers.
 */
export class Watching {
  readonly #viewings = new LRUCache<string, Viewing>({ max: MAX });
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  note(request: MediaRequest): void {
    const key = keyOf(request);
    const protocol = protocolOf(request.path);
    if (key === null || protocol === null) return;
    const now = this.#now();
    const known = this.#viewings.get(key);
    const viewing = known && known.untilMs > now ? known : this.#begin(key, request, now);
    // The manifests of both lead to the same segments.
    if (protocol !== "segment") viewing.protocol = protocol;
    viewing.lastAtMs = now;
    if (protocol === "file") this.#noteFile(viewing, request, now);
    viewing.untilMs = Math.max(viewing.untilMs, now + QUIET_MS);
    if (viewing.bytes !== null) viewing.bytes += request.bytes;
  }

  /** Those that are under way, the newest first; names of users are known for those who are signed in. */
  list(): (Omit<Watched, "user" | "instance"> & Pick<Viewing, "userId" | "username">)[] {
    const now = this.#now();
    return [...this.#viewings.values()]
      .filter(({ untilMs }) => untilMs > now)
      .sort((a, b) => b.sinceMs - a.sinceMs)
      .map(({ sinceMs, lastAtMs, untilMs: _, ...viewing }) => ({
        ...viewing,
        since: new Date(sinceMs).toISOString(),
        lastAt: new Date(lastAtMs).toISOString(),
      }));
  }

  #begin(key: string, { who, titleId, titleName, path }: MediaRequest, now: number): Viewing {
    const isLink = who !== null && "grantId" in who;
    const viewing: Viewing = {
      id: Bun.randomUUIDv7(),
      title: { id: titleId, name: titleName },
      userId: who === null ? null : isLink ? who.issuer.userId : who.userId,
      username: who === null || isLink ? null : who.username,
      by: who === null ? "public" : isLink ? "link" : who.credential.kind,
      protocol: "hls",
      sinceMs: now,
      lastAtMs: now,
      untilMs: now,
      // How much of a file the system has sent is not told: players ask for all of it and leave in the middle.
      bytes: protocolOf(path) === "file" ? null : 0,
    };
    this.#viewings.set(key, viewing);
    return viewing;
  }

  #noteFile(viewing: Viewing, { durationSeconds, signal }: MediaRequest, now: number): void {
    viewing.untilMs = Math.max(viewing.untilMs, now + (durationSeconds ?? 0) * 1_000 + QUIET_MS);
    signal.addEventListener("abort", () => this.#left(viewing, now), { once: true });
  }

  /** The answer that began at `startedMs` was left; a later one may go on, as after a seek. */
  #left(viewing: Viewing, startedMs: number): void {
    if (viewing.lastAtMs === startedMs) viewing.untilMs = this.#now() + QUIET_MS;
  }
}

/** One viewing: somebody with one sign-in, or at one address, and one title. Null for what a controller steers. */
function keyOf({ who, clientAddress, titleId }: MediaRequest): string | null {
  if (who === null) return `${titleId} public ${clientAddress}`;
  if (!("grantId" in who)) return `${titleId} ${who.credential.kind} ${who.credential.id}`;
  return who.kind === "stream" ? null : `${titleId} link ${who.grantId} ${clientAddress}`;
}

/** Null for pictures, subtitles and whatever else is no playing. */
function protocolOf(path: string): Watched["protocol"] | "segment" | null {
  if (path === "original" || path === "faststart") return "file";
  if (path === "dash/manifest.mpd") return "dash";
  if (!path.startsWith("hls/")) return null;
  return path.endsWith(".m3u8") ? "hls" : "segment";
}
