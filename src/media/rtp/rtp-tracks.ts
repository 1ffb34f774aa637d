import { keptFor } from "../kept.ts";
import type { AudioTrackInfo, TrackInfo } from "../movie.ts";
import type { Presentation } from "../presentation.ts";
import { aacConfig, h264Config, h265Config, type NalConfig, type OpusConfig, opusConfig } from "./codec-config.ts";

/** A track as RTP carries it. */
export interface RtpTrack {
  /** Number of the track in the original, as everywhere. */
  readonly trackId: number;
  readonly media: "video" | "audio";
  /** Family name: `h264`, `h265`, `aac`, `opus`. */
  readonly codec: string;
  /** Dynamic payload type, from 96 in the order of the tracks. */
  readonly payloadType: number;
  /** Ticks a second of the RTP timestamps. */
  readonly clockRate: number;
  /** Lines of the session description without their end: `a=rtpmap`, `a=fmtp`, `a=lang`. */
  readonly attributes: readonly string[];
}

/** A track that RTP does not carry. */
export interface RtpLeftOut {
  readonly trackId: number;
  readonly codec: string;
  /** Why, as a sentence without its full stop. */
  readonly reason: string;
}

/** The tracks of an original that RTP carries, in the original's order, and those it does not. */
export interface RtpTracks {
  readonly tracks: readonly RtpTrack[];
  readonly leftOut: readonly RtpLeftOut[];
}

/** What RTP carries of an original. A function of the original alone; cheap after the first call. */
export function rtpTracksOf(presentation: Presentation): RtpTracks {
  return keptFor(presentation, "rtp tracks", () => findTracks(presentation));
}

const firstPayloadType = 96;
/** Dynamic payload types end at 127. */
const maxTracks = 32;
const videoClockRate = 90_000;

function findTracks({ tracks, leftOut }: Presentation): RtpTracks {
  const found: RtpTrack[] = [];
  const left: RtpLeftOut[] = leftOut.map(({ id, codec, reason }) => ({ trackId: id, codec, reason }));
  for (const track of tracks) {
    const payload = found.length < maxTracks ? payloadOf(track) : "there are more tracks than payload types";
    if (typeof payload === "string") left.push({ trackId: track.id, codec: track.codec, reason: payload });
    else found.push(rtpTrack(track, firstPayloadType + found.length, payload));
  }
  return { tracks: found, leftOut: left };
}

/** What a payload format says of a track. */
interface Payload {
  /** `encoding name/clock rate[/channels]` of `a=rtpmap`. */
  readonly rtpmap: string;
  readonly clockRate: number;
  readonly fmtp: readonly string[];
}

function rtpTrack(track: TrackInfo, payloadType: number, { rtpmap, clockRate, fmtp }: Payload): RtpTrack {
  const language = track.language?.replace(/[^A-Za-z0-9-]/g, "") ?? "";
  return {
    ...{ trackId: track.id, media: track.kind, codec: track.codec, payloadType, clockRate },
    attributes: [
      `a=rtpmap:${payloadType} ${rtpmap}`,
      ...(fmtp.length === 0 ? [] : [`a=fmtp:${payloadType} ${fmtp.join(";")}`]),
      ...(language === "" ? [] : [`a=lang:${language}`]),
    ],
  };
}

const noConfiguration = "its configuration is missing";

/** How a track is carried, or why it is not. */
function payloadOf(track: TrackInfo): Payload | string {
  const entry = track.sampleEntries[0] ?? new Uint8Array(0);
  const isVideo = track.kind === "video";
  if (isVideo && track.codec === "h264") return h264Of(h264Config(entry));
  if (isVideo && track.codec === "h265") return h265Of(h265Config(entry));
  if (!isVideo && track.codec === "aac") return aacOf(aacConfig(entry), track);
  if (!isVideo && track.codec === "opus") return opusOf(opusConfig(entry));
  return "no RTP payload of this codec is made here";
}

/** RFC 6184 section 8.1. */
function h264Of(config: NalConfig | null): Payload | string {
  if (config === null) return noConfiguration;
  const sets = [...config.sps, ...config.pps].map(base64);
  return {
    ...{ rtpmap: `H264/${videoClockRate}`, clockRate: videoClockRate },
    fmtp: [
      "packetization-mode=1",
      `profile-level-id=${config.profileLevel}`,
      ...(sets.length === 0 ? [] : [`sprop-parameter-sets=${sets.join(",")}`]),
    ],
  };
}

/** RFC 7798 section 7.1. */
function h265Of(config: NalConfig | null): Payload | string {
  if (config === null) return noConfiguration;
  const property = (name: string, sets: readonly Uint8Array[]) =>
    sets.length === 0 ? [] : [`sprop-${name}=${sets.map(base64).join(",")}`];
  return {
    ...{ rtpmap: `H265/${videoClockRate}`, clockRate: videoClockRate },
    fmtp: [...property("vps", config.vps), ...property("sps", config.sps), ...property("pps", config.pps)],
  };
}

/** RFC 3640 sections 4.1 and 3.3.6. */
function aacOf(config: Uint8Array | null, { sampleRate, channels }: AudioTrackInfo): Payload | string {
  if (config === null || sampleRate <= 0) return noConfiguration;
  return {
    ...{ rtpmap: `mpeg4-generic/${sampleRate}/${Math.max(1, channels)}`, clockRate: sampleRate },
    fmtp: [
      ...["streamtype=5", "profile-level-id=1", "mode=AAC-hbr", "sizelength=13", "indexlength=3", "indexdeltalength=3"],
      `config=${Buffer.from(config).toString("hex").toUpperCase()}`,
    ],
  };
}

/** RFC 7587 section 7: always 48 kHz and two channels; `sprop-stereo` tells what is really sent. */
function opusOf(config: OpusConfig | null): Payload | string {
  if (config === null) return noConfiguration;
  if (config.mappingFamily !== 0 || config.channels > 2) return "RTP carries Opus with one or two channels only";
  const stereo = config.channels === 2 ? 1 : 0;
  return { rtpmap: "opus/48000/2", clockRate: 48_000, fmtp: [`sprop-stereo=${stereo}`] };
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
