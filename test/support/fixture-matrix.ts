/**
 * Recipes of small files of each container with each codec: `matrix.CONTAINER.VIDEO.AUDIO.EXTENSION`, 6 s of 320x180
 * with a key frame each second. Each codec is encoded once (`part.…`) and copied into the containers.
 */

const seconds = 6;
const picture = ["-f", "lavfi", "-i", `testsrc2=size=320x180:rate=25:duration=${seconds}`, "-g", "25"];
const tone = ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`, "-ac", "2"];
const x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"];

interface Part {
  /** What it is kept in until it is copied: nothing that rounds its times. */
  readonly extension: string;
  readonly encode: readonly string[];
}

const videos = {
  h264: { extension: "mp4", encode: ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p"] },
  /** Parameter sets in the sample entry (`hvc1`); x265 makes open groups of pictures. */
  h265: { extension: "mp4", encode: [...x265, "-tag:v", "hvc1"] },
  /** Parameter sets in the samples too (`hev1`). */
  hev1: { extension: "mp4", encode: [...x265, "-tag:v", "hev1"] },
  vp9: { extension: "mp4", encode: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"] },
  av1: { extension: "mp4", encode: ["-c:v", "libsvtav1", "-preset", "12"] },
  vp8: { extension: "webm", encode: ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16"] },
  mpeg4: { extension: "mp4", encode: ["-c:v", "mpeg4"] },
  mpeg2: { extension: "mp4", encode: ["-c:v", "mpeg2video"] },
  prores: { extension: "mov", encode: ["-c:v", "prores", "-profile:v", "0"] },
} as const satisfies Record<string, Part>;

const audios = {
  aac: { extension: "mp4", encode: ["-c:a", "aac"] },
  opus: { extension: "mp4", encode: ["-c:a", "libopus"] },
  flac: { extension: "mp4", encode: ["-c:a", "flac", "-strict", "-2"] },
  mp3: { extension: "mp4", encode: ["-c:a", "libmp3lame"] },
  ac3: { extension: "mp4", encode: ["-c:a", "ac3"] },
  eac3: { extension: "mp4", encode: ["-c:a", "eac3"] },
  vorbis: { extension: "webm", encode: ["-c:a", "libvorbis"] },
  alac: { extension: "mp4", encode: ["-c:a", "alac"] },
  dts: { extension: "mkv", encode: ["-c:a", "dca", "-strict", "-2"] },
  pcm: { extension: "mov", encode: ["-c:a", "pcm_s16le"] },
} as const satisfies Record<string, Part>;

export type MatrixVideo = keyof typeof videos;
export type MatrixAudio = keyof typeof audios;

interface Container {
  readonly extension: string;
  readonly options: readonly string[];
  /** How the page of formats calls it. */
  readonly title: string;
  /** What ffmpeg can put into it; the first of each goes with all of the others. */
  readonly videos: readonly MatrixVideo[];
  readonly audios: readonly MatrixAudio[];
}

const fragments = "+frag_keyframe+empty_moov+delay_moov+default_base_moof";
const mp4 = {
  extension: "mp4",
  options: [],
  videos: ["h264", "h265", "hev1", "vp9", "av1", "mpeg4", "mpeg2"],
  audios: ["aac", "opus", "flac", "mp3", "ac3", "eac3", "alac", "dts", "vorbis"],
} as const;

export const containers = {
  mp4: { ...mp4, title: "MP4" },
  fmp4: { ...mp4, title: "MP4 in fragments", options: ["-movflags", fragments] },
  "fmp4-sidx": { ...mp4, title: "MP4 in fragments with `sidx`", options: ["-movflags", `${fragments}+global_sidx`] },
  mov: {
    extension: "mov",
    options: [],
    title: "QuickTime",
    videos: ["h264", "h265", "hev1", "mpeg4", "mpeg2", "prores"],
    audios: ["aac", "mp3", "ac3", "eac3", "alac", "pcm"],
  },
  mkv: {
    extension: "mkv",
    options: [],
    title: "Matroska",
    videos: ["h264", "h265", "vp9", "av1", "vp8", "mpeg4", "mpeg2", "prores"],
    audios: ["aac", "opus", "flac", "mp3", "ac3", "eac3", "vorbis", "alac", "dts", "pcm"],
  },
  "mkv-live": {
    extension: "mkv",
    options: ["-live", "1"],
    title: "Matroska without cues",
    videos: ["h264", "h265", "vp9", "av1"],
    audios: ["aac", "opus", "flac", "mp3", "ac3", "eac3"],
  },
  webm: { extension: "webm", options: [], title: "WebM", videos: ["vp9", "av1", "vp8"], audios: ["opus", "vorbis"] },
  ts: {
    extension: "ts",
    options: [],
    title: "MPEG-TS",
    videos: ["h264", "h265", "mpeg4", "mpeg2"],
    audios: ["aac", "opus", "mp3", "ac3", "eac3", "dts"],
  },
} as const satisfies Record<string, Container>;

export type MatrixContainer = keyof typeof containers;
export type MatrixName = `matrix.${MatrixContainer}.${MatrixVideo}.${MatrixAudio}.${string}`;
export type PartName = `part.${MatrixVideo | MatrixAudio}.${string}`;

export interface MatrixCell {
  readonly name: MatrixName;
  readonly container: MatrixContainer;
  readonly video: MatrixVideo;
  readonly audio: MatrixAudio;
}

/** Each container with each video codec, and with each audio codec: with the first of the other kind. */
export function matrixCells(): MatrixCell[] {
  return (Object.keys(containers) as MatrixContainer[]).flatMap((container) => {
    const { extension, videos, audios }: Container = containers[container];
    const [video, audio] = [videos[0] ?? "h264", audios[0] ?? "aac"];
    const pairs = [
      ...videos.map((codec) => [codec, audio] as const),
      ...audios.slice(1).map((codec) => [video, codec] as const),
    ];
    return pairs.map(([video, audio]) => {
      const name: MatrixName = `matrix.${container}.${video}.${audio}.${extension}`;
      return { name, container, video, audio };
    });
  });
}

const isMatrix = (name: string): name is MatrixName => name.startsWith("matrix.");
const isPart = (name: string): name is PartName => name.startsWith("part.");

/** ffmpeg's arguments for a name of this kind, or null. */
export function matrixRecipe(name: string): readonly string[] | null {
  if (isPart(name)) return partRecipe(name);
  if (!isMatrix(name)) return null;
  const [, container, video, audio] = name.split(".") as ["matrix", MatrixContainer, MatrixVideo, MatrixAudio];
  const parts = [`part.${video}.${videos[video].extension}`, `part.${audio}.${audios[audio].extension}`];
  const inputs = parts.flatMap((part) => ["-i", `fixture:${part}`]);
  // Tags that the part had are not asked for in other containers.
  const tag = video === "hev1" ? ["-tag:v", "hev1"] : video === "h265" && container !== "ts" ? ["-tag:v", "hvc1"] : [];
  const tagged = containers[container].extension === "mp4" || containers[container].extension === "mov" ? tag : [];
  return [
    ...inputs,
    "-map",
    "0:v",
    "-map",
    "1:a",
    "-c",
    "copy",
    ...tagged,
    "-strict",
    "-2",
    ...containers[container].options,
  ];
}

function partRecipe(name: PartName): readonly string[] {
  const [, codec = ""] = name.split(".");
  if (codec in videos) return [...picture, ...videos[codec as MatrixVideo].encode];
  return [...tone, ...audios[codec as MatrixAudio].encode];
}
