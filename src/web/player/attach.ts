import type { Title } from "../../catalog/contract.ts";
import { carrying } from "../grant.ts";
import { addSubtitles } from "./subtitles.ts";

const HLS_TYPE = "application/vnd.apple.mpegurl";

/** How the bytes come: chosen by what the browser has and what the title can do. */
export type Delivery = "hls" | "native-hls" | "progressive" | "remote";

export interface AttachOptions {
  readonly startAtSeconds: number | null;
  /** The link that one came by, as a query that all addresses carry; empty without one. */
  readonly grant: string;
  /** A whole address that another screen can play: nothing else is tried. */
  readonly remoteUrl: string | null;
  /** Told when the way of delivery is settled or changes. */
  onDelivery(delivery: Delivery): void;
  /** Told when nothing works any more. */
  onFatal(reason: string): void;
}

const hlsUrl = (id: string, grant: string) => carrying(`/stream/${id}/hls/master.m3u8`, grant);

/** A file whose index stands last plays at once only through the view that has it first. */
const progressiveUrl = ({ id, container }: Pick<Title, "id" | "container">, grant: string) =>
  carrying(`/stream/${id}/${container === "mp4" || container === "mov" ? "faststart" : "original"}`, grant);

/** Titles that turned out to have no HLS that works here: they are not asked again. */
const withoutHls = new Set<string>();

/** Connects a video element to a title. The result disconnects it. */
export function attach(
  video: HTMLVideoElement,
  title: Pick<Title, "id" | "container" | "video" | "audio">,
  options: AttachOptions,
): () => void {
  let detach = () => {};
  let removeSubtitles = () => {};
  let ended = false;
  const { grant, remoteUrl } = options;
  const progressive = () => {
    withoutHls.add(title.id);
    options.onDelivery("progressive");
    removeSubtitles = addSubtitles(video, title.id, grant);
    setSource(video, progressiveUrl(title, grant), options.startAtSeconds);
  };
  if (remoteUrl !== null) {
    options.onDelivery("remote");
    setSource(video, remoteUrl, options.startAtSeconds);
  } else if (withoutHls.has(title.id) || !hasSegments(title)) {
    progressive();
  } else if (prefersNativeHls(video)) {
    options.onDelivery("native-hls");
    // Once, and only before anything played: later errors are real ones.
    const fallBack = (event: Event) => {
      event.stopImmediatePropagation();
      progressive();
    };
    video.addEventListener("error", fallBack, { once: true, capture: true });
    video.addEventListener("loadeddata", () => video.removeEventListener("error", fallBack, true), { once: true });
    setSource(video, hlsUrl(title.id, grant), options.startAtSeconds);
  } else if (playsAsFile(video, title) && losesSoundInSegments(title)) {
    progressive();
  } else {
    const pictureAlone = !playsAsFile(video, title);
    import("./hls.ts").then(
      ({ attachHls }) => {
        if (ended) return;
        detach = attachHls(video, hlsUrl(title.id, grant), { ...options, pictureAlone, onUnavailable: progressive });
      },
      () => ended || progressive(),
    );
  }
  return () => {
    ended = true;
    detach();
    removeSubtitles();
    video.removeAttribute("src");
    video.load();
  };
}

/** Of all containers, transport streams are what most browsers do not open themselves. */
function playsAsFile(video: HTMLVideoElement, { container }: Pick<Title, "container">): boolean {
  return container !== "mpegts" || video.canPlayType("video/mp2t") !== "";
}

/** Sound that segments do not carry but browsers may play from the file. */
const leftOutAudio = new Set(["vorbis", "pcm", "alac"]);
const packagedVideo = new Set(["h264", "h265", "vp9", "av1"]);

/** Whether a title has HLS, as far as its description tells: asking in vain costs time and an error in the console. */
export function hasSegments({ container, video, audio }: Pick<Title, "container" | "video" | "audio">): boolean {
  if (container === null || video === null || !packagedVideo.has(video.codec)) return false;
  return audio.length === 0 || audio.some(({ codec }) => !leftOutAudio.has(codec));
}

/** Chromium plays MP3 in MP4 from a file, but not from segments: there it would be silent. */
function losesSoundInSegments({ audio }: Pick<Title, "audio">): boolean {
  if (audio.length === 0 || audio.some(({ codec }) => codec !== "mp3")) return false;
  return !("MediaSource" in window) || !MediaSource.isTypeSupported('audio/mp4; codecs="mp3"');
}

/** Safari's own HLS is what its media stack is made for; elsewhere it is young, and hls.js is better. */
function prefersNativeHls(video: HTMLVideoElement): boolean {
  if (video.canPlayType(HLS_TYPE) === "") return false;
  return navigator.vendor.startsWith("Apple") || !("MediaSource" in window);
}

function setSource(video: HTMLVideoElement, url: string, startAtSeconds: number | null): void {
  video.src = url;
  if (startAtSeconds === null) return;
  video.addEventListener("loadedmetadata", () => (video.currentTime = startAtSeconds), { once: true });
}
