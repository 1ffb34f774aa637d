import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { featureRecipes } from "./fixture-features.ts";
import { type MatrixName, matrixRecipe, type PartName } from "./fixture-matrix.ts";
import { refusedRecipes } from "./fixture-refused.ts";

/** Where fixtures are kept; each has a folder of its recipe, so that what is there never changes. */
export const fixtureFolder = join(import.meta.dir, "..", "..", ".cache", "fixtures");

const picture = (seconds: number, size = "640x360", rate = 25) => [
  ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
const tone = (seconds: number) => ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
const h264 = (gop: number) => ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", String(gop)];
const aac = ["-c:a", "aac", "-b:a", "96k"];

const h265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"];
const small = [...picture(5, "320x180"), ...tone(5)];

/** MPEG transport streams. */
const transportStreams = {
  "h265-aac.ts": [...small, ...h265, ...aac],
  "h264-ac3.ts": [...small, ...h264(50), "-c:a", "ac3", "-ac", "2"],
  "h264-eac3.ts": [...small, ...h264(50), "-c:a", "eac3"],
  "h264-mp2.ts": [...small, ...h264(50), "-c:a", "mp2"],
  "h264-mp3.ts": [...small, ...h264(50), "-c:a", "libmp3lame"],
  "h264-opus.ts": [...small, ...h264(50), "-c:a", "libopus"],
  /** AAC in LATM, which is not packaged. */
  "h264-latm.ts": [...small, ...h264(50), ...aac, "-mpegts_flags", "latm"],
  /** What only Safari decodes. */
  "mpeg2-mp2.ts": [...small, "-c:v", "mpeg2video", "-c:a", "mp2"],
  /** Packets of 192 bytes, as Blu-ray discs and camcorders have them. */
  "h264-ac3.m2ts": [...small, ...h264(50), "-c:a", "ac3", "-f", "mpegts", "-mpegts_m2ts_mode", "1"],
  /** ffmpeg's M2TS tells nothing of AAC. */
  "h264-aac.m2ts": [...small, ...h264(50), ...aac, "-f", "mpegts", "-mpegts_m2ts_mode", "1"],
  /** The 33-bit clock turns over after 2.7 s. */
  "h264-wrap.ts": [...small, ...h264(50), ...aac, "-muxdelay", "0", "-output_ts_offset", "95441"],
  /** Constant rate: packets of all kinds and stuffing mixed. */
  "h264-constant.ts": [...small, ...h264(50), ...aac, "-muxrate", "2M"],
  "h264-two-sounds.ts": [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30000/1001:duration=5", ...tone(5)],
    ...["-map", "0", "-map", "1", "-map", "1", ...h264(50), ...aac, "-ar", "44100"],
    ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"],
  ],
  /** Sound alone is the first program. */
  "h264-two-programs.ts": [
    ...[...small, "-map", "0", "-map", "1", ...h264(50), ...aac],
    ...["-program", "title=Radio:st=1", "-program", "title=Television:st=0:st=1"],
  ],
  /** Key frames that are no IDR: pictures after them refer to ones before. */
  "h264-open-gop.ts": [...small, ...h264(25), "-x264-params", "open-gop=1", ...aac],
  /** Pictures of several hundred KiB in slices, odd size, pixels that are not square. */
  "h264-large.ts": [
    ...["-f", "lavfi", "-i", "testsrc2=size=1280x718:rate=25:duration=0.4", ...tone(0.4)],
    ...["-vf", "noise=alls=40:allf=t,setsar=4/3", ...h264(25), "-preset", "ultrafast", "-qp", "8"],
    ...["-slices", "3", ...aac],
  ],
  /** No pictures before their time: they can be put together to PES packets of any kind. */
  "h264-no-b-frames.ts": [...small, ...h264(25), "-bf", "0", ...aac],
} as const satisfies Record<string, readonly string[]>;

/** How each fixture is made: ffmpeg arguments without the output file. Small, real, the same every time. */
const recipes = {
  ...featureRecipes,
  ...refusedRecipes,
  /** 10 s, H.264 with B-frames and AAC, moov last, a key frame every 2 s. */
  "h264-aac.mp4": [...picture(10), ...tone(10), ...h264(50), ...aac],
  /** The same streams in another file of other content: other colours, moov first. */
  "h264-aac-faststart.mp4": [
    ...picture(10),
    ...tone(10),
    "-vf",
    "hue=h=90",
    ...h264(50),
    ...aac,
    "-movflags",
    "+faststart",
  ],
  /** 60 s, for seeks. */
  "h264-aac-60s.mp4": [...picture(60), ...tone(60), ...h264(50), ...aac],
  /** A length that is nearly four seconds. */
  "h264-aac-3.72s.mp4": [...picture(3.72), ...tone(3.72), ...h264(25), ...aac],
  /** No sound. */
  "h264-only.mp4": [...picture(5), ...h264(25)],
  /** Sound only: no video. */
  "aac-only.m4a": [...tone(5), ...aac],
  "vp9-opus.webm": [
    ...picture(4, "320x180"),
    ...tone(4),
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-c:a",
    "libopus",
  ],
  /** As a recorder writes it: sizes unknown, no duration, no index. */
  "vp9-opus-live.webm": ["-i", "fixture:vp9-opus.webm", "-c", "copy", "-live", "1"],
  "h264-aac.mkv": [...picture(5), ...tone(5), ...h264(50), ...aac],
  "h264-aac.ts": [...picture(5), ...tone(5), ...h264(50), ...aac, "-f", "mpegts"],
  ...transportStreams,
  /** What Chromium cannot decode. */
  "h265-aac.mp4": [
    ...picture(4, "320x180"),
    ...tone(4),
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=error",
    "-tag:v",
    "hvc1",
    ...aac,
  ],
  "h265-opus.mp4": [...picture(6, "320x180"), ...tone(6), ...h265, "-tag:v", "hvc1", "-g", "50", "-c:a", "libopus"],
  "h265-opus.mkv": ["-i", "fixture:h265-opus.mp4", "-c", "copy"],
  /** Pictures of several hundred KiB. */
  "h264-large.mp4": ["-probesize", "50M", "-i", "fixture:h264-large.ts", "-c", "copy"],
  /** Much video for little sound: segments are the original's bytes with the sound between them. */
  "h264-aac-heavy.mp4": [...picture(6), ...tone(6), ...h264(50), "-qp", "8", ...aac, "-b:a", "48k"],
  /** Composition offsets below zero (`ctts` version 1), no edit list for the reordering. */
  "h264-negative-offsets.mp4": [...picture(6, "320x180"), ...h264(50), "-movflags", "+negative_cts_offsets"],
  /** QuickTime: sound described by a `wave` box, the picture to be turned by 90 degrees. */
  "h264-aac-rotated.mov": [
    ...["-i", "fixture:h264-aac.mp4", "-c", "copy"],
    ...["-metadata:s:v:0", "rotate=270", "-metadata:s:a:0", "language=fra"],
  ],
  /** Cut out of another without encoding: its edit list starts between two key frames. */
  "h264-aac-trimmed.mp4": ["-ss", "3.08", "-i", "fixture:h264-aac.mp4", "-t", "5", "-c", "copy"],
  /** Four tracks of sound: AAC in English, AC-3 in French, Opus, FLAC. */
  "h264-many-sounds.mp4": [
    ...picture(5, "320x180"),
    ...tone(5),
    ...["-map", "0", "-map", "1", "-map", "1", "-map", "1", "-map", "1", "-strict", "-2"],
    ...h264(50),
    ...["-c:a:0", "aac", "-c:a:1", "ac3", "-c:a:2", "libopus", "-c:a:3", "flac", "-ac:a:1", "2"],
    ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra", "-metadata:s:a:2", "language=jpn"],
    ...["-metadata:s:a:3", "language=eng"],
  ],
  /** The sound starts a second later: an empty edit. */
  "h264-late-aac.mp4": [
    ...picture(6, "320x180"),
    ...["-itsoffset", "1", ...tone(5)],
    ...["-map", "0", "-map", "1", ...h264(50), ...aac],
  ],
  /** The sound goes on for 9 s after the picture. */
  "h264-long-aac.mp4": [...picture(4, "320x180"), ...tone(13), ...h264(50), ...aac],
  /** Frames of different lengths, key frames at odd places. */
  "h264-variable.mp4": [
    ...picture(9, "320x180"),
    ...tone(9),
    ...["-vf", "select='not(mod(n,3))+not(mod(n,5))'", "-vsync", "vfr"],
    ...["-force_key_frames", "1.1,2.9,3.3,7.5", ...h264(1000), ...aac],
  ],
  "vp9-opus.mp4": [
    ...picture(5, "320x180"),
    ...tone(5),
    ...["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "50", "-c:a", "libopus"],
  ],
  "av1-aac.mp4": [...picture(3, "320x180"), ...tone(3), "-c:v", "libsvtav1", "-preset", "12", "-g", "25", ...aac],
  /** Every frame a key frame (no `stss`), sound that HLS cannot carry. */
  "h264-eac3.mp4": [...picture(5, "320x180"), ...tone(5), ...h264(50), "-c:a", "eac3", "-ac", "6"],
  "prores-pcm.mov": [...picture(2, "160x90"), ...tone(2), "-c:v", "prores", "-c:a", "pcm_s16le"],
  /** Sound that Chromium decodes from a file, but not from segments. */
  "h264-mp3.mp4": [...picture(5, "320x180"), ...tone(5), ...h264(50), "-c:a", "libmp3lame"],
  "mpeg4-mp3.mp4": [...picture(5, "320x180"), ...tone(5), "-c:v", "mpeg4", "-g", "50", "-c:a", "libmp3lame"],
  /** Pixels that are wider than high, 29.97 frames a second. */
  "h264-anamorphic.mp4": [...picture(3, "320x240", 30000 / 1001), "-vf", "setsar=4/3,fps=30000/1001", ...h264(30)],
  /** Subtitles in two languages (tx3g) beside sound that starts a second late; the second one in italics. */
  "h264-aac-subtitles.mp4": [
    ...picture(10, "320x180"),
    ...["-itsoffset", "1", ...tone(9)],
    ...["-i", "text:english.srt", "-i", "text:german.srt"],
    ...["-map", "0", "-map", "1", "-map", "2", "-map", "3", ...h264(50), ...aac, "-c:s", "mov_text"],
    ...["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=deu"],
  ],
  /** The same, cut out without encoding between two key frames. */
  "h264-aac-subtitles-trimmed.mp4": [
    ...["-ss", "3.08", "-i", "fixture:h264-aac-subtitles.mp4", "-t", "5", "-map", "0", "-c", "copy"],
  ],
  /** Red, green and blue for 8 s each. */
  "h264-scenes.mp4": [
    ...["red", "lime", "blue"].flatMap((name) => ["-f", "lavfi", "-i", `color=${name}:s=320x180:r=25:d=8`]),
    ...["-filter_complex", "concat=n=3", ...h264(50)],
  ],
  /** Two chapters, which MP4 keeps as a track of text. */
  "h264-chapters.mp4": [...picture(4, "320x180"), "-i", "text:chapters.txt", "-map_metadata", "1", ...h264(50)],
  /** Moving pictures in fragments, as phones and recorders write them. */
  "h264-aac-fragmented.mp4": [
    ...picture(7, "320x180"),
    ...tone(7),
    ...h264(50),
    ...aac,
    ...["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
  ],
  /** Matroska with sound of every codec that is packaged, names and languages; cues at the end. */
  "h264-many-sounds.mkv": [
    ...picture(9, "320x180"),
    ...tone(9),
    ...["-map", "0", ...Array.from({ length: 6 }, () => ["-map", "1"]).flat(), "-strict", "-2"],
    ...h264(50),
    ...[
      "-c:a:0",
      "aac",
      "-c:a:1",
      "ac3",
      "-c:a:2",
      "libopus",
      "-c:a:3",
      "flac",
      "-c:a:4",
      "libmp3lame",
      "-c:a:5",
      "eac3",
    ],
    ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra", "-metadata:s:a:2", "language=jpn"],
    ...["-metadata:s:a:3", "title=Commentary", "-ar:a:4", "44100", "-ac:a:5", "6", "-disposition:a:2", "default"],
  ],
  "h264-aac-60s.mkv": ["-i", "fixture:h264-aac-60s.mp4", "-c", "copy"],
  /** Its cues stand before the clusters. */
  "h264-aac-cues-front.mkv": [...picture(9, "320x180"), ...tone(9), ...h264(50), ...aac, "-cues_to_front", "1"],
  /** As a live recording writes it: no cues, sizes unknown. */
  "h264-aac-live.mkv": [...picture(9, "320x180"), ...tone(9), ...h264(50), ...aac, "-live", "1"],
  /** Pictures that are shown before the key frame they follow, in every group. */
  "h264-open-gop.mkv": [
    ...picture(9, "320x180"),
    ...tone(9),
    ...h264(50),
    ...["-bf", "3", "-x264-params", "open-gop=1:scenecut=0", ...aac],
  ],
  /** Subtitles as SubRip, as SubStation Alpha and as pictures, with cues for all of them. */
  "h264-texts.mkv": [
    ...["-i", "fixture:h264-aac-60s.mp4", "-i", "text:long.srt", "-i", "text:english.srt", "-map", "0", "-map", "1"],
    ...["-map", "2", "-map", "2", "-c", "copy", "-c:s:0", "srt", "-c:s:1", "ass", "-c:s:2", "srt"],
    ...["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=eng", "-metadata:s:s:2", "language=ger"],
    ...["-metadata:s:s:2", "title=Zwangsweise", "-disposition:s:2", "forced"],
  ],
  "h264-texts-live.mkv": ["-i", "fixture:h264-texts.mkv", "-map", "0", "-c", "copy", "-live", "1"],
  "h264-twice.mkv": [...small, "-map", "0", "-map", "0", "-map", "1", ...h264(50), ...aac],
  "h264-twice.mp4": ["-i", "fixture:h264-twice.mkv", "-map", "0", "-c", "copy"],
  /** A codec that Matroska has no name for. */
  "ffv1-flac.mkv": [...small, "-c:v", "ffv1", "-c:a", "flac"],
  "rawvideo-pcm.mov": [...picture(0.2, "32x18"), "-c:v", "rawvideo", "-pix_fmt", "rgb24"],
  "vp9-webvtt.webm": [
    ...["-i", "fixture:vp9-opus-long.webm", "-i", "text:placed.vtt", "-map", "0", "-map", "1"],
    ...["-c", "copy"],
  ],
  "h264-late-aac.mkv": [
    ...picture(9, "320x180"),
    ...["-itsoffset", "5", ...tone(4)],
    ...["-map", "0", "-map", "1", ...h264(50), ...aac],
  ],
  "h264-long-aac.mkv": [...picture(4, "320x180"), ...tone(13), ...h264(50), ...aac],
  "h265-ac3.mkv": [
    ...picture(9, "320x180"),
    ...tone(9),
    ...["-c:v", "libx265", "-preset", "ultrafast", "-g", "50", "-x265-params", "log-level=error", "-c:a", "ac3"],
  ],
  "vp9-opus-long.webm": [
    ...picture(9, "320x180"),
    ...tone(9),
    ...["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "50", "-c:a", "libopus"],
  ],
  "av1-opus.webm": [
    ...picture(9, "320x180"),
    ...tone(9),
    ...["-c:v", "libsvtav1", "-preset", "12", "-g", "50", "-c:a", "libopus"],
  ],
  "vp8-opus.webm": [
    ...picture(5, "320x180"),
    ...tone(5),
    ...["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
  ],
  /** Sound that every browser plays in WebM and none in a segment. */
  "vp9-vorbis.webm": [
    ...picture(4, "320x180"),
    ...tone(4),
    ...["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis"],
  ],
} as const satisfies Record<string, readonly string[]>;

/** Files that recipes take in as `text:NAME`. */
const texts = {
  "english.srt": [
    "1\n00:00:00,500 --> 00:00:02,000\nHello <b>world</b>",
    "2\n00:00:03,000 --> 00:00:05,000\nOver the cut\n& on <two> lines",
    "3\n00:00:07,250 --> 00:00:08,125\n<i>Nearly</i> the end",
  ].join("\n\n"),
  "german.srt": "1\n00:00:01,000 --> 00:00:09,000\n<i>Durchgehend: äöü</i>\n",
  /** One that is shown for half a minute, and short ones every three seconds. */
  "long.srt": [
    "1\n00:00:00,750 --> 00:00:30,000\n{\\an8}For a long time",
    ...Array.from({ length: 19 }, (_, i) => {
      const [start, end] = [3 * i + 2, 3 * i + 4].map((second) => String(second).padStart(2, "0"));
      return `${i + 2}\n00:00:${start},100 --> 00:00:${end},200\nLine ${i + 1} <i>of</i> nineteen`;
    }),
  ].join("\n\n"),
  "placed.vtt":
    "WEBVTT\n\n1\n00:00:00.500 --> 00:00:02.000 line:0 align:start\n<v Ann>At the top</v>\n\n00:00:03.000 --> 00:00:07.500\nOver the cut\n& on\n",
  "chapters.txt":
    ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1\nSTART=2\nEND=4\ntitle=Two\n",
} as const;

export type FixtureName = keyof typeof recipes | MatrixName | PartName;
export const fixtureNames = Object.keys(recipes) as (keyof typeof recipes)[];

const recipeOf = (name: FixtureName): readonly string[] => matrixRecipe(name) ?? recipes[name as keyof typeof recipes];

/** `fixture:NAME` stands for the path of another fixture. */
async function resolveArgument(argument: string): Promise<string> {
  if (argument.startsWith("text:")) {
    const name = argument.slice("text:".length) as keyof typeof texts;
    const path = join(fixtureFolder, `${Bun.hash.crc32(texts[name])}-${name}`);
    if (!existsSync(path)) await Bun.write(path, texts[name]);
    return path;
  }
  return argument.startsWith("fixture:") ? fixture(argument.slice("fixture:".length) as FixtureName) : argument;
}

const being = new Map<FixtureName, Promise<string>>();

/** The path of a fixture, made with ffmpeg the first time it is asked for, and again when its recipe has changed. */
export function fixture(name: FixtureName): Promise<string> {
  const known = being.get(name);
  if (known !== undefined) return known;
  const made = make(name);
  being.set(name, made);
  made.catch(() => being.delete(name));
  return made;
}

async function make(name: FixtureName): Promise<string> {
  const directory = join(fixtureFolder, digestOf(name));
  const path = join(directory, name);
  if (existsSync(path)) return path;
  mkdirSync(directory, { recursive: true });
  const extension = name.slice(name.lastIndexOf("."));
  // Of its own until it is whole: other processes make the same.
  const partial = join(fixtureFolder, `${process.pid}-${Bun.randomUUIDv7()}${extension}`);
  const recipe = await Promise.all(recipeOf(name).map(resolveArgument));
  const ffmpeg = Bun.spawn(
    ["ffmpeg", "-v", "error", "-y", ...recipe, "-fflags", "+bitexact", "-flags", "+bitexact", partial],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const message = await new Response(ffmpeg.stderr).text();
  if ((await ffmpeg.exited) !== 0) throw new Error(`ffmpeg could not make ${name}: ${message}`);
  renameSync(partial, path);
  return path;
}

/** Of a recipe and of all that it takes in. */
function digestOf(name: FixtureName): string {
  const parts = recipeOf(name).map((argument) => {
    if (argument.startsWith("fixture:")) return digestOf(argument.slice("fixture:".length) as FixtureName);
    return argument.startsWith("text:") ? texts[argument.slice("text:".length) as keyof typeof texts] : argument;
  });
  return new Bun.CryptoHasher("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);
}
