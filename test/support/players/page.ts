/**
 * Runs in a browser, bundled by `player-page.ts`: plays a stream with one of the players and tells how it went. The
 * page is the test's own; only the streams are Kinora's.
 */
import * as dashjs from "dashjs";
import Hls from "hls.js";
import shaka from "shaka-player";

export type PagePlayer = "hls.js" | "dash.js" | "Shaka" | "video";

export interface PageTask {
  readonly player: PagePlayer;
  readonly url: string;
  readonly seeks: readonly number[];
  readonly rate: number;
}

/** Start and end in seconds. */
export type Range = readonly [number, number];

export interface PageReport {
  readonly complaints: readonly string[];
  readonly duration: number;
  /** What was buffered when the end was reached, and the most pieces that it ever lay in. */
  readonly buffered: readonly Range[];
  readonly mostPieces: number;
  /** The same for each source buffer, by its type. */
  readonly tracks: Readonly<Record<string, readonly Range[]>>;
  readonly pictures: number;
  /** Whether sound was decoded; null where the browser does not say. */
  readonly sound: boolean | null;
  readonly ended: boolean;
  readonly seeks: readonly { readonly to: number; readonly landed: number; readonly wentOnTo: number }[];
}

interface Attached {
  /** What only the player itself can tell at the end. */
  complaints(): string[];
  detach(): Promise<void> | void;
}

type Attach = (video: HTMLVideoElement, url: string, complain: (text: string) => void) => Promise<Attached>;

const attachHls: Attach = async (video, url, complain) => {
  const warn = (...parts: unknown[]) => {
    const text = parts.map(String).join(" ");
    // It looks for captions in every codec as if it were H.264.
    if (text.startsWith("Malformed SEI payload") || (isSlow() && text.includes("Playback stalling"))) return;
    complain(`log: ${text}`);
  };
  // A busy machine stalls with plenty to play.
  const isSlow = () =>
    rangesOf(video).some(([start, end]) => start <= video.currentTime && end > video.currentTime + 1);
  const quiet = () => {};
  const logger = { trace: quiet, debug: quiet, log: quiet, info: quiet, warn, error: warn };
  const hls = new Hls({ enableWorker: false, debug: logger });
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, error }) => {
    if (details === Hls.ErrorDetails.BUFFER_STALLED_ERROR && isSlow()) return;
    complain(`${fatal ? "fatal" : "error"}: ${type} ${details} ${error?.message}`);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  return { complaints: () => [], detach: () => hls.destroy() };
};

const attachDash: Attach = async (video, url, complain) => {
  const player = dashjs.MediaPlayer().create();
  const { events } = dashjs.MediaPlayer;
  const tell = (event: unknown) =>
    complain(JSON.stringify(event, (key, value) => (key === "request" ? undefined : value)));
  for (const name of [events.ERROR, events.PLAYBACK_ERROR, "gapCausedInternalSeek", "gapCausedPlaybackSeek"]) {
    player.on(name, tell);
  }
  player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_WARNING } });
  player.initialize(video, url, false);
  return { complaints: () => [], detach: () => player.destroy() };
};

const attachShaka: Attach = async (video, url, complain) => {
  const player = new shaka.Player();
  player.addEventListener("error", (event) => complain(JSON.stringify((event as CustomEvent).detail ?? event)));
  await player.attach(video);
  await player.load(url).catch((error: { code: number; data: unknown }) => {
    complain(`load: ${error.code} ${JSON.stringify(error.data)} ${String(error)}`);
  });
  return {
    complaints: () => {
      // Stalls it counts only where there is plenty to play: a busy machine.
      const { gapsJumped } = player.getStats();
      return gapsJumped > 0 ? [`jumped over ${gapsJumped} gaps`] : [];
    },
    detach: () => player.destroy(),
  };
};

/** The browser's own player. */
const attachNothing: Attach = async (video, url) => {
  video.src = url;
  return { complaints: () => [], detach: () => video.removeAttribute("src") };
};

const attach: Readonly<Record<PagePlayer, Attach>> = {
  "hls.js": attachHls,
  "dash.js": attachDash,
  Shaka: attachShaka,
  video: attachNothing,
};

/** Fails when `condition` has not come true after a while. */
async function until(what: string, condition: () => boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The source buffers of the player that is attached, by their types without the codecs. */
const sourceBuffers = new Map<string, SourceBuffer>();
const { addSourceBuffer } = MediaSource.prototype;
MediaSource.prototype.addSourceBuffer = function (type) {
  const made = addSourceBuffer.call(this, type);
  sourceBuffers.set(type.split(";")[0] ?? type, made);
  return made;
};

const rangesOf = ({ buffered }: { readonly buffered: TimeRanges }): Range[] =>
  Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);

/** One load of the stream with a fresh element, and what `use` finds. */
async function withVideo<T>(
  task: PageTask,
  complaints: string[],
  use: (video: HTMLVideoElement) => Promise<T>,
): Promise<T | null> {
  sourceBuffers.clear();
  const video = document.createElement("video");
  video.muted = true;
  video.width = 320;
  document.body.append(video);
  video.addEventListener("error", () => complaints.push(`video: ${video.error?.code} ${video.error?.message}`));
  const attached = await attach[task.player](video, task.url, (text) => complaints.push(text));
  try {
    const failed = () => video.error !== null || complaints.some((text) => text.startsWith("fatal"));
    await until("the first picture", () => video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA || failed());
    if (failed()) return null;
    const found = await use(video);
    complaints.push(...attached.complaints());
    return found;
  } catch (error) {
    const state = `at ${video.currentTime} of ${video.duration}, ready ${video.readyState}, ${JSON.stringify(rangesOf(video))}`;
    complaints.push(`${error instanceof Error ? error.message : String(error)} (${state})`);
    return null;
  } finally {
    await attached.detach();
    video.remove();
  }
}

async function playThrough(video: HTMLVideoElement, { player, rate }: PageTask) {
  let mostPieces = 0;
  video.addEventListener("timeupdate", () => {
    mostPieces = Math.max(mostPieces, video.buffered.length);
  });
  video.playbackRate = rate;
  await video.play();
  // dash.js tells Media Source of the end once, and not at all while a buffer is being updated (`signalEndOfStream`).
  const isAtEnd = () => video.ended || (player === "dash.js" && video.currentTime >= video.duration);
  await until("the end", isAtEnd, 60_000);
  const { totalVideoFrames: pictures } = video.getVideoPlaybackQuality();
  const { webkitAudioDecodedByteCount: decoded } = video as { webkitAudioDecodedByteCount?: number };
  const sound = decoded === undefined ? null : decoded > 0;
  const tracks = Object.fromEntries([...sourceBuffers].map(([type, buffer]) => [type, rangesOf(buffer)]));
  return {
    duration: video.duration,
    buffered: rangesOf(video),
    mostPieces,
    tracks,
    pictures,
    sound,
    ended: isAtEnd(),
  };
}

async function seekAround(video: HTMLVideoElement, seeks: readonly number[]) {
  const found: { to: number; landed: number; wentOnTo: number }[] = [];
  // Shaka goes to the start when it begins to play, whatever was said before.
  await video.play();
  await until("the start", () => video.currentTime > 0.1);
  for (const to of seeks) {
    video.pause();
    video.currentTime = to;
    await until(`a seek to ${to}`, () => !video.seeking && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
    const landed = video.currentTime;
    const before = video.getVideoPlaybackQuality().totalVideoFrames;
    await video.play();
    const goesOn = () => video.getVideoPlaybackQuality().totalVideoFrames > before && video.currentTime > landed + 0.2;
    await until(`going on from ${to}`, () => goesOn() || video.ended);
    found.push({ to, landed, wentOnTo: video.currentTime });
  }
  return found;
}

const nothing = {
  duration: Number.NaN,
  buffered: [],
  mostPieces: 0,
  tracks: {},
  pictures: 0,
  sound: null,
  ended: false,
};

/** Plays to the end, then once more from a fresh start with seeks. Told to the test as JSON. */
async function playInPage(task: PageTask): Promise<string> {
  const complaints: string[] = [];
  const played = await withVideo(task, complaints, (video) => playThrough(video, task));
  const sought = played && (await withVideo(task, complaints, (video) => seekAround(video, task.seeks)));
  const report: PageReport = { complaints, ...(played ?? nothing), seeks: sought ?? [] };
  return JSON.stringify(report);
}

Object.assign(window, { playInPage });
