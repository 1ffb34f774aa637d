import { call } from "../api.ts";
import { saving } from "./progress-saves.ts";
import { positionToSave } from "./resume.ts";

const SAVE_EVERY_MS = 10_000;
/** Movements smaller than this are not worth a request. */
const SMALLEST_SECONDS = 0.5;

/** Keeps the position for next time: every 10 s of playing, on pause, at the end, and on leaving. */
export class ProgressKeeper {
  readonly #video: HTMLVideoElement;
  readonly #address: string;
  readonly #listening = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #saved: number | null = null;

  constructor(video: HTMLVideoElement, titleId: string) {
    this.#video = video;
    this.#address = `/api/titles/${titleId}/progress`;
    const { signal } = this.#listening;
    video.addEventListener("pause", () => this.#save(), { signal });
    video.addEventListener("ended", () => this.#save(), { signal });
    addEventListener("pagehide", () => this.#save(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.#save(), { signal });
    this.#timer = setInterval(() => {
      if (!video.paused) this.#save();
    }, SAVE_EVERY_MS);
  }

  /** Saves a last time and stops. */
  close(): void {
    clearInterval(this.#timer);
    this.#listening.abort();
    this.#save();
  }

  #save(): void {
    const { currentTime, duration, played } = this.#video;
    // Before anything played, the position says nothing about what was watched.
    if (played.length === 0 || !Number.isFinite(duration)) return;
    const positionSeconds = positionToSave(currentTime, duration);
    if (this.#saved !== null && Math.abs(positionSeconds - this.#saved) < SMALLEST_SECONDS) return;
    this.#saved = positionSeconds;
    // A lost save costs ten seconds; the next one makes up for it.
    const save = call("PUT", this.#address, { positionSeconds }, { keepalive: true, anonymous: true });
    saving(
      save.catch(() => {
        this.#saved = null;
      }),
    );
  }
}
