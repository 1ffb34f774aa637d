import type { ByteSource } from "../byte-source.ts";
import { fragmentPlan } from "../cmaf/media-segment.ts";
import type { LeftOutTrack, MediaDescription, Track, TrackInfo } from "../movie.ts";
import type { KeyFrames, Presentation } from "../presentation.ts";
import type { SampleRange } from "../sample-range.ts";
import type { SegmentPlan } from "../segment-plan.ts";
import type { Cue } from "../text/cue.ts";
import { FrameList } from "./frames.ts";
import { framesOf, type RegionMap } from "./regions.ts";
import { type FrameClock, samplesOf, toTicks } from "./samples.ts";
import { cuesAt, type TextClock, type TextPlaces } from "./text-blocks.ts";
import { TextSearch } from "./text-search.ts";
import type { MatroskaText } from "./text-tracks.ts";

/** Regions before and after the ones that a segment's cues name in which its sound is looked for. */
const maxRegionsAside = 8;

/** A track of a file with cues: what playlists need, and where its segments are found. */
export interface CueTrack {
  readonly info: TrackInfo;
  readonly clock: FrameClock;
  /** Segment ticks from the time that a block tells to the time that its first sample is heard. */
  readonly silentTicks: number;
  /** What is sent before each frame. */
  readonly prefix: Uint8Array;
  /** When each segment starts, in segment ticks; the first one takes in what is before it. */
  readonly cutTimes: Float64Array;
  /** The region in which each segment's first frame is looked for first. */
  readonly cutRegions: Uint32Array;
  readonly endSeconds: number;
  /** About how many bytes each segment has. */
  readonly segmentSizes: Float64Array;
  /** The most that a key frame is sent with, of those that were looked at; 0 for sound. */
  readonly keyFrameBytes: number;
}

/** What is stored of a file with cues. */
export interface CueIndex {
  readonly description: MediaDescription;
  readonly tracks: readonly CueTrack[];
  /** Subtitles; without places they are looked for in the clusters. */
  readonly texts: readonly (MatroskaText & { readonly places: TextPlaces | null })[];
  readonly leftOut: readonly LeftOutTrack[];
  readonly regions: RegionMap;
  /** Segment ticks that are second 0. */
  readonly origin: number;
  readonly secondsPerTick: number;
}

/** A Matroska or WebM file with cues: segments are cut where they say, clusters are read when a segment is asked for. */
export class MatroskaPresentation implements Presentation {
  static readonly kind = "matroska";
  readonly kind = MatroskaPresentation.kind;
  readonly description: MediaDescription;
  readonly tracks: readonly TrackInfo[];
  readonly leftOut: readonly LeftOutTrack[];
  readonly texts: readonly MatroskaText[];
  readonly #index: CueIndex;
  readonly #textClock: TextClock;
  readonly #textSearch: TextSearch;

  constructor(index: CueIndex) {
    this.#index = index;
    this.description = index.description;
    this.leftOut = index.leftOut;
    this.tracks = index.tracks.map(({ info }) => info);
    this.texts = index.texts;
    this.#textClock = { origin: index.origin, msPerTick: index.secondsPerTick * 1000 };
    this.#textSearch = new TextSearch(index, this.#textClock);
  }

  segmentTimes(trackId: number): Float64Array {
    const { cutTimes, endSeconds } = this.#require(trackId);
    const { origin, secondsPerTick } = this.#index;
    const times = new Float64Array(cutTimes.length + 1);
    for (let i = 1; i < cutTimes.length; i++) {
      times[i] = Math.max(times[i - 1] ?? 0, ((cutTimes[i] ?? 0) - origin) * secondsPerTick);
    }
    times[cutTimes.length] = Math.max(times[cutTimes.length - 1] ?? 0, endSeconds);
    return times;
  }

  segmentSizes(trackId: number): Float64Array {
    return this.#require(trackId).segmentSizes;
  }

  /** Cues tell where key frames are, not how large; nor how many samples are described before them. */
  keyFrames(trackId: number): KeyFrames {
    const { cutTimes, keyFrameBytes } = this.#require(trackId);
    return { sizes: new Float64Array(cutTimes.length).fill(keyFrameBytes), areRanges: false };
  }

  /** Cues name key frames. */
  startsAtKeyFrames(trackId: number): boolean {
    this.#require(trackId);
    return true;
  }

  async plan(source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null> {
    const range = await this.segmentSamples(source, trackId, n);
    return range && fragmentPlan(range, n);
  }

  async segmentSamples(source: ByteSource, trackId: number, n: number): Promise<SampleRange | null> {
    const track = this.#trackWith(trackId, n);
    if (track === null) return null;
    const collect = track.info.kind === "video" ? this.#pictures : this.#sound;
    return this.#samplesOf(track, await collect.call(this, source, track, n - 1));
  }

  async planKeyFrame(source: ByteSource, trackId: number, n: number): Promise<SegmentPlan | null> {
    const track = this.#trackWith(trackId, n);
    if (track?.info.kind !== "video") return null;
    return fragmentPlan(this.#samplesOf(track, await this.#firstPicture(source, track, n - 1)), n);
  }

  #trackWith(trackId: number, n: number): CueTrack | null {
    const track = this.#index.tracks.find(({ info }) => info.id === trackId);
    return track !== undefined && Number.isInteger(n) && n >= 1 && n <= track.cutTimes.length ? track : null;
  }

  #samplesOf(track: CueTrack, { frames, nextTime }: Cut): SampleRange {
    const { samples, startTicks } = samplesOf(frames, track.clock, nextTime);
    const cut: Track = {
      ...track.info,
      samples,
      delay: startTicks - toTicks(track.clock, this.#index.origin),
      editsIgnored: false,
      firstSample: 0,
      endSample: samples.count,
      ...(track.prefix.length > 0 ? { samplePrefix: track.prefix } : {}),
    };
    return { track: cut, from: 0, to: samples.count };
  }

  async cues(source: ByteSource, textId: number, fromMs: number, toMs: number): Promise<Cue[]> {
    const text = this.#index.texts.find(({ id }) => id === textId);
    if (text === undefined) throw new RangeError(`There are no subtitles ${textId}.`);
    const places = text.places ?? (await this.#textSearch.places(source, textId, fromMs, toMs));
    return cuesAt(source, { ...text, places, clock: this.#textClock }, fromMs, toMs);
  }

  stored(): CueIndex {
    return this.#index;
  }

  /** Back from what `stored` gave. */
  static load(index: CueIndex): MatroskaPresentation {
    return new MatroskaPresentation(index);
  }

  #require(trackId: number): CueTrack {
    const track = this.#index.tracks.find(({ info }) => info.id === trackId);
    if (track === undefined) throw new RangeError(`There is no track ${trackId}.`);
    return track;
  }

  /** Gives the frames of a track, a region at a time, to `take` until it has enough. */
  async #eachRegion(
    source: ByteSource,
    { info }: CueTrack,
    [from, end]: readonly [number, number],
    take: (frames: FrameList, region: number) => boolean,
  ): Promise<void> {
    const { regions } = this.#index;
    for (let region = from; region < Math.min(end, regions.offsets.length - 1); region++) {
      const frames = (await framesOf(source, regions, region)).get(info.id);
      if (frames !== undefined && take(frames, region)) return;
    }
  }

  /** The pictures of a segment: those from its cue up to the next cut's, in the order of the file. */
  async #pictures(source: ByteSource, track: CueTrack, cut: number): Promise<Cut> {
    const first = track.cutRegions[cut] ?? 0;
    const last = Math.max(track.cutRegions[cut + 1] ?? Number.POSITIVE_INFINITY, first);
    const pictures = new PictureCut(track.cutTimes, cut, last);
    await this.#eachRegion(source, track, [first, last + maxRegionsAside], (frames, region) =>
      pictures.take(frames, region),
    );
    return pictures;
  }

  /** The key frame of a segment's cue; nothing where damage took it away. */
  async #firstPicture(source: ByteSource, track: CueTrack, cut: number): Promise<Cut> {
    const first = track.cutRegions[cut] ?? 0;
    const found = new FrameList();
    await this.#eachRegion(source, track, [first, first + maxRegionsAside], (list) => {
      for (let i = 0; i < list.count && found.count === 0; i++) {
        const isFirst = cut === 0 ? list.keys[i] === 1 : isCut(list, i, track.cutTimes[cut] ?? 0);
        if (isFirst) found.append(list, i);
      }
      return found.count > 0;
    });
    return { frames: found, nextTime: null };
  }

  /**
   * The sound of a segment: all frames between its times, wherever they stand in the file. Frames of a track follow each
   * other in time, so the first one that is earlier ends the search before, the first one that is later that after.
   */
  async #sound(source: ByteSource, track: CueTrack, cut: number): Promise<Cut> {
    const { cutTimes, cutRegions, silentTicks } = track;
    const from = cut === 0 ? Number.NEGATIVE_INFINITY : (cutTimes[cut] ?? 0);
    const to = cutTimes[cut + 1] ?? Number.POSITIVE_INFINITY;
    const first = await this.#firstRegionOf(source, track, from + silentTicks, cutRegions[cut] ?? 0);
    const last = (cutRegions[cut + 1] ?? Number.POSITIVE_INFINITY) + maxRegionsAside;
    const frames = new FrameList();
    let nextTime: number | null = null;
    await this.#eachRegion(source, track, [first, last], (list) => {
      for (let i = 0; i < list.count; i++) {
        const time = list.times[i] ?? 0;
        if (time - silentTicks >= to) nextTime = time;
        else if (time - silentTicks >= from) frames.append(list, i);
        if (nextTime !== null) return true;
      }
      return false;
    });
    return { frames, nextTime };
  }

  /** Goes back from a region until one has a frame that is earlier than `time`. */
  async #firstRegionOf(source: ByteSource, { info }: CueTrack, time: number, region: number): Promise<number> {
    const lowest = Math.max(0, region - maxRegionsAside);
    for (let index = region; index > lowest && time > Number.NEGATIVE_INFINITY; index--) {
      const frames = (await framesOf(source, this.#index.regions, index)).get(info.id);
      if (frames !== undefined && frames.count > 0 && (frames.times[0] ?? 0) < time) return index;
    }
    return time === Number.NEGATIVE_INFINITY ? region : lowest;
  }
}

interface Cut {
  readonly frames: FrameList;
  /** When the first frame after them is shown; null at the end. */
  readonly nextTime: number | null;
}

/** Takes the pictures of one segment out of those that follow each other in the file. */
class PictureCut implements Cut {
  readonly frames = new FrameList();
  nextTime: number | null = null;
  readonly #start: number;
  readonly #end: number | undefined;
  readonly #lastRegion: number;
  #isStarted: boolean;
  /** When the key frame that the next segment starts with is shown. */
  #nextKeyTime: number | null = null;

  constructor(cutTimes: Float64Array, cut: number, lastRegion: number) {
    this.#start = cutTimes[cut] ?? 0;
    this.#end = cutTimes[cut + 1];
    this.#lastRegion = lastRegion;
    this.#isStarted = cut === 0;
  }

  /** True when nothing that follows is of any interest. */
  take(list: FrameList, region: number): boolean {
    for (let i = 0; i < list.count; i++) {
      const time = list.times[i] ?? 0;
      if (this.#nextKeyTime !== null) {
        // Pictures after a key frame that are shown before it come right after it.
        if (time > this.#nextKeyTime) return true;
        this.nextTime = Math.min(this.nextTime ?? time, time);
        continue;
      }
      this.#isStarted ||= isCut(list, i, this.#start);
      if (!this.#isStarted) continue;
      if (region >= this.#lastRegion && this.#end !== undefined && isCut(list, i, this.#end)) {
        this.#nextKeyTime = time;
        this.nextTime = time;
      } else this.frames.append(list, i);
    }
    return false;
  }
}

/** Whether a segment that starts at `time` starts with this frame, the first one that fits. */
function isCut(list: FrameList, index: number, time: number): boolean {
  const found = list.times[index] ?? 0;
  return found === time || (list.keys[index] === 1 && found > time);
}
