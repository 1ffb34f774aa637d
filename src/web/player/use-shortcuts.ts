import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatDuration } from "../format.ts";
import { formatNumber, t } from "../i18n/i18n.ts";
import "../messages/en/watch.ts";
import { preferences } from "./preferences.ts";
import { type Action, actionOf, isCharacter, isTaken } from "./shortcuts.ts";
import { setSpeed, speedBeside } from "./speeds.ts";

export interface ShortcutTargets {
  readonly video: RefObject<HTMLVideoElement | null>;
  /** The element of the controls, which takes requests for what browsers do differently. */
  readonly controller: RefObject<HTMLElement | null>;
  /** Pictures in a second. */
  readonly frameRate: number;
  readonly next: (() => void) | null;
  readonly previous: (() => void) | null;
  help(): void;
  /** Called with what a key has done, where the picture does not show it. */
  say(text: string): void;
}

/** Lets the keys of a player work wherever the focus is on the page, unless what has it takes them for itself. */
export function useShortcuts(targets: ShortcutTargets): void {
  const latest = useRef(targets);
  latest.current = targets;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = actionOf(event);
      const { video, controller } = latest.current;
      if (!action || !video.current || !controller.current || event.defaultPrevented) return;
      if (isCharacter(event) && !preferences.peek().characterKeys) return;
      if (document.querySelector("dialog[open]") || isTaken(event.key, event.composedPath())) return;
      // Elsewhere on the page, these scroll it.
      if (
        scrolling.has(action.kind) &&
        !document.fullscreenElement &&
        !event.composedPath().includes(controller.current)
      )
        return;
      event.preventDefault();
      if (event.repeat && !repeatable.has(action.kind)) return;
      perform(action, video.current, controller.current, latest.current);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

const repeatable = new Set<Action["kind"]>(["seek", "volume", "speed", "frame"]);
const scrolling = new Set<Action["kind"]>(["volume", "chapter"]);

type Request = (name: string, detail?: unknown) => void;

function perform(action: Action, video: HTMLVideoElement, controller: HTMLElement, targets: ShortcutTargets): void {
  const request: Request = (name, detail) =>
    void controller.dispatchEvent(new CustomEvent(name, { composed: true, bubbles: true, detail }));
  const { say } = targets;
  if (action.kind === "seek") {
    seekBy(video, action.bySeconds);
    say(t(action.bySeconds > 0 ? "player.forward" : "player.back", { count: Math.abs(action.bySeconds) }));
  } else if (action.kind === "jump") {
    if (Number.isFinite(video.duration)) video.currentTime = video.duration * action.toShare;
  } else if (action.kind === "speed") {
    const rate = speedBeside(video.playbackRate, action.step);
    setSpeed(video, rate);
    say(t("player.speed-now", { rate: formatNumber(rate) }));
  } else if (action.kind === "frame") {
    stepFrame(video, action.step, targets.frameRate);
  } else if (action.kind === "chapter") {
    const chapter = chapterBeside(video, action.step);
    if (!chapter) return;
    video.currentTime = chapter.startTime;
    say(chapter instanceof VTTCue && chapter.text ? chapter.text : formatDuration(chapter.startTime));
  } else if (action.kind === "volume") {
    const volume = Math.max(0, Math.min(1, (video.muted ? 0 : video.volume) + action.by));
    if (video.muted && action.by > 0) request("mediaunmuterequest");
    request("mediavolumerequest", volume);
    say(t("player.volume", { percent: Math.round(volume * 100) }));
  } else {
    simple[action.kind](video, request, targets);
  }
}

/** To the middle of the picture beside: its edges are not exact. */
function stepFrame(video: HTMLVideoElement, step: 1 | -1, frameRate: number): void {
  video.pause();
  const frame = Math.floor(video.currentTime * frameRate + 0.01);
  seekBy(video, (frame + step + 0.5) / frameRate - video.currentTime);
}

/** So long after its beginning, a chapter is begun again instead of the one before. */
const AGAIN_SECONDS = 3;

function chapterBeside(video: HTMLVideoElement, step: 1 | -1): TextTrackCue | undefined {
  const cues = [...([...video.textTracks].find(({ kind }) => kind === "chapters")?.cues ?? [])];
  const { currentTime } = video;
  return step > 0
    ? cues.find(({ startTime }) => startTime > currentTime + 0.1)
    : (cues.findLast(({ startTime }) => startTime < currentTime - AGAIN_SECONDS) ?? cues[0]);
}

type Simple = Exclude<Action["kind"], "seek" | "jump" | "speed" | "volume" | "frame" | "chapter">;

const simple: Readonly<Record<Simple, (video: HTMLVideoElement, request: Request, targets: ShortcutTargets) => void>> =
  {
    play: (video) => {
      if (video.paused) void video.play().catch(() => undefined);
      else video.pause();
    },
    mute: (video, request, { say }) => {
      say(t(video.muted ? "player.unmuted" : "player.muted"));
      request(video.muted ? "mediaunmuterequest" : "mediamuterequest");
    },
    fullscreen: (_, request) =>
      request(document.fullscreenElement ? "mediaexitfullscreenrequest" : "mediaenterfullscreenrequest"),
    captions: (_, request) => request("mediatogglesubtitlesrequest"),
    "picture-in-picture": (_, request) =>
      request(document.pictureInPictureElement ? "mediaexitpiprequest" : "mediaenterpiprequest"),
    next: (_video, _request, { next }) => next?.(),
    previous: (_video, _request, { previous }) => previous?.(),
    help: (_video, _request, { help }) => help(),
  };

function seekBy(video: HTMLVideoElement, seconds: number): void {
  const end = Number.isFinite(video.duration) ? video.duration : Number.POSITIVE_INFINITY;
  video.currentTime = Math.max(0, Math.min(end, video.currentTime + seconds));
}
