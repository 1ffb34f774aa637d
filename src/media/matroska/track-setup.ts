import type { ByteSource } from "../byte-source.ts";
import { MediaError } from "../errors.ts";
import { toldFrameRate } from "../frame-rate.ts";
import type { LeftOutTrack, TrackInfo } from "../movie.ts";
import { Box } from "../mp4/box.ts";
import { fullBox, u32 } from "../mp4/box-writer.ts";
import { readSampleEntries, type SampleEntry } from "../mp4/sample-entry.ts";
import { audioEntry } from "./audio-entry.ts";
import type { FrameList } from "./frames.ts";
import { type FrameClock, reorderTicksOf } from "./samples.ts";
import type { MatroskaTrack } from "./tracks.ts";
import { videoEntry } from "./video-entry.ts";
import type { BlockTrack } from "./walk.ts";

/** Track numbers become `track_ID`s, and `next_track_ID` must fit as well. */
const maxTrackNumber = 2 ** 31 - 2;
/** Enough of a frame for every header that is looked at. */
const frameHeadBytes = 4096;
const headerBytes = 8;
/** Timescales that suit players; others are given in microseconds. */
const timescales = { least: 1000, most: 1_000_000 };

/** A track that is packaged: what of it holds for all its samples. */
export interface TrackSetup {
  readonly track: MatroskaTrack;
  readonly info: TrackInfo;
  readonly clock: FrameClock;
  /** Segment ticks from the time that a block tells to the time that its first sample is heard. */
  readonly silentTicks: number;
  readonly prefix: Uint8Array;
}

/** Why a track cannot be packaged whatever its frames are; null when it may be. */
export function refusalOf(track: MatroskaTrack, all: readonly MatroskaTrack[]): LeftOutTrack | null {
  const { number, codec } = track;
  const refuse = (reason: string) => ({ id: number, codec, reason });
  const isNumbered = Number.isInteger(number) && number >= 1 && number <= maxTrackNumber;
  if (!isNumbered || all.some((other) => other !== track && other.number === number)) {
    return refuse("its number is not its own");
  }
  if (track.framePrefix === null) return refuse("its frames are compressed or encrypted");
  return null;
}

/** Seconds of a frame of codecs that tell in the frame only: what nearly all have. */
const usualSeconds: Readonly<Record<string, (sampleRate: number) => number>> = {
  ac3: (sampleRate) => (sampleRate > 0 ? 1536 / sampleRate : 0),
  eac3: (sampleRate) => (sampleRate > 0 ? 1536 / sampleRate : 0),
  opus: () => 0.02,
};

/** How a track's frames lie in blocks; before any frame is read. */
export function blockTrackOf(track: MatroskaTrack, timestampScale: number): BlockTrack {
  const told = track.kind === "audio" ? (audioEntry(track, null)?.frameSeconds ?? 0) : 0;
  const seconds = told || (usualSeconds[track.codec]?.(track.sampleRate) ?? 0);
  const nanoseconds = track.defaultDuration || seconds * 1e9;
  return {
    number: track.number,
    frameTicks: nanoseconds / timestampScale,
    timestampScale,
  };
}

/** Sets up a track by its first frames and some others; says why it cannot be packaged. */
export async function setUpTrack(
  source: ByteSource,
  track: MatroskaTrack,
  [frames, ...others]: readonly FrameList[],
  timestampScale: number,
): Promise<TrackSetup | LeftOutTrack> {
  const { number, codec, framePrefix } = track;
  const refuse = (reason: string): LeftOutTrack => ({ id: number, codec, reason });
  if (frames === undefined || frames.count === 0 || framePrefix === null) return refuse("it has no frames");
  const head = await firstFrame(source, frames, framePrefix);
  const built = track.kind === "video" ? { bytes: videoEntry(track, head), frameSeconds: 0 } : audioEntry(track, head);
  if (built === null || built.bytes === null) return refuse("no segment carries it, or its configuration is missing");
  const entry = sampleEntry(built.bytes, track.kind);
  if (entry === null) return refuse("its configuration is damaged");
  const nanoseconds = track.defaultDuration || built.frameSeconds * 1e9;
  const timescale = timescaleOf(track.kind === "audio" ? entry.sampleRate : 0, timestampScale);
  const ratio = (timestampScale * timescale) / 1e9;
  const silentTicks = track.codecDelay / timestampScale + frames.silentTicks;
  let reorderTicks = 0;
  for (const list of track.kind === "video" ? [frames, ...others] : []) {
    reorderTicks = Math.max(reorderTicks, await reorderTicksOf(list, { ratio }));
  }
  const clock: FrameClock = {
    kind: track.kind,
    ratio,
    frameTicks: nanoseconds / timestampScale,
    prefixBytes: framePrefix.length,
    leadTicks: 0,
    reorderTicks,
  };
  const mediaTime = Math.round(silentTicks * ratio) + clock.reorderTicks;
  const info = infoOf(track, entry, { timescale, mediaTime, frames, timestampScale });
  return { track, info, clock, silentTicks, prefix: framePrefix };
}

/**
 * Gives sound the picture's media time, with a lead that makes up for it: players that overlook edit lists in
 * fragmented files then show and play both equally late.
 */
export function alignMediaTimes(setups: readonly TrackSetup[]): TrackSetup[] {
  const video = setups.find(({ info }) => info.kind === "video")?.info;
  const seconds = video === undefined ? 0 : video.mediaTime / video.timescale;
  return setups.map((setup) => {
    const { info, clock } = setup;
    const leadTicks = Math.max(0, Math.round(seconds * info.timescale) - info.mediaTime);
    return { ...setup, info: { ...info, mediaTime: info.mediaTime + leadTicks }, clock: { ...clock, leadTicks } };
  });
}

/** The start of the first key frame as it was before header stripping. */
async function firstFrame(source: ByteSource, frames: FrameList, prefix: Uint8Array): Promise<Uint8Array> {
  const index = Math.max(0, frames.keys.subarray(0, frames.count).indexOf(1));
  const { offset, size } = frames.at(index);
  const read = await source.read(offset, Math.min(size, frameHeadBytes));
  const bytes = new Uint8Array(prefix.length + read.length);
  bytes.set(prefix);
  bytes.set(read, prefix.length);
  return bytes;
}

/** Reads back what was built, so that every codec string comes from one place; null when it is damaged. */
function sampleEntry(bytes: Uint8Array, kind: "video" | "audio"): SampleEntry | null {
  const stsd = fullBox("stsd", 0, 0, u32(1), bytes);
  try {
    return readSampleEntries(new Box("Tracks/CodecPrivate/stsd", stsd.subarray(headerBytes), 0), kind)[0] ?? null;
  } catch (error) {
    if (error instanceof MediaError) return null;
    throw error;
  }
}

/** Sound has the clock of its samples, pictures that of the segment where it suits. */
function timescaleOf(sampleRate: number, timestampScale: number): number {
  if (sampleRate > 0) return sampleRate;
  const ticks = 1e9 / timestampScale;
  return Number.isInteger(ticks) && ticks >= timescales.least && ticks <= timescales.most ? ticks : timescales.most;
}

interface Timing {
  readonly timescale: number;
  readonly mediaTime: number;
  readonly frames: FrameList;
  readonly timestampScale: number;
}

function infoOf(
  track: MatroskaTrack,
  entry: SampleEntry,
  { timescale, mediaTime, frames, timestampScale }: Timing,
): TrackInfo {
  const base = {
    id: track.number,
    timescale,
    mediaTime,
    codec: entry.codec,
    codecString: entry.codecString,
    sampleEntries: [entry.bytes],
    language: track.language,
    name: track.name,
  };
  if (track.kind === "audio") {
    return {
      ...base,
      kind: "audio",
      channels: entry.channels,
      sampleRate: entry.sampleRate,
      isDefault: track.isDefault,
    };
  }
  const frameRate = track.frameRate || averageRate(frames) * (1e9 / timestampScale);
  return {
    ...base,
    kind: "video",
    width: track.width,
    height: track.height,
    frameRate: toldFrameRate(frameRate),
    rotation: track.rotation,
    matrix: matrixOf(track.rotation),
  };
}

/** Frames for each tick. */
function averageRate({ times, count }: FrameList): number {
  let [first, last] = [times[0] ?? 0, times[0] ?? 0];
  for (let i = 1; i < count; i++) {
    first = Math.min(first, times[i] ?? 0);
    last = Math.max(last, times[i] ?? 0);
  }
  const span = last - first;
  return span > 0 ? (count - 1) / span : 0;
}

/** `tkhd`'s matrix for quarter turns, clockwise (ISO/IEC 14496-12 section 8.3.2). */
function matrixOf(rotation: number): number[] {
  const cosine = Math.round(Math.cos((rotation * Math.PI) / 180)) * 0x10000;
  const sine = Math.round(Math.sin((rotation * Math.PI) / 180)) * 0x10000;
  return [cosine, sine, 0, -sine, cosine, 0, 0, 0, 0x40000000].map((value) => value + 0);
}
