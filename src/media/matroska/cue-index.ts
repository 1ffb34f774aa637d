import type { ByteSource } from "../byte-source.ts";
import { minTailSeconds, targetSeconds } from "../cmaf/segments.ts";
import { turn } from "../turn.ts";
import { type Cues, readCues } from "./cues.ts";
import type { FrameList } from "./frames.ts";
import type { CueTrack } from "./matroska-presentation.ts";
import { framesOf, type RegionMap } from "./regions.ts";
import { samplesOf, toTicks } from "./samples.ts";
import type { Segment } from "./segment.ts";
import type { TrackSetup } from "./track-setup.ts";
import type { BlockTrack } from "./walk.ts";

/** Regions that are looked at to find a track which the first one does not have. */
const probes = 16;
/** Regions that are looked at for how pictures are reordered, beside the first and the last. */
const samplesBetween = 3;
/** What `moof` has for a segment, and for each sample at most. */
const segmentOverhead = 160;
const sampleOverhead = 16;
/** A range of the original is sent as it is when other tracks take no more of it. */
const maxWaste = 0.1;

/** Where the frames of a track begin and end, in regions. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly head: FrameList;
  readonly tail: FrameList;
  /** From places in between, for what differs from scene to scene. */
  readonly between: readonly FrameList[];
}

/** A file by its cues, with the little that has to be read of its clusters. */
export interface CuedFile {
  readonly segment: Segment;
  readonly cues: Cues;
  readonly map: RegionMap;
  readonly spans: ReadonlyMap<number, Span>;
}

/** What is wanted of a file. */
export interface Wanted {
  readonly tracks: readonly BlockTrack[];
  /** Subtitles, which may be anywhere. */
  readonly texts: readonly BlockTrack[];
  readonly videoNumber: number;
}

/** Looks at the first and the last clusters; null when the cues are of no use. Throws a `MediaError`. */
export async function openCues(
  source: ByteSource,
  segment: Segment,
  { tracks, texts, videoNumber }: Wanted,
): Promise<CuedFile | null> {
  await turn();
  const cues = readCues(segment, videoNumber);
  await turn();
  if (cues === null) return null;
  const map: RegionMap = { tracks: [...tracks, ...texts], offsets: cues.regionOffsets };
  const spans = new Map<number, Span>();
  for (const { number } of tracks) {
    const span = await spanOf(source, map, number, videoNumber);
    if (span !== null) spans.set(number, span);
  }
  const video = spans.get(videoNumber);
  const isWhole = video !== undefined && video.first === 0 && video.last === map.offsets.length - 2;
  return isWhole ? { segment, cues, map, spans } : null;
}

/** A track that starts late or ends early is looked for at a few places, then its edges by halving. */
async function spanOf(source: ByteSource, map: RegionMap, number: number, videoNumber: number): Promise<Span | null> {
  const end = map.offsets.length - 2;
  const at = async (region: number) => (await framesOf(source, map, region)).get(number) ?? null;
  const has = async (region: number) => ((await at(region))?.count ?? 0) > 0;
  let known = -1;
  for (let i = 0; i <= probes && known < 0; i++) {
    const region = Math.floor((end * i) / probes);
    if (await has(region)) known = region;
  }
  if (known < 0) return null;
  const first = await edge(known, 0, has);
  const last = await edge(known, end, has);
  const [head, tail] = [await at(first), await at(last)];
  const between = number === videoNumber ? await betweenOf(first, last, at) : [];
  return head && tail && { first, last, head, tail, between };
}

async function betweenOf(
  first: number,
  last: number,
  at: (region: number) => Promise<FrameList | null>,
): Promise<FrameList[]> {
  const lists: FrameList[] = [];
  for (let i = 1; i <= samplesBetween; i++) {
    const list = await at(first + Math.floor(((last - first) * i) / (samplesBetween + 1)));
    if (list !== null) lists.push(list);
  }
  return lists;
}

/** The farthest region towards `end` that has frames, as far as halving finds it. */
async function edge(from: number, end: number, has: (region: number) => Promise<boolean>): Promise<number> {
  if (await has(end)) return end;
  let [inside, outside] = [from, end];
  while (Math.abs(outside - inside) > 1) {
    const middle = Math.trunc((inside + outside) / 2);
    if (await has(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}

/** When a track ends, in ticks of its own from 0. */
function endTicksOf({ info, clock }: TrackSetup, tail: FrameList, origin: number): number {
  const { samples, startTicks } = samplesOf(tail, clock, null);
  return startTicks + samples.totalDuration + clock.reorderTicks - info.mediaTime - toTicks(clock, origin);
}

/** The tracks with their cuts: video at the cues nearest to 4 s, sound at the same times and every 4 s after its end. */
export function cutTracks(file: CuedFile, setups: readonly TrackSetup[], origin: number): CueTrack[] {
  const { segment, cues } = file;
  const ticks = 1e9 / segment.timestampScale;
  const endOf = (setup: TrackSetup) => {
    const span = file.spans.get(setup.track.number);
    return span === undefined ? 0 : Math.max(0, endTicksOf(setup, span.tail, origin) / setup.info.timescale);
  };
  const video = setups.find(({ info }) => info.kind === "video");
  const videoEnd = video === undefined ? 0 : endOf(video);
  const videoCuts = videoCutsOf(cues, origin, videoEnd, ticks);
  const rates = new Map(setups.map((setup) => [setup, rateOf(setup, file.spans.get(setup.track.number))]));
  return setups.map((setup) => {
    const { info, clock, silentTicks, prefix } = setup;
    const endSeconds = endOf(setup);
    const span = file.spans.get(setup.track.number);
    const cuts =
      setup === video || span === undefined
        ? videoCuts
        : soundCuts(setup, span, videoCuts, {
            videoEnd,
            endSeconds,
            origin,
            ticks,
            lastRegion: file.map.offsets.length - 2,
          });
    const track = { info, clock, silentTicks, prefix, ...cuts, endSeconds };
    const others = [...rates].reduce((sum, [other, rate]) => sum + (other === setup ? 0 : rate), 0);
    const segmentSizes =
      setup === video
        ? videoSizes(track, file, { others, origin, ticks })
        : soundSizes(track, rates.get(setup) ?? 0, origin, ticks);
    return { ...track, segmentSizes, keyFrameBytes: setup === video ? keyFrameBytesOf(setup, span) : 0 };
  });
}

interface Cuts {
  readonly cutTimes: Float64Array;
  readonly cutRegions: Uint32Array;
}

/** Places where a track may be cut, in order. Times in segment ticks. */
interface Candidates {
  readonly count: number;
  readonly timeAt: (index: number) => number;
  /** When the track starts and ends. */
  readonly start: number;
  readonly end: number;
  /** How long a segment should be. */
  readonly target: number;
}

/** Which of the places to cut at: each time the one nearest to the target after the cut before. */
function nearestCuts({ count, timeAt, start, end, target }: Candidates): number[] {
  const cuts: number[] = [];
  let last = start;
  let candidate: { index: number; time: number } | null = null;
  for (let index = 0; index < count; ) {
    const time = timeAt(index);
    if (candidate !== null && Math.abs(time - last - target) >= Math.abs(candidate.time - last - target)) {
      cuts.push(candidate.index);
      last = candidate.time;
      candidate = null;
    } else {
      candidate = { index, time };
      index++;
    }
  }
  // The last one starts a segment of its own only when one without it would be too long.
  const isNeeded = candidate !== null && Math.abs(end - last - target) > Math.abs(candidate.time - last - target);
  return candidate !== null && isNeeded ? [...cuts, candidate.index] : cuts;
}

function videoCutsOf({ times, regions }: Cues, origin: number, endSeconds: number, ticks: number): Cuts {
  // The first cue is where the first segment starts anyway.
  const chosen = nearestCuts({
    count: Math.max(0, times.length - 1),
    timeAt: (index) => times[index + 1] ?? 0,
    start: times[0] ?? 0,
    end: origin + endSeconds * ticks,
    target: targetSeconds * ticks,
  }).map((index) => index + 1);
  return {
    cutTimes: Float64Array.from([Number.NEGATIVE_INFINITY, ...chosen.map((index) => times[index] ?? 0)]),
    cutRegions: Uint32Array.from([0, ...chosen.map((index) => regions[index] ?? 0)]),
  };
}

interface Bounds {
  readonly videoEnd: number;
  readonly endSeconds: number;
  readonly origin: number;
  readonly ticks: number;
  readonly lastRegion: number;
}

function soundCuts({ silentTicks }: TrackSetup, span: Span, video: Cuts, bounds: Bounds): Cuts {
  const start = (span.head.times[0] ?? 0) - silentTicks;
  const latest = (span.tail.times[span.tail.count - 1] ?? 0) - silentTicks;
  const cuts: { time: number; region: number }[] = [];
  video.cutTimes.forEach((time, i) => {
    if (time > start && time <= latest) cuts.push({ time, region: video.cutRegions[i] ?? 0 });
  });
  if (span.last === bounds.lastRegion) {
    for (const time of tailCuts(span.tail, silentTicks, bounds)) {
      if (time > start && time <= latest) cuts.push({ time, region: bounds.lastRegion });
    }
  }
  return {
    cutTimes: Float64Array.from([Number.NEGATIVE_INFINITY, ...cuts.map(({ time }) => time)]),
    cutRegions: Uint32Array.from([span.first, ...cuts.map(({ region }) => region)]),
  };
}

/**
 * Every 4 s after the picture's end, up to the sound's. Where no frame starts in between there is one cut for all of it: a
 * time that a block tells may be ages away, and the cuts must not be more than the frames.
 */
function* tailCuts({ times, count }: FrameList, silentTicks: number, bounds: Bounds): Generator<number> {
  const { videoEnd, endSeconds, origin, ticks } = bounds;
  let next = 0;
  for (let i = 0; i < count; i++) {
    const seconds = ((times[i] ?? 0) - silentTicks - origin) / ticks;
    const step = Math.floor((seconds - videoEnd) / targetSeconds);
    if (step < next) continue;
    const cut = videoEnd + step * targetSeconds;
    if (endSeconds - cut < minTailSeconds) return;
    yield origin + cut * ticks;
    next = step + 1;
  }
}

/** Bytes for each segment tick at the start or at the end, whichever is more; headers included. */
function rateOf({ clock }: TrackSetup, span: Span | undefined): number {
  const rate = ({ times, sizes, count }: FrameList) => {
    const bytes = sizes.subarray(0, count).reduce((sum, size) => sum + size + clock.prefixBytes + sampleOverhead, 0);
    const last = times[count - 1] ?? 0;
    const ticks = last - (times[0] ?? 0) + (clock.frameTicks || (count > 1 ? last / count : 0));
    return ticks > 0 ? bytes / ticks : 0;
  };
  return span === undefined ? 0 : Math.max(rate(span.head), rate(span.tail));
}

/** The largest key frame at the start, at the end and in between, with its headers. */
function keyFrameBytesOf({ clock }: TrackSetup, span: Span | undefined): number {
  let most = 0;
  for (const { keys, sizes, count } of span === undefined ? [] : [span.head, ...span.between, span.tail]) {
    for (let i = 0; i < count; i++) if (keys[i] === 1) most = Math.max(most, sizes[i] ?? 0);
  }
  return most === 0 ? 0 : most + clock.prefixBytes + segmentOverhead;
}

type Sized = Pick<CueTrack, "cutTimes" | "cutRegions" | "endSeconds" | "info">;

/** Ticks that each segment lasts. */
function ticksOf({ cutTimes, endSeconds }: Sized, origin: number, ticks: number): Float64Array {
  return cutTimes.map((time, i) =>
    Math.max(0, (cutTimes[i + 1] ?? origin + endSeconds * ticks) - Math.max(time, origin)),
  );
}

function soundSizes(track: Sized, rate: number, origin: number, ticks: number): Float64Array {
  return ticksOf(track, origin, ticks).map((length) => Math.ceil(length * rate) + segmentOverhead);
}

/** What lies between the cues, without the sound where that is not sent along. */
function videoSizes(
  track: Sized,
  { map }: CuedFile,
  rates: { others: number; origin: number; ticks: number },
): Float64Array {
  const { others, origin, ticks } = rates;
  const lengths = ticksOf(track, origin, ticks);
  const frameRate = track.info.kind === "video" ? track.info.frameRate : 0;
  return lengths.map((length, i) => {
    const start = map.offsets[track.cutRegions[i] ?? 0] ?? 0;
    const end = map.offsets[track.cutRegions[i + 1] ?? map.offsets.length - 1] ?? start;
    const foreign = length * others;
    const own = foreign <= (end - start) * maxWaste ? end - start : Math.max(0, end - start - foreign);
    return Math.ceil(own + (length / ticks) * frameRate * sampleOverhead) + segmentOverhead;
  });
}
