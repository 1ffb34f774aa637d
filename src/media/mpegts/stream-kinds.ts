import type { MappedStream } from "./program-tables.ts";

/** What a stream of a program is. */
export interface StreamKind {
  readonly kind: "video" | "audio";
  /** Family name. */
  readonly codec: string;
  /** Whether its bytes are encrypted by themselves, as HLS sample encryption does. */
  readonly isEncrypted?: boolean;
}

const video = (codec: string): StreamKind => ({ kind: "video", codec });
const audio = (codec: string): StreamKind => ({ kind: "audio", codec });

/** `stream_type`, ISO/IEC 13818-1 table 2-34, and the private ones of ATSC, HDMV (Blu-ray) and HLS. */
const streamTypes: Readonly<Record<number, StreamKind>> = {
  ...{ 1: video("mpeg1"), 2: video("mpeg2"), 16: video("mpeg4"), 27: video("h264"), 36: video("h265") },
  ...{ 33: video("jpeg2000"), 51: video("h266"), 66: video("avs"), 209: video("dirac"), 234: video("vc1") },
  // Layers I to III: the first frame tells which.
  ...{ 3: audio("mp3"), 4: audio("mp3"), 15: audio("aac"), 17: audio("aac-latm") },
  ...{ 129: audio("ac3"), 135: audio("eac3"), 138: audio("dts") },
  219: { ...video("h264"), isEncrypted: true },
  207: { ...audio("aac"), isEncrypted: true },
  193: { ...audio("ac3"), isEncrypted: true },
  194: { ...audio("eac3"), isEncrypted: true },
};

const hdmvTypes: Readonly<Record<number, StreamKind>> = {
  ...{ 128: audio("pcm"), 130: audio("dts"), 131: audio("truehd"), 132: audio("eac3"), 133: audio("dts") },
  ...{ 134: audio("dts"), 161: audio("eac3"), 162: audio("dts") },
};

const registrations: Readonly<Record<string, StreamKind>> = {
  ...{ "AC-3": audio("ac3"), EAC3: audio("eac3"), Opus: audio("opus"), BSSD: audio("pcm"), "AC-4": audio("ac4") },
  ...{ DTS1: audio("dts"), DTS2: audio("dts"), DTS3: audio("dts") },
  ...{ HEVC: video("h265"), "VC-1": video("vc1"), AV01: video("av1"), drac: video("dirac"), "VVC ": video("h266") },
};

/** Descriptor tags of DVB (ETSI EN 300 468). */
const dvbTags: readonly (readonly [tag: number, kind: StreamKind])[] = [
  [0x6a, audio("ac3")],
  [0x7a, audio("eac3")],
  [0x7b, audio("dts")],
  [0x7c, audio("aac-latm")],
];
/** The codec of private streams that nothing describes: what is in them tells, and most are no sound. */
export const guessed = "unknown";
const languageTag = 0x0a;
const ac4Extension = 0x15;
const privateData = 6;

/** What the stream is; null for text, data and what is not known. */
export function kindOf(stream: MappedStream, isHdmv: boolean): StreamKind | null {
  const byType = (isHdmv ? hdmvTypes[stream.streamType] : undefined) ?? streamTypes[stream.streamType];
  if (byType !== undefined) return byType;
  if (stream.streamType !== privateData && stream.streamType < 0x80) return null;
  const byRegistration = registrations[stream.registration];
  if (byRegistration !== undefined) return byRegistration;
  if (stream.extensions.has(ac4Extension)) return audio("ac4");
  const byTag = dvbTags.find(([tag]) => stream.tags.has(tag))?.[1];
  if (byTag !== undefined) return byTag;
  // ffmpeg writes AAC into M2TS like this, which does not provide for it.
  const isUntold = stream.streamType === privateData && [...stream.tags].every((tag) => tag === languageTag);
  return isUntold && stream.registration === "" ? { kind: "audio", codec: guessed } : null;
}
