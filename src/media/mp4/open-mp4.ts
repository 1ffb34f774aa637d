import type { ByteSource } from "../byte-source.ts";
import { indexSegments } from "../cmaf/segment-index.ts";
import { renditionNeed } from "../decodability.ts";
import { MediaError } from "../errors.ts";
import { toldFrameRate } from "../frame-rate.ts";
import {
  type AudioDescription,
  type Container,
  type LeftOutTrack,
  type MediaDescription,
  type Movie,
  oneVideoOnly,
  type Track,
  type VideoDescription,
} from "../movie.ts";
import { type TimedTrack, timeTracks } from "../timeline.ts";
import type { Box } from "./box.ts";
import { FileLimits } from "./file-limits.ts";
import { type FragmentedSamples, readFragments } from "./fragments.ts";
import { firstOfSame } from "./sample-entry.ts";
import { readSampleTable } from "./sample-tables.ts";
import { areFewEnough, readTextHeaders, type TextHeader, textTrackOf, unlessDamaged } from "./text-header.ts";
import { readBrands, readMovieBox, scanTopLevel, type TopLevel } from "./top-level.ts";
import { readTimescale, readTrackHeader, type TrackHeader } from "./track-box.ts";

const maxTracks = 64;
/** Codecs of one picture, as chapters and covers have them. */
const stillCodecs = new Set(["mjpeg", "png"]);
/** Sound that fits into CMAF segments. */
const carriedAudio: ReadonlySet<string> = new Set(["aac", "mp3", "opus", "flac", "ac3", "eac3", "alac"]);

/** Reads an MP4 or MOV; `movie` is null for those that cannot be packaged. */
export async function openMp4(source: ByteSource): Promise<{ description: MediaDescription; movie: Movie | null }> {
  const topLevel = await scanTopLevel(source);
  const moov = await readMovieBox(source, topLevel);
  if (moov.child("cmov")) {
    throw new MediaError("unsupported", "The index is compressed", { box: "moov/cmov", offset: moov.offset });
  }
  const brands = await readBrands(source, topLevel);
  const container = brands.length === 0 || brands[0] === "qt  " ? "mov" : "mp4";
  const { timescale, duration } = readMovieHeader(moov.required("mvhd"));
  const headers = readTrackHeaders(moov, timescale);
  const video = chooseVideo(headers);
  if (video === null) refuseWithoutVideo(moov, headers);
  const audio = headers.filter((header) => header.kind === "audio");
  const carried = [video, ...audio.filter((header) => carriedAudio.has(codecOf(header)) && !isRawMp3(header))];
  const texts = readTextHeaders(moov, timescale).filter(({ id }) => !headers.some((header) => header.id === id));
  const limits = new FileLimits(source.size);
  const samples = await readSamples(source, topLevel, { moov, headers: [...carried, ...texts], limits });
  const timed = timeTracks(samples.map((track) => ({ ...track, movieTimescale: timescale }))).filter(
    (track) => track.samples.count > 0 || track.id === video.id,
  );
  const otherVideos = headers.filter((header) => header.kind === "video" && header !== video);
  const { description, movie } = describe({ container, timescale, duration, video, otherVideos, audio, texts, timed });
  return { description, movie: movie && (await indexSegments(movie, (steps) => limits.worked(steps))) };
}

/** `.mp3` entries are QuickTime's: no browser takes them in an ISO file. */
const isRawMp3 = (header: TrackHeader) => header.entries[0]?.codec === "mp3" && header.entries[0].bytes[4] !== 0x6d;
const codecOf = (header: TrackHeader) => header.entries[0]?.codec ?? "unknown";

function readMovieHeader(mvhd: Box): { timescale: number; duration: number } {
  const large = mvhd.version === 1;
  const timescale = readTimescale(mvhd, large ? 20 : 12);
  return { timescale, duration: large ? mvhd.u32(24) * 2 ** 32 + mvhd.u32(28) : mvhd.u32(16) };
}

function readTrackHeaders(moov: Box, timescale: number): TrackHeader[] {
  const traks = moov.children().filter((box) => box.type === "trak");
  if (traks.length > maxTracks) {
    moov.fail("too many tracks", { expected: `at most ${maxTracks}`, got: traks.length, code: "unsupported" });
  }
  const headers = traks.map((trak) => readTrackHeader(trak, timescale)).filter((header) => header !== null);
  if (new Set(headers.map((header) => header.id)).size !== headers.length) moov.fail("two tracks have the same number");
  return headers;
}

/** The track to watch: switched on and moving pictures, if there is one. */
function chooseVideo(headers: readonly TrackHeader[]): TrackHeader | null {
  const videos = headers.filter((header) => header.kind === "video");
  const rank = (header: TrackHeader) => (stillCodecs.has(codecOf(header)) ? 2 : 0) + (header.enabled ? 0 : 1);
  return videos.toSorted((a, b) => rank(a) - rank(b))[0] ?? null;
}

function refuseWithoutVideo(moov: Box, headers: readonly TrackHeader[]): never {
  const [code, message] =
    headers.length > 0
      ? (["sound-only", "The file has sound only"] as const)
      : (["not-a-video", "The file has no video track"] as const);
  const got = headers.map((header) => header.kind).join(" ") || "none";
  throw new MediaError(code, message, { box: "moov", offset: moov.offset, expected: "a video track", got });
}

/** The samples of each track: of `moov`, or of the fragments where `moov` has none. */
async function readSamples(
  source: ByteSource,
  topLevel: TopLevel,
  { moov, headers, limits }: { moov: Box; headers: readonly (TrackHeader | TextHeader)[]; limits: FileLimits },
): Promise<Omit<TimedTrack, "movieTimescale">[]> {
  const descriptions = new Map(headers.map((header) => [header.id, firstOfSame(entriesOf(header))]));
  for (const header of headers) for (const entry of entriesOf(header)) limits.addIndexBytes(moov, entry.length);
  const fragments = moov.child("mvex") ? await readFragments(source, topLevel, moov, descriptions, limits) : null;
  const read = async ({ stbl, id }: TrackHeader | TextHeader): Promise<FragmentedSamples> => {
    const own = await readSampleTable(stbl, limits, descriptions.get(id) ?? []);
    return (own.count === 0 ? fragments?.get(id) : undefined) ?? { samples: own, startTicks: 0 };
  };
  const tracks = [];
  for (const header of headers) {
    const found = header.kind === "text" ? await unlessDamaged(read(header)) : await read(header);
    if (found === null || (header.kind === "text" && !areFewEnough(found.samples))) continue;
    tracks.push({ header, samples: found.samples, startSeconds: found.startTicks / header.timescale });
  }
  // A recording may start at any time of its clock; ours starts at 0 with the first track.
  const origin = Math.min(
    ...tracks
      .filter(({ header, samples }) => header.kind !== "text" && samples.count > 0)
      .map(({ startSeconds }) => startSeconds),
  );
  return tracks.map(({ header, samples, startSeconds }) => {
    const { id, kind, timescale, edit } = header;
    const lateTicks = samples.count === 0 ? 0 : Math.round((startSeconds - origin) * timescale);
    return { id, kind, timescale, edit, samples, lateTicks };
  });
}

const entriesOf = (header: TrackHeader | TextHeader) =>
  header.kind === "text" ? header.entries : header.entries.map(({ bytes }) => bytes);

interface Parts {
  readonly container: Container;
  readonly timescale: number;
  /** Of `mvhd`, for files whose samples are not read. */
  readonly duration: number;
  readonly video: TrackHeader;
  readonly otherVideos: readonly TrackHeader[];
  readonly audio: readonly TrackHeader[];
  readonly texts: readonly TextHeader[];
  readonly timed: readonly ReturnType<typeof timeTracks>[number][];
}

function describe(parts: Parts): { description: MediaDescription; movie: Movie | null } {
  const { timed, video, timescale, duration } = parts;
  const headers = [video, ...parts.audio];
  const tracks = timed.flatMap((placed) => {
    const header = headers.find(({ id }) => id === placed.id);
    return header === undefined ? [] : [trackOf(header, placed)];
  });
  const texts = timed.flatMap((placed) => {
    const header = parts.texts.find(({ id }) => id === placed.id);
    return header === undefined ? [] : [textTrackOf(header, placed)];
  });
  const shown = Math.max(0, ...timed.filter(({ kind }) => kind !== "text").map((track) => track.endSeconds));
  const description: MediaDescription = {
    durationSeconds: shown > 0 ? shown : duration / timescale,
    container: parts.container,
    video: describeVideo(video, tracks),
    audio: parts.audio.map(describeAudio),
    needsRendition: renditionNeed(
      { codec: codecOf(video), codecString: video.entries[0]?.codecString ?? "" },
      parts.audio.map(codecOf),
    ),
  };
  const packaged = tracks.some((track) => track.kind === "video" && track.samples.count > 0);
  return {
    description,
    movie: packaged ? { description, timescale, tracks, texts, leftOut: leftOut(parts, tracks) } : null,
  };
}

function leftOut({ audio, otherVideos }: Parts, tracks: readonly Track[]): LeftOutTrack[] {
  const missing = audio.filter(({ id }) => !tracks.some((track) => track.id === id));
  const videos = otherVideos.map((header) => ({ id: header.id, codec: codecOf(header), reason: oneVideoOnly }));
  const sounds = missing.map((header) => {
    const codec = codecOf(header);
    const reason = carriedAudio.has(codec)
      ? "it has no samples in a form that can be sent"
      : "no segment carries this codec";
    return { id: header.id, codec, reason };
  });
  return [...videos, ...sounds];
}

function describeVideo(header: TrackHeader, tracks: readonly Track[]): VideoDescription {
  const track = tracks.find((candidate) => candidate.kind === "video");
  const entry = header.entries[0];
  return {
    codec: codecOf(header),
    width: entry?.width ?? 0,
    height: entry?.height ?? 0,
    frameRate: track?.kind === "video" ? track.frameRate : 0,
    rotation: header.rotation,
  };
}

function describeAudio(header: TrackHeader): AudioDescription {
  const entry = header.entries[0];
  const { channels = 0, sampleRate = 0 } = entry ?? {};
  return { codec: codecOf(header), channels, sampleRate, language: header.language };
}

function trackOf(header: TrackHeader, placed: Parts["timed"][number]): Track {
  const entry = header.entries[0];
  const base = {
    id: header.id,
    timescale: header.timescale,
    codec: codecOf(header),
    codecString: entry?.codecString ?? "",
    sampleEntries: header.entries.map(({ bytes }) => bytes),
    language: header.language,
    name: header.name,
    samples: placed.samples,
    mediaTime: placed.mediaTime,
    delay: placed.delay,
    editsIgnored: header.edit.ignored,
    firstSample: placed.firstSample,
    endSample: placed.endSample,
  };
  if (header.kind === "audio") {
    const { channels = 0, sampleRate = 0 } = entry ?? {};
    return { ...base, kind: "audio", channels, sampleRate, isDefault: header.enabled };
  }
  const { width = 0, height = 0 } = entry ?? {};
  const { rotation, matrix } = header;
  return {
    ...base,
    kind: "video",
    width,
    height,
    rotation,
    matrix,
    frameRate: toldFrameRate((placed.samples.count * header.timescale) / placed.samples.totalDuration),
  };
}
