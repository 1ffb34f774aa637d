import type { ByteSource } from "../byte-source.ts";
import { indexSegments } from "../cmaf/segment-index.ts";
import { renditionNeed } from "../decodability.ts";
import { MediaError } from "../errors.ts";
import type { AudioDescription, LeftOutTrack, MediaDescription, Movie, Track, VideoDescription } from "../movie.ts";
import { languageTag } from "../mp4/track-box.ts";
import { turn } from "../turn.ts";
import { findLayout, type PacketLayout, pidAt } from "./packet.ts";
import { scanPackets } from "./packet-scan.ts";
import { clockRate } from "./pes.ts";
import { PictureProbe, type ProbedPictures } from "./picture-probe.ts";
import { ProgramFinder } from "./program-finder.ts";
import {
  type AudioTrackStreams,
  isPackaged,
  type KnownStream,
  knownStreams,
  ProgramStreams,
  pictureOf,
} from "./program-streams.ts";
import type { ProgramMap } from "./program-tables.ts";
import { guessed } from "./stream-kinds.ts";
import { audioTrackOf, placeTracks, type TimedTrack, videoTrackOf } from "./transport-tracks.ts";

const path = "mpegts";
const headBytes = 4096;
/** The tables of all programs are looked for in this much of the file. */
const maxTableBytes = 16 * 2 ** 20;
/** Of files that are only described, this much is read at the start and at the end. */
const describedBytes = 8 * 2 ** 20;

/**
 * Reads a transport stream, whole where it is packaged: it has no index. `movie` is null for pictures that are only
 * described. Throws a `MediaError`: `not-a-video`, `unsupported`.
 */
export async function openMpegTs(source: ByteSource): Promise<{ description: MediaDescription; movie: Movie | null }> {
  const layout = findLayout(await source.read(0, Math.min(headBytes, source.size)));
  if (layout === null) {
    throw new MediaError("not-a-video", "The file has no packets of a transport stream", {
      ...{ box: path, offset: 0, expected: "sync bytes 0x47", got: "other bytes" },
    });
  }
  const map = await findProgram(source, layout);
  const picture = pictureOf(knownStreams(map));
  if (picture === null) refuseWithoutPicture(map);
  if (picture.isEncrypted) {
    throw new MediaError("unsupported", "The video is encrypted (sample encryption)", {
      box: `${path}/${picture.codec}`,
    });
  }
  if (!isPackaged(picture.codec)) return { description: await describeOnly(source, layout, map, picture), movie: null };
  return index(source, layout, map, picture);
}

/** The map of the first program with a picture, in the order of the PAT; else of the first program. */
async function findProgram(source: ByteSource, layout: PacketLayout): Promise<ProgramMap> {
  const finder = new ProgramFinder();
  let read = 0;
  await scanPackets(
    source,
    layout,
    (bytes, at, offset) => {
      read = offset;
      const pid = pidAt(bytes, at);
      if (finder.isTable(pid)) finder.push(bytes, at, pid);
    },
    { isDone: () => finder.isComplete || read > maxTableBytes },
  );
  const { maps } = finder;
  const found = maps.find((map) => pictureOf(knownStreams(map)) !== null) ?? maps[0];
  if (found !== undefined) return found;
  throw new MediaError("not-a-video", "The transport stream does not tell what is in it", {
    box: path,
    expected: finder.programs.length === 0 ? "a program association table" : "a program map table",
    got: "none",
  });
}

function refuseWithoutPicture(map: ProgramMap): never {
  const kinds = knownStreams(map).map(({ kind }) => kind);
  const [code, message] =
    kinds.length > 0
      ? (["sound-only", "The file has sound only"] as const)
      : (["not-a-video", "The file has no video track"] as const);
  const got = kinds.join(" ") || "none";
  throw new MediaError(code, message, { box: path, expected: "a video track", got });
}

async function index(source: ByteSource, layout: PacketLayout, map: ProgramMap, picture: KnownStream) {
  const streams = new ProgramStreams(picture.codec);
  streams.apply(map);
  const { breaks, isCut } = await readStreams(source, layout, streams, map);
  const { video } = streams;
  for (const stream of streams.streams) stream.finish(isCut);
  if (video === null || video.stream.record.count === 0) refuseWithoutSamples(streams);
  const places = { layout, breaks: Float64Array.from(breaks) };
  const leftOut: LeftOutTrack[] = [];
  const timed: TimedTrack[] = [await videoTrackOf(video, 1, places)];
  for (const [i, track] of streams.audio.entries()) {
    const sound = await audioTrackOf(track, i + 2, places);
    if (sound !== null) timed.push(sound);
    else if (track.codec !== guessed)
      leftOut.push({
        id: i + 2,
        codec: track.codec,
        reason: "no segment carries this codec, or nothing of it was found",
      });
  }
  const tracks = placeTracks(timed);
  const description = describe(tracks, streams.audio);
  const movie: Movie = { description, timescale: clockRate, tracks, texts: [], leftOut };
  return { description, movie: await indexSegments(movie, turn) };
}

/** Reads the whole file into the streams of a program. */
function readStreams(source: ByteSource, layout: PacketLayout, streams: ProgramStreams, map: ProgramMap) {
  const finder = new ProgramFinder((changed) => {
    // A program that has gone is followed by the first one with a picture.
    const isOurs = changed.programNumber === map.programNumber;
    const isGone = finder.programs.every(({ number }) => number !== map.programNumber);
    if (isOurs || (isGone && pictureOf(knownStreams(changed)) !== null)) streams.apply(changed);
  });
  return scanPackets(source, layout, (bytes, at, offset) => {
    const pid = pidAt(bytes, at);
    const stream = streams.streamOf(pid);
    if (stream !== undefined) stream.push(bytes, at, offset);
    else if (finder.isTable(pid)) finder.push(bytes, at, pid);
  });
}

function refuseWithoutSamples({ video }: ProgramStreams): never {
  if (video !== null && video.stream.scrambled > 0) video.stream.refuseScrambled();
  throw new MediaError("not-a-video", "The video has no picture that can be decoded", {
    box: path,
    expected: "a key frame with its parameter sets",
    got: "none",
  });
}

function describe(tracks: readonly Track[], audio: readonly AudioTrackStreams[]): MediaDescription {
  const video = tracks.find((track) => track.kind === "video");
  const sounds = describeSounds(audio);
  const ends = tracks.map(({ samples, timescale, delay, mediaTime }) => {
    return (samples.totalDuration + delay - mediaTime) / timescale;
  });
  return {
    durationSeconds: Math.max(0, ...ends),
    container: "mpegts",
    video: video === undefined ? null : videoDescription(video),
    audio: sounds,
    needsRendition: renditionNeed(
      { codec: video?.codec ?? "", codecString: video?.codecString ?? "" },
      sounds.map(({ codec }) => codec),
    ),
  };
}

function videoDescription(track: Track & { kind: "video" }): VideoDescription {
  const { codec, width, height, frameRate, rotation } = track;
  return { codec, width, height, frameRate, rotation };
}

function describeSounds(audio: readonly AudioTrackStreams[]): AudioDescription[] {
  const heard = audio.filter((track) => track.codec !== guessed || (track.audio?.changes.length ?? 0) > 0);
  return heard.map(describeAudio);
}

function describeAudio({ audio, codec, language }: AudioTrackStreams): AudioDescription {
  const format = audio?.changes[0]?.format;
  return {
    codec: format?.codec ?? codec,
    channels: format?.channels ?? 0,
    sampleRate: format?.sampleRate ?? 0,
    language: languageTag(language ?? "und"),
  };
}

/** Describes what is not packaged from its start and its end. */
async function describeOnly(
  source: ByteSource,
  layout: PacketLayout,
  map: ProgramMap,
  picture: KnownStream,
): Promise<MediaDescription> {
  const streams = new ProgramStreams(picture.codec);
  streams.apply(map);
  const probe = new PictureProbe(picture.codec);
  let read = 0;
  const use = (bytes: Uint8Array, at: number, offset: number) => {
    read = offset;
    const pid = pidAt(bytes, at);
    if (pid === picture.pid) probe.push(bytes, at);
    else streams.streamOf(pid)?.push(bytes, at, offset);
  };
  await scanPackets(source, layout, use, { isDone: () => read > describedBytes });
  for (const stream of streams.streams) stream.finish();
  await scanPackets(source, layout, (bytes, at) => pidAt(bytes, at) === picture.pid && probe.push(bytes, at), {
    from: Math.max(0, source.size - describedBytes),
  });
  return describeProbed(picture.codec, probe.result, streams.audio);
}

function describeProbed(codec: string, probed: ProbedPictures, audio: readonly AudioTrackStreams[]): MediaDescription {
  const { durationSeconds, width, height, frameRate } = probed;
  const sounds = describeSounds(audio);
  return {
    durationSeconds,
    container: "mpegts",
    video: { codec, width, height, frameRate, rotation: 0 },
    audio: sounds,
    needsRendition: renditionNeed(
      { codec, codecString: "" },
      sounds.map((sound) => sound.codec),
    ),
  };
}
