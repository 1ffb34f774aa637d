import type { ByteSource } from "../byte-source.ts";
import { FrameList } from "./frames.ts";
import type { CueIndex, CueTrack } from "./matroska-presentation.ts";
import { framesOf } from "./regions.ts";
import { maxCues, placesOf, type TextClock, type TextPlaces } from "./text-blocks.ts";
import { type FramesByTrack, readFrames } from "./walk.ts";

/** How long before a time the cues that are still shown then are looked for. */
const lookBackMs = 10_000;
/** Regions before and after those of some time in which its text may stand. */
const regionsAside = 2;
const windowBytes = 256 * 1024;

/** Finds subtitles that cues do not name: around the pictures of their time, or in the whole file, once. */
export class TextSearch {
  readonly #index: CueIndex;
  readonly #clock: TextClock;
  readonly #video: CueTrack | undefined;
  #whole: Promise<FramesByTrack> | null = null;

  constructor(index: CueIndex, clock: TextClock) {
    this.#index = index;
    this.#clock = clock;
    this.#video = index.tracks.find(({ info }) => info.kind === "video");
  }

  /** Where the cues of a track are that are shown between two times, and some others. */
  async places(source: ByteSource, textId: number, fromMs: number, toMs: number): Promise<TextPlaces> {
    const isAll = fromMs <= 0 && toMs === Number.POSITIVE_INFINITY;
    const frames = isAll || this.#whole !== null ? await this.#findAll(source) : null;
    const list = frames === null ? await this.#near(source, textId, fromMs, toMs) : frames.get(textId);
    return placesOf(list ?? new FrameList(), this.#clock);
  }

  async #near(source: ByteSource, textId: number, fromMs: number, toMs: number): Promise<FrameList> {
    const { regions } = this.#index;
    const [from, to] = [this.#cutAfter(fromMs - lookBackMs), this.#cutAfter(toMs)];
    const end = regions.offsets.length - 2;
    const first = Math.max(0, (this.#regionOf(from - 1) ?? 0) - regionsAside);
    const last = Math.min(end, (this.#regionOf(to) ?? end) + regionsAside);
    const found = new FrameList();
    for (let region = first; region <= last; region++) {
      const list = (await framesOf(source, regions, region)).get(textId);
      for (let i = 0; i < (list?.count ?? 0); i++) if (list) found.append(list, i);
    }
    return found;
  }

  /** Which segment of the picture is the first that starts after a time. */
  #cutAfter(ms: number): number {
    const ticks = this.#clock.origin + ms / this.#clock.msPerTick;
    const next = this.#video?.cutTimes.findIndex((time) => time > ticks) ?? -1;
    return next < 0 ? (this.#video?.cutTimes.length ?? 0) : next;
  }

  #regionOf(cut: number): number | undefined {
    return this.#video?.cutRegions[cut];
  }

  /** All text of the file: it is read once for all that ask, and anew only after a failure. */
  #findAll(source: ByteSource): Promise<FramesByTrack> {
    const { offsets, tracks } = this.#index.regions;
    const end = Math.min(offsets.at(-1) ?? 0, source.size);
    const texts = tracks.filter(({ isText }) => isText);
    const maxFrames = maxCues * texts.length;
    const range = { from: offsets[0] ?? 0, to: end, limit: end, windowBytes, maxFrames };
    this.#whole ??= readFrames(source, texts, range).catch((error: unknown) => {
      this.#whole = null;
      throw error;
    });
    return this.#whole;
  }
}
