import { drawPicture } from "../components/draw-picture.ts";
import { carrying } from "../grant.ts";
import { type KeyFrames, keyFrameList, nearest, parseKeyFrames } from "./key-frames.ts";
import { firstPicture, pictureFile } from "./one-picture.ts";

/** Before each request: a pointer on its way passes over many places that nobody wants to see. */
const PAUSE_MS = 80;
const PATIENCE_MS = 15_000;
/** After a failure of the network or the server, nothing is asked for so long. */
const REST_MS = 3_000;
/** So long a right counts that the server has confirmed. */
const CONFIRMED_MS = 4_000;
/** All pictures that are kept, as they are drawn. */
const KEPT_BYTES = 24 * 2 ** 20;
/** Where the first few cannot be decoded, the others cannot either. */
const HOPELESS = 3;
const WIDTH_CSS_PX = 240;

export interface ScenesOptions {
  readonly titleId: string;
  /** The link that one came by, as a query that all addresses carry; empty without one. */
  readonly grant: string;
  /** Told which picture is to be seen; null for none. */
  show(picture: HTMLCanvasElement | null): void;
  /** Told that another one is on its way: what is shown is of another place. */
  wait(): void;
  /** Told once when the server refuses: nothing is asked for or shown any more. */
  onRefused(): void;
}

interface Found {
  readonly frames: KeyFrames;
  readonly init: Uint8Array<ArrayBuffer>;
  /** The address of the list, which those in it are relative to. */
  readonly address: string;
}

class Refused extends Error {}

/**
 * Pictures of the places of a video: its key frames, which this browser fetches one at a time and decodes. The last
 * place that was wanted wins; those that were drawn are kept, up to a number of bytes. After a while of nobody asking,
 * the server is asked whether what is kept may be shown.
 */
export class Scenes {
  readonly #options: ScenesOptions;
  readonly #closed = new AbortController();
  /** By key frame; null for what cannot be decoded. The last used is the last. */
  readonly #kept = new Map<number, HTMLCanvasElement | null>();
  #keptBytes = 0;
  #found: Found | null = null;
  #wanted: number | null = null;
  /** The key frame that is shown; -1 for none. */
  #shown = -1;
  #isBusy = false;
  #isOver = false;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #restUntil = 0;
  #failures = 0;

  constructor(options: ScenesOptions) {
    this.#options = options;
  }

  /** Shows the key frame nearest to a place in seconds, soon; null when no place is wanted any more. */
  want(seconds: number | null): void {
    const comesBack = this.#wanted === null;
    this.#wanted = seconds;
    if (seconds === null || this.#isOver) return;
    const n = this.#place();
    if (n !== null && this.#isConfirmed() && this.#kept.has(n)) {
      this.#show(n);
      return;
    }
    if (comesBack && this.#found && !this.#isConfirmed()) this.#clear();
    this.#options.wait();
    if (!this.#isBusy && performance.now() >= this.#restUntil) void this.#work();
  }

  close(): void {
    this.#end();
    this.#closed.abort();
  }

  /** Until what is wanted is shown: one request at a time. */
  async #work(): Promise<void> {
    this.#isBusy = true;
    try {
      while (this.#wanted !== null && !this.#isOver) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        if (this.#wanted === null) break;
        await this.#confirm();
        const n = this.#place();
        if (n === null) break;
        if (!this.#kept.has(n)) this.#keep(n, await this.#draw(n));
        if (this.#isOver) break;
        const place = this.#place();
        // Another place may be wanted by now, and shown already.
        if (n === place || this.#shown !== place) this.#show(n);
        if (this.#shown === place) break;
        this.#options.wait();
      }
    } catch (error) {
      if (error instanceof Refused && !this.#isOver) {
        this.#end();
        this.#options.onRefused();
      }
      this.#restUntil = performance.now() + REST_MS;
      this.#clear();
    } finally {
      this.#isBusy = false;
    }
  }

  #place(): number | null {
    return this.#found && this.#wanted !== null ? nearest(this.#found.frames.times, this.#wanted) : null;
  }

  #show(n: number): void {
    const picture = this.#kept.get(n) ?? null;
    this.#kept.delete(n);
    this.#kept.set(n, picture);
    this.#shown = n;
    this.#options.show(picture);
  }

  #keep(n: number, picture: HTMLCanvasElement | null): void {
    if (this.#isOver) return;
    this.#kept.set(n, picture);
    this.#keptBytes += bytesOf(picture);
    for (const [oldest, other] of this.#kept) {
      if (this.#keptBytes <= KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= bytesOf(other);
    }
    this.#failures = picture ? Number.NEGATIVE_INFINITY : this.#failures + 1;
    if (this.#failures >= HOPELESS) this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#kept.clear();
    this.#found = null;
    this.#clear();
  }

  #clear(): void {
    this.#shown = -1;
    this.#options.show(null);
  }

  #isConfirmed(): boolean {
    return performance.now() - this.#confirmedAt < CONFIRMED_MS;
  }

  /** Finds the key frames the first time, and asks later on whether they may still be seen. */
  async #confirm(): Promise<void> {
    if (this.#isConfirmed()) return;
    if (this.#found) await this.#fetch(new URL(this.#found.frames.initUri, this.#found.address), { cache: "no-cache" });
    else {
      this.#found = await this.#find();
      if (!this.#found) this.#end();
    }
    this.#confirmedAt = performance.now();
  }

  async #find(): Promise<Found | null> {
    const { titleId, grant } = this.#options;
    const main = new URL(carrying(`/stream/${titleId}/hls/master.m3u8`, grant), location.href);
    const uri = keyFrameList(await (await this.#fetch(main, { cache: "no-cache" })).text());
    if (uri === null) return null;
    const list = new URL(uri, main);
    const frames = parseKeyFrames(await (await this.#fetch(list)).text());
    if (!frames) return null;
    const init = await (await this.#fetch(new URL(frames.initUri, list))).arrayBuffer();
    return { frames, init: new Uint8Array(init), address: list.href };
  }

  /** Null where it cannot be decoded; rejects where it cannot be fetched. */
  async #draw(n: number): Promise<HTMLCanvasElement | null> {
    const found = this.#found;
    const uri = found?.frames.uris[n];
    if (!found || uri === undefined) return null;
    const size = found.frames.sizes[n] ?? 0;
    const range = size > 0 ? { headers: { Range: `bytes=0-${size - 1}` } } : {};
    const bytes = await (await this.#fetch(new URL(uri, found.address), range)).arrayBuffer();
    const picture = firstPicture(new Uint8Array(bytes));
    if (!picture) return null;
    const address = URL.createObjectURL(pictureFile(found.init, picture));
    try {
      const width = Math.round(WIDTH_CSS_PX * Math.min(2, devicePixelRatio));
      return await drawPicture(address, width).catch(() => null);
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  async #fetch(address: URL, options: RequestInit = {}): Promise<Response> {
    const request = new AbortController();
    const abort = () => request.abort();
    const timer = setTimeout(abort, PATIENCE_MS);
    this.#closed.signal.addEventListener("abort", abort, { once: true });
    try {
      // What plays goes first.
      const response = await fetch(address, { priority: "low", signal: request.signal, ...options });
      if ([401, 403, 404, 410].includes(response.status)) throw new Refused();
      if (!response.ok) throw new Error(`The answer is ${response.status}.`);
      // Whole, while there is somebody who waits for it.
      return new Response(await response.arrayBuffer());
    } finally {
      clearTimeout(timer);
      this.#closed.signal.removeEventListener("abort", abort);
    }
  }
}

const bytesOf = (picture: HTMLCanvasElement | null) => (picture ? picture.width * picture.height * 4 : 0);
