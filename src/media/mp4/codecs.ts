import type { Box } from "./box.ts";
import { readStreamDescriptor } from "./descriptors.ts";

/** A codec as a sample entry names it. */
export interface CodecName {
  /** Family: `h264`. */
  readonly codec: string;
  /** RFC 6381 string: `avc1.64001f`. */
  readonly codecString: string;
}

const families: Readonly<Record<string, string>> = {
  ...{ avc1: "h264", avc2: "h264", avc3: "h264", avc4: "h264", dva1: "h264", dvav: "h264" },
  ...{ hvc1: "h265", hev1: "h265", dvh1: "h265", dvhe: "h265", hvc2: "h265", vvc1: "h266", vvi1: "h266" },
  ...{ av01: "av1", vp09: "vp9", vp08: "vp8", mp4v: "mpeg4", s263: "h263", h263: "h263", SVQ3: "svq3" },
  ...{ apch: "prores", apcn: "prores", apcs: "prores", apco: "prores", ap4h: "prores", ap4x: "prores" },
  ...{ m2v1: "mpeg2", mp2v: "mpeg2", hdv2: "mpeg2", hdv3: "mpeg2", hdv5: "mpeg2", hdv6: "mpeg2", m1v1: "mpeg1" },
  ...{ jpeg: "mjpeg", mjpa: "mjpeg", mjpb: "mjpeg", AVdn: "dnxhd", AVdh: "dnxhd", "png ": "png" },
  ...{ "dvc ": "dv", dvcp: "dv", dvpp: "dv", dv5n: "dv", dv5p: "dv", cvid: "cinepak", CFHD: "cineform" },
  ...{ mp4a: "aac", Opus: "opus", fLaC: "flac", "ac-3": "ac3", "ec-3": "eac3", "ac-4": "ac4", alac: "alac" },
  ...{ ".mp3": "mp3", "ms\x00U": "mp3", mlpa: "truehd", samr: "amr", sawb: "amr", ulaw: "pcm", alaw: "pcm" },
  ...{ dtsc: "dts", dtse: "dts", dtsh: "dts", dtsl: "dts", dtsx: "dts" },
  ...{
    sowt: "pcm",
    twos: "pcm",
    lpcm: "pcm",
    ipcm: "pcm",
    fpcm: "pcm",
    "raw ": "pcm",
    "2vuy": "rawvideo",
    NONE: "pcm",
  },
  ...{ in24: "pcm", in32: "pcm", fl32: "pcm", fl64: "pcm", ima4: "adpcm" },
};

/** Families of `objectTypeIndication` values (the MP4 registration authority's list). */
const objectTypes: Readonly<Record<number, string>> = {
  ...{ 32: "mpeg4", 33: "h264", 35: "h265", 96: "mpeg2", 97: "mpeg2", 98: "mpeg2", 99: "mpeg2" },
  ...{ 100: "mpeg2", 101: "mpeg2", 106: "mpeg1", 108: "mjpeg", 109: "png", 177: "vp9" },
  ...{ 64: "aac", 102: "aac", 103: "aac", 104: "aac", 105: "mp3", 107: "mp3" },
  ...{ 165: "ac3", 166: "eac3", 169: "dts", 170: "dts", 171: "dts", 172: "dts", 173: "opus", 221: "vorbis" },
};

const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, "0");
const decimal = (value: number) => String(value).padStart(2, "0");

/** Four characters of anybody's choice: in playlists and manifests only what cannot end a quoted string stands. */
const safeType = (type: string) => (/^[\w .-]{4}$/.test(type) ? type.trim() : "");

/** The codec of a sample entry of this type, from the configuration boxes in it. */
export function codecOf(type: string, boxes: readonly Box[]): CodecName {
  const codec =
    families[type] ??
    (type
      .trim()
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, "") ||
      "unknown");
  const find = (name: string) => boxes.find((box) => box.type === name);
  const avcC = find("avcC");
  if (codec === "h264" && avcC) return { codec, codecString: `${type}.${avcProfile(avcC)}` };
  const hvcC = find("hvcC");
  if (codec === "h265" && hvcC) return { codec, codecString: `${type}.${hevcProfile(hvcC)}` };
  const av1C = find("av1C");
  if (codec === "av1" && av1C) return { codec, codecString: `av01.${av1Profile(av1C)}` };
  const vpcC = find("vpcC");
  if (vpcC && /^vp\d\d$/.test(type)) return { codec, codecString: `${type}.${vpProfile(vpcC)}` };
  const esds = find("esds");
  if ((type === "mp4a" || type === "mp4v") && esds) return codecOfDescriptor(type, esds);
  // Apple's HLS authoring name for MP3; hls.js knows it by this one.
  if (codec === "mp3") return { codec, codecString: "mp4a.40.34" };
  return { codec, codecString: type === "mp4a" ? "mp4a.40.2" : safeType(type) };
}

function codecOfDescriptor(type: string, esds: Box): CodecName {
  const stream = readStreamDescriptor(esds);
  if (stream === null) return { codec: families[type] ?? type, codecString: type };
  const { objectType, specificInfo } = stream;
  const family = objectTypes[objectType] ?? `${type}-${hex(objectType)}`;
  if (objectType === 0x20) {
    const profile = specificInfo[4];
    return { codec: family, codecString: profile === undefined ? "mp4v.20" : `mp4v.20.${profile}` };
  }
  if (family === "mp3") return { codec: family, codecString: "mp4a.40.34" };
  if (objectType !== 0x40) return { codec: family, codecString: `${type}.${hex(objectType)}` };
  return codecOfAudioConfig(specificInfo);
}

function codecOfAudioConfig(config: Uint8Array): CodecName {
  const first = config[0];
  if (first === undefined) return { codec: "aac", codecString: "mp4a.40.2" };
  const short = first >> 3;
  const objectType = short === 31 ? 32 + (((first & 7) << 3) | ((config[1] ?? 0) >> 5)) : short;
  const codec = objectType >= 32 && objectType <= 34 ? "mp3" : objectType === 36 ? "als" : "aac";
  return { codec, codecString: `mp4a.40.${objectType || 2}` };
}

/** RFC 6381 section 3.3: profile, constraints, level, in hex. */
function avcProfile(avcC: Box): string {
  return hex(avcC.u8(1)) + hex(avcC.u8(2)) + hex(avcC.u8(3));
}

/** ISO/IEC 14496-15 annex E.3. */
function hevcProfile(hvcC: Box): string {
  const general = hvcC.u8(1);
  const space = ["", "A", "B", "C"][general >> 6] ?? "";
  let compatibility = 0;
  for (let i = 0, flags = hvcC.u32(2); i < 32; i++) compatibility = compatibility * 2 + ((flags >>> i) & 1);
  const constraints = Array.from({ length: 6 }, (_, i) => hvcC.u8(6 + i));
  while (constraints.at(-1) === 0) constraints.pop();
  const tier = general & 0x20 ? "H" : "L";
  return [
    `${space}${general & 0x1f}`,
    compatibility.toString(16).toUpperCase(),
    `${tier}${hvcC.u8(12)}`,
    ...constraints.map((value) => value.toString(16).toUpperCase()),
  ].join(".");
}

/** AV1 Codec ISO Media File Format Binding section 5. */
function av1Profile(av1C: Box): string {
  const profile = av1C.u8(1);
  const flags = av1C.u8(2);
  const depth = flags & 0x40 ? (flags & 0x20 ? 12 : 10) : 8;
  return `${profile >> 5}.${decimal(profile & 0x1f)}${flags & 0x80 ? "H" : "M"}.${decimal(depth)}`;
}

/** VP Codec ISO Media File Format Binding. */
function vpProfile(vpcC: Box): string {
  return [vpcC.u8(4), vpcC.u8(5), vpcC.u8(6) >> 4].map(decimal).join(".");
}
