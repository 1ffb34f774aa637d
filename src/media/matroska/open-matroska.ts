import type { ByteSource } from "../byte-source.ts";
import { indexSegments } from "../cmaf/segment-index.ts";
import { decodedAudio, renditionNeed } from "../decodability.ts";
import { MediaError } from "../errors.ts";
import { toldFrameRate } from "../frame-rate.ts";
import { type LeftOutTrack, type MediaDescription, type Movie, oneVideoOnly, type Track } from "../movie.ts";
import { MoviePresentation } from "../movie-presentation.ts";
import { FileLimits } from "../mp4/file-limits.ts";
import type { OpenedMedia, Presentation } from "../presentation.ts";
import { turn } from "../turn.ts";
import { firstFrameRate, lastTimestamp } from "./clusters.ts";
import { type CuedFile, cutTracks, openCues, type Wanted } from "./cue-index.ts";
import { readTextCues } from "./cues.ts";
import { FrameList } from "./frames.ts";
import { MatroskaPresentation } from "./matroska-presentation.ts";
import { framesOf as framesOfRegion } from "./regions.ts";
import { samplesInTurns, toTicks } from "./samples.ts";
import { readSegment, type Segment } from "./segment.ts";
import { placesOf, type TextClock, type TextPlaces } from "./text-blocks.ts";
import { type MatroskaText, readTexts, textBlocksOf } from "./text-tracks.ts";
import { alignMediaTimes, blockTrackOf, refusalOf, setUpTrack, type TrackSetup } from "./track-setup.ts";
import { type MatroskaTrack, readTracks } from "./tracks.ts";
import { type BlockTrack, type FramesByTrack, readFrames } from "./walk.ts";

/** Reads at a time when a file is indexed whole: small enough not to hold up others between two of them. */
const windowBytes = 256 * 1024;
/** Frames of all tracks of a file; each takes four bytes of it at least. */
const maxFrames = 16_000_000;
const minBytesPerFrame = 4;
/** Frames at the start of a track among which the earliest one is. */
const framesForStart = 32;

/** Reads a Matroska or WebM file (RFC 9559); `presentation` is null for those that cannot be packaged. */
export async function openMatroska(source: ByteSource): Promise<OpenedMedia> {
  const segment = await readSegment(source);
  const found = segment.tracks === null ? [] : readTracks(segment.tracks);
  const video = found.find(({ kind }) => kind === "video");
  if (video === undefined) refuseWithoutVideo(segment, found);
  const audio = found.filter(({ kind }) => kind === "audio");
  const description = describe(segment, video, audio);
  const { texts, leftOut } = segment.tracks === null ? { texts: [], leftOut: [] } : readTexts(segment.tracks);
  const otherVideos = found.filter((track) => track.kind === "video" && track !== video);
  const unsent = [...otherVideos.map(({ number, codec }) => ({ id: number, codec, reason: oneVideoOnly })), ...leftOut];
  const packaged = await packageTracks(source, segment, { description, video, audio, texts, leftOut: unsent });
  if (packaged !== null) return { description: packaged.description, presentation: packaged };
  return { description: await completed(source, segment, description, video), presentation: null };
}

function refuseWithoutVideo({ place }: Segment, found: readonly MatroskaTrack[]): never {
  const [code, message] =
    found.length > 0
      ? (["sound-only", "The file has sound only"] as const)
      : (["not-a-video", "The file has no video track"] as const);
  throw new MediaError(code, message, {
    box: "Segment/Tracks",
    offset: place.offset,
    expected: "a video track",
    got: found.map(({ kind }) => kind).join(" ") || "none",
  });
}

/** What the headers tell. */
function describe(segment: Segment, video: MatroskaTrack, audio: readonly MatroskaTrack[]): MediaDescription {
  return {
    durationSeconds: segment.durationSeconds,
    container: segment.container,
    video: {
      codec: video.codec,
      width: video.width,
      height: video.height,
      frameRate: toldFrameRate(video.frameRate),
      rotation: video.rotation,
    },
    audio: audio.map(({ codec, channels, sampleRate, language }) => ({ codec, channels, sampleRate, language })),
    needsRendition: renditionNeed(
      video,
      audio.map(({ codec }) => codec),
    ),
  };
}

/** With duration and frame rate from the first and the last blocks where the headers do not tell. */
async function completed(
  source: ByteSource,
  { firstCluster, timestampScale }: Segment,
  description: MediaDescription,
  track: MatroskaTrack,
): Promise<MediaDescription> {
  const { durationSeconds, video } = description;
  const ticks = 1e9 / timestampScale;
  const seconds = durationSeconds || (await lastTimestamp(source, firstCluster)) / ticks;
  const rate = video?.frameRate || (await firstFrameRate(source, firstCluster, track.number)) * ticks;
  return {
    ...description,
    durationSeconds: Number.isFinite(seconds) ? seconds : 0,
    video: video && { ...video, frameRate: toldFrameRate(rate) },
  };
}

interface Described {
  readonly description: MediaDescription;
  readonly video: MatroskaTrack;
  readonly audio: readonly MatroskaTrack[];
  readonly texts: readonly MatroskaText[];
  /** Other pictures, and subtitles that cannot be sent. */
  readonly leftOut: readonly LeftOutTrack[];
}

async function packageTracks(source: ByteSource, segment: Segment, described: Described): Promise<Presentation | null> {
  const { video, audio, texts } = described;
  const all = [video, ...audio];
  const leftOut: LeftOutTrack[] = [];
  const wanted = all.filter((track) => {
    const refusal = refusalOf(track, all);
    if (refusal !== null) leftOut.push(refusal);
    return refusal === null;
  });
  if (!wanted.includes(video) || segment.firstCluster === null) return null;
  const blockTracks = wanted.map((track) => blockTrackOf(track, segment.timestampScale));
  const textBlocks = texts.map((text) => textBlocksOf(text, segment.timestampScale));
  const cued = await cuesOf(source, segment, { tracks: blockTracks, texts: textBlocks, videoNumber: video.number });
  const frames = cued === null ? await readAll(source, segment, [...blockTracks, ...textBlocks]) : null;
  const framesOf = ({ number }: MatroskaTrack) => {
    const span = cued?.spans.get(number);
    const whole = frames?.get(number);
    return span ? [span.head, span.tail, ...span.between] : whole ? [whole] : [];
  };
  const setups: TrackSetup[] = [];
  for (const track of wanted) {
    const setup = await setUpTrack(source, track, framesOf(track), segment.timestampScale);
    if ("info" in setup) setups.push(setup);
    else leftOut.push(setup);
  }
  if (!isWorthIt(setups, leftOut)) return null;
  const origin = Math.min(...setups.map(({ track }) => startOf(framesOf(track)[0])));
  const clock = { origin, msPerTick: segment.timestampScale / 1e6 };
  leftOut.push(...described.leftOut);
  const parts: Parts = { ...described, segment, setups: alignMediaTimes(setups), leftOut, clock };
  return cued === null ? byFrames(source, parts, frames ?? new Map()) : byCues(source, parts, cued);
}

/** Without a picture nothing is packaged; nor where all sound that a browser could play with the original is left out. */
function isWorthIt(setups: readonly TrackSetup[], leftOut: readonly LeftOutTrack[]): boolean {
  const hasSound = setups.some(({ info }) => info.kind === "audio");
  const losesSound = !hasSound && leftOut.some(({ codec }) => decodedAudio.has(codec));
  return setups.some(({ info }) => info.kind === "video") && !losesSound;
}

/** Cues that lead nowhere are as good as none: the file is read whole then, and tells itself what is wrong with it. */
async function cuesOf(source: ByteSource, segment: Segment, wanted: Wanted): Promise<CuedFile | null> {
  try {
    return await openCues(source, segment, wanted);
  } catch (error) {
    if (error instanceof MediaError) return null;
    throw error;
  }
}

function readAll(source: ByteSource, segment: Segment, tracks: readonly BlockTrack[]): Promise<FramesByTrack> {
  return readFrames(source, tracks, {
    from: segment.firstCluster?.offset ?? segment.end,
    to: segment.end,
    limit: segment.end,
    windowBytes,
    maxFrames: Math.min(maxFrames, Math.ceil(source.size / minBytesPerFrame)),
  });
}

/** When the earliest of the first frames is shown, in segment ticks. */
function startOf(frames: FrameList | undefined): number {
  return frames === undefined ? 0 : Math.min(...frames.times.subarray(0, Math.min(frames.count, framesForStart)));
}

interface Parts extends Described {
  readonly segment: Segment;
  readonly setups: readonly TrackSetup[];
  readonly leftOut: readonly LeftOutTrack[];
  readonly clock: TextClock;
}

/** The description with what is known better once frames were read. */
function describedBetter({ description, setups }: Parts, endSeconds: readonly number[]): MediaDescription {
  const video = setups.find(({ info }) => info.kind === "video")?.info;
  const frameRate = video?.kind === "video" ? video.frameRate : 0;
  const longest = Math.max(0, ...endSeconds);
  return {
    ...description,
    durationSeconds: longest > 0 ? longest : description.durationSeconds,
    video: description.video && { ...description.video, frameRate },
    needsRendition: renditionNeed(
      { codec: description.video?.codec ?? "", codecString: video?.codecString ?? "" },
      description.audio.map(({ codec }) => codec),
    ),
  };
}

async function byCues(source: ByteSource, parts: Parts, cued: CuedFile): Promise<MatroskaPresentation> {
  const { setups, leftOut, segment } = parts;
  const { origin } = parts.clock;
  await turn();
  const tracks = cutTracks(cued, setups, origin);
  await turn();
  const description = describedBetter(
    parts,
    tracks.map(({ endSeconds }) => endSeconds),
  );
  return new MatroskaPresentation({
    description,
    tracks,
    texts: await cuedTexts(source, parts, cued),
    leftOut,
    regions: cued.map,
    origin,
    secondsPerTick: segment.timestampScale / 1e9,
  });
}

/** Cues are trusted to name all text where they name all that is seen of it. */
async function cuedTexts(
  source: ByteSource,
  { texts, segment, clock }: Parts,
  { map }: CuedFile,
): Promise<(MatroskaText & { places: TextPlaces | null })[]> {
  const named = readTextCues(
    segment,
    texts.map(({ id }) => id),
    clock,
  );
  const seen = await Promise.all([0, map.offsets.length - 2].map((region) => framesOfRegion(source, map, region)));
  return texts.map((text) => {
    const places = named.get(text.id) ?? null;
    const starts = new Set(places?.startMs);
    const lists = seen.map((frames) => frames.get(text.id)).filter((list) => list !== undefined);
    const isWhole = lists.every((list) => placesOf(list, clock).startMs.every((start) => starts.has(start)));
    return { ...text, places: isWhole ? places : null };
  });
}

async function byFrames(source: ByteSource, parts: Parts, frames: FramesByTrack): Promise<MoviePresentation> {
  const { setups, leftOut, clock: textClock } = parts;
  const ends: number[] = [];
  const tracks: Track[] = [];
  for (const { track, info, clock, prefix } of setups) {
    await turn();
    const list = frames.get(track.number);
    if (list === undefined) throw new RangeError(`Track ${track.number} was not read.`);
    const { samples, startTicks } = await samplesInTurns(list, clock);
    const delay = startTicks - toTicks(clock, textClock.origin);
    ends.push((samples.totalDuration + delay + clock.reorderTicks - info.mediaTime) / info.timescale);
    tracks.push({
      ...info,
      samples,
      delay,
      editsIgnored: false,
      firstSample: 0,
      endSample: samples.count,
      ...(prefix.length > 0 ? { samplePrefix: prefix } : {}),
    });
  }
  const texts = parts.texts.map((text) => {
    const list = frames.get(text.id) ?? new FrameList();
    return { ...text, clock: textClock, places: placesOf(list, textClock) };
  });
  const movie: Movie = { description: describedBetter(parts, ends), timescale: 1000, tracks, texts, leftOut };
  const limits = new FileLimits(source.size);
  return new MoviePresentation(await indexSegments(movie, (steps) => limits.worked(steps)));
}
