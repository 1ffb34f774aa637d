import type { Title } from "../../catalog/contract.ts";

export interface SessionPlaces {
  /** Of the collection that is played; null without one. */
  readonly collection: string | null;
  readonly next: (() => void) | null;
  readonly previous: (() => void) | null;
}

const STEP_SECONDS = 10;

/**
 * Tells the system what plays, for its media keys, headphones and lock screens, and does what these ask for. The
 * result takes it back.
 */
export function startMediaSession(
  video: HTMLVideoElement,
  title: Pick<Title, "name" | "owner">,
  { collection, next, previous }: SessionPlaces,
): () => void {
  if (!("mediaSession" in navigator)) return () => {};
  const { mediaSession } = navigator;
  mediaSession.metadata = new MediaMetadata({
    title: title.name,
    artist: title.owner?.username ?? "",
    album: collection ?? "",
    artwork: artwork(),
  });
  const seek = (bySeconds: number) => {
    video.currentTime = Math.max(0, Math.min(video.duration || 0, video.currentTime + bySeconds));
  };
  const handlers: Partial<Record<MediaSessionAction, MediaSessionActionHandler | null>> = {
    play: () => void video.play().catch(() => undefined),
    pause: () => video.pause(),
    stop: () => video.pause(),
    seekbackward: ({ seekOffset }) => seek(-(seekOffset ?? STEP_SECONDS)),
    seekforward: ({ seekOffset }) => seek(seekOffset ?? STEP_SECONDS),
    seekto: ({ seekTime }) => {
      if (seekTime !== undefined) video.currentTime = seekTime;
    },
    nexttrack: next,
    previoustrack: previous,
  };
  const each = Object.entries(handlers) as [MediaSessionAction, MediaSessionActionHandler | null][];
  for (const [action, handler] of each) handle(mediaSession, action, handler);
  const place = () => tellPlace(mediaSession, video);
  for (const event of placeEvents) video.addEventListener(event, place);
  return () => {
    for (const event of placeEvents) video.removeEventListener(event, place);
    for (const [action] of each) handle(mediaSession, action, null);
    mediaSession.metadata = null;
  };
}

const placeEvents = ["loadedmetadata", "seeked", "ratechange", "play", "pause"] as const;

function tellPlace(mediaSession: MediaSession, { duration, currentTime, playbackRate }: HTMLVideoElement): void {
  if (!Number.isFinite(duration) || duration <= 0) return;
  mediaSession.setPositionState({ duration, playbackRate, position: Math.min(currentTime, duration) });
}

/** Each browser knows other actions. */
function handle(session: MediaSession, action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    session.setActionHandler(action, handler);
  } catch {
    // Not known here: the key does nothing.
  }
}

/** Kinora's mark, until there are pictures of videos. */
function artwork(): MediaImage[] {
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  return icon ? [{ src: icon.href, sizes: "any", type: "image/svg+xml" }] : [];
}
