import { Box } from "../mp4/box.ts";
import { codecOf } from "../mp4/codecs.ts";
import { readAudioConfig } from "../mp4/descriptors.ts";
import { languageTag } from "../mp4/track-box.ts";
import { childOf, childrenOf, type Element, float, string, unsigned } from "./ebml.ts";
import { ids } from "./ids.ts";

const maxTracks = 256;
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
  readonly language: string | null;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly rotation: number;
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
    language: languageTag(language),
    frameRate: defaultDuration > 0 ? 1e9 / defaultDuration : 0,
    ...readPicture(childOf(entry, ids.video)),
    ...readSound(childOf(entry, ids.audio), entry),
  };
}

function readCodec(entry: Element): { codec: string; codecString: string } {
  const id = string(childOf(entry, ids.codecId)) ?? "";
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

function readPicture(video: Element | null) {
  if (video === null) return { width: 0, height: 0, rotation: 0 };
  const projection = childOf(video, ids.projection);
  // The roll is counted against the clock.
  const roll = projection === null ? 0 : float(childOf(projection, ids.projectionPoseRoll), 0);
  return {
    width: unsigned(childOf(video, ids.pixelWidth), 0),
    height: unsigned(childOf(video, ids.pixelHeight), 0),
    rotation: (((Math.round(-roll / 90) % 4) + 4) % 4) * 90,
  };
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
