import { Box } from "../mp4/box.ts";
import { codecOf } from "../mp4/codecs.ts";
import { readAudioConfig } from "../mp4/descriptors.ts";
import { cleanName, languageTag } from "../mp4/track-box.ts";
import { type Colour, lightBoxes, readColour } from "./colour.ts";
import { childOf, childrenOf, type Element, float, string, unsigned } from "./ebml.ts";
import { ids } from "./ids.ts";

const maxTracks = 256;
const scopeFrames = 1;
const compressions = { zlib: 0, headerStripping: 3 };
/** A start code or a sync word; each frame is sent with it. */
const maxPrefixBytes = 64;
/** Pixels are never longer than this many times their width; nor are the numbers of `pasp`. */
const maxAspect = 65535;
const trackKinds = new Map([
  [1, "video" as const],
  [2, "audio" as const],
]);

/** A picture or sound track as `TrackEntry` describes it; 0 where it does not tell. */
export interface MatroskaTrack {
  readonly kind: "video" | "audio";
  readonly number: number;
  readonly codec: string;
  /** RFC 6381 string as far as known. */
  readonly codecString: string;
  /** Matroska's name of the codec. */
  readonly codecId: string;
  readonly codecPrivate: Uint8Array;
  readonly language: string | null;
  readonly name: string | null;
  readonly isDefault: boolean;
  /** Nanoseconds of sound that are decoded before the first that is heard. */
  readonly codecDelay: number;
  /** Nanoseconds of a frame. */
  readonly defaultDuration: number;
  /** What header stripping took from the start of each frame; null when frames are encoded in another way. */
  readonly framePrefix: Uint8Array | null;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly rotation: number;
  /** Width by height of a pixel. */
  readonly pixelAspect: readonly [number, number];
  /** Code points of ISO/IEC 23091-2; null where the headers do not tell. */
  readonly colour: Colour | null;
  /** Boxes for its sample entry: mastering display, light level, Dolby Vision. */
  readonly lightBoxes: readonly Uint8Array[];
  readonly channels: number;
  readonly sampleRate: number;
}

/** Codec ids (IETF `matroska-codec`), the longer before the shorter; and the sample entry that carries the same in MP4. */
const codecs: readonly (readonly [prefix: string, codec: string, sampleEntry?: string, configuration?: string])[] = [
  ["V_MPEG4/ISO/AVC", "h264", "avc1", "avcC"],
  ["V_MPEGH/ISO/HEVC", "h265", "hvc1", "hvcC"],
  ["V_AV1", "av1", "av01", "av1C"],
  ["V_VP9", "vp9"],
  ["V_VP8", "vp8"],
  ["V_MPEG4/", "mpeg4"],
  ["V_MPEG2", "mpeg2"],
  ["V_MPEG1", "mpeg1"],
  ["V_THEORA", "theora"],
  ["V_PRORES", "prores"],
  ["V_MJPEG", "mjpeg"],
  ["A_AAC", "aac"],
  ["A_OPUS", "opus"],
  ["A_VORBIS", "vorbis"],
  ["A_FLAC", "flac"],
  ["A_MPEG/L3", "mp3"],
  ["A_MPEG/L2", "mp2"],
  ["A_EAC3", "eac3"],
  ["A_AC3", "ac3"],
  ["A_DTS", "dts"],
  ["A_TRUEHD", "truehd"],
  ["A_ALAC", "alac"],
  ["A_PCM", "pcm"],
];

/** Reads the picture and sound tracks of `Tracks`. */
export function readTracks(tracks: Element): MatroskaTrack[] {
  const found: MatroskaTrack[] = [];
  for (const entry of childrenOf(tracks)) {
    if (entry.id !== ids.trackEntry || found.length >= maxTracks) continue;
    const kind = trackKinds.get(unsigned(childOf(entry, ids.trackType), 0));
    if (kind !== undefined) found.push(readTrack(entry, kind));
  }
  return found;
}

function readTrack(entry: Element, kind: "video" | "audio"): MatroskaTrack {
  const defaultDuration = unsigned(childOf(entry, ids.defaultDuration), 0);
  const language = string(childOf(entry, ids.languageBcp47)) ?? string(childOf(entry, ids.language)) ?? "eng";
  return {
    kind,
    number: unsigned(childOf(entry, ids.trackNumber), 0),
    ...readCodec(entry),
    codecId: string(childOf(entry, ids.codecId)) ?? "",
    codecPrivate: childOf(entry, ids.codecPrivate)?.content.slice() ?? new Uint8Array(0),
    language: languageTag(language),
    name: cleanName(string(childOf(entry, ids.name)) ?? ""),
    isDefault: unsigned(childOf(entry, ids.flagDefault), 1) !== 0,
    codecDelay: unsigned(childOf(entry, ids.codecDelay), 0),
    defaultDuration,
    framePrefix: framePrefixOf(entry),
    frameRate: defaultDuration > 0 ? 1e9 / defaultDuration : 0,
    ...readPicture(childOf(entry, ids.video), entry),
    ...readSound(childOf(entry, ids.audio), entry),
  };
}

function readCodec(entry: Element): { codec: string; codecString: string } {
  const id = string(childOf(entry, ids.codecId)) ?? "";
  if (id === "V_MS/VFW/FOURCC") return { codec: codecOfBitmap(childOf(entry, ids.codecPrivate)), codecString: "" };
  const known = codecs.find(([prefix]) => id.startsWith(prefix));
  if (known === undefined) {
    const name = id
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .slice(0, 40);
    return { codec: name || "unknown", codecString: "" };
  }
  const [, codec, sampleEntry, configuration] = known;
  const setUp = childOf(entry, ids.codecPrivate);
  if (sampleEntry === undefined || configuration === undefined || setUp === null || setUp.content.length < 16) {
    return { codec, codecString: "" };
  }
  return codecOf(sampleEntry, [new Box(`Tracks/CodecPrivate/${configuration}`, setUp.content, setUp.offset, 0)]);
}

/** Four characters of AVI's `BITMAPINFOHEADER`; what browsers would need in another form is no codec of theirs. */
const fourCcs: Readonly<Record<string, string>> = {
  ...{ xvid: "mpeg4", divx: "mpeg4", dx50: "mpeg4", fmp4: "mpeg4", mp4v: "mpeg4", div3: "msmpeg4", mp43: "msmpeg4" },
  ...{ h264: "h264-in-avi", x264: "h264-in-avi", avc1: "h264-in-avi", hevc: "h265-in-avi" },
  ...{ vp80: "vp8-in-avi", vp90: "vp9-in-avi", av01: "av1-in-avi", mpg2: "mpeg2", mjpg: "mjpeg", wvc1: "vc1" },
};
const fourCcAt = 16;

function codecOfBitmap(header: Element | null): string {
  const bytes = header?.content.subarray(fourCcAt, fourCcAt + 4) ?? [];
  const name = String.fromCharCode(...bytes)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "");
  return fourCcs[name] ?? (name || "vfw");
}

const noPicture = { width: 0, height: 0, rotation: 0, pixelAspect: [1, 1], colour: null, lightBoxes: [] } as const;

function readPicture(video: Element | null, entry: Element) {
  if (video === null) return noPicture;
  const colour = childOf(video, ids.colour);
  const projection = childOf(video, ids.projection);
  // The roll is counted against the clock.
  const roll = projection === null ? 0 : float(childOf(projection, ids.projectionPoseRoll), 0);
  const width = unsigned(childOf(video, ids.pixelWidth), 0);
  const height = unsigned(childOf(video, ids.pixelHeight), 0);
  return {
    width,
    height,
    rotation: (((Math.round(-roll / 90) % 4) + 4) % 4) * 90,
    pixelAspect: readPixelAspect(video, width, height),
    colour: readColour(colour),
    lightBoxes: lightBoxes(entry, colour),
  };
}

/** From the size on display, which is in pixels, centimetres, inches or a mere ratio: all give one. */
function readPixelAspect(video: Element, width: number, height: number): readonly [number, number] {
  const across = unsigned(childOf(video, ids.displayWidth), width) * height;
  const down = unsigned(childOf(video, ids.displayHeight), height) * width;
  if (across <= 0 || down <= 0 || unsigned(childOf(video, ids.displayUnit), 0) > 3) return [1, 1];
  const divisor = greatestCommonDivisor(across, down);
  return Math.max(across, down) / divisor > maxAspect ? [1, 1] : [across / divisor, down / divisor];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** How the frames of a track are compressed. */
export interface Compression {
  /** What header stripping took from the start of each frame. */
  readonly prefix: Uint8Array;
  /** Whether each is a zlib stream. */
  readonly isDeflated: boolean;
}

/** How the frames of a track are compressed (RFC 9559 section 5.1.4.1.31); null when in a way that is not undone here. */
export function readCompression(entry: Element): Compression | null {
  const none: Compression = { prefix: new Uint8Array(0), isDeflated: false };
  const encodings = childOf(entry, ids.contentEncodings);
  const all = encodings === null ? [] : [...childrenOf(encodings)].filter(({ id }) => id === ids.contentEncoding);
  const [encoding] = all;
  if (encoding === undefined) return none;
  const compression = childOf(encoding, ids.contentCompression);
  const isOfFrames = unsigned(childOf(encoding, ids.contentEncodingScope), 1) === scopeFrames;
  const isCompression = unsigned(childOf(encoding, ids.contentEncodingType), 0) === 0;
  if (all.length > 1 || !isOfFrames || !isCompression || compression === null) return null;
  const algorithm = unsigned(childOf(compression, ids.contentCompAlgo), compressions.zlib);
  if (algorithm === compressions.zlib) return { ...none, isDeflated: true };
  if (algorithm !== compressions.headerStripping) return null;
  const prefix = childOf(compression, ids.contentCompSettings)?.content.slice() ?? none.prefix;
  return prefix.length > maxPrefixBytes ? null : { ...none, prefix };
}

/** Stripped headers are sent along; what is compressed otherwise would have to be in memory whole. */
function framePrefixOf(entry: Element): Uint8Array | null {
  const compression = readCompression(entry);
  return compression === null || compression.isDeflated ? null : compression.prefix;
}

function readSound(audio: Element | null, entry: Element): { channels: number; sampleRate: number } {
  if (audio === null) return { channels: 0, sampleRate: 0 };
  const frequency = float(childOf(audio, ids.samplingFrequency), 8000);
  const told = {
    channels: unsigned(childOf(audio, ids.channels), 1),
    sampleRate: Math.max(0, Math.round(float(childOf(audio, ids.outputSamplingFrequency), frequency))),
  };
  const setUp = childOf(entry, ids.codecPrivate);
  if (setUp === null || !string(childOf(entry, ids.codecId))?.startsWith("A_AAC")) return told;
  const config = readAudioConfig(setUp.content);
  return { channels: config?.channels || told.channels, sampleRate: config?.sampleRate || told.sampleRate };
}
