import type { Title } from "../../catalog/contract.ts";
import { call } from "../api.ts";

/** Safari's own way to other screens, older than the Remote Playback API. */
interface AirPlayVideo {
  webkitShowPlaybackTargetPicker(): void;
}

const hasAirPlay = (video: object): video is AirPlayVideo => "webkitShowPlaybackTargetPicker" in video;

/** How this browser can show a video on another screen: by AirPlay, by casting (W3C Remote Playback API), or not. */
export function remoteOf(video: HTMLVideoElement): "airplay" | "cast" | null {
  if (hasAirPlay(video)) return "airplay";
  return "remote" in video && typeof video.remote.prompt === "function" ? "cast" : null;
}

/**
 * Addresses that a device plays which has no session here: with the grant of a new link, or the one somebody came by.
 * What everybody may see needs none.
 */
export async function remoteAddress(
  title: Pick<Title, "id" | "visibility">,
  grant: string,
  kind: "airplay" | "cast",
): Promise<string> {
  const way = kind === "airplay" ? "hls/master.m3u8" : "faststart";
  if (grant || title.visibility === "public")
    return `${location.origin}/stream/${title.id}/${way}${grant ? `?${grant}` : ""}`;
  const made = await call<{ url: string; hlsUrl: string }>("POST", "/api/links", { titleId: title.id });
  return kind === "airplay" ? made.hlsUrl : made.url;
}

/** Asks which screen. Resolves when that is settled; rejects `NotFoundError` where there is none. */
export async function chooseScreen(video: HTMLVideoElement): Promise<void> {
  if (hasAirPlay(video)) video.webkitShowPlaybackTargetPicker();
  else await video.remote.prompt();
}
